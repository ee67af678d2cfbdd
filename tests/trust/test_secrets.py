"""Names of secrets, and the ids that keep organisations' roles apart."""

from __future__ import annotations

import re

import pytest
from pydantic import TypeAdapter, ValidationError

from byoa.components.values import CredentialsRef
from byoa.trust.external_id import external_id
from byoa.trust.secrets import is_name, secret_name, secrets_prefix

OURS, THEIRS = "org_0123456789ab", "org_0123456789abc"


def test_a_name_has_its_organisation_s_path() -> None:
    assert secret_name(OURS, "aws-ecr-creds") == "byoa/org_0123456789ab/aws-ecr-creds"


def test_no_path_begins_with_another_organisation_s() -> None:
    assert not secret_name(THEIRS, "a").startswith(secrets_prefix(OURS))


@pytest.mark.parametrize(
    "name", ["a", "a" * 64, "-", "0", "aws-ecr-creds", "", "a" * 65, "A", "a_b", "a.b", "a\n", "ä"]
)
def test_a_config_s_field_takes_the_very_same_names(name: str) -> None:
    taken = True
    try:
        TypeAdapter(CredentialsRef).validate_python(name)
    except ValidationError:
        taken = False
    assert taken == is_name(name)


def test_an_id_is_one_organisation_s_in_one_stack_and_stays() -> None:
    ids = {external_id(series, organisation) for series in ("byoa-a", "byoa-b") for organisation in (OURS, THEIRS)}
    assert len(ids) == 4
    first = "yqmzzvyjbbjqqjpwjrwvc5ki6h7qpdmb7vlwd5cwoy5zhehhnxeq"
    assert external_id("byoa-a", OURS) == first, "vendors have it in their trust policies"


def test_an_id_is_what_iam_takes_for_one() -> None:
    """STS API, AssumeRole, ExternalId."""
    assert re.fullmatch(r"[\w+=,.@:\/-]{2,1224}", external_id("byoa-table", OURS))
    assert re.fullmatch(r"[a-z2-7]{52}", external_id("byoa-table", OURS))
