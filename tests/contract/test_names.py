"""The same name is written in code, state machine, template and documents: here they are compared."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from byoa import step
from byoa.errors import ByoaError, DeployBusy, OfCluster, Transient, leaves
from byoa.settings import Settings
from byoa_cli.main import COMMANDS
from tests.template import read_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


ROOT = Path(__file__).parents[2]
TEXTS = {name: (ROOT / "statemachine" / f"{name}.asl.yaml").read_text() for name in ("build", "install")}
ASL = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
MACHINES = {"build": "BuildStateMachine", "install": "InstallStateMachine"}
LAST = {"build": "RecordBuild", "install": "RecordDeploy"}
TEMPLATE = read_template()
RESOURCES = TEMPLATE["Resources"]
MODULES = sorted(path.stem for path in (ROOT / "functions").glob("*.py") if path.stem != "__init__")
FUNCTIONS = {name: body for name, body in RESOURCES.items() if body["Type"] == "AWS::Serverless::Function"}
RETRIED = {
    "build": [leaf for leaf in leaves(Transient) if not issubclass(leaf, OfCluster)],
    "install": [leaf for leaf in leaves(Transient) if leaf is not DeployBusy],
}
"""What may be tried again: a build meets no cluster, and who waits for another deploy waits longer than all others."""

LEAVES = {leaf.__name__: leaf for leaf in leaves()}


def _states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in machine["States"].items():
        yield name, state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"])


OF_MACHINE = {
    machine: {name: state for name, state in _states(found) if state["Type"] == "Task"}
    for machine, found in ASL.items()
}
TASKS = {name: state for tasks in OF_MACHINE.values() for name, state in tasks.items()}
STEPS_BEFORE = [(machine, name) for machine, tasks in OF_MACHINE.items() for name in tasks if name != LAST[machine]]


def _module(function: dict[str, Any]) -> str:
    return str(function["Properties"]["Handler"]).removeprefix("functions.").removesuffix(".handler")


# ---- the state machine -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("machine", "name"), STEPS_BEFORE)
def test_exactly_the_transient_errors_are_retried_first(machine: str, name: str) -> None:
    ours = [error for retry in TASKS[name]["Retry"][:2] for error in retry["ErrorEquals"] if "." not in error]
    assert sorted(ours) == sorted(leaf.__name__ for leaf in RETRIED[machine])


@pytest.mark.parametrize(("machine", "name"), STEPS_BEFORE)
def test_who_asked_for_time_gets_minutes_of_it_and_lambda_is_one_of_them(machine: str, name: str) -> None:
    """Source: Lambda quotas, "Concurrent executions": a new account may run few functions at once."""
    asked = TASKS[name]["Retry"][0]
    assert {error for error in asked["ErrorEquals"] if "Throttled" in error or "." in error} == {
        *(leaf.__name__ for leaf in RETRIED[machine] if "Throttled" in leaf.__name__),
        "Lambda.TooManyRequestsException",
    }
    delays = [min(asked["IntervalSeconds"] * asked["BackoffRate"] ** n, asked["MaxDelaySeconds"]) for n in range(12)]
    assert asked["MaxAttempts"] == len(delays)
    assert sum(delays) / 2 > 180, "full jitter halves the waits"


@pytest.mark.parametrize("machine", MACHINES)
def test_every_task_but_the_last_retries_alike(machine: str) -> None:
    lists = {json.dumps(TASKS[name]["Retry"][:3]) for of, name in STEPS_BEFORE if of == machine}
    assert len(lists) == 1


def test_who_takes_up_a_deploy_waits_for_another_one_s_end_for_hours() -> None:
    waiting = {name: TASKS[name]["Retry"][3:] for _, name in STEPS_BEFORE if TASKS[name]["Retry"][3:]}
    assert waiting.keys() == {"ReceiveDeploy"}
    ((busy,),) = waiting.values()
    assert busy["ErrorEquals"] == ["DeployBusy"]
    waits = (busy["IntervalSeconds"] * busy["BackoffRate"] ** n for n in range(busy["MaxAttempts"]))
    assert sum(min(each, busy["MaxDelaySeconds"]) for each in waits) / 2 > 3600, "deploy_timeout is an hour at most"


@pytest.mark.parametrize("name", [name for _, name in STEPS_BEFORE])
def test_beside_those_only_the_platform_s_own_errors_are_retried(name: str) -> None:
    for retry in TASKS[name]["Retry"][2:3]:
        assert all(re.fullmatch(r"(Lambda|Runtime|Sandbox|States)\.\w+", error) for error in retry["ErrorEquals"])
        assert "States.ALL" not in retry["ErrorEquals"]


@pytest.mark.parametrize("last", LAST.values())
def test_recording_is_retried_whatever_happens(last: str) -> None:
    assert TASKS[last]["Retry"][0]["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("machine", MACHINES)
def test_every_caught_name_is_an_error_of_ours_or_all_of_them(machine: str) -> None:
    states = [state for _, state in _states(ASL[machine])]
    caught = {name for state in states for catch in state.get("Catch", []) for name in catch["ErrorEquals"]}
    assert caught <= LEAVES.keys() | {"States.ALL", "States.QueryEvaluationError"}
    assert {"DuplicateEvent", "EventUntrusted", "States.ALL"} <= caught


def test_every_step_before_the_record_leads_there_when_it_fails() -> None:
    first = {"ReceiveDeploy": "TellRefusal"}
    for machine, found in ASL.items():
        for name, state in found["States"].items():
            if state["Type"] in ("Task", "Map") and name not in (LAST[machine], "RetireTags"):
                wanted = first.get(name, "TellFailure")
                assert state["Catch"][-1] == {"ErrorEquals": ["States.ALL"], "Next": wanted}, name
        told = [state for name, state in found["States"].items() if name in ("TellFailure", "TellRefusal")]
        assert {state["Next"] for state in told} == {LAST[machine]}


def test_a_build_is_not_worse_for_tags_that_could_not_be_retired() -> None:
    state = ASL["build"]["States"]["RetireTags"]
    (catch,) = state["Catch"]
    assert (state["Next"], catch["Next"]) == ("RecordBuild", "RecordBuild")
    assert state["Output"] == catch["Output"] == "{% $states.input %}"


def test_every_task_ends_in_time() -> None:
    assert {name for name, state in TASKS.items() if "TimeoutSeconds" not in state} == set()


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_task_outlasts_its_function(name: str) -> None:
    placeholder = TASKS[name]["Arguments"]["FunctionName"]
    function = FUNCTIONS[placeholder.removeprefix("${").removesuffix("Arn}")]
    assert TASKS[name]["TimeoutSeconds"] > function["Properties"]["Timeout"]


@pytest.mark.parametrize("name", MACHINES)
def test_every_placeholder_is_substituted_and_no_other_is(name: str) -> None:
    machine = RESOURCES[MACHINES[name]]["Properties"]
    assert set(re.findall(r"\$\{(\w+)\}", TEXTS[name])) == machine["DefinitionSubstitutions"].keys()


@pytest.mark.parametrize("machine", MACHINES.values())
def test_a_substitution_is_the_function_of_its_name(machine: str) -> None:
    substitutions = dict(RESOURCES[machine]["Properties"]["DefinitionSubstitutions"])
    assert substitutions.pop("Partition") == {"Ref": "AWS::Partition"}
    for name, value in substitutions.items():
        assert value == {"Fn::GetAtt": [name.removesuffix("Arn"), "Arn"]}


# ---- one list of names -------------------------------------------------------------------------------------------

OF_TRACKING = {"follow_tags": "follow", "build_again": "build_again"}
"""Functions whose steps are of the wing ``tracking``, each with its module there."""

OF_INSTALLS = (
    "receive_deploy", "pull_mirror", "load_manifests", "plan_install", "apply_install", "check_health", "prune_install",
    "record_deploy", "end_stopped_deploy", "sweep_deploys", "drift_due", "follow_builds", "release_deploys",
)  # fmt: skip
"""Functions whose steps are of the wing ``installs``, each in a module of its name."""

WINGS = {name: ("tracking", verb) for name, verb in OF_TRACKING.items()} | {
    name: ("installs.steps", name) for name in OF_INSTALLS
}

NO_STEPS = {"api", "dashboard", "exchange_code", "fetch_keys", "hooks", "publish_changes"}
"""Functions that answer requests, those that ask issuers for them, and the one from the table to the bus."""

STEPS = {name: name.partition("_")[0] for name in MODULES if name not in {*NO_STEPS, *WINGS}}
"""A function's step is in the module of its verb."""
STEPS["try_credentials"] = "trying"  # the verb is Python's
STEPS["look_up_artifact"] = "look_up"

