"""One suite over both ways into other accounts' ECR: a role lets us in with our ExternalId, and only with it."""

from __future__ import annotations

import base64
import json
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from byoa.adapters.aws.ecr_login import RoleLogin
from byoa.adapters.memory.vault import MemoryEcrLogin
from byoa.errors import AuthFailed, ByoaError, CredentialMalformed, InternalFault, SecretUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.trust.ports import EcrLogin

HOST = "222222222222.dkr.ecr.us-west-2.amazonaws.com"
CAREFUL, CARELESS, UNKNOWN = (f"arn:aws:iam::222222222222:role/{name}" for name in ("pull", "open", "nothing"))
EXTERNAL_ID, STRANGER = "a7q362lqznuy44m52dmsrxgu", "z7q362lqznuy44m52dmsrxgu"


def _refusal(code: str, status: int = 403) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "canary"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "AssumeRole",
    )


@dataclass
class Trusting:
    """Trust policies before moto's STS, which has none of its own."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    careless: set[str] = field(default_factory=lambda: {CARELESS})

    def judge(self, params: dict[str, Any], **_: object) -> None:
        self.asked.append(params)
        careful = params["RoleArn"] == CAREFUL and params["ExternalId"] == EXTERNAL_ID
        if not careful and params["RoleArn"] not in self.careless:
            raise _refusal("AccessDenied")


class Aws(NamedTuple):
    login: RoleLogin
    trusting: Trusting
    regions: list[str]
    keys: list[str]


@pytest.fixture
def aws() -> Iterator[Aws]:
    with mock_aws(), closing(boto3.client("sts", "us-east-1")) as sts:
        trusting, regions, keys = Trusting(), list[str](), list[str]()
        sts.meta.events.register("provide-client-params.sts.AssumeRole", trusting.judge)

        def ecr(region: str, found: Any) -> Any:
            regions.append(region)
            keys.append(found["AccessKeyId"])
            return boto3.client("ecr", region)

        yield Aws(RoleLogin(sts, ecr, "bld7q362lqznuy44m52dmsrxgu", STRANGER), trusting, regions, keys)


@pytest.fixture(params=["memory", "aws"])
def login(request: pytest.FixtureRequest, aws: Aws) -> EcrLogin:
    if request.param == "memory":
        return MemoryEcrLogin({CAREFUL: EXTERNAL_ID, CARELESS: None})
    return aws.login


def test_the_role_s_own_id_lets_us_in(login: EcrLogin) -> None:
    credential = login.password(HOST, CAREFUL, EXTERNAL_ID)
    assert credential.username == "AWS"
    assert credential.password


@pytest.mark.parametrize("role", [CAREFUL, UNKNOWN])
@pytest.mark.parametrize("identity", ["b", "b7q362lqznuy44m52dmsrxgu"])
def test_no_other_id_does(login: EcrLogin, role: str, identity: str) -> None:
    """Threats C13, C14: a role that another organisation has registered asks for that one's id."""
    with pytest.raises(AuthFailed):
        login.password(HOST, role, identity)


def test_a_role_that_asks_for_no_id_is_not_used(login: EcrLogin) -> None:
    """Any of our organisations could name it."""
    with pytest.raises(AuthFailed, match="no ExternalId"):
        login.password(HOST, CARELESS, EXTERNAL_ID)


# ---- on AWS ------------------------------------------------------------------------------------------------------


def test_the_session_is_short_named_and_may_only_pull(aws: Aws) -> None:
    aws.login.password(HOST, CAREFUL, EXTERNAL_ID)
    probe, asked = aws.trusting.asked
    assert (probe["ExternalId"], asked["ExternalId"]) == (STRANGER, EXTERNAL_ID)
    for each in (probe, asked):
        assert (each["DurationSeconds"], each["RoleSessionName"]) == (900, "bld7q362lqznuy44m52dmsrxgu")
        statements = json.loads(each["Policy"])["Statement"]
        allowed = {action for statement in statements for action in _listed(statement["Action"])}
        assert allowed == {
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:DescribeImages",
            "ecr:GetAuthorizationToken",
            "ecr:GetDownloadUrlForLayer",
        }


def _listed(action: Any) -> list[str]:
    return action if isinstance(action, list) else [action]


