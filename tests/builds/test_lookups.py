"""Lookups of artifacts in registries of the desk: what they mean, what they hold, how two differ; and who may know."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.quota import MemoryQuota
from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.memory.vault import MemoryEcrLogin, MemoryVault
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.transport import Transport
from byoa.builds import look_up as step
from byoa.builds.lending import Lender
from byoa.builds.look_up import Means, look_up
from byoa.builds.lookups import TAGS, LookedUp, LookUp
from byoa.builds.read import read
from byoa.content.packing import pack
from byoa.engine.sending import Pace
from byoa.errors import (
    AuthFailed,
    ByoaError,
    ContentTooLarge,
    CredentialHostMismatch,
    EndpointBlocked,
    EventUntrusted,
    QuotaExceeded,
    ReferenceInvalid,
    ReferenceNotFound,
    RegistryThrottled,
    TenantForbidden,
    Timeout,
)
from byoa.trust.addresses import Reachable
from byoa.trust.policy import Policy
from local.registry import Request, Response, Settings
from local.registry.manifests import Manifest as Stored
from local.registry.store import MemoryBlob
from tests.builds.test_trying import Purse
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.lending import Lent
    from byoa.builds.lookups import ReadContents
    from byoa.engine.ports import Repository
    from byoa.oci.reference import Reference

ORG, ACCOUNT = "org_0123456789ab", "111111111111"
OWN = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
EMPTY = f"sha256:{hashlib.sha256(b'{}').hexdigest()}"
CANARY = "c4n4ry-6e55"
ONE = """apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {colour: blue}
---
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {password: old}
"""
TWO = ONE.replace("blue", "green").replace("old", CANARY)


@dataclass
class Bench:
    """A registry that wants a login, what is stored for it, and the organisation's quarantine."""

    registry: Scripted
    vault: MemoryVault
    transport: Transport
    purse: Purse = field(default_factory=Purse)
    quarantine: MemoryRepository = field(default_factory=MemoryRepository)
    quota: MemoryQuota = field(default_factory=lambda: MemoryQuota(SteppingClock(), 1024 * 1024))

    def push(self, tag: str, text: str) -> str:
        """Have the registry hold a text, without a request."""
        packed = pack(text)
        repository = self.registry.store.make("vendor/app")
        for digest, content in packed.blobs.items():
            repository.add_blob(str(digest), MemoryBlob(content))
        made = packed.manifest
        repository.add_manifest(Stored.parse(str(made.digest), made.descriptor.media_type, made.content), [tag])
        return str(made.digest)

    def attach(self, tag: str | None, document: dict[str, Any]) -> str:
        """Have it hold a manifest of this kind; its digest."""
        config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": EMPTY, "size": 2}
        kind = "application/vnd.oci.image.manifest.v1+json"
        content = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, **document}).encode()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        repository = self.registry.store.make("vendor/app")
        repository.add_blob(EMPTY, MemoryBlob(b"{}"))
        repository.add_manifest(Stored.parse(digest, kind, content), [tag] if tag else [])
        return digest

    def open_source(self, reference: Reference, lent: Lent | None) -> Repository:
        endpoint = Endpoint("http", reference.registry.host, reference.registry.port or 443)
        credential = lent.credential if lent else None
        return DistributionRepository(
            self.transport, endpoint, reference.repository, role="source", credential=credential
        )

    @property
    def means(self) -> Means:
        opened = Reachable.parse(f"127.0.0.1/32:{self.registry.address.partition(':')[2]}")
        return Means(
            lender=Lender(ORG, self.vault, MemoryEcrLogin(), ACCOUNT, "byoa-table"),
            policy=Policy(ACCOUNT, "byoa", reachable=opened),
            budget=self.purse,
            clock=SteppingClock(),
            open_source=self.open_source,
            open_quarantine=lambda: self.quarantine,
            quota=self.quota,
        )

    def sought(self, tag: str) -> dict[str, Any]:
        return {"url": f"oci://{self.registry.address}/vendor/app", "tag": tag, "credentials_ref": "creds"}

    def ask(self, action: str, *artifacts: dict[str, Any]) -> LookedUp:
        asked = LookUp.model_validate({"organisation": ORG, "action": action, "artifacts": [*artifacts]})
        return LookedUp.model_validate_json(look_up(asked, self.means).model_dump_json())

    def read(self, action: str, *artifacts: dict[str, Any]) -> ReadContents:
        found = self.ask(action, *artifacts)
        assert found.reads
        return read(found, self.quarantine)


