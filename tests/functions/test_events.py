"""The sample events: every function has one, and each step's answer is the next step's event."""

from __future__ import annotations

import importlib
import inspect
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest

from byoa.adapters.aws.stream import event_of
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
    ChangeReceived,
    ConfigChanged,
    InspectedArtifact,
    MirroredArtifact,
    MirrorTask,
    PinnedArtifact,
    StagedArtifact,
    StoppedExecution,
    ValidReference,
    build_id_of,
)
from byoa.components.reading import check_config
from byoa.oci.reference import Registry
from byoa.trust.addresses import Reachable
from byoa.trust.policy import Policy

if TYPE_CHECKING:
    from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
FUNCTIONS = sorted(path.stem for path in (ROOT / "functions").glob("*.py") if path.stem != "__init__")
STEPS = [name for name in FUNCTIONS if name not in ("api", "dashboard", "hooks", "publish_changes")]
"""publish_changes takes a batch of records, the faces a request, and hooks one of each kind; the others one message."""

FLUX = ROOT / "tests" / "data" / "artifacts" / "flux"
CONFIG = """
name = "flux"
type = "kubernetes_manifest"
namespace = "vendor"
[oci_artifact]
url = "oci://127.0.0.1:5101/vendor/flux"
tag = "v2.3.1"
"""
ECR = Registry.parse("000000000000.dkr.ecr.us-east-1.amazonaws.com")


def _event(name: str) -> Any:
    return json.loads((ROOT / "events" / f"{name}.json").read_bytes())


def _models(name: str) -> tuple[type[BaseModel], Any]:
    """What a step takes and what it gives."""
    function = inspect.unwrap(importlib.import_module(f"functions.{name}").handler)
    hints = get_type_hints(function)
    return hints[next(iter(inspect.signature(function).parameters))], hints["return"]


def _sent(message: BaseModel) -> Any:
    """The message as the state machine carries it."""
    return json.loads(json.dumps(message.model_dump(mode="json")))


def test_every_function_has_an_event_and_every_event_a_function() -> None:
    assert sorted(path.stem for path in (ROOT / "events").iterdir()) == FUNCTIONS


@pytest.mark.parametrize("name", STEPS)
def test_an_event_is_what_its_function_takes(name: str) -> None:
    model, _ = _models(name)
    assert isinstance(model.model_validate(_event(name)), model)


def test_the_batch_holds_a_change_that_is_told_of() -> None:
    (record,) = _event("publish_changes")["Records"]
    found = event_of(record)
    assert found
    assert found[1] == ConfigChanged(organisation="org_demo00000000", app="demo", component="published", version=1)


def test_the_stopped_execution_is_of_another_build() -> None:
    stopped = StoppedExecution.model_validate(_event("record_stopped"))
    assert stopped.status == "ABORTED"
    assert stopped.input
    assert stopped.input.detail.component == "stopped"


@pytest.mark.parametrize(
    ("step", "following"),
    [
        ("validate_reference", "resolve_digest"),
        ("resolve_digest", "stage_artifact"),
        ("stage_artifact", "inspect_artifact"),
    ],
)
def test_a_step_gives_what_the_next_one_takes(step: str, following: str) -> None:
    assert _models(step)[1] is _models(following)[0]


def test_the_samples_are_one_build_s_messages() -> None:
    """The whole pipeline in memory; every message crosses as JSON, and is then the next sample."""
    clock = SteppingClock(datetime(2100, 1, 1, tzinfo=UTC))  # the samples' builds have time left
    ledger = MemoryLedger(clock)
    checked = check_config(CONFIG)
    assert checked.config, checked.faults
    ledger.submit("org_demo00000000", "demo", checked.config)
    reachable = Reachable.parse("127.0.0.1/32:5101")
    policy = Policy(account="000000000000", prefix="byoa", reachable=reachable)
    source, quarantine, target = LayoutRepository(FLUX), MemoryRepository(), MemoryRepository(immutable=True)

    change = ChangeReceived.model_validate(_event("validate_reference"))
    sent = _sent(validate_step.validate(change, ledger, policy, clock))
    assert sent == _event("resolve_digest")
    sent = _sent(resolve_step.resolve(ValidReference.model_validate(sent), source, Books(ledger, clock)))
    assert sent == _event("stage_artifact")
    sent = _sent(
        stage_step.stage(PinnedArtifact.model_validate(sent), source, quarantine, MemoryLists(), Books(ledger, clock))
    )
    assert sent == _event("inspect_artifact")
    inspected = _sent(inspect_step.inspect(StagedArtifact.model_validate(sent), quarantine))
    (name,) = inspected["targets"]
    task = {"artifact": inspected, "target": name}
    assert task == _event("mirror_artifact")
    place = (ECR, policy.repository_for(change.key))
    mirrored = mirror_step.mirror(MirrorTask.model_validate(task), quarantine, target, place, Books(ledger, clock))
    assert MirroredArtifact.model_validate(_sent(mirrored)) == mirrored
    # What the state machine's Map puts together is the last message.
    ended = {
        **change.key.model_dump(),
        "execution": change.execution,
        "artifact": inspected,
        "mirrors": [_sent(mirrored)],
    }
    assert ended == _event("record_build")
    outcome = record_step.record(BuildEnded.model_validate(ended), ledger, clock)
    assert outcome

    assert outcome.status == "active"
    assert target.tags == {build_id_of(change, ""): source.fetch_manifest("v2.3.1").digest}
    build = ledger.records[change.key]
    assert build.status == "active"
    moments = [entry.created_at_ts for entry in build.history]
    assert moments == sorted(moments)
    assert [entry.status for entry in build.history] == ["queued", *["planning"] * 2, *["building"] * 6, "active"]


def test_a_message_with_a_field_too_many_is_no_message() -> None:
    event = _event("mirror_artifact")["artifact"] | {"digset": "sha256:0"}
    with pytest.raises(ValueError, match="digset"):
        InspectedArtifact.model_validate(event)
