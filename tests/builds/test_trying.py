"""Stored credentials, tried against registries of the desk: what a build would meet, told and not recorded."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.vault import MemoryEcrLogin, MemoryVault
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.transport import Transport
from byoa.builds.lending import Lender
from byoa.builds.messages import Trial
from byoa.builds.trying import try_credentials
from byoa.errors import (
    AuthFailed,
    ByoaError,
    CredentialForbidden,
    CredentialHostMismatch,
    EndpointBlocked,
    ReferenceInvalid,
    ReferenceNotFound,
    RegistryThrottled,
    TenantForbidden,
)
from byoa.trust.addresses import Reachable
from byoa.trust.policy import Policy
from local.registry import Registry, Request, Response, Settings
from tests.faults.artifacts import Maker, put
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.builds.lending import Lent
    from byoa.builds.messages import Tried
    from byoa.engine.ports import Repository
    from byoa.oci.reference import Reference

ARTIFACT = Maker(1).make("plain")
ORG, ACCOUNT = "org_0123456789ab", "111111111111"
OWN = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"


@dataclass
class Purse:
    """A budget that notes what is put on it."""

    spent: list[tuple[str, str, int]] = field(default_factory=list)
    rests: list[float] = field(default_factory=list)
    empty: bool = False

    def admit(self, host: str, organisation: str) -> None:
        if self.empty:
            raise RegistryThrottled("The share is used up.", retry_after=7)

    def spend(self, host: str, organisation: str, requests: int) -> None:
        self.spent.append((host, organisation, requests))

    def rest(self, host: str, organisation: str, seconds: float) -> None:
        self.rests.append(seconds)


@dataclass
class Bench:
    """A registry, and an organisation that has stored credentials for it."""

    registry: Scripted
    vault: MemoryVault
    transport: Transport
    purse: Purse = field(default_factory=Purse)

    def store(self, **fields: Any) -> None:
        login = {"kind": "basic", "host": self.registry.address, "username": "byoa", "password": "desk"}
        self.vault.store("creds", "basic", "", json.dumps({**login, **fields}))

    def open_source(self, reference: Reference, lent: Lent) -> tuple[Repository, Callable[[bool], bool]]:
        endpoint = Endpoint("http", reference.registry.host, reference.registry.port or 443)
        found = DistributionRepository(
            self.transport, endpoint, reference.repository, role="source", credential=lent.credential, renew=lent.renew
        )
        return found, lambda asked: found.logged_in if asked else found.check_login()

    def go(self, reference: str | None = None, name: str = "creds") -> Tried:
        lender = Lender(ORG, self.vault, MemoryEcrLogin(), ACCOUNT, "byoa-table")
        trial = Trial(organisation=ORG, name=name, reference=reference)
        opened = Reachable.parse(f"127.0.0.1/32:{self.registry.address.partition(':')[2]}")
        policy = Policy(ACCOUNT, "byoa", reachable=opened)
        return try_credentials(trial, lender, policy, self.purse, self.open_source)


@pytest.fixture(params=["basic", "bearer"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Scripted(Settings(auth=request.param)) as registry:
        put(registry, "vendor/app", ARTIFACT, "v1")
        made = Bench(registry, MemoryVault(ORG, SteppingClock()), Transport())
        made.store()
        yield made
        made.transport.close()


def test_a_good_login_is_told_with_its_version(bench: Bench) -> None:
    tried = bench.go()
    assert (tried.kind, tried.host, tried.login) == ("basic", bench.registry.address, "accepted")
    assert tried.version == bench.vault.read("creds").version
    assert tried.digest is None


def test_a_reference_is_pinned(bench: Bench) -> None:
    tried = bench.go(f"oci://{bench.registry.address}/vendor/app:v1")
    assert tried.login == "accepted"
    assert tried.digest
    assert tried.digest.startswith("sha256:")
    assert tried.size


def test_a_wrong_password_is_mended_where_it_is_stored(bench: Bench) -> None:
    bench.store(password="other")
    for reference in (None, f"oci://{bench.registry.address}/vendor/app:v1"):
        with pytest.raises(AuthFailed) as caught:
            bench.go(reference)
        assert "`byoa credentials set creds`" in caught.value.remedy


def test_a_right_that_is_missing_is_given_where_rights_are(bench: Bench) -> None:
    bench.registry.script = lambda request: Response(403, [], b"") if "/manifests/" in request.path else None
    with pytest.raises(AuthFailed, match="403") as caught:
        bench.go(f"oci://{bench.registry.address}/vendor/app:v1")
    assert "may read this" in caught.value.remedy


@pytest.mark.parametrize(
    ("reference", "wanted"),
    [
        ("oci://ghcr.io/vendor/app:v1", CredentialHostMismatch),
        ("oci://{}/vendor/app", ReferenceInvalid),
        ("oci://{}/vendor/other:v1", ReferenceNotFound),
        ("oci://{}/vendor/app:v2", ReferenceNotFound),
        (f"oci://{OWN}/byoa/org_other0000000/app:v1", TenantForbidden),
    ],
)
def test_what_a_build_would_refuse_is_refused(bench: Bench, reference: str, wanted: type[ByoaError]) -> None:
    with pytest.raises(wanted):
        bench.go(reference.format(bench.registry.address))


def test_no_other_address_is_asked(bench: Bench) -> None:
    bench.store(host="169.254.169.254")
    with pytest.raises(EndpointBlocked):
        bench.go()


def test_our_own_registry_is_not_asked_with_anybody_s_credentials(bench: Bench) -> None:
    """Threat A30, by way of what is stored."""
    bench.store(host=OWN)
    with pytest.raises(TenantForbidden):
        bench.go()
    assert not bench.purse.spent


def test_a_name_that_is_not_there_is_said_to_be_so(bench: Bench) -> None:
    with pytest.raises(CredentialForbidden):
        bench.go(name="nothing")
    assert not bench.registry.requests[2:], "nothing but what the fixture put there"


def test_what_was_asked_is_on_the_organisation_s_account_whatever_came_of_it(bench: Bench) -> None:
    before = len(bench.registry.requests)
    bench.go()
    bench.store(password="other")
    with pytest.raises(AuthFailed):
        bench.go()
    asked = len(bench.registry.requests) - before
    assert {spent[:2] for spent in bench.purse.spent} == {(bench.registry.address, ORG)}
    assert sum(requests for _, _, requests in bench.purse.spent) == asked


def test_an_organisation_that_has_used_up_its_share_asks_nothing(bench: Bench) -> None:
    before, bench.purse.empty = len(bench.registry.requests), True
    with pytest.raises(RegistryThrottled):
        bench.go()
    assert len(bench.registry.requests) == before


def test_a_registry_that_asks_for_rest_gets_it(bench: Bench) -> None:
    def busy(request: Request) -> Response | None:
        return Response(429, [("Retry-After", "9")], b"")

    bench.registry.script = busy
    with pytest.raises(RegistryThrottled):
        bench.go()
    assert bench.purse.rests == [9]


def test_a_registry_that_lets_everybody_in_was_not_asked() -> None:
    with Registry() as registry:
        open_to_all = Bench(registry, MemoryVault(ORG, SteppingClock()), Transport())  # type: ignore[arg-type]
        open_to_all.store(password="whatever")
        put(registry, "vendor/app", ARTIFACT, "v1")
        for reference in (None, f"oci://{registry.address}/vendor/app:v1"):
            assert open_to_all.go(reference).login == "not asked"
        open_to_all.transport.close()
