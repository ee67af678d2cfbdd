"""An organisation's bytes of a day: a build takes its share before its first blob is fetched, and once."""

from __future__ import annotations

import json
from typing import Final

import pytest

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.lists import MemoryLists
from byoa.adapters.memory.quota import MemoryQuota
from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.layout import LayoutRepository
from byoa.builds import record as record_step
from byoa.builds import resolve as resolve_step
from byoa.builds import stage as stage_step
from byoa.builds import validate as validate_step
from byoa.builds.books import Books
from byoa.builds.messages import BuildEnded, CaughtError, ChangeReceived, PinnedArtifact, StageBlobTask, StagedArtifact
from byoa.components.reading import check_config
from byoa.engine.sending import ALONE, Pace
from byoa.errors import QuotaExceeded, ShortRead
from byoa.trust.policy import Policy
from local.demo import ARTIFACTS

OURS, THEIRS = "org_demo00000000", "org_other0000000"
SHARED_OUT: Final = Pace(spread_from=1)


class Platform:
    """All builds of one stack, of which each organisation has so many bytes a day."""

    def __init__(self, limit: int) -> None:
        self.clock = SteppingClock()
        self.ledger = MemoryLedger(self.clock)
        self.quota = MemoryQuota(self.clock, limit)
        self.books = Books(self.ledger, self.clock, quota=self.quota)
        self.quarantine = MemoryRepository()

    def pinned(self, component: str, source: LayoutRepository, organisation: str = OURS) -> PinnedArtifact:
        artifact = '[oci_artifact]\nurl = "oci://ghcr.io/vendor/web"\ntag = "v2.3.1"\n'
        checked = check_config(f'name = "{component}"\ntype = "kubernetes_manifest"\nnamespace = "web"\n{artifact}')
        assert checked.config, checked.faults
        key = self.ledger.submit(organisation, "demo", checked.config).build.key
        change = ChangeReceived(**key.model_dump(), execution="one")
        valid = validate_step.validate(change, self.ledger, Policy("000000000000", "byoa"), self.clock)
        return resolve_step.resolve(valid, source, self.books)

    def stage(self, pinned: PinnedArtifact, source: LayoutRepository, pace: Pace = ALONE) -> StagedArtifact:
        return stage_step.stage(pinned, source, self.quarantine, MemoryLists(), self.books, pace)

    @property
    def used(self) -> int:
        return sum(self.quota.used.values())


def layout(name: str) -> LayoutRepository:
    return LayoutRepository(ARTIFACTS / name)


def size_of(name: str) -> int:
    """What a build of this artifact counts with."""
    platform, source = Platform(1 << 40), layout(name)
    platform.stage(platform.pinned("web", source), source)
    return platform.used


def test_a_build_counts_with_its_artifact_and_all_that_is_attached_to_it() -> None:
    platform, source = Platform(1 << 40), layout("signed-v3")
    staged = platform.stage(platform.pinned("web", source), source)
    assert platform.used == sum(node.size for node in staged.nodes)
    assert size_of("signed-v3") > size_of("flux")


def test_a_build_that_does_not_fit_is_refused_before_its_first_blob_is_fetched() -> None:
    platform, source = Platform(size_of("flux") - 1), layout("flux")
    with pytest.raises(QuotaExceeded):
        platform.stage(platform.pinned("web", source), source)
    assert platform.quarantine == MemoryRepository()
    assert platform.used == 0


def test_an_organisation_that_queues_many_builds_is_refused_where_its_day_is_full_and_another_is_not() -> None:
    platform, source = Platform(3 * size_of("flux")), layout("flux")
    for name in ("one", "two", "three"):
        platform.stage(platform.pinned(name, source), source)
    with pytest.raises(QuotaExceeded):
        platform.stage(platform.pinned("four", source), source)
    platform.stage(platform.pinned("four", source, THEIRS), source)


def test_rounds_of_a_large_artifact_count_once() -> None:
    platform, source = Platform(size_of("oras-many")), layout("oras-many")
    pinned = platform.pinned("web", source)
    for blob in platform.stage(pinned, source, SHARED_OUT).pending:
        task = StageBlobTask(artifact=pinned, blob=blob)
        assert stage_step.stage_blob(task, source, platform.quarantine, platform.books).done
    assert platform.stage(pinned, source, SHARED_OUT).pending == []
    assert platform.used == size_of("oras-many")


def test_a_step_that_fails_midway_and_is_tried_again_counts_once() -> None:
    platform, source = Platform(size_of("flux")), layout("flux")
    pinned = platform.pinned("web", source)

    class Broken(LayoutRepository):
        def open_blob(self, *_: object) -> object:  # type: ignore[override]
            raise ShortRead("The connection broke while the registry was sending.")

    for _ in range(3):
        with pytest.raises(ShortRead):
            platform.stage(pinned, Broken(ARTIFACTS / "flux"))
    platform.stage(pinned, source)
    assert platform.used == size_of("flux")


def test_what_is_attached_between_two_rounds_counts_as_well() -> None:
    """Else a build would be counted small, and then show what it has."""
    whole = layout("signed-v3")
    platform = Platform(size_of("flux"))

    class Unsigned(LayoutRepository):
        def referrers(self, *_: object) -> tuple[()]:
            return ()

    pinned = platform.pinned("web", whole)
    assert platform.stage(pinned, Unsigned(ARTIFACTS / "signed-v3"), SHARED_OUT).pending
    with pytest.raises(QuotaExceeded):
        platform.stage(pinned, whole, SHARED_OUT)


def test_the_build_s_record_says_what_happened_and_when_there_is_room_again() -> None:
    platform, source = Platform(1), layout("flux")
    pinned = platform.pinned("web", source)
    with pytest.raises(QuotaExceeded) as caught:
        platform.stage(pinned, source)
    said = json.dumps({"errorMessage": caught.value.as_json()})
    failure = CaughtError(error="QuotaExceeded", cause=said)
    ended = BuildEnded(**pinned.key.model_dump(), execution="one", failure=failure)
    outcome = record_step.record(ended, platform.ledger, platform.clock)
    assert outcome
    assert outcome.failure
    assert outcome.failure.code == "QuotaExceeded"
    assert "midnight UTC" in outcome.failure.remedy