@pytest.fixture(params=["basic", "bearer"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Scripted(Settings(auth=request.param)) as registry:
        made = Bench(registry, MemoryVault(ORG, SteppingClock()), Transport())
        login = {"kind": "basic", "host": registry.address, "username": "byoa", "password": "desk"}
        made.vault.store("creds", "basic", "", json.dumps(login))
        yield made
        made.transport.close()


def test_an_inspection_tells_what_is_attached_and_that_nobody_was_asked_for_it_in_vain(bench: Bench) -> None:
    digest = bench.push("v1", ONE)
    around = bench.ask("inspect", bench.sought("v1")).around
    assert around
    assert (around.count, around.attached) == (0, [])
    assert around.bytes > len(ONE.encode())
    layer = {"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "digest": EMPTY, "size": 2}
    signed = bench.attach(f"{digest.replace(':', '-')}.sig", {"layers": [layer]})
    listed = bench.attach(None, {
        "artifactType": "application/spdx+json", "layers": [],
        "subject": {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 634},
    })  # fmt: skip
    around = bench.ask("inspect", bench.sought("v1")).around
    assert around
    told = {each.digest: (each.kind, each.subject, each.tag) for each in around.attached}
    assert told == {signed: ("signature", digest, f"{digest.replace(':', '-')}.sig"), listed: ("sbom", digest, None)}
    assert bench.ask("resolve", bench.sought("v1")).around is None


def test_a_tag_is_resolved_and_nothing_is_fetched(bench: Bench) -> None:
    digest = bench.push("v1", ONE)
    found = bench.ask("resolve", bench.sought("v1"))
    assert (found.artifacts[0].digest, found.reads) == (digest, False)
    assert found.artifacts[0].reference == f"oci://{bench.registry.address}/vendor/app:v1"
    assert not bench.quarantine.blobs


def test_a_plan_tells_what_a_build_would_fetch_and_fetches_no_blob(bench: Bench) -> None:
    bench.push("v1", ONE)
    plan = bench.ask("plan", bench.sought("v1")).plan
    assert plan
    assert (plan.manifests, plan.blobs_to_copy, plan.blobs_to_skip, plan.missing_permissions) == (1, 2, 0, [])
    assert plan.bytes > len(ONE.encode())
    assert not bench.quarantine.blobs
    bench.ask("inspect", bench.sought("v1"))
    plan = bench.ask("plan", bench.sought("v1")).plan
    assert plan
    assert (plan.blobs_to_copy, plan.blobs_to_skip) == (0, 2)


def test_what_an_artifact_holds_is_read_from_quarantine(bench: Bench) -> None:
    digest = bench.push("v1", ONE)
    contents = bench.read("inspect", bench.sought("v1")).contents
    assert contents
    assert (contents.digest, contents.resources, contents.encrypted) == (digest, 2, False)
    assert [(each.kind, each.name) for each in contents.objects] == [("ConfigMap", "web"), ("Secret", "web")]


def test_how_two_differ_is_read_from_quarantine_without_a_secret(bench: Bench) -> None:
    digests = [bench.push(tag, text) for tag, text in (("v1", ONE), ("v2", TWO))]
    answer = bench.read("diff", bench.sought("v1"), bench.sought("v2"))
    difference = answer.difference
    assert difference
    assert [difference.before, difference.after] == digests
    assert (difference.differs, difference.changed, difference.same) == (True, 2, 0)
    assert [[change.path for change in each.changes] for each in difference.objects] == [
        ["/data/colour"],
        ["/stringData/password"],
    ]
    assert CANARY not in answer.model_dump_json()
    assert bench.read("diff", bench.sought("v1"), bench.sought("v1")).difference == difference.model_copy(
        update={"after": digests[0], "differs": False, "changed": 0, "objects": []}
    )


def test_who_asks_registries_parses_no_contents(bench: Bench) -> None:
    """Threats, section 3: nothing that parses a tenant's bytes can read secrets."""
    bench.push("v1", "{[ no YAML at all")
    found = bench.ask("inspect", bench.sought("v1"))
    with pytest.raises(ByoaError) as caught:
        read(found, bench.quarantine)
    assert caught.value.where == "layer 1, file 1"


def test_who_asks_registries_has_no_reader_of_contents() -> None:
    told = "import sys, functions.look_up_artifact, byoa.bootstrap.sources, byoa.builds.lending\n"
    told += "print([name for name in sys.modules if name.startswith(('byoa.content', 'yaml', 'tarfile'))])"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_is_nothing_to_read_is_refused_where_it_is_read(bench: Bench) -> None:
    found = bench.ask("diff", *[{**bench.sought("v1"), "tag": None, "digest": bench.push("v1", ONE)}] * 2)
    with pytest.raises(EventUntrusted):
        read(found.model_copy(update={"action": "resolve"}), bench.quarantine)
    with pytest.raises(EventUntrusted):
        read(found.model_copy(update={"artifacts": found.artifacts[:1]}), bench.quarantine)


def test_a_manifest_that_is_another_than_was_found_is_not_read(bench: Bench) -> None:
    bench.push("v1", ONE)
    found = bench.ask("inspect", bench.sought("v1"))
    other = found.artifacts[0].model_copy(update={"digest": "sha256:" + "0" * 64})
    with pytest.raises(ByoaError):
        read(found.model_copy(update={"artifacts": [other]}), bench.quarantine)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"tag": None}, ReferenceInvalid),
        ({"tag": "v9"}, ReferenceNotFound),
        ({"url": "oci://ghcr.io/vendor/app"}, CredentialHostMismatch),
        ({"url": "oci://169.254.169.254/vendor/app", "credentials_ref": None}, EndpointBlocked),
        ({"url": f"oci://{OWN}/byoa/org_other0000000/app", "credentials_ref": None}, TenantForbidden),
        ({"credentials_ref": None}, AuthFailed),
        ({"credentials_ref": "../org_other0000000/creds"}, TenantForbidden),
    ],
)
@pytest.mark.parametrize("action", ["resolve", "plan", "inspect"])
def test_what_a_build_would_refuse_is_refused(
    bench: Bench, action: str, fields: dict[str, Any], wanted: type[ByoaError]
) -> None:
    bench.push("v1", ONE)
    with pytest.raises(wanted):
        bench.ask(action, {**bench.sought("v1"), **fields})
    assert not bench.quarantine.blobs


