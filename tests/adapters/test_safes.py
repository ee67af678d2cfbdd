"""One suite over all stores of credentials, as people see them and as builds do."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from byoa.adapters.aws.secrets import SecretsSafe, SecretsVault
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.vault import MemoryVault
from byoa.errors import (
    ByoaError,
    CredentialForbidden,
    CredentialMalformed,
    InternalFault,
    PlatformForbidden,
    ReferenceInvalid,
    SecretUnavailable,
    StoreThrottled,
    TenantForbidden,
)
from byoa.trust.ports import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.trust.ports import Safe, SharedSafe, Vault

OURS, THEIRS = "org_0123456789ab", "org_0123456789abc"
"""One id begins with the other."""

CANARY = "canary-5f1c"


class Both(NamedTuple):
    """A store with the two faces that an organisation sees of it."""

    safe: SharedSafe
    vault: Vault
    of: Callable[[str], Safe]


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws(), closing(boto3.client("secretsmanager", "us-east-1")) as client:
        yield client


def on_aws(client: Any) -> Both:
    return Both(SecretsSafe(client, OURS), SecretsVault(client, OURS), lambda other: SecretsSafe(client, other))


@pytest.fixture(params=["memory", "moto", pytest.param("emulator", marks=pytest.mark.emulator)])
def both(request: pytest.FixtureRequest) -> Iterator[Both]:
    if request.param == "moto":
        yield on_aws(request.getfixturevalue("client"))
    elif request.param == "emulator":
        client = request.getfixturevalue("cloud").client("secretsmanager")
        yield on_aws(client)
        for page in client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True):
            for each in page["SecretList"]:
                client.delete_secret(SecretId=each["Name"], ForceDeleteWithoutRecovery=True)
    else:
        first = MemoryVault(OURS, SteppingClock())
        yield Both(first, first, lambda organisation: MemoryVault(organisation, SteppingClock(), first.held))


def test_what_is_stored_is_read_as_it_is(both: Both) -> None:
    kept = both.safe.store("ghcr", "basic", "ghcr.io", f"{CANARY} ü$%")
    secret = both.vault.read("ghcr")
    assert (secret.text, secret.version) == (f"{CANARY} ü$%", kept.version)
    assert kept.before == "nothing"


def test_a_secret_shows_in_no_repr(both: Both) -> None:
    both.safe.store("ghcr", "basic", "ghcr.io", CANARY)
    assert CANARY not in repr(both.vault.read("ghcr")) + repr(both)


def test_storing_again_makes_a_new_version_and_says_so(both: Both) -> None:
    first = both.safe.store("ghcr", "basic", "ghcr.io", "one")
    second = both.safe.store("ghcr", "token", "quay.io", "two")
    assert second.before == "another"
    assert first.version != second.version == both.vault.read("ghcr").version
    entry = both.safe.entry("ghcr")
    assert (entry.kind, entry.host, entry.version) == ("token", "quay.io", second.version)
    assert both.vault.read("ghcr").text == "two"


def test_a_version_is_put_in_place_of_the_one_that_was_seen_and_of_no_other(both: Both) -> None:
    first = both.safe.swap("a", "basic", "ghcr.io", "one", ("username",), "")
    assert first
    assert first.before == "nothing"
    assert both.safe.swap("a", "token", "quay.io", "lost", (), "") is None, "somebody was faster"
    second = both.safe.swap("a", "token", "quay.io", "two", (), first.version)
    assert second
    for was in (first.version, "a" * 32, ""):
        assert both.safe.swap("a", "basic", "ghcr.io", "lost", (), was) is None
    entry = both.safe.entry("a")
    assert (entry.kind, entry.host, entry.version) == ("token", "quay.io", second.version)
    assert both.vault.read("a").text == "two"


@pytest.mark.parametrize("both", ["memory", pytest.param("emulator", marks=pytest.mark.emulator)], indirect=True)
def test_what_was_deleted_is_none_and_is_brought_back_by_a_new_value(both: Both) -> None:
    """moto takes values for what was deleted."""
    first = both.safe.store("a", "basic", "ghcr.io", "one")
    both.safe.delete("a")
    assert both.safe.swap("a", "basic", "ghcr.io", "lost", (), first.version) is None
    second = both.safe.swap("a", "token", "quay.io", "two", (), "")
    assert second
    assert (second.before, second.was) == ("deleted", ("basic", "ghcr.io"))
    assert both.vault.read("a") == Secret("two", second.version)


def test_what_was_there_before_is_told_and_what_it_was_stored_with(both: Both) -> None:
    assert both.safe.store("a", "basic", "[2001:db8::1]:5000", "x", ("username", "ca")).was is None
    assert both.safe.entry("a").options == ("username", "ca")
    assert [entry.options for entry in both.safe.entries()] == [("username", "ca")]
    assert both.safe.store("a", "token", "quay.io", "y").was == ("basic", "[2001:db8::1]:5000")
    assert both.safe.entry("a").options == ()
    both.safe.delete("a")
    assert both.safe.store("a", "basic", "ghcr.io", "z").was == ("token", "quay.io")


def test_all_are_listed_by_name_and_nobody_else_s(both: Both) -> None:
    for name in ("b", "a"):
        both.safe.store(name, "basic", "ghcr.io", CANARY)
    both.of(THEIRS).store("c", "basic", "ghcr.io", CANARY)
    entries = both.safe.entries()
    assert [(entry.name, entry.kind, entry.host) for entry in entries] == [
        ("a", "basic", "ghcr.io"),
        ("b", "basic", "ghcr.io"),
    ]
    assert CANARY not in repr(entries)
    assert [entry.name for entry in both.of(THEIRS).entries()] == ["c"]


def test_a_list_has_no_end_that_a_page_sets(both: Both) -> None:
    names = sorted(f"n{number}" for number in range(120))
    for name in names:
        both.safe.store(name, "basic", "ghcr.io", "x")
    assert [entry.name for entry in both.safe.entries()] == names


@pytest.mark.parametrize("host", ["registry.example.com:8443", "[2001:db8::1]:5000", "127.0.0.1:5101"])
def test_a_host_is_shown_as_it_was_stored(both: Both, host: str) -> None:
    both.safe.store("a", "basic", host, "x")
    assert both.safe.entry("a").host == host


def test_the_last_use_is_told_by_the_day(both: Both) -> None:
    def know_the_day(parsed: dict[str, Any], **_: object) -> None:
        """Moto doesn't; AWS tells it from the first reading on."""
        parsed.setdefault("LastAccessedDate", datetime(2026, 1, 1, tzinfo=UTC))

    both.safe.store("a", "basic", "ghcr.io", "x")
    assert both.safe.entry("a").used is None
    both.vault.read("a")
    if isinstance(both.safe, SecretsSafe):
        both.safe.client.meta.events.register_first("after-call.secretsmanager.DescribeSecret", know_the_day)
    used = both.safe.entry("a").used
    assert used
    assert (used.hour, used.minute, used.second) == (0, 0, 0)


