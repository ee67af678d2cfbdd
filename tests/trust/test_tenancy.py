"""A session's own policy: the names of one organisation written out, and nothing of another's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byoa.errors import InternalFault
from byoa.trust.tenancy import POLICY_LIMIT, Places, session_policy

MINE = "org_mine00000000"
ACCOUNT = "123456789012"
ARN = "arn:aws:{}:us-east-1:" + ACCOUNT + ":{}"
EVERYWHERE = Places(
    table=ARN.format("dynamodb", "table/byoa-Table-1ABCDEFGHIJKL"),
    bucket="arn:aws:s3:::byoa-quarantinebucket-1abcdefghijkl",
    repositories=ARN.format("ecr", "repository/byoa"),
    key=ARN.format("kms", "key/11111111-2222-3333-4444-555555555555"),
    secrets=ARN.format("secretsmanager", "secret:byoa"),
    account=ACCOUNT,
    external_ids=("a" * 52, "b" * 52),
)


def statements(places: Places, organisation: str = MINE) -> dict[str, dict[str, Any]]:
    """By what they allow."""
    policy = json.loads(session_policy(organisation, places))
    assert policy["Version"] == "2012-10-17", "older ones know no variables, and this needs none"
    return {each["Action"]: each for each in policy["Statement"]}


def test_every_place_is_written_out_for_one_organisation() -> None:
    found = statements(EVERYWHERE)
    assert {action: each["Resource"] for action, each in found.items()} == {
        "dynamodb:*": EVERYWHERE.table,
        "s3:*": f"{EVERYWHERE.bucket}/{MINE}/*",
        "s3:ListBucket": EVERYWHERE.bucket,
        "ecr:*": f"{EVERYWHERE.repositories}/{MINE}/*",
        "ecr:GetAuthorizationToken": "*",
        "kms:*": EVERYWHERE.key,
        "secretsmanager:GetSecretValue": f"{EVERYWHERE.secrets}/{MINE}/*",
        "sts:AssumeRole": "*",
    }
    assert found["dynamodb:*"]["Condition"] == {
        "ForAllValues:StringEquals": {
            "dynamodb:LeadingKeys": [f"{kind}#{MINE}" for kind in ("ORG", "HOOK", "LOOKUP", "QUOTA", "DELIVERY")]
        },
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    assert found["s3:ListBucket"]["Condition"] == {"StringLike": {"s3:prefix": f"{MINE}/*"}}
    assert found["secretsmanager:GetSecretValue"]["Condition"] == {
        "StringEquals": {"secretsmanager:ResourceTag/org_id": MINE}
    }
    assert found["sts:AssumeRole"]["Condition"] == {
        "StringEquals": {"sts:ExternalId": list(EVERYWHERE.external_ids)},
        "StringNotEquals": {"aws:ResourceAccount": ACCOUNT},
    }


def test_the_api_keeps_tokens_and_secrets_of_one_organisation_and_reads_no_secret() -> None:
    index, kept = f"{EVERYWHERE.table}/index/*", ARN.format("secretsmanager", "secret:byoa")
    places = Places(table=EVERYWHERE.table, listing=index, kept=kept)
    data, writing, listing = json.loads(session_policy(MINE, places))["Statement"]
    assert data["Resource"] == [places.table, places.listing]
    keys = [f"{kind}#{MINE}" for kind in ("ORG", "HOOK", "LOOKUP", "TOKEN")]
    assert data["Condition"]["ForAllValues:StringEquals"] == {"dynamodb:LeadingKeys": keys}
    assert writing["Resource"] == [f"{places.kept}{kind}/{MINE}/*" for kind in ("", "-clusters", "-issuers")]
    assert "secretsmanager:GetSecretValue" not in writing["Action"]
    assert (listing["Action"], listing["Resource"]) == ("secretsmanager:ListSecrets", "*")


def test_it_leans_on_no_variable_and_refuses_nothing() -> None:
    policy = session_policy(MINE, EVERYWHERE)
    assert "${" not in policy
    assert all(each["Effect"] == "Allow" for each in json.loads(policy)["Statement"])


@pytest.mark.parametrize("place", ["table", "bucket", "repositories", "secrets", "external_ids"])
def test_a_function_s_session_has_what_the_function_has_to_do_with(place: str) -> None:
    whole = statements(EVERYWHERE)
    only = statements(Places(**{place: getattr(EVERYWHERE, place), "account": ACCOUNT}))
    assert only
    assert only.items() <= whole.items()
    assert len(only) < len(whole)


def test_nothing_at_all_is_a_session_that_may_nothing() -> None:
    assert statements(Places()) == {}


def test_the_longest_names_fit() -> None:
    """CloudFormation's names: a stack's of 45 characters, a resource's of 16 at most, and its own 13 between dashes."""
    stack = "s" * 45
    longest = EVERYWHERE._replace(
        table=f"arn:aws-us-gov:dynamodb:ap-northeast-1:{ACCOUNT}:table/{stack}-Table-1ABCDEFGHIJKL",
        bucket=f"arn:aws-us-gov:s3:::{'b' * 63}",
        repositories=f"arn:aws-us-gov:ecr:ap-northeast-1:{ACCOUNT}:repository/{'r' * 64}",
        key=f"arn:aws-us-gov:kms:ap-northeast-1:{ACCOUNT}:key/mrk-{'1' * 32}",
        secrets=f"arn:aws-us-gov:secretsmanager:ap-northeast-1:{ACCOUNT}:secret:byoa",
    )
    assert len(session_policy("org_" + "a" * 40, longest)) <= POLICY_LIMIT


def test_names_that_do_not_fit_open_no_session() -> None:
    with pytest.raises(InternalFault, match="too long"):
        session_policy(MINE, EVERYWHERE._replace(repositories="r" * POLICY_LIMIT))


@pytest.mark.parametrize(
    "organisation",
    ["", "org_", "org_*", "org_mine0000000?", "org_mine0000000*", "org_mine00000000/../x", "org_${aws:username}",
     "ORG_mine00000000", "org_mine00000000\n", "org_" + "a" * 41, "org_mine0000000\u0661"],
)  # fmt: skip
def test_what_is_no_organisation_gets_no_session(organisation: str) -> None:
    with pytest.raises(InternalFault, match="no organisation"):
        session_policy(organisation, EVERYWHERE)
