"""The real state machines with functions that lie.

An answer changes neither whose build it is nor what is known; and whatever a function of a deploy says, or dies of, the
deploy is recorded and its component free in the end.
"""

from __future__ import annotations

import json
import re
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from byoa.api.deploys import NAMES_LIMIT
from byoa.api.installs import PEM_LIMIT
from byoa.installs import bounds
from byoa.installs.messages import Answered
from tests.e2e.lying import TAKES, Machine, answers, fails
from tests.local.cloud import Cloud, emulated, eventually
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
    with emulated(tmp_path_factory.mktemp("cloud"), extra_environment={"SFN_WAIT_SCALE": "0"}) as running:
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


# ---- deploys -----------------------------------------------------------------------------------------------------

STATES = [state for state in TAKES if state != "RecordDeploy"]
DIES = {
    "ClusterUnavailable": (5, "ClusterUnavailable"),
    "Sandbox.Timedout": (3, "Timeout"),
    "KindUnknown": (1, "KindUnknown"),
    "DigestMismatch": (1, "DigestMismatch"),
    "ValueError": (1, "InternalFault"),
    "StoreThrottled": (13, "StoreThrottled"),
    "Runtime.ExitError": (3, "InternalFault"),
    "States.Timeout": (3, "Timeout"),
}
"""What a function fails with: how often it is called in all, and as what the deploy is recorded."""

FAILING = [*product(STATES, [*DIES][:5]), *product(["ReceiveDeploy", "ApplyInstall"], [*DIES][5:])]
"""All states have the same retries (``tests/contract/test_names.py``), so that two will do for some errors."""

HUGE = answers(note="x" * 300_000)