def test_nobody_reads_or_sees_what_was_deleted(both: Both) -> None:
    both.safe.store("a", "basic", "ghcr.io", "x")
    gone = both.safe.delete("a")
    assert gone is None or gone.tzinfo, "who doesn't know says so"
    for look in (both.vault.read, both.safe.entry, both.safe.delete):
        with pytest.raises(CredentialForbidden):
            look("a")
    assert both.safe.entries() == []


def test_what_was_deleted_comes_back_with_a_new_value(both: Both) -> None:
    both.safe.store("a", "basic", "ghcr.io", "old")
    both.safe.delete("a")
    assert both.safe.store("a", "token", "quay.io", "new").before == "deleted"
    assert both.vault.read("a").text == "new"
    assert [(entry.name, entry.kind) for entry in both.safe.entries()] == [("a", "token")]


def test_what_was_never_there_is_forbidden_and_not_a_fault(both: Both) -> None:
    for look in (both.vault.read, both.safe.entry, both.safe.delete):
        with pytest.raises(CredentialForbidden):
            look("nothing")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("byoa/org_0123456789abc/ghcr", TenantForbidden),
        ("../org_0123456789abc/ghcr", TenantForbidden),
        ("org_0123456789ab/../org_0123456789abc/ghcr", TenantForbidden),
        ("arn:aws:secretsmanager:us-east-1:111111111111:secret:byoa/org_0123456789abc/ghcr", TenantForbidden),
        ("arn:aws:secretsmanager:us-east-1:222222222222:secret:x", TenantForbidden),
        ("byoa/org_0123456789ab/*", TenantForbidden),
        ("%2e%2e%2forg", TenantForbidden),
        ("..", TenantForbidden),
        ("*", ReferenceInvalid),
        ("ghcr-AbCdEf", ReferenceInvalid),
        ("ghcr\n", ReferenceInvalid),
        ("", ReferenceInvalid),
        ("a" * 65, ReferenceInvalid),
        ("a" * 600, ReferenceInvalid),
    ],
)
def test_a_name_that_leads_elsewhere_asks_nobody(both: Both, name: str, wanted: type[ByoaError]) -> None:
    """Threats C1, C2."""
    asked: list[object] = []
    if isinstance(both.safe, SecretsSafe):
        both.safe.client.meta.events.register("before-send.secretsmanager", lambda **what: asked.append(what))
    looks: list[Callable[[], object]] = [
        lambda: both.vault.read(name),
        lambda: both.safe.entry(name),
        lambda: both.safe.delete(name),
        lambda: both.safe.store(name, "basic", "ghcr.io", "x"),
    ]
    for look in looks:
        with pytest.raises(wanted):
            look()
    assert not asked


