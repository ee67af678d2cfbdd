"""The state machine of deploys with functions that say what a script has for them, and the table of real deploys.

What RecordDeploy is given is handed to the real one, and what Step Functions tells of an execution that ended badly to
the real EndStoppedDeploy: so each test sees how its deploy is recorded, and whether the component is free again.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from byoa import errors
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.deploy_store import DeployStore
from byoa.adapters.memory.installs import MemoryDeploys, MemoryInstalls
from byoa.adapters.memory.lists import MemoryLists
from byoa.installs import parcels
from byoa.installs.messages import Install
from byoa.installs.ports import Request
from byoa.installs.states import (
    ApplyTask,
    CheckedDeploy,
    DeployEnded,
    DeployReceived,
    HealthTask,
    LoadedDeploy,
    PruneTask,
    StoppedDeploy,
)
from byoa.installs.steps.end_stopped_deploy import end_stopped_deploy
from byoa.installs.steps.record_deploy import record_deploy
from tests.template import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

    from byoa.installs.messages import Deploy
    from byoa.installs.states import DeployOutcome
    from tests.local.cloud import Cloud

ORG: Final = "org_0123456789ab"
DIGEST: Final = f"sha256:{'a' * 64}"

TAKES: Final[dict[str, type[BaseModel]]] = {
    "ReceiveDeploy": DeployReceived, "PullMirror": CheckedDeploy, "LoadManifests": CheckedDeploy,
    "PlanInstall": LoadedDeploy, "ApplyInstall": ApplyTask, "CheckHealth": HealthTask, "PruneInstall": PruneTask,
    "RecordDeploy": DeployEnded,
}  # fmt: skip
"""The states, and what each one's function takes: nothing that it doesn't know."""

SCRIPTED = """
import pathlib
folder = pathlib.Path({folder!r})
script = json.loads((folder / (event["execution"] + ".json")).read_text())
if any(event.get(name) != value for name, value in script["key"].items()):
    raise ValueError("another's deploy")
log = folder / (event["execution"] + ".log")
before = [json.loads(line)[0] for line in log.read_text().splitlines()] if log.exists() else []
with log.open("a") as file:
    file.write(json.dumps([{state!r}, event]) + "\\n")
said = script["says"][{state!r}]
say = said[min(before.count({state!r}), len(said) - 1)]
time.sleep(say.get("seconds", 0))
if "error" in say:
    raise type(say["error"], (Exception,), {{}})(say["cause"])
return say["answer"]
"""
"""A function answers its execution's script, the last of it from then on, and writes down what it was given."""

type Say = dict[str, Any]


def fails(error: str) -> Say:
    """What a function says that fails: our own errors' texts are JSON."""
    known = getattr(errors, error, None)
    return {"error": error, "cause": known("So it is.").as_json() if known else "So it is."}


def answers(**answer: Any) -> Say:
    return {"answer": answer}