FUNCTIONS_IN_ORDER = [name.removesuffix("Function") for name in FUNCTIONS]

NOUNS = {
    "books", "budgets", "deadline", "envelope", "lending", "lists", "lookups", "messages", "pending", "pinned", "ports",
    "quotas", "receipts", "records", "survey", "turns",
}  # fmt: skip


def _camel(module: str) -> str:
    return "".join(part.title() for part in module.split("_"))


def test_a_task_is_named_after_the_function_that_it_invokes() -> None:
    invoked = {name: state["Arguments"]["FunctionName"] for name, state in TASKS.items()}
    assert invoked == {name: f"${{{name}FunctionArn}}" for name in TASKS}


BY_PEOPLE = {"ExchangeCode", "FetchKeys", "TryCredentials", "LookUpArtifact", "ReadArtifacts", "AnswerLookup"}
"""Functions that people invoke, by the command line, the API or the dashboard."""


def test_every_function_is_a_task_of_the_state_machine_or_is_started_by_an_event() -> None:
    sources = {name.removesuffix("Function") for name, body in FUNCTIONS.items() if body["Properties"].get("Events")}
    rules = [body["Properties"] for body in RESOURCES.values() if body["Type"] == "AWS::Events::Rule"]
    targets = {json.dumps(target["Arn"]) for rule in rules for target in rule["Targets"]}
    ruled = {name.removesuffix("Function") for name in FUNCTIONS if any(f'"{name}"' in arn for arn in targets)}
    assert TASKS.keys() | sources | ruled | BY_PEOPLE == {_camel(module) for module in MODULES}
    assert not TASKS.keys() & (sources | ruled | BY_PEOPLE)