@pytest.mark.parametrize("organisation", ["org_*", "org_A123456789ab", "org_0123456789ab/x", "", "org_${aws:x}0000"])
def test_an_organisation_that_is_none_has_nothing(both: Both, organisation: str) -> None:
    """Threat C3."""
    with pytest.raises(TenantForbidden):
        both.of(organisation).entries()
    with pytest.raises(TenantForbidden):
        both.of(organisation).entry("ghcr")


# ---- what AWS says otherwise -------------------------------------------------------------------------------------


def _answering(client: Any, error: Exception) -> None:
    client.meta.events.register("before-call.secretsmanager", _raising(error))


def _refusal(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": CANARY}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "GetSecretValue",
    )


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (_refusal("AccessDeniedException", 400), CredentialForbidden),
        (_refusal("ResourceNotFoundException", 400), CredentialForbidden),
        (_refusal("InvalidRequestException", 400), CredentialForbidden),
        (_refusal("ThrottlingException", 400), SecretUnavailable),
        (_refusal("InternalServiceError", 500), SecretUnavailable),
        (_refusal("ServiceUnavailable", 503), SecretUnavailable),
        (EndpointConnectionError(endpoint_url="https://secretsmanager.us-east-1.amazonaws.com"), SecretUnavailable),
        (_refusal("DecryptionFailure", 400), InternalFault),
    ],
)
def test_a_build_is_told_whose_matter_it_is(client: Any, error: Exception, wanted: type[ByoaError]) -> None:
    _answering(client, error)
    with pytest.raises(wanted) as caught:
        SecretsVault(client, OURS).read("ghcr")
    assert CANARY not in caught.value.as_json()


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (_refusal("AccessDeniedException", 400), PlatformForbidden),
        (_refusal("ThrottlingException", 400), StoreThrottled),
        (_refusal("InternalServiceError", 500), StoreThrottled),
    ],
)
def test_a_person_is_told_of_their_own_rights(client: Any, error: Exception, wanted: type[ByoaError]) -> None:
    _answering(client, error)
    safe = SecretsSafe(client, OURS)
    looks: list[Callable[[], object]] = [
        lambda: safe.entry("a"),
        safe.entries,
        lambda: safe.delete("a"),
        lambda: safe.store("a", "basic", "ghcr.io", "x"),
    ]
    for look in looks:
        with pytest.raises(wanted):
            look()