def test_a_repository_s_tags_are_listed_the_newest_first(bench: Bench) -> None:
    signed = bench.push("v1.9.0", ONE).replace(":", "-")
    for tag in ("v1.10.0", "latest", "v2.0.0-rc.1", f"{signed}.sig", signed):
        bench.push(tag, ONE)
    found = bench.ask("tags", {**bench.sought("v1"), "tag": None})
    assert found.tags
    assert (found.tags.tags, found.tags.truncated) == (["v2.0.0-rc.1", "v1.10.0", "v1.9.0", "latest"], False)
    assert (found.artifacts, found.reads) == ([], False)
    assert not bench.quarantine.blobs
    assert sum(requests for _, _, requests in bench.purse.spent) == len(bench.registry.requests)


def test_of_very_many_tags_the_newest_are_told_and_that_there_are_more(bench: Bench) -> None:
    digest = bench.push("v1", ONE)
    repository = bench.registry.store.make("vendor/app")
    repository.tags.update({f"1.{number}.0": digest for number in range(TAGS)})
    found = bench.ask("tags", {**bench.sought("v1"), "tag": None}).tags
    assert found
    assert (len(found.tags), found.tags[0], found.truncated) == (1000, "1.999.0", True)
    del repository.tags["v1"]
    found = bench.ask("tags", {**bench.sought("v1"), "tag": None}).tags
    assert found
    assert (len(found.tags), found.truncated) == (1000, False)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"tag": "v1"}, ReferenceInvalid),
        ({"digest": "sha256:" + "0" * 64}, ReferenceInvalid),
        ({"url": "oci://ghcr.io/vendor/app:v1"}, ReferenceInvalid),
        ({"url": "oci://ghcr.io/vendor/app"}, CredentialHostMismatch),
        ({"url": "oci://169.254.169.254/vendor/app", "credentials_ref": None}, EndpointBlocked),
        ({"url": f"oci://{OWN}/byoa/org_other0000000/app", "credentials_ref": None}, TenantForbidden),
        ({"credentials_ref": None}, AuthFailed),
    ],
)
def test_tags_are_listed_of_what_a_build_could_read(
    bench: Bench, fields: dict[str, Any], wanted: type[ByoaError]
) -> None:
    bench.push("v1", ONE)
    with pytest.raises(wanted):
        bench.ask("tags", {**bench.sought("v1"), "tag": None, **fields})


