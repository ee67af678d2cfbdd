"""The two hops when there isn't time for all: what is pending is told, gone on with, and ends in the same state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.budget import MemoryBudget
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.lists import MemoryLists
from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.layout import LayoutRepository
from byoa.builds import inspect as inspect_step
from byoa.builds import mirror as mirror_step
from byoa.builds import resolve as resolve_step
from byoa.builds import stage as stage_step
from byoa.builds import validate as validate_step
from byoa.builds.books import Books
from byoa.builds.messages import (
    ChangeReceived,
    InspectedArtifact,
    MirrorBlobTask,
    MirrorTask,
    PendingBlob,
    PinnedArtifact,
    StageBlobTask,
)
from byoa.builds.pending import ROUNDS
from byoa.components.reading import check_config
from byoa.engine.sending import Pace
from byoa.errors import DigestMismatch, ReferenceNotFound, RegistryThrottled, StaleVersion, Timeout
from byoa.oci.digest import Digest
from byoa.oci.reference import Registry
from byoa.trust.policy import Policy
from local.demo import ARTIFACTS

if TYPE_CHECKING:
    from byoa.oci.manifest import Manifest

ORGANISATION, APP = "org_demo00000000", "demo"
PLACE = (Registry.parse("000000000000.dkr.ecr.us-east-1.amazonaws.com"), "byoa/org_demo00000000/demo/web")
SHARED_OUT = Pace(spread_from=1)
NO_TIME = Pace(out_of_time=lambda: True)


class Build:
    """A build in memory, up to the step that a test is about."""

    def __init__(self, layout: str = "oras-many") -> None:
        self.clock = SteppingClock()
        self.ledger = MemoryLedger(self.clock)
        self.books = Books(self.ledger, self.clock, MemoryBudget(self.clock))
        self.source = LayoutRepository(ARTIFACTS / layout)
        self.quarantine = MemoryRepository()
        self.target = MemoryRepository(immutable=True)

    def submit(self, note: str = "one") -> None:
        artifact = f'[oci_artifact]\nurl = "oci://ghcr.io/vendor/web"\ntag = "v2.3.1"\n[labels]\nnote = "{note}"\n'
        checked = check_config(f'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "web"\n{artifact}')
        assert checked.config, checked.faults
        self.key = self.ledger.submit(ORGANISATION, APP, checked.config).build.key

    def pinned(self) -> PinnedArtifact:
        self.submit()
        change = ChangeReceived(**self.key.model_dump(), execution="one")
        valid = validate_step.validate(change, self.ledger, Policy("000000000000", "byoa"), self.clock)
        return resolve_step.resolve(valid, self.source, self.books)

    def inspected(self) -> InspectedArtifact:
        staged = stage_step.stage(self.pinned(), self.source, self.quarantine, MemoryLists(), self.books)
        return inspect_step.inspect(staged, self.quarantine)

    def mirror(self, artifact: InspectedArtifact) -> None:
        task = MirrorTask(artifact=artifact, target="ecr")
        mirror_step.mirror(task, self.quarantine, self.target, PLACE, self.books)


def test_a_large_artifact_is_told_blob_by_blob_before_anything_is_fetched() -> None:
    build = Build()
    staged = stage_step.stage(build.pinned(), build.source, build.quarantine, MemoryLists(), build.books, SHARED_OUT)
    assert len(staged.pending) == 4
    assert (staged.blobs, staged.nodes) == (0, [])
    assert build.quarantine == MemoryRepository()


def test_when_every_pending_blob_is_staged_the_same_call_ends_the_staging() -> None:
    build = Build()
    pinned = build.pinned()
    staged = stage_step.stage(pinned, build.source, build.quarantine, MemoryLists(), build.books, SHARED_OUT)
    for blob in staged.pending:
        done = stage_step.stage_blob(
            StageBlobTask(artifact=pinned, blob=blob), build.source, build.quarantine, build.books
        )
        assert (done.done, done.blob.rounds) == (True, 1)
    staged = stage_step.stage(pinned, build.source, build.quarantine, MemoryLists(), build.books, SHARED_OUT)
    assert staged.pending == []
    assert len(staged.nodes) == 5
    assert Digest.parse(staged.digest) in build.quarantine.manifests


def test_mirroring_is_shared_out_the_same_way_and_proven_at_its_end() -> None:
    build = Build()
    task = MirrorTask(artifact=build.inspected(), target="ecr")
    mirrored = mirror_step.mirror(task, build.quarantine, build.target, PLACE, build.books, SHARED_OUT)
    assert (len(mirrored.pending), mirrored.proof) == (4, None)
    for blob in mirrored.pending:
        one = MirrorBlobTask(**task.model_dump(), blob=blob)
        assert mirror_step.mirror_blob(one, build.quarantine, build.target, build.books).done
    mirrored = mirror_step.mirror(task, build.quarantine, build.target, PLACE, build.books, SHARED_OUT)
    assert mirrored.pending == []
    assert mirrored.proof
    assert mirrored.proof.digest == mirrored.digest
    assert build.target.find_manifest(task.artifact.build_id) == Digest.parse(mirrored.digest)


def test_a_step_without_time_leaves_all_of_it_pending_and_writes_no_manifest() -> None:
    build = Build()
    pinned = build.pinned()
    staged = stage_step.stage(pinned, build.source, build.quarantine, MemoryLists(), build.books, NO_TIME)
    assert len(staged.pending) == 4
    (blob, *_) = staged.pending
    task = StageBlobTask(artifact=pinned, blob=blob)
    again = stage_step.stage_blob(task, build.source, build.quarantine, build.books, NO_TIME)
    assert (again.done, again.blob.rounds, again.blob.digest) == (False, 1, blob.digest)
    assert build.quarantine == MemoryRepository()


def test_a_blob_that_is_taken_up_for_ever_is_given_up() -> None:
    build = Build()
    pinned = build.pinned()
    blob = PendingBlob(digest=str(Digest.of(b"x")), size=1, media_type="text/plain", rounds=ROUNDS)
    with pytest.raises(Timeout) as caught:
        stage_step.stage_blob(
            StageBlobTask(artifact=pinned, blob=blob), build.source, build.quarantine, build.books, NO_TIME
        )
    assert caught.value.where == "quarantine"


def test_an_overtaken_build_copies_no_further_blob() -> None:
    build = Build()
    pinned = build.pinned()
    staged = stage_step.stage(pinned, build.source, build.quarantine, MemoryLists(), build.books, SHARED_OUT)
    build.submit("two")
    with pytest.raises(StaleVersion):
        stage_step.stage_blob(
            StageBlobTask(artifact=pinned, blob=staged.pending[0]), build.source, build.quarantine, build.books
        )
    assert not build.quarantine.blobs


def test_what_is_attached_travels_from_the_source_through_quarantine_to_the_target() -> None:
    for layout in ("signed-v3", "signed-v2", "signed-notation"):
        build = Build(layout)
        artifact = build.inspected()
        (attached,) = artifact.attachments
        assert attached.digest in {node.digest for node in artifact.nodes}
        assert (attached.subject, attached.kind) == (artifact.digest, "signature")
        mirror_step.mirror(
            MirrorTask(artifact=artifact, target="ecr"), build.quarantine, build.target, PLACE, build.books
        )
        assert Digest.parse(attached.digest) in build.target.manifests
        if attached.tag:
            assert build.target.tags[attached.tag] == Digest.parse(attached.digest)


def test_the_plan_is_told_before_the_writing() -> None:
    build = Build()
    artifact = build.inspected()
    for expected in ("4 blobs to write", "all is there"):
        mirror_step.mirror(
            MirrorTask(artifact=artifact, target="ecr"), build.quarantine, build.target, PLACE, build.books
        )
        told = [entry.status_human_description for entry in build.ledger.records[build.key].history]
        assert expected in [text for text in told if text.startswith("mirroring to")][-1]


def test_a_target_that_then_says_another_digest_is_found_out() -> None:
    class Lying(MemoryRepository):
        asked = 0

        def find_manifest(self, name: str | Digest) -> Digest | None:
            self.asked += 1
            return Digest.of(b"other") if self.asked > 1 and isinstance(name, str) else super().find_manifest(name)

        def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
            super().push_manifest(manifest, tag)

    build = Build()
    task = MirrorTask(artifact=build.inspected(), target="ecr")
    with pytest.raises(DigestMismatch):
        mirror_step.mirror(task, build.quarantine, Lying(), PLACE, build.books)


def test_a_registry_that_asks_for_rest_is_left_alone_by_every_build() -> None:
    build = Build()
    pinned = build.pinned().model_copy(update={"manifest": None})

    class Busy(MemoryRepository):
        def fetch_manifest(self, name: str | Digest) -> Manifest:
            raise RegistryThrottled("The registry asks us to slow down (status 429).", retry_after=30.0)

    with pytest.raises(RegistryThrottled):
        stage_step.stage(pinned, Busy(), build.quarantine, MemoryLists(), build.books)
    with pytest.raises(RegistryThrottled, match="used up"):
        stage_step.stage(pinned, build.source, build.quarantine, MemoryLists(), build.books)


class Asked(LayoutRepository):
    """A layout that counts what it is asked, as a registry does."""

    requests = 0

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        self.requests += 1
        return super().fetch_manifest(name)


def test_what_resolving_asked_goes_on_the_account_with_what_staging_asked() -> None:
    build = Build()
    budget = MemoryBudget(build.clock)
    build.books = Books(build.ledger, build.clock, budget)
    build.source = Asked(ARTIFACTS / "flux")
    pinned = build.pinned()
    assert (pinned.source_requests, budget.used.total()) == (1, 0)
    fresh = Asked(ARTIFACTS / "flux")
    staged = stage_step.stage(pinned, fresh, build.quarantine, MemoryLists(), build.books)
    assert staged.source_requests == 1 + fresh.requests
    assert budget.used.total() == 2 * staged.source_requests  # the organisation's and the host's


def test_a_small_manifest_is_fetched_once_in_a_build_and_a_large_one_again_by_its_digest() -> None:
    build = Build()
    pinned = build.pinned()
    assert pinned.manifest
    asked = []
    for each in (pinned, pinned.model_copy(update={"manifest": None})):
        source = Asked(ARTIFACTS / "oras-many")
        stage_step.stage(each, source, MemoryRepository(), MemoryLists(), build.books)
        asked.append(source.requests)
    assert asked[1] == asked[0] + 1


def test_a_manifest_that_comes_back_from_a_message_as_another_is_refused() -> None:
    build = Build()
    pinned = build.pinned()
    other = pinned.model_copy(update={"manifest": f"{pinned.manifest} "})
    with pytest.raises(DigestMismatch):
        stage_step.stage(other, build.source, build.quarantine, MemoryLists(), build.books)
    assert build.quarantine == MemoryRepository()


def test_one_target_of_several_is_told_of_when_it_is_done() -> None:
    build = Build()
    inspected = build.inspected()
    build.mirror(inspected.model_copy(update={"targets": ["ecr", "acr"]}))
    assert build.ledger.records[build.key].status_human_description == "mirrored to ecr"


def test_what_a_step_that_fails_asked_goes_on_the_account_at_once() -> None:
    class Absent(Asked):
        def fetch_manifest(self, name: str | Digest) -> Manifest:
            super().fetch_manifest(name)
            raise ReferenceNotFound("No such tag.")

    build = Build()
    budget = MemoryBudget(build.clock)
    build.books = Books(build.ledger, build.clock, budget)
    build.source = Absent(ARTIFACTS / "flux")
    with pytest.raises(ReferenceNotFound):
        build.pinned()
    assert budget.used.total() == 2