def test_the_token_is_of_the_host_s_region_and_of_the_assumed_session(aws: Aws) -> None:
    aws.login.password(HOST, CAREFUL, EXTERNAL_ID)
    aws.login.password("222222222222.dkr-ecr.eu-central-1.on.aws", CAREFUL, EXTERNAL_ID)
    assert aws.regions == ["us-west-2", "eu-central-1"]
    assert all(key.startswith("ASIA") for key in aws.keys)


def test_a_role_that_was_found_careful_isn_t_asked_again_with_a_stranger_s_id(aws: Aws) -> None:
    for _ in range(2):
        aws.login.password(HOST, CAREFUL, EXTERNAL_ID)
    assert [asked["ExternalId"] for asked in aws.trusting.asked] == [STRANGER, EXTERNAL_ID, EXTERNAL_ID]


def test_a_role_that_let_nobody_in_is_tried_with_a_stranger_s_id_again(aws: Aws) -> None:
    """It wasn't there, or didn't name us yet: its owner may make it careless a minute later."""
    with pytest.raises(AuthFailed):
        aws.login.password(HOST, UNKNOWN, EXTERNAL_ID)
    aws.trusting.careless.add(UNKNOWN)
    with pytest.raises(AuthFailed, match="no ExternalId"):
        aws.login.password(HOST, UNKNOWN, EXTERNAL_ID)


def test_what_a_role_let_one_organisation_in_for_says_nothing_for_another_one(aws: Aws) -> None:
    """It has become careless since."""
    aws.login.password(HOST, CAREFUL, EXTERNAL_ID)
    aws.trusting.careless.add(CAREFUL)
    with pytest.raises(AuthFailed, match="no ExternalId"):
        aws.login.password(HOST, CAREFUL, "b7q362lqznuy44m52dmsrxgu")


def test_a_remedy_names_what_the_trust_policy_needs(aws: Aws) -> None:
    with pytest.raises(AuthFailed) as caught:
        aws.login.password(HOST, UNKNOWN, EXTERNAL_ID)
    assert "ExternalId" in caught.value.remedy
    assert "SourceRoleArn" in caught.value.remedy


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (_refusal("AccessDeniedException", 400), AuthFailed),
        (_refusal("ThrottlingException", 400), SecretUnavailable),
        (_refusal("ServerException", 500), SecretUnavailable),
        (_refusal("InvalidParameterException", 400), InternalFault),
    ],
)
def test_a_role_without_rights_on_ecr_is_told_of(aws: Aws, error: ClientError, wanted: type[ByoaError]) -> None:
    def ecr(region: str, found: Any) -> Any:
        client = boto3.client("ecr", region)

        def answer(**_: object) -> None:
            raise error

        client.meta.events.register("before-call.ecr", answer)
        return client

    aws.login.ecr = ecr
    with pytest.raises(wanted) as caught:
        aws.login.password(HOST, CAREFUL, EXTERNAL_ID)
    assert "canary" not in caught.value.as_json()


def test_a_busy_sts_is_asked_again_later(aws: Aws) -> None:
    def answer(**_: object) -> None:
        raise _refusal("Throttling", 400)

    aws.login.sts.meta.events.register("before-call.sts", answer)
    with pytest.raises(SecretUnavailable):
        aws.login.password(HOST, CAREFUL, EXTERNAL_ID)


def test_a_host_without_a_region_asks_nobody(aws: Aws) -> None:
    with pytest.raises(CredentialMalformed):
        aws.login.password("ghcr.io", CAREFUL, EXTERNAL_ID)
    assert not aws.trusting.asked


def test_a_token_that_can_t_be_read_is_quoted_nowhere(aws: Aws) -> None:
    def ecr(region: str, found: Any) -> Any:
        client = boto3.client("ecr", region)

        def spoil(parsed: dict[str, Any], **_: object) -> None:
            parsed["authorizationData"][0]["authorizationToken"] = base64.b64encode(b"\xff\xfecanary").decode()

        client.meta.events.register("after-call.ecr", spoil)
        return client

    aws.login.ecr = ecr
    with pytest.raises(InternalFault) as caught:
        aws.login.password(HOST, CAREFUL, EXTERNAL_ID)
    assert "canary" not in f"{caught.value!r}{caught.value.__context__!r}"