def test_the_builds_wing_has_a_module_for_each_verb_and_nouns_beside_them() -> None:
    here = {path.stem for path in (ROOT / "layers" / "core" / "byoa" / "builds").glob("*.py")} - {"__init__"}
    assert here == set(STEPS.values()) | NOUNS


@pytest.mark.parametrize("module", [*STEPS, *WINGS])
def test_a_function_runs_the_step_of_its_name(module: str) -> None:
    wing, verb = WINGS.get(module) or ("builds", STEPS[module])
    step_of = importlib.import_module(f"byoa.{wing}.{verb}")
    names = [verb, module] if module not in vars(step_of) else [module]
    (function,) = [vars(step_of)[name] for name in names if name in vars(step_of)]
    assert f"{verb}.{function.__name__}(" in (ROOT / "functions" / f"{module}.py").read_text()


def test_the_page_of_architecture_has_a_row_for_each_function() -> None:
    rows = re.findall(r"^\| (\w+) \|", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
    assert [row for row in rows if row not in ("state", "wing")] == list(FUNCTIONS_IN_ORDER)


def test_the_page_of_architecture_has_a_row_for_each_wing() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    package = ROOT / "layers" / "core" / "byoa"
    wings = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    assert set(re.findall(r"^\| `(\w+/)` \|", text, re.MULTILINE)) == wings


# ---- the template ------------------------------------------------------------------------------------------------


def test_every_function_s_file_is_in_the_template_and_vice_versa() -> None:
    assert sorted(_module(function) for function in FUNCTIONS.values()) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_a_function_has_a_sample_event(module: str) -> None:
    place = ROOT / "events" / module
    samples = [*place.glob("*.json")] if place.is_dir() else [place.with_suffix(".json")]
    assert all(json.loads(sample.read_bytes()) for sample in samples)
    assert samples


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_has_a_role_and_a_log_group_of_its_own(name: str) -> None:
    stem, properties = name.removesuffix("Function"), FUNCTIONS[name]["Properties"]
    assert properties["Role"] == {"Fn::GetAtt": [f"{stem}Role", "Arn"]}
    assert RESOURCES[f"{stem}Role"]["Type"] == "AWS::IAM::Role"
    assert properties["LoggingConfig"]["LogGroup"] == {"Ref": f"{stem}Logs"}
    logs = RESOURCES[f"{stem}Logs"]["Properties"]
    assert logs["RetentionInDays"]
    assert logs["LogGroupName"] == {"Fn::Sub": f"/aws/lambda/{properties['FunctionName']['Fn::Sub']}"}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_s_names_agree(name: str) -> None:
    module = _module(FUNCTIONS[name])
    assert name.removesuffix("Function") == _camel(module)
    assert FUNCTIONS[name]["Properties"]["FunctionName"]["Fn::Sub"].endswith("-" + module.replace("_", "-"))


def test_the_template_s_variables_are_the_settings() -> None:
    given = {
        variable.removeprefix("BYOA_").lower()
        for function in FUNCTIONS.values()
        for variable in function["Properties"]["Environment"]["Variables"]
        if variable.startswith("BYOA_")
    }
    assert given == Settings.model_fields.keys()


def test_what_every_function_gets_is_no_setting_of_ours() -> None:
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    assert not [name for name in variables if name.startswith("BYOA_")]


@pytest.mark.parametrize(
    ("count", "name"), [(step.count_build, "FailedBuildsAlarm"), (step.count_deploy, "FailedDeploysAlarm")]
)
def test_the_alarm_on_what_failed_watches_what_is_counted(
    count: Callable[[str], None], name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    service = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", service)
    count("error")
    line = json.loads(capsys.readouterr().out)
    (counted,) = line["_aws"]["CloudWatchMetrics"]
    alarm = RESOURCES[name]["Properties"]
    assert counted["Namespace"] == alarm["Namespace"]
    assert [metric["Name"] for metric in counted["Metrics"]] == [alarm["MetricName"]]
    wanted = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    assert {name: line[name] for names in counted["Dimensions"] for name in names} == wanted


# ---- documents ---------------------------------------------------------------------------------------------------


def _rows() -> dict[str, list[str]]:
    lines = (ROOT / "docs" / "errors.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    assert len({row[0] for row in rows}) == len(rows), "a code has two rows"
    return {row[0].strip("`"): row[1:] for row in rows}


def test_the_page_of_errors_lists_every_code_and_no_other() -> None:
    assert list(_rows()) == list(LEAVES)


@pytest.mark.parametrize("name", LEAVES)
def test_the_page_of_errors_says_what_the_code_says(name: str) -> None:
    leaf = LEAVES[name]
    retried = "retried" if issubclass(leaf, Transient) else "not retried"
    assert _rows()[name] == [retried, " ".join((leaf.__doc__ or "").split()), leaf.default_remedy]


@pytest.mark.parametrize("leaf", leaves(), ids=lambda leaf: leaf.__name__)
def test_an_error_explains_itself_in_printable_ascii(leaf: type[ByoaError]) -> None:
    for text in (leaf.__name__, leaf.__doc__ or "", leaf.default_remedy):
        assert re.fullmatch(r"[ -~]+", text), text


@pytest.mark.parametrize("leaf", leaves(), ids=lambda leaf: leaf.__name__)
def test_a_remedy_names_no_command_that_there_isnt(leaf: type[ByoaError]) -> None:
    _check_commands(leaf.default_remedy)


ENGINE = sorted((ROOT / "layers" / "core" / "byoa").rglob("*.py"))


@pytest.mark.parametrize("path", ENGINE, ids=lambda path: path.stem)
def test_no_text_of_the_engine_names_a_command_that_there_isnt(path: Path) -> None:
    _check_commands(path.read_text())


def _check_commands(text: str) -> None:
    assert set(re.findall(r"`byoa (\w+)", text)) <= COMMANDS.keys()


def test_the_layer_s_requirements_are_the_locked_ones() -> None:
    uv = shutil.which("uv") or shutil.which(str(ROOT / ".uv" / "bin" / "uv"))
    if uv is None:
        pytest.fail("uv is neither on the PATH nor in .uv/bin; `make setup` puts it there")
    arguments = ["export", "-q", "--no-dev", "--frozen", "--extra", "aws", "--no-emit-project", "--no-header"]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    done = subprocess.run([uv, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (ROOT / "layers" / "dependencies" / "requirements.txt").read_text() == done.stdout


def test_the_layer_takes_what_was_locked_by_its_hash_or_nothing() -> None:
    folder = ROOT / "layers" / "dependencies"
    pinned = [line for line in (folder / "requirements.txt").read_text().splitlines() if "==" in line]
    assert pinned
    assert all(line.endswith(" \\") for line in pinned), "the next line is a hash"
    installs = (folder / "Makefile").read_text().count(" install ")
    assert installs == (folder / "Makefile").read_text().count("--require-hashes -r requirements.txt") > 0
