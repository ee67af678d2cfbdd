"""Deploys on the deployed template: the bus hears of each of their statuses, and no secret is in what they leave."""

from __future__ import annotations

import base64
import contextlib
import json
import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.bootstrap import terminal
from byoa.content.packing import pack
from byoa.engine.copying import copy
from byoa.installs.access import Access
from byoa.installs.messages import DEPLOY_STATUS_CHANGED, ENDED, Answered
from byoa.installs.objects import Place
from byoa.oci.reference import Reference
from local.desk import ORGANISATION, STACK
from tests.e2e import test_leaks as leaks
from tests.e2e.test_installs import SECRETS, Stack
from tests.kubernetes import reached
from tests.leaks.searching import Searcher, canary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.messages import Build
    from byoa.installs.messages import Deploy, Install
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

STATES: Final = (
    "receive-deploy", "pull-mirror", "load-manifests", "plan-install", "apply-install", "check-health", "prune-install",
    "record-deploy",
)  # fmt: skip
NAMES: Final = ("leaks", "leaks-too", "leaks-more")


@pytest.fixture(scope="module")
def stack(pipeline: Pipeline) -> Iterator[Stack]:
    """The stack, whose functions that deploy log all they can."""
    for name in (f"{STACK}-{each}" for each in STATES):
        found = pipeline.call("lambda", "get_function_configuration", FunctionName=name)
        variables = {**found["Environment"]["Variables"], "POWERTOOLS_LOG_LEVEL": "DEBUG"}
        leaks._surround(pipeline, name, variables, "DEBUG")
    desk = pipeline.desk
    access = Access("127.0.0.1", desk.ports.cluster, desk.cluster_ca.read_text(), desk.ports.cluster_token)
    with contextlib.closing(desk.client("dynamodb")) as table, reached(access) as cluster:
        yield Stack(pipeline, table, cluster)


class Told:
    """An install of secrets: its component's builds hold Secrets of these values, and the table none of their text."""

    def __init__(self, stack: Stack, token: str | None = None) -> None:
        self.stack = stack
        self.install: Install = stack.install(approval="prompt", token=token)
        self.deploys: list[Deploy] = []

    def build(self, tag: str, value: str, *names: str) -> Build:
        """As an artifact: a manifest in a config would stand in the table."""
        secrets = [
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"key": value}}
            for name in names
        ]
        reference = Reference.parse(f"oci://{self.stack.pipeline.desk.vendor}/vendor/leaks:{tag}")
        source = MemoryRepository.holding(pack("\n---\n".join(map(json.dumps, secrets))))
        target = terminal.repository(reference, "target", None, plain_http=True)
        copy(source, target, next(iter(source.manifests.values())), tag=tag)
        build = self.stack.pipeline.wait(self.stack.pipeline.submit_artifact("leaks", "leaks", tag).build)
        assert build.status == "active", build
        return build

    def ends(self, deploy: Deploy, *until: str) -> Deploy:
        """It, once it is so far; ``until`` is where it waits."""
        found = self.stack.wait(deploy, *until)
        self.deploys = [*(each for each in self.deploys if each.id != found.id), found]
        return found

    def ask(self, build: Build | None, *until: str, **request: Any) -> Deploy:
        return self.ends(self.stack.ask(self.install, build, "leaks", **request), *until)

    def answer(self, waits: Deploy, decision: str) -> Deploy:
        assert waits.status == "pending-approval", waits.failure
        said = Answered.model_validate(
            {"decision": decision, "fingerprint": waits.fingerprint or "", "by": "tok_2", "at_ts": 1}
        )
        answered = self.stack.installs.answer(waits, said)
        assert answered
        return self.ends(answered)


