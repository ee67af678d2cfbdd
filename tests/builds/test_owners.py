"""Whose a build is: the execution's that began it. What others say of it, or put together, changes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.lists import MemoryLists
from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.layout import LayoutRepository
from byoa.builds import inspect as inspect_step
from byoa.builds import mirror as mirror_step
from byoa.builds import record as record_step
from byoa.builds import resolve as resolve_step
from byoa.builds import stage as stage_step
from byoa.builds import validate as validate_step
from byoa.builds.books import Books
from byoa.builds.messages import (
    BuildEnded,
    CaughtError,
    ChangeReceived,
    InspectedArtifact,
    MirroredArtifact,
    MirrorTask,
    StoppedExecution,
)
from byoa.components.reading import check_config
from byoa.errors import DuplicateEvent, EventUntrusted
from byoa.oci.reference import Registry
from byoa.trust.policy import Policy
from local.demo import ARTIFACTS

if TYPE_CHECKING:
    from byoa.builds.messages import Build

ORGANISATION, APP = "org_0123456789ab", "shop"
PLACE = (Registry.parse("000000000000.dkr.ecr.us-east-1.amazonaws.com"), f"byoa/{ORGANISATION}/{APP}/web")
THROTTLED = CaughtError(error="Lambda.TooManyRequestsException", cause="")


class Begun:
    """A build that the execution ``one`` has, up to its mirror."""

    def __init__(self, layout: str = "flux") -> None:
        self.clock = SteppingClock()
        self.ledger = MemoryLedger(self.clock)
        body = '[oci_artifact]\nurl = "oci://ghcr.io/vendor/web"\ntag = "v2.3.1"\n'
        config = check_config(f'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "web"\n{body}').config
        assert config
        self.key = self.ledger.submit(ORGANISATION, APP, config).build.key
        self.books = Books(self.ledger, self.clock)
        self.source, self.quarantine = LayoutRepository(ARTIFACTS / layout), MemoryRepository()
        change = ChangeReceived(**self.key.model_dump(), execution="one")
        self.valid = validate_step.validate(change, self.ledger, Policy("000000000000", "byoa"), self.clock)

    def artifact(self) -> InspectedArtifact:
        pinned = resolve_step.resolve(self.valid, self.source, self.books)
        staged = stage_step.stage(pinned, self.source, self.quarantine, MemoryLists(), self.books)
        return inspect_step.inspect(staged, self.quarantine)

    def mirrored(self, artifact: InspectedArtifact) -> MirroredArtifact:
        task = MirrorTask(artifact=artifact, target="ecr")
        return mirror_step.mirror(task, self.quarantine, MemoryRepository(immutable=True), PLACE, self.books)

    def ended(self, **said: Any) -> BuildEnded:
        return BuildEnded(**self.key.model_dump(), **{"execution": "one", **said})

    @property
    def build(self) -> Build:
        return self.ledger.records[self.key]


def test_a_duplicate_s_failure_doesn_t_end_the_build_that_another_execution_runs() -> None:
    begun = Begun()
    assert record_step.record(begun.ended(execution="two", failure=THROTTLED), begun.ledger, begun.clock) is None
    assert begun.build.status == "planning"
    artifact = begun.artifact()
    outcome = record_step.record(
        begun.ended(artifact=artifact, mirrors=[begun.mirrored(artifact)]), begun.ledger, begun.clock
    )
    assert outcome
    assert outcome.status == "active"
    assert begun.build.outcome == outcome


def test_who_starts_an_execution_and_stops_it_ends_nobody_s_build() -> None:
    begun = Begun()
    event = json.dumps({"detail": begun.key.model_dump()})
    stopped = StoppedExecution.model_validate({"status": "ABORTED", "name": "two", "input": event})
    assert record_step.record_stopped(stopped, begun.ledger, begun.clock) is None
    assert begun.build.status == "planning"


def test_who_starts_an_execution_and_stops_it_ends_no_build_that_nobody_has_begun() -> None:
    begun = Begun()
    key = begun.key.model_copy(update={"component": "waiting"})
    checked = check_config('name = "waiting"\ntype = "kubernetes_manifest"\nnamespace = "a"\nmanifest = "a: 1"\n')
    assert checked.config
    begun.ledger.submit(key.organisation, key.app, checked.config)
    event = json.dumps({"detail": key.model_dump()})
    stopped = StoppedExecution.model_validate({"status": "ABORTED", "name": "two", "input": event})
    assert record_step.record_stopped(stopped, begun.ledger, begun.clock) is None
    waits = begun.ledger.look(key)
    assert waits
    assert waits.status == "queued", "SweepBuilds tells of it again"


@pytest.mark.parametrize(
    "said", ["{}", '{"detail": {}}', '{"detail": []}', '{"detail": {"organisation": "x"}}', "7", "no JSON", None]
)
def test_an_execution_that_is_about_no_build_ends_none_and_is_no_failure(said: str | None) -> None:
    begun = Begun()
    stopped = StoppedExecution.model_validate({"status": "FAILED", "name": "one", "input": said})
    assert record_step.record_stopped(stopped, begun.ledger, begun.clock) is None
    assert begun.build.status == "planning"


def test_no_step_goes_on_for_another_execution() -> None:
    begun = Begun()
    begun.valid = begun.valid.model_copy(update={"execution": "two"})
    with pytest.raises(DuplicateEvent):
        begun.artifact()
    assert begun.build.status == "planning"


def test_a_target_that_the_build_has_not_is_not_written_to() -> None:
    begun = Begun()
    artifact, target = begun.artifact(), MemoryRepository()
    with pytest.raises(EventUntrusted):
        mirror_step.mirror(
            MirrorTask(artifact=artifact, target="elsewhere"), begun.quarantine, target, PLACE, begun.books
        )
    assert target == MemoryRepository()


@pytest.mark.parametrize(
    "other",
    [
        {"organisation": "org_other0000000"},
        {"app": "other"},
        {"component": "other"},
        {"version": 2},
        {"execution": "two"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_build_isn_t_vouched_for_by_the_artifact_of_another(other: dict[str, Any]) -> None:
    begun = Begun()
    artifact = begun.artifact()
    mirrors = [begun.mirrored(artifact)]
    ended = begun.ended(artifact=artifact.model_copy(update=other), mirrors=mirrors)
    with pytest.raises(EventUntrusted):
        record_step.record(ended, begun.ledger, begun.clock)
    assert not begun.ledger.receipts
    assert not begun.build.ended


@pytest.mark.parametrize(
    ("targets", "mirrored"),
    [
        (["ecr", "acr"], [{"target": "ecr"}, {"target": "ecr"}]),
        (["ecr"], [{"target": "acr"}]),
        (["ecr"], [{"target": "ecr"}, {"target": "ecr"}]),
        (["ecr"], [{"digest": "sha256:" + "0" * 64}]),
        (["ecr"], [{"tag": "bldaaaaaaaaaaaaaaaaaaaaaaa"}]),
    ],
    ids=["one twice", "another", "one too many", "another digest", "another build's tag"],
)
def test_each_target_counts_once_and_only_with_this_build_s_artifact(targets: list[str], mirrored: list[Any]) -> None:
    begun = Begun()
    artifact = begun.artifact()
    mirror = begun.mirrored(artifact)
    ended = begun.ended(
        artifact=artifact.model_copy(update={"targets": targets}),
        mirrors=[mirror.model_copy(update=change) for change in mirrored],
    )
    with pytest.raises(EventUntrusted):
        record_step.record(ended, begun.ledger, begun.clock)
    assert not begun.ledger.receipts
