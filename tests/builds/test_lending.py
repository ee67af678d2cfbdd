"""What a step of a build is lent: its organisation's credentials, for the host that they are for, as they are now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.vault import MemoryEcrLogin, MemoryVault
from byoa.builds.lending import Lender
from byoa.errors import (
    AuthFailed,
    ByoaError,
    CredentialForbidden,
    CredentialHostMismatch,
    CredentialMalformed,
    ReferenceInvalid,
    SecretUnavailable,
    TenantForbidden,
)
from byoa.oci.reference import Reference
from byoa.trust.credentials import Credential
from byoa.trust.external_id import external_id

if TYPE_CHECKING:
    from byoa.trust.ports import Secret

OURS, THEIRS, ACCOUNT, SERIES = "org_0123456789ab", "org_other0000000", "111111111111", "byoa-table"
CANARY = "c4n4ry-77aa"
ECR_HOST, ROLE = "222222222222.dkr.ecr.us-west-2.amazonaws.com", "arn:aws:iam::222222222222:role/pull"


class Counted(MemoryVault):
    """Counts what is asked of it."""

    reads = 0

    def read(self, name: str) -> Secret:
        Counted.reads += 1
        return MemoryVault.read(self, name)


@pytest.fixture(autouse=True)
def uncounted() -> None:
    Counted.reads = 0


@pytest.fixture
def vault() -> Counted:
    return Counted(OURS, SteppingClock())


@pytest.fixture
def roles() -> MemoryEcrLogin:
    return MemoryEcrLogin({ROLE: external_id(SERIES, OURS)})


@pytest.fixture
def lender(vault: Counted, roles: MemoryEcrLogin) -> Lender:
    return Lender(OURS, vault, roles, ACCOUNT, SERIES)


def keep(vault: MemoryVault, name: str, **fields: Any) -> None:
    vault.store(name, "", "", json.dumps(fields))


def basic(host: str, password: str = CANARY) -> dict[str, str]:
    return {"kind": "basic", "host": host, "username": "robot", "password": password}


def reference(place: str) -> Reference:
    return Reference.parse(f"oci://{place}/team/app:v1")


def test_what_is_stored_for_the_host_is_lent(vault: Counted, lender: Lender) -> None:
    keep(vault, "creds", **basic("registry.example.com"), token_host="gitlab.example.com")
    lent = lender.lend("creds", reference("registry.example.com"))
    assert lent.credential == Credential("robot", CANARY)
    assert (lent.host, lent.kind, lent.token_host, lent.ca) == (
        "registry.example.com",
        "basic",
        "gitlab.example.com",
        None,
    )
    assert lent.version == vault.read("creds").version


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("docker.io", "index.docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("index.docker.io", "registry-1.docker.io"),
        ("ghcr.io:443", "ghcr.io"),
        ("GHCR.io", "ghcr.io"),
        ("reg.example.com:8443", "reg.example.com:8443"),
    ],
)
def test_one_host_by_two_names_is_one_host(vault: Counted, lender: Lender, stored: str, asked: str) -> None:
    """Threat A29."""
    keep(vault, "creds", **basic(stored))
    assert lender.lend("creds", reference(asked)).credential == Credential("robot", CANARY)


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("reg.example.com", "reg.example.com.evil.io"),
        ("reg.example.com", "evil-reg.example.com"),
        ("reg.example.com", "reg.example.com:8443"),
        ("reg.example.com:8443", "reg.example.com"),
        ("reg.example.com:8443", "reg.example.com:8444"),
        ("example.com", "reg.example.com"),
        ("reg.example.com", "example.com"),
        ("docker.io", "auth.docker.io"),
        ("docker.io", "docker.io:5000"),
        (ECR_HOST, ECR_HOST.replace("us-west-2", "us-east-1")),
    ],
)
def test_another_host_or_port_is_another(vault: Counted, lender: Lender, stored: str, asked: str) -> None:
    """Threats A27, C5."""
    keep(vault, "creds", **basic(stored))
    with pytest.raises(CredentialHostMismatch) as caught:
        lender.lend("creds", reference(asked))
    assert CANARY not in caught.value.as_json()


def test_another_organisation_s_are_not_there(vault: Counted, roles: MemoryEcrLogin) -> None:
    keep(vault, "creds", **basic("ghcr.io"))
    theirs = Lender(THEIRS, MemoryVault(THEIRS, SteppingClock(), vault.held), roles, ACCOUNT, SERIES)
    with pytest.raises(CredentialForbidden):
        theirs.lend("creds", reference("ghcr.io"))


def test_two_organisations_in_one_process_each_have_their_own(vault: Counted, roles: MemoryEcrLogin) -> None:
    """The same name, one after the other and again: nothing is kept between them."""
    others = MemoryVault(THEIRS, SteppingClock(), vault.held)
    keep(vault, "creds", **basic("ghcr.io", "ours"))
    keep(others, "creds", **basic("ghcr.io", "theirs"))
    lenders = {
        "ours": Lender(OURS, vault, roles, ACCOUNT, SERIES),
        "theirs": Lender(THEIRS, others, roles, ACCOUNT, SERIES),
    }
    for password in ("ours", "theirs", "ours"):
        assert lenders[password].lend("creds", reference("ghcr.io")).credential == Credential("robot", password)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("byoa/org_other0000000/reg", TenantForbidden),
        ("../reg", TenantForbidden),
        ("", ReferenceInvalid),
        ("*", ReferenceInvalid),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused_before_any_reading(
    lender: Lender, name: str, wanted: type[ByoaError]
) -> None:
    """Threats C1, C2."""
    with pytest.raises(wanted):
        lender.lend(name, reference("ghcr.io"))
    assert Counted.reads == 0


@pytest.mark.parametrize(
    "text", ["", CANARY, "{}", json.dumps({**basic("*")}), json.dumps({**basic("ghcr.io"), "x": CANARY})]
)
def test_what_can_t_be_read_is_quoted_nowhere(vault: Counted, lender: Lender, text: str) -> None:
    vault.store("creds", "basic", "ghcr.io", text)
    with pytest.raises(CredentialMalformed) as caught:
        lender.lend("creds", reference("ghcr.io"))
    assert CANARY not in caught.value.as_json()


def test_what_is_lent_shows_in_no_repr(vault: Counted, lender: Lender) -> None:
    keep(vault, "creds", **basic("ghcr.io"))
    lent = lender.lend("creds", reference("ghcr.io"))
    assert CANARY not in f"{lent!r} {lent} {lender!r}"


# ---- once more after a refusal -----------------------------------------------------------------------------------


def test_the_same_version_is_nothing_newer(vault: Counted, lender: Lender) -> None:
    keep(vault, "creds", **basic("ghcr.io"))
    lent = lender.lend("creds", reference("ghcr.io"))
    assert lent.renew() is None
    assert Counted.reads == 2


def test_a_rotated_secret_is_lent_anew(vault: Counted, lender: Lender) -> None:
    keep(vault, "creds", **basic("ghcr.io", "old"))
    lent = lender.lend("creds", reference("ghcr.io"))
    keep(vault, "creds", **basic("ghcr.io", "new"))
    assert lent.renew() == Credential("robot", "new")


def test_a_rotated_secret_of_another_host_is_lent_to_nobody(vault: Counted, lender: Lender) -> None:
    keep(vault, "creds", **basic("ghcr.io"))
    lent = lender.lend("creds", reference("ghcr.io"))
    keep(vault, "creds", **basic("quay.io"))
    with pytest.raises(CredentialHostMismatch):
        lent.renew()


@pytest.mark.parametrize("newer", [{}, {"token_host": "gitlab.example.net"}])
def test_a_rotated_secret_isn_t_shown_to_the_host_that_saw_the_one_before_it(
    vault: Counted, lender: Lender, newer: dict[str, str]
) -> None:
    keep(vault, "creds", **basic("registry.example.com", "old"), token_host="gitlab.example.com")
    lent = lender.lend("creds", reference("registry.example.com"))
    keep(vault, "creds", **basic("registry.example.com", "new"), **newer)
    with pytest.raises(SecretUnavailable) as caught:
        lent.renew()
    assert caught.value.given_up, "the next step reads it anew"


def test_a_secret_that_was_deleted_meanwhile_is_forbidden(vault: Counted, lender: Lender) -> None:
    keep(vault, "creds", **basic("ghcr.io"))
    lent = lender.lend("creds", reference("ghcr.io"))
    vault.delete("creds")
    with pytest.raises(CredentialForbidden):
        lent.renew()


# ---- roles -------------------------------------------------------------------------------------------------------


def test_a_role_is_assumed_with_the_organisation_s_own_id(vault: Counted, lender: Lender) -> None:
    keep(vault, "creds", kind="aws_ecr", host=ECR_HOST, role_arn=ROLE)
    assert lender.lend("creds", reference(ECR_HOST)).credential.username == "AWS"


def test_a_role_that_another_organisation_registered_lets_only_that_one_in(
    vault: Counted, roles: MemoryEcrLogin
) -> None:
    """Threat C14."""
    others = MemoryVault(THEIRS, SteppingClock(), vault.held)
    keep(others, "creds", kind="aws_ecr", host=ECR_HOST, role_arn=ROLE)
    with pytest.raises(AuthFailed):
        Lender(THEIRS, others, roles, ACCOUNT, SERIES).lend("creds", reference(ECR_HOST))


def test_a_role_that_lets_everybody_in_is_not_used(vault: Counted, lender: Lender, roles: MemoryEcrLogin) -> None:
    """Threat C13."""
    roles.roles[ROLE] = None
    keep(vault, "creds", kind="aws_ecr", host=ECR_HOST, role_arn=ROLE)
    with pytest.raises(AuthFailed):
        lender.lend("creds", reference(ECR_HOST))


@pytest.mark.parametrize("host", [ECR_HOST, f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"])
def test_no_role_of_our_own_account_is_assumed(
    vault: Counted, lender: Lender, roles: MemoryEcrLogin, host: str
) -> None:
    """Threat C13."""
    own = f"arn:aws:iam::{ACCOUNT}:role/byoa-source"
    roles.roles[own] = external_id(SERIES, OURS)
    keep(vault, "creds", kind="aws_ecr", host=host, role_arn=own)
    with pytest.raises(CredentialForbidden, match="own account"):
        lender.lend("creds", reference(host))


def test_without_a_reference_the_host_is_the_stored_one(vault: Counted, lender: Lender) -> None:
    keep(vault, "creds", **basic("registry.example.com:8443"))
    assert lender.lend("creds", None).host == "registry.example.com:8443"