def test_the_bus_hears_of_every_status_and_no_secret_shows_anywhere(stack: Stack) -> None:
    searcher, queue = Searcher(), leaks._listen(stack.pipeline)
    old, new, by_hand, wrong = (searcher.add(canary()) for _ in range(4))
    searcher.add(stack.access.token)
    told, refused = Told(stack), Told(stack, token=wrong)
    first, second = told.build("one", old, *NAMES), told.build("two", new, *NAMES[:2])
    overtaken = told.ask(first, "pending-approval")
    assert told.answer(told.ask(first, "pending-approval"), "approve").status == "active"
    assert told.ends(overtaken).status == "cancelled"
    assert told.answer(told.ask(second, "pending-approval"), "deny").status == "approval-denied"
    assert told.ask(second, plan_only=True).status == "auto-skipped"
    changed = told.ask(second, approve_all=True)
    assert (changed.status, changed.counts["change"], changed.counts["delete"]) == ("active", 2, 1), changed.failure
    assert told.ask(second).status == "noop"
    assert told.ask(None, operation="drift").status == "no-drift"
    place = Place(SECRETS, "vendor", "leaks")
    live = stack.cluster.get(place)
    assert live
    assert base64.b64decode(live["data"]["key"]).decode() == new, "what is looked for is what was applied"
    stack.cluster.replace(place, {**live, "data": {"key": base64.b64encode(by_hand.encode()).decode()}})
    drifted = told.ask(None, operation="drift")
    assert (drifted.status, drifted.counts["change"]) == ("drift-detected", 1)
    shown = stack.installs.contents(drifted)
    assert shown
    (changes,) = [each["changes"] for each in shown["objects"]]
    assert [(each["path"], each["before"], each["after"]) for each in changes] == [
        ("/data/key", "(hidden)", "(hidden)")
    ]
    assert told.ask(None, operation="teardown", approve_all=True).status == "inactive"
    failed = refused.ask(first)
    assert failed.failure
    assert (failed.status, failed.failure.code) == ("error", "ClusterForbidden")

    deploys = [*told.deploys, *refused.deploys]
    heard: dict[str, list[str]] = {each.id: [] for each in deploys}
    events = list(_events(stack.pipeline, queue, {(each.id, each.status) for each in deploys}))
    for each in events:
        if each["detail-type"] == DEPLOY_STATUS_CHANGED and each["detail"]["id"] in heard:
            heard[each["detail"]["id"]].append(each["detail"]["status"])
    assert {identity: set(statuses) for identity, statuses in heard.items()} == {
        each.id: {line.status for line in each.history} for each in deploys
    }
    every = {status for statuses in heard.values() for status in statuses}
    assert every == {"queued", "planning", "pending-approval", "executing", *ENDED}

    machine = stack.pipeline.desk.outputs["InstallStateMachineArn"]
    sinks = {
        "functions' logs": list(leaks._logs(stack.pipeline)),
        "histories": list(_histories(stack.pipeline, machine)),
        "table": stack.pipeline.call("dynamodb", "scan", TableName=stack.pipeline.desk.outputs["TableName"])["Items"],
        "plans": [stack.installs.contents(each) for each in deploys],
        "events": events,
        "the desk's log files": leaks._log_files(stack.pipeline.folder),
    }
    for where in ("histories", "table", "events"):
        assert changed.id in json.dumps(sinks[where], default=str), where
    found = [each for where, text in sinks.items() for each in searcher.find(where, json.dumps(text, default=str))]
    assert found == []
    name = f"byoa-clusters/{ORGANISATION}/{refused.install.id}"
    kept = stack.pipeline.call("secretsmanager", "get_secret_value", SecretId=name)
    assert searcher.find("Secrets Manager", json.dumps(kept, default=str)), "what is looked for is what was stored"


def _events(pipeline: Pipeline, queue: str, last: set[tuple[str, str]], seconds: float = 30) -> Iterator[Any]:
    """What the bus tells until each deploy's ``last`` status was heard of."""
    left, until = set(last), time.monotonic() + seconds
    while left and time.monotonic() < until:
        for event in leaks._heard(pipeline, queue):
            left.discard((event["detail"].get("id"), event["detail"].get("status")))
            yield event
        time.sleep(0.2)


def _histories(pipeline: Pipeline, machine: str) -> Iterator[Any]:
    for each in pipeline.call("stepfunctions", "list_executions", stateMachineArn=machine)["executions"]:
        arn = each["executionArn"]
        yield pipeline.call("stepfunctions", "describe_execution", executionArn=arn)
        yield pipeline.call("stepfunctions", "get_execution_history", executionArn=arn)["events"]