@pytest.fixture(scope="module")
def deploying(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(cloud, tmp_path_factory.mktemp("scripts"))


@pytest.fixture(scope="module")
def dying(deploying: Machine) -> dict[tuple[str, str], tuple[Any, str]]:
    """A deploy, and its execution, for each way in which a function can fail; all of them at once."""
    started = {}
    for state, error in [*FAILING, *product(STATES, ["huge"])]:
        name = f"{state}-{error}".replace(".", "-")
        deploy = deploying.ask(name.lower()[:63], begun=name)
        says = [HUGE] if error == "huge" else [fails(error)]
        started[state, error] = (deploy, deploying.start(deploy, name, {state: says}))
    return started


def name_of(execution: str) -> str:
    return execution.rpartition(":")[2]


@pytest.mark.parametrize(("state", "error"), FAILING)
def test_what_a_function_fails_with_is_tried_again_or_not_and_recorded(
    state: str, error: str, cloud: Cloud, deploying: Machine, dying: dict[tuple[str, str], tuple[Any, str]]
) -> None:
    deploy, execution = dying[state, error]
    assert cloud.finish(execution)["status"] == "SUCCEEDED"
    tries, code = DIES[error]
    called = [each for each, _ in deploying.given(name_of(execution))]
    before = STATES[: STATES.index(state)]
    assert called == [*before, *[state] * tries, "RecordDeploy"]
    outcome = deploying.recorded(name_of(execution))
    assert outcome
    assert (outcome.status, outcome.failure and outcome.failure.code) == ("error", code)
    assert deploying.is_free(deploy)


@pytest.mark.parametrize("state", STATES)
def test_an_answer_that_is_too_large_ends_the_execution_and_step_functions_tells_of_that(
    state: str, cloud: Cloud, deploying: Machine, dying: dict[tuple[str, str], tuple[Any, str]]
) -> None:
    deploy, execution = dying[state, "huge"]
    ended = cloud.finish(execution)
    assert (ended["status"], ended["error"]) == ("FAILED", "States.DataLimitExceeded")
    assert "RecordDeploy" not in [each for each, _ in deploying.given(name_of(execution))], "nobody can catch that"
    outcome = deploying.stopped(ended)
    assert outcome
    assert (outcome.status, outcome.failure and outcome.failure.code) == ("error", "InternalFault")
    assert deploying.is_free(deploy)


def test_a_deploy_that_can_t_be_recorded_is_ended_by_what_step_functions_tells(
    cloud: Cloud, deploying: Machine
) -> None:
    deploy = deploying.ask("unrecorded", begun="unrecorded")
    ended = cloud.finish(deploying.start(deploy, "unrecorded", {"RecordDeploy": [fails("StoreThrottled")]}))
    assert (ended["status"], ended["error"]) == ("FAILED", "StoreThrottled")
    assert [each for each, _ in deploying.given("unrecorded")].count("RecordDeploy") == 9
    outcome = deploying.stopped(ended)
    assert (outcome and outcome.status, deploying.is_free(deploy)) == ("error", True)


def test_what_passes_by_itself_is_recorded_as_if_nothing_had_been(cloud: Cloud, deploying: Machine) -> None:
    deploy = deploying.ask("passing", begun="passing")
    usual = deploying.usual(deploy, "passing")
    busy = {"ReceiveDeploy": [fails("DeployBusy")] * 20 + usual["ReceiveDeploy"]}
    others = {state: [fails("ObjectBusy"), fails("ClusterThrottled"), *usual[state]] for state in STATES[1:]}
    cloud.finish(deploying.start(deploy, "passing", {**busy, **others}))
    called = [each for each, _ in deploying.given("passing")]
    assert called == ["ReceiveDeploy"] * 21 + [state for state in STATES[1:] for _ in range(3)] + ["RecordDeploy"]
    outcome = deploying.recorded("passing")
    assert (outcome and outcome.status, deploying.is_free(deploy)) == ("active", True)


@pytest.mark.parametrize("error", ["DeployBusy", "StoreThrottled", "InternalFault"])
def test_a_deploy_that_was_never_begun_waits_to_be_told_of_again(error: str, cloud: Cloud, deploying: Machine) -> None:
    name = f"unbegun-{error}"
    deploy = deploying.ask(name.lower())
    assert cloud.finish(deploying.start(deploy, name, {"ReceiveDeploy": [fails(error)]}))["status"] == "SUCCEEDED"
    assert [each for each, _ in deploying.given(name)][-1] == "RecordDeploy"
    assert deploying.recorded(name) is None
    assert (deploying.look(deploy).status, deploying.is_free(deploy)) == ("queued", True)


def test_a_second_execution_of_a_deploy_does_nothing(cloud: Cloud, deploying: Machine) -> None:
    deploy = deploying.ask("twice", begun="first")
    again = cloud.finish(deploying.start(deploy, "second", {"ReceiveDeploy": [fails("DuplicateEvent")]}))
    assert (again["status"], [each for each, _ in deploying.given("second")]) == ("SUCCEEDED", ["ReceiveDeploy"])
    assert (deploying.look(deploy).status, deploying.is_free(deploy)) == ("planning", False)


def test_an_approval_is_a_second_execution_of_the_same_deploy(cloud: Cloud, deploying: Machine) -> None:
    deploy = deploying.ask("asked", begun="asked-1")
    planned = deploying.usual(deploy, "asked-1")["PlanInstall"][0]["answer"]
    waits = answers(**{**planned, "status": "pending-approval", "next": "record"})
    cloud.finish(deploying.start(deploy, "asked-1", {"PlanInstall": [waits]}))
    assert [each for each, _ in deploying.given("asked-1")][-2:] == ["PlanInstall", "RecordDeploy"]
    outcome = deploying.recorded("asked-1")
    assert (outcome and outcome.status, deploying.is_free(deploy)) == ("pending-approval", True)
    said = Answered(decision="approve", fingerprint="plan-1", by="tok_2", at_ts=1)
    assert deploying.installs.answer(deploying.look(deploy), said)
    deploying.deploys.begin(deploy.key, "asked-2")
    cloud.finish(deploying.start(deploy, "asked-2", {}))
    outcome = deploying.recorded("asked-2")
    assert (outcome and outcome.status, deploying.is_free(deploy)) == ("active", True)


@pytest.mark.parametrize("state", ["ReceiveDeploy", "ApplyInstall", "PruneInstall"])
def test_one_that_was_overtaken_in_between_stays_so_and_lets_go(state: str, cloud: Cloud, deploying: Machine) -> None:
    name = f"overtaken-{state}"
    deploy = deploying.ask(name.lower(), begun=name)
    deploying.ask(name.lower())
    cloud.finish(deploying.start(deploy, name, {state: [fails("DeploySuperseded")]}))
    assert deploying.recorded(name) is None, "it had ended"
    assert (deploying.look(deploy).status, deploying.is_free(deploy)) == ("cancelled", True)


def test_an_execution_that_is_stopped_from_outside_ends_its_deploy(cloud: Cloud, deploying: Machine) -> None:
    deploy = deploying.ask("aborted", begun="aborted")
    slow = {**deploying.usual(deploy, "aborted")["ApplyInstall"][0], "seconds": 1.0}
    execution = deploying.start(deploy, "aborted", {"ApplyInstall": [slow]})
    eventually(lambda: "ApplyInstall" in [each for each, _ in deploying.given("aborted")])
    cloud.client("stepfunctions").stop_execution(executionArn=execution)
    ended = cloud.finish(execution)
    assert ended["status"] == "ABORTED"
    outcome = deploying.stopped(ended)
    assert (outcome and outcome.status, deploying.is_free(deploy)) == ("error", True)


def test_an_execution_that_lasts_too_long_ends_its_deploy(cloud: Cloud, deploying: Machine) -> None:
    deploy = deploying.ask("late", begun="late")
    slow = {**deploying.usual(deploy, "late")["PullMirror"][0], "seconds": 1.5}
    ended = cloud.finish(deploying.start(deploy, "late", {"PullMirror": [slow]}, deploying.impatient()))
    assert ended["status"] == "TIMED_OUT"
    outcome = deploying.stopped(ended)
    assert (outcome and outcome.status, deploying.is_free(deploy)) == ("error", True)


def test_what_isn_t_healthy_when_the_deploy_s_time_is_over_is_recorded_so(cloud: Cloud, deploying: Machine) -> None:
    deploy = deploying.ask("unwell", begun="unwell")
    usual = deploying.usual(deploy, "unwell")
    well = usual["CheckHealth"][0]["answer"]
    looks = [{**well, "verdict": "progressing", "looks": look, "stuck": {"Deployment/a/b": 1.5}} for look in (1, 2)]
    why = {"code": "InstallUnhealthy", "cause": "It did not get healthy in time.", "remedy": "", "where": None}
    over = {**well, "verdict": "unhealthy", "looks": 3, "failure": why}
    applied = [answers(done=done, total=3, pending=done < 3) for done in (1, 2, 3)]
    says = {"ApplyInstall": applied, "CheckHealth": [answers(**look) for look in (*looks, over)]}
    cloud.finish(deploying.start(deploy, "unwell", says))
    given = deploying.given("unwell")
    assert [message.done for state, message in given if state == "ApplyInstall"] == [0, 1, 2]
    seen = [(message.looks, message.stuck) for state, message in given if state == "CheckHealth"]
    assert seen == [(0, {}), (1, {"Deployment/a/b": 1.5}), (2, {"Deployment/a/b": 1.5})]
    assert "PruneInstall" not in [state for state, _ in given]
    outcome = deploying.recorded("unwell")
    assert outcome
    assert (outcome.failure and outcome.failure.code, deploying.is_free(deploy)) == ("InstallUnhealthy", True)


def test_a_deploy_whose_time_is_over_writes_nothing_more_and_is_recorded_once(cloud: Cloud, deploying: Machine) -> None:
    deploy = deploying.ask("over", begun="over")
    says = {"PruneInstall": [answers(gone=1, left=[], pending=True), fails("DeployTimedOut")]}
    cloud.finish(deploying.start(deploy, "over", says))
    called = [state for state, _ in deploying.given("over")]
    assert called[-3:] == ["PruneInstall", "PruneInstall", "RecordDeploy"]
    outcome = deploying.recorded("over")
    assert outcome
    assert (outcome.failure and outcome.failure.code, deploying.is_free(deploy)) == ("DeployTimedOut", True)


@pytest.mark.parametrize(("operation", "status", "skipped"), [
    ("teardown", "inactive", {"PullMirror", "LoadManifests"}),
    ("drift", "no-drift", {"ApplyInstall", "PruneInstall"}),
])  # fmt: skip
def test_a_teardown_pulls_nothing_and_a_look_for_drift_writes_nothing(
    operation: str, status: str, skipped: set[str], cloud: Cloud, deploying: Machine
) -> None:
    deploy = deploying.ask(operation, begun=operation)
    usual = deploying.usual(deploy, operation)
    checked = {**usual["ReceiveDeploy"][0]["answer"], "operation": operation}
    then = "apply" if operation == "teardown" else "look"
    planned = {**usual["PlanInstall"][0]["answer"], "status": status, "next": then}
    says = {"ReceiveDeploy": [answers(**checked)], "PlanInstall": [answers(**planned)]}
    cloud.finish(deploying.start(deploy, operation, says))
    assert [state for state, _ in deploying.given(operation)] == [state for state in TAKES if state not in skipped]
    outcome = deploying.recorded(operation)
    assert (outcome and outcome.status, deploying.is_free(deploy)) == (status, True)


def test_the_largest_answers_have_room_with_a_failure_behind_them(cloud: Cloud, deploying: Machine) -> None:
    deploy = deploying.ask("largest", begun="largest")
    usual = {state: says[0].get("answer", {}) for state, says in deploying.usual(deploy, "largest").items()}
    listed = bounds.fitting(["n" * 330] * 100, 50)
    checked = {"names": ["n" * 320] * 100, "access": {"ca": "c" * PEM_LIMIT}, "take_over": ["o" * 128] * 30}
    seen = [{"object": "n" * 240, "state": "progressing", "reason": "r" * 80}] * 45
    health = {"objects": seen, "stuck": {f"{number:03}{'n' * 330}": 1.5 for number in range(46)}}
    pruned = {"left": [[name, ""] for name in listed], "pending": True}
    more: dict[str, dict[str, Any]] = {
        "ReceiveDeploy": checked, "PlanInstall": {"needs": listed}, "CheckHealth": health, "PruneInstall": pruned,
    }  # fmt: skip
    assert bounds.length(checked) > NAMES_LIMIT + PEM_LIMIT
    assert all(bounds.length(each) > 0.95 * bounds.LISTED for each in (listed, seen, health["stuck"]))
    says = {state: [answers(**{**usual[state], **found})] for state, found in more.items()}
    says["PruneInstall"].append({"error": "ClusterForbidden", "cause": "x" * 32_000})
    assert cloud.finish(deploying.start(deploy, "largest", says))["status"] == "SUCCEEDED"
    _, ended = deploying.given("largest")[-1]
    assert len(ended.failure.cause) > 32_000
    assert bounds.length(ended.model_dump(mode="json")) < 200 * 1024
    outcome = deploying.recorded("largest")
    assert (outcome and outcome.status, deploying.is_free(deploy)) == ("error", True)


@pytest.mark.parametrize("state", STATES)
def test_whose_deploy_it_is_the_event_says_and_no_answer(state: str, cloud: Cloud, deploying: Machine) -> None:
    name = f"lies-{state}"
    deploy = deploying.ask(name.lower(), begun=name)
    lie = {"organisation": "org_other0000000", "install_id": "inl" + "b" * 23, "component": "other", "number": 9}
    honest = deploying.usual(deploy, name)[state][0]["answer"]
    cloud.finish(deploying.start(deploy, name, {state: [answers(**{**honest, **lie, "execution": "other"})]}))
    called = deploying.given_raw(name)
    ours = {**deploy.key.model_dump(), "execution": name}
    assert all({key: message[key] for key in ours} == ours for _, message in called)
    assert called[-1][0] == "RecordDeploy"


@pytest.mark.parametrize("said", [{}, {"note": "by hand"}], ids=str)
def test_an_execution_without_a_deploy_fails_as_what_it_is(cloud: Cloud, deploying: Machine, said: Any) -> None:
    ended = cloud.finish(cloud.start(deploying.machine, said))
    assert (ended["status"], ended["error"]) == ("FAILED", "EventUntrusted"), ended