@pytest.mark.parametrize("operation", ["TagResource", "PutSecretValue"])
def test_what_was_deleted_isn_t_good_again_where_its_new_value_fails(client: Any, operation: str) -> None:
    safe = SecretsSafe(client, OURS)
    safe.store("a", "basic", "ghcr.io", "old")
    safe.delete("a")
    client.meta.events.register(f"before-call.secretsmanager.{operation}", _raising(_refusal("Throttling", 400)))
    with pytest.raises(StoreThrottled):
        safe.store("a", "basic", "ghcr.io", "new")
    with pytest.raises(CredentialForbidden):
        SecretsVault(client, OURS).read("a")


def _raising(error: Exception) -> Callable[..., None]:
    def answer(**_: object) -> None:
        raise error

    return answer


def test_bytes_are_no_credentials(client: Any) -> None:
    client.create_secret(Name=f"byoa/{OURS}/bytes", SecretBinary=b"\x00\x01")
    with pytest.raises(CredentialMalformed, match="no text"):
        SecretsVault(client, OURS).read("bytes")


def test_the_value_that_is_current_is_read_and_not_the_one_before_it(client: Any) -> None:
    asked: list[Any] = []
    client.meta.events.register(
        "provide-client-params.secretsmanager.GetSecretValue", lambda params, **_: asked.append(params)
    )
    SecretsSafe(client, OURS).store("a", "basic", "ghcr.io", "x")
    SecretsVault(client, OURS).read("a")
    assert asked == [{"SecretId": f"byoa/{OURS}/a", "VersionStage": "AWSCURRENT"}]


def test_a_secret_is_tagged_with_whose_and_what_it_is(client: Any) -> None:
    safe = SecretsSafe(client, OURS)
    safe.store("a", "basic", "ghcr.io", "x")
    safe.store("a", "token", "quay.io", "y", ("registry_token", "ca"))
    tags = client.describe_secret(SecretId=f"byoa/{OURS}/a")["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "org_id": OURS, "byoa_kind": "token", "byoa_host": "quay.io", "byoa_options": "registry_token ca"
    }  # fmt: skip


def test_a_day_is_utc_s_wherever_the_machine_is(client: Any) -> None:
    def tell(parsed: dict[str, Any], **_: object) -> None:
        parsed["LastAccessedDate"] = datetime(2026, 1, 1, tzinfo=UTC).astimezone(timezone(timedelta(hours=-5)))

    safe = SecretsSafe(client, OURS)
    safe.store("a", "basic", "ghcr.io", "x")
    client.meta.events.register("after-call.secretsmanager.DescribeSecret", tell)
    assert safe.entry("a").used == datetime(2026, 1, 1, tzinfo=UTC)
    assert safe.entry("a").used.strftime("%Y-%m-%d") == "2026-01-01"  # type: ignore[union-attr]


def test_what_is_deleted_can_be_brought_back_for_a_week(client: Any) -> None:
    safe = SecretsSafe(client, OURS)
    safe.store("a", "basic", "ghcr.io", "x")
    before = datetime.now(UTC)
    assert timedelta(days=6) < safe.delete("a") - before < timedelta(days=8)


def test_other_secrets_under_the_path_are_not_listed(client: Any) -> None:
    """Made by hand, or by another system."""
    for name in (f"byoa/{OURS}/deep/er", f"byoa/{OURS}/Upper", f"byoa/{THEIRS}/b", "byoa"):
        client.create_secret(Name=name, SecretString="x")
    SecretsSafe(client, OURS).store("a", "basic", "ghcr.io", "x")
    assert [entry.name for entry in SecretsSafe(client, OURS).entries()] == ["a"]