class Machine:
    """install.asl.yaml with its scripted functions, in an emulator that doesn't wait."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self._cloud = cloud
        self._folder = folder
        self._store = DeployStore(SteppingClock())
        self._shown = MemoryLists()
        self.deploys = MemoryDeploys(self._store)
        self.installs = MemoryInstalls(ORG, self._store)
        fields = {"organisation": ORG, "app": "shop", "id": "inl" + "a" * 23, "name": "prod"}
        moments = {"created_at_ts": 1, "updated_at_ts": 1}
        self._install = Install.model_validate({**fields, **moments, "access": {"kind": "memory"}})
        self.installs.create(self._install)
        text = (ROOT / "statemachine" / "install.asl.yaml").read_text().replace("${Partition}", "aws")
        for name in dict.fromkeys(re.findall(r"\$\{(\w+)FunctionArn\}", text)):
            body = SCRIPTED.format(folder=str(folder), state=name)
            text = text.replace(f"${{{name}FunctionArn}}", cloud.function(f"deploy-{name}", body))
        self._definition = yaml.safe_load(text)
        self.machine = cloud.machine("install", self._definition)

    def impatient(self) -> str:
        """The same machine, whose executions may last a second."""
        return self._cloud.machine("install-impatient", {**self._definition, "TimeoutSeconds": 1})

    # ---- deploys and their executions

    def ask(self, component: str, *, begun: str | None = None) -> Deploy:
        """A deploy; ``begun`` is the execution that has taken it up."""
        deploy = self.installs.ask(self._install, component, Request("apply", "bld" + "a" * 23, 1))
        return self.deploys.begin(deploy.key, begun) if begun else deploy

    def start(self, deploy: Deploy, name: str, says: dict[str, list[Say]], machine: str | None = None) -> str:
        key = deploy.key.model_dump()
        script = {"key": key, "says": {**self.usual(deploy, name), **says}}
        (self._folder / f"{name}.json").write_text(json.dumps(script))
        return self._cloud.start(machine or self.machine, {"detail": {**key, "operation": "apply-plan"}}, name=name)

    def usual(self, deploy: Deploy, name: str) -> dict[str, list[Say]]:
        """What functions say of a deploy that is applied without ado."""
        contents = parcels.put({"objects": []}, self._shown)
        checked = CheckedDeploy(
            **deploy.key.model_dump(), execution=name, deploy_id=deploy.id, app="shop", operation="apply",
            digest=DIGEST, reference="oci://ours", values=DIGEST, access={"kind": "memory"}, begun_ts=1, ends_ts=2,
        )  # fmt: skip
        planned = {
            "plan": DIGEST, "contents": contents, "fingerprint": "plan-1", "counts": {"create": 1}, "needs": [],
            "faults": [], "status": "active", "next": "apply",
        }  # fmt: skip
        well = {"verdict": "healthy", "objects": [], "total": 1, "looks": 1, "begun": 1.0, "stuck": {}, "wait": 1}
        return {
            "ReceiveDeploy": [answers(**checked.model_dump(mode="json"))],
            "PullMirror": [answers(blobs=1, bytes=1)],
            "LoadManifests": [answers(objects=DIGEST, count=1, target_namespace="corner")],
            "PlanInstall": [answers(**planned)],
            "ApplyInstall": [answers(done=1, total=1, pending=False)],
            "CheckHealth": [answers(**well, failure=None)],
            "PruneInstall": [answers(gone=0, left=[], pending=False)],
            "RecordDeploy": [answers(status="active", failure=None)],
        }

    # ---- what came of it

    def given(self, name: str) -> list[tuple[str, Any]]:
        """What each function was given in that execution, each of it a message as the real one takes it."""
        return [(state, TAKES[state].model_validate(message)) for state, message in self.given_raw(name)]

    def given_raw(self, name: str) -> list[tuple[str, Any]]:
        """The same as JSON has it, whether or not the real functions would take it."""
        log = self._folder / f"{name}.log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def recorded(self, name: str) -> DeployOutcome | None:
        """What the real RecordDeploy makes of what its scripted one was given last."""
        state, ended = self.given(name)[-1]
        assert state == "RecordDeploy"
        return record_deploy(ended, self.deploys, self._shown, self._store.clock)

    def stopped(self, execution: dict[str, Any]) -> DeployOutcome | None:
        """What the real EndStoppedDeploy makes of what Step Functions tells of an execution that ended badly."""
        about = {name: execution[name] for name in ("status", "name", "input")}
        return end_stopped_deploy(StoppedDeploy.model_validate(about), self.deploys, self._store.clock)

    def is_free(self, deploy: Deploy) -> bool:
        """Whether nobody holds the deploy's component."""
        return (ORG, self._install.id, deploy.component) not in self._store.holders

    def look(self, deploy: Deploy) -> Deploy:
        found = self.deploys.look(deploy.key)
        assert found
        return found
