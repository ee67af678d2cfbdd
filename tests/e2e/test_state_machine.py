"""The real state machine with functions that lie: an answer changes neither whose build it is nor what is known."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.local.cloud import Cloud, emulated
from tests.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator

KEY = {"organisation": "org_0123456789ab", "app": "shop", "component": "web", "version": 3}
LIE = {"organisation": "org_other0000000", "app": "other", "component": "other", "version": 4, "execution": "other"}
KNOWN: dict[str, Any] = {"build_id": "bld", "targets": ["ecr"], "reference": "oci://vendor"}

ASKS = f"""
artifact = event.get("artifact", event)
if any(artifact.get(name) != value for name, value in {KEY!r}.items()) or artifact["execution"] in (None, "other"):
    raise ValueError("another's build")
if any(artifact.get(name, value) != value for name, value in {KNOWN!r}.items()):
    raise ValueError("what was known is another thing")
"""
"""Each function refuses what isn't about the build that the event is of."""

ANSWERS: dict[str, dict[str, Any]] = {
    "ValidateReference": KNOWN,
    "ResolveDigest": {"reference": "oci://other", "targets": ["other"], "digest": "d", "source_requests": 1},
    "StageArtifact": {"digest": "other", "targets": [], "nodes": ["n"], "pending": [], "source_requests": 9},
    "InspectArtifact": {"digest": "other", "nodes": ["other"], "targets": [], "inspection": {"format": "flux"}},
    "MirrorArtifact": {"target": "other", "digest": "d", "pending": []},
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with emulated(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="module")
def machine(cloud: Cloud) -> str:
    text = (ROOT / "statemachine" / "build.asl.yaml").read_text().replace("${Partition}", "aws")
    for name in dict.fromkeys(re.findall(r"\$\{(\w+)FunctionArn\}", text)):
        answer = {**ANSWERS[name], **LIE} if name in ANSWERS else None
        body = f"{ASKS}\nreturn {answer!r}" if answer else "return event"
        text = text.replace(f"${{{name}FunctionArn}}", cloud.function(name, body))
    return cloud.machine("build", yaml.safe_load(text))


def test_whose_build_it_is_the_event_says_and_no_answer(cloud: Cloud, machine: str) -> None:
    execution = cloud.start(machine, {"detail": {**KEY, "note": "of another producer"}}, name="one")
    ended: dict[str, Any] = json.loads(cloud.finish(execution)["output"])
    assert "failure" not in ended, ended
    ours = {**KEY, "execution": "one"}
    artifact, (mirror,) = ended.pop("artifact"), ended.pop("mirrors")
    assert ended == ours
    assert {name: artifact[name] for name in ours} == ours
    assert {name: artifact[name] for name in KNOWN} == KNOWN
    assert (artifact["digest"], artifact["nodes"], artifact["source_requests"]) == ("d", ["n"], 9)
    assert artifact["inspection"] == {"format": "flux"}
    assert mirror == {"target": "ecr", "digest": "d", "pending": []} | {
        name: value for name, value in LIE.items() if name != "target"
    }


@pytest.mark.parametrize("said", [{}, {"note": "by hand"}], ids=str)
def test_an_execution_without_an_event_fails_as_what_it_is(cloud: Cloud, machine: str, said: dict[str, Any]) -> None:
    ended = cloud.finish(cloud.start(machine, said))
    assert (ended["status"], ended["error"]) == ("FAILED", "EventUntrusted"), ended