def test_a_repository_that_is_not_there_has_no_tags(bench: Bench) -> None:
    with pytest.raises(ReferenceNotFound):
        bench.ask("tags", {**bench.sought("v1"), "tag": None, "url": f"oci://{bench.registry.address}/vendor/none"})


def test_of_two_the_error_tells_which(bench: Bench) -> None:
    bench.push("v1", ONE)
    for artifacts, where in ((("v1", "v9"), "after"), (("v9", "v1"), "before")):
        with pytest.raises(ReferenceNotFound) as caught:
            bench.ask("diff", *map(bench.sought, artifacts))
        assert caught.value.where == where


def test_a_login_that_is_refused_is_mended_where_it_is_stored(bench: Bench) -> None:
    bench.push("v1", ONE)
    login = {"kind": "basic", "host": bench.registry.address, "username": "byoa", "password": "other"}
    bench.vault.store("creds", "basic", "", json.dumps(login))
    with pytest.raises(AuthFailed) as caught:
        bench.ask("resolve", bench.sought("v1"))
    assert "byoa credentials set creds" in caught.value.remedy


def test_what_was_asked_is_on_the_organisation_s_account(bench: Bench) -> None:
    bench.push("v1", ONE)
    before = len(bench.registry.requests)
    bench.ask("inspect", bench.sought("v1"))
    with pytest.raises(ReferenceNotFound):
        bench.ask("resolve", bench.sought("v9"))
    asked = len(bench.registry.requests) - before
    assert {spent[:2] for spent in bench.purse.spent} == {(bench.registry.address, ORG)}
    assert sum(requests for _, _, requests in bench.purse.spent) == asked


def test_an_organisation_that_has_used_up_its_share_asks_nothing(bench: Bench) -> None:
    bench.push("v1", ONE)
    before, bench.purse.empty = len(bench.registry.requests), True
    with pytest.raises(RegistryThrottled):
        bench.ask("resolve", bench.sought("v1"))
    assert len(bench.registry.requests) == before


def test_a_registry_that_asks_for_rest_gets_it(bench: Bench) -> None:
    def busy(request: Request) -> Response | None:
        return Response(429, [("Retry-After", "9")], b"")

    bench.push("v1", ONE)
    bench.registry.script = busy
    with pytest.raises(RegistryThrottled):
        bench.ask("resolve", bench.sought("v1"))
    assert bench.purse.rests == [9]


def test_bytes_are_of_the_organisation_s_day_and_count_once(bench: Bench) -> None:
    digest = bench.push("v1", ONE)
    bench.ask("inspect", bench.sought("v1"))
    counted = bench.quota.counted[ORG, digest]
    assert counted > len(ONE.encode())
    bench.quarantine.blobs.clear()
    bench.ask("inspect", bench.sought("v1"))
    assert sum(bench.quota.used.values()) == counted
    bench.quota.limit = 1
    bench.push("v2", TWO)
    with pytest.raises(QuotaExceeded):
        bench.ask("inspect", bench.sought("v2"))


def test_an_artifact_too_large_for_a_lookup_is_not_fetched(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.push("v1", ONE)
    monkeypatch.setattr(step, "MOST", len(ONE.encode()))
    with pytest.raises(ContentTooLarge):
        bench.ask("inspect", bench.sought("v1"))
    assert not bench.quarantine.blobs
    assert bench.ask("resolve", bench.sought("v1")).artifacts


def test_what_there_was_no_time_for_is_another_try(bench: Bench) -> None:
    bench.push("v1", ONE)
    asked = LookUp.model_validate({"organisation": ORG, "action": "inspect", "artifacts": [bench.sought("v1")]})
    with pytest.raises(Timeout):
        look_up(asked, bench.means._replace(pace=Pace(out_of_time=lambda: True)))
    assert bench.ask("inspect", bench.sought("v1")).reads


@pytest.mark.parametrize(("action", "count"), [("diff", 1), ("inspect", 2), ("resolve", 0), ("diff", 3), ("build", 1)])
def test_what_makes_no_sense_is_no_message(action: str, count: int) -> None:
    artifacts = [{"url": "oci://ghcr.io/a/b", "tag": "v1"}] * count
    with pytest.raises(ValidationError):
        LookUp.model_validate({"organisation": ORG, "action": action, "artifacts": artifacts})
