"""One suite over everything that `byoa credentials` stores in: the store itself, and the API before one."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.secrets import SecretsSafe
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.vault import MemoryVault
from byoa.adapters.remote.safe import RemoteSafe
from byoa.adapters.remote.wire import Wire
from byoa.errors import CredentialForbidden, CredentialMalformed, ReferenceInvalid, TenantForbidden
from tests.api.loopback import listening
from tests.api.served import ORG, OTHER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.trust.ports import Safe


class Two(NamedTuple):
    """What two organisations see of one store."""

    ours: Safe
    theirs: Safe


@pytest.fixture(params=["memory", "moto", "api"])
def two(request: pytest.FixtureRequest) -> Iterator[Two]:
    if request.param == "memory":
        first = MemoryVault(ORG, SteppingClock())
        yield Two(first, MemoryVault(OTHER, SteppingClock(), first.held))
    elif request.param == "moto":
        with mock_aws(), closing(boto3.client("secretsmanager", "us-east-1")) as client:
            yield Two(SecretsSafe(client, ORG), SecretsSafe(client, OTHER))
    else:
        with listening() as api:
            tokens = (api.served.token(), api.served.token(org=OTHER))
            yield Two(*(RemoteSafe(Wire(api.address, token)) for token in tokens))


def text(password: str = "word", host: str = "ghcr.io") -> str:
    return json.dumps({"kind": "basic", "host": host, "username": "me", "password": password})


def test_what_is_stored_is_listed_by_name_and_nobody_else_s(two: Two) -> None:
    for name in ("b", "a"):
        assert two.ours.store(name, "basic", "ghcr.io", text()).before == "nothing"
    two.theirs.store("c", "basic", "quay.io", text(host="quay.io"))
    found = [(entry.name, entry.kind, entry.host) for entry in two.ours.entries()]
    assert found == [("a", "basic", "ghcr.io"), ("b", "basic", "ghcr.io")]
    assert [entry.name for entry in two.theirs.entries()] == ["c"]


def test_storing_again_makes_a_new_version_and_says_so(two: Two) -> None:
    first = two.ours.store("a", "basic", "ghcr.io", text())
    second = two.ours.store("a", "basic", "quay.io:8443", text("other", "quay.io:8443"))
    assert (second.before, first.version == second.version) == ("another", False)
    entry = two.ours.entry("a")
    assert (entry.host, entry.version, entry.used) == ("quay.io:8443", second.version, None)
    assert entry.changed
    assert entry.changed.tzinfo


def test_a_list_has_no_end_that_a_page_sets(two: Two) -> None:
    names = sorted(f"n{number:03}" for number in range(120))
    for name in names:
        two.ours.store(name, "basic", "ghcr.io", text())
    assert [entry.name for entry in two.ours.entries()] == names


def test_what_was_deleted_is_there_no_more_and_comes_back_with_a_new_value(two: Two) -> None:
    two.ours.store("a", "basic", "ghcr.io", text())
    gone = two.ours.delete("a")
    assert gone is None or gone.tzinfo
    assert two.ours.entries() == []
    for look in (two.ours.entry, two.ours.delete):
        with pytest.raises(CredentialForbidden):
            look("a")
    two.ours.store("a", "basic", "ghcr.io", text("new"))
    assert two.ours.entry("a").name == "a"


def test_another_s_are_as_if_there_were_none(two: Two) -> None:
    two.theirs.store("a", "basic", "ghcr.io", text())
    for look in (two.ours.entry, two.ours.delete):
        with pytest.raises(CredentialForbidden):
            look("a")
    assert two.theirs.entry("a").name == "a"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("../a", TenantForbidden), ("a/b", TenantForbidden), ("arn:aws:x", TenantForbidden), ("A", ReferenceInvalid)],
)
def test_a_name_that_is_none_is_refused(name: str, wanted: type[Exception], two: Two) -> None:
    for call in (two.ours.entry, two.ours.delete, lambda each: two.ours.store(each, "basic", "ghcr.io", text())):
        with pytest.raises(wanted):
            call(name)


def test_what_the_api_finds_unsound_is_told_as_it_tells_it() -> None:
    with listening() as api:
        safe = RemoteSafe(Wire(api.address, api.served.token()))
        with pytest.raises(CredentialMalformed):
            safe.store("a", "gcp_gar", "gcr.io", json.dumps({"key": "s3cret"}))
