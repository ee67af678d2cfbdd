"""The States Language as CreateStateMachine and CloudFormation read it: what they refuse, and with which code."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.rules.resources.stepfunctions.StateMachineDefinition import StateMachineDefinition

from local.emulator import asl

MACHINE = Path(__file__).parents[2] / "statemachine/build.asl.yaml"
TASK: dict[str, Any] = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": True}
ALL = {"ErrorEquals": ["States.ALL"]}


def machine(**states: dict[str, Any]) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}


def found(definition: Any) -> str:
    return "\n".join(asl.faults(definition))


def test_the_state_machine_of_the_template_is_taken() -> None:
    written_out = json.dumps(yaml.safe_load(MACHINE.read_text()))
    assert found(asl.parse(re.sub(r"\$\{\w+\}", "arn", written_out))) == ""


@pytest.mark.parametrize("text", ["a: &retry [1]\nb: *retry", "a: &retry [1]", "<<: *retry"])
def test_aliases_and_anchors_are_refused(text: str) -> None:
    with pytest.raises(asl.DefinitionInvalid, match="SCHEMA_VALIDATION_FAILED: the alias or anchor 'retry' in line"):
        asl.parse(text)


def test_a_placeholder_without_a_substitution_is_refused() -> None:
    with pytest.raises(asl.DefinitionInvalid, match=r"\$\{Function\} is not among DefinitionSubstitutions"):
        asl.parse("Resource: ${Function}")


def test_text_that_is_no_yaml_is_refused() -> None:
    with pytest.raises(asl.DefinitionInvalid, match="INVALID_JSON_DESCRIPTION"):
        asl.parse("a: [")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"Retry": "retry"}, "Field 'Retry' is a list of objects at /States/Call/Retry"),
        ({"Catch": ["record"]}, "Field 'Catch' is a list of objects at /States/Call/Catch"),
        ({"Parameters": {}}, "Field 'Parameters' is not supported at /States/Call/Parameters"),
        ({"Type": "Tusk"}, "'Tusk' is no type of a state at /States/Call/Type"),
        ({"Resource": ""}, r"fields are required: \[Resource\] at /States/Call"),
        ({"End": False}, r"is required: \[Next, End\] at /States/Call"),
        ({"Next": "Call"}, r"is required: \[Next, End\] at /States/Call"),
        ({"QueryLanguage": "JSONPath"}, "A state of a JSONata machine is in JSONata at /States/Call/QueryLanguage"),
        ({"Retry": [{"MaxAttempts": 2}]}, r"fields are required: \[ErrorEquals\] at /States/Call/Retry\[0\]"),
        ({"Retry": [ALL, {"ErrorEquals": ["A"]}]}, r"States.ALL must appear alone, .* at /States/Call/Retry\[0\]"),
        ({"Retry": [{"ErrorEquals": ["A", "States.ALL"]}]}, r"States.ALL must appear alone"),
        ({"Retry": [{"ErrorEquals": "A"}]}, r"Field 'ErrorEquals' is a list of names at /States/Call/Retry\[0\]"),
        ({"Retry": [ALL | {"Tries": 2}]}, r"Field 'Tries' is not supported at /States/Call/Retry\[0\]/Tries"),
        ({"Catch": [ALL]}, r"fields are required: \[Next\] at /States/Call/Catch\[0\]"),
        ({"Catch": [ALL | {"Next": "Gone"}]}, "MISSING_TRANSITION_TARGET: Missing 'Next' target: Gone"),
    ],
)
def test_a_state_with_a_fault_is_refused(change: dict[str, Any], fault: str) -> None:
    assert found(machine(Call=TASK)) == ""
    assert re.search(fault, found(machine(Call=TASK | change)))


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        ({"Type": "Choice"}, r"fields are required: \[Choices\]"),
        ({"Type": "Choice", "Choices": [{"Next": "Choose"}]}, r"fields are required: \[Condition\]"),
        ({"Type": "Choice", "Choices": [{"Condition": "", "Next": "A", "And": 1}]}, "Field 'And' is not supported"),
        ({"Type": "Wait", "End": True}, r"is required: \[Seconds, Timestamp\]"),
        ({"Type": "Succeed", "End": True}, "Field 'End' is not supported"),
        ({"Type": "Map", "End": True}, r"fields are required: \[ItemProcessor\]"),
        ({"Type": "Map", "ItemProcessor": {"StartAt": "A"}, "End": True}, r"\[StartAt, States\] at .*/ItemProcessor"),
    ],
)
def test_a_state_that_lacks_what_its_type_needs_is_refused(state: dict[str, Any], fault: str) -> None:
    assert re.search(fault, found(machine(Choose=state)))


def test_a_machine_is_whole() -> None:
    good = machine(Call=TASK)
    assert "Field 'Timeout' is not supported at /Timeout" in found(good | {"Timeout": 3})
    assert "Missing 'Next' target: Start at /StartAt" in found(good | {"StartAt": "Start"})
    assert "[StartAt, States] at /" in found(good | {"States": {}})
    assert "[StartAt, States] at /" in found("no machine")


def test_states_are_reached_and_named_once_in_the_whole_machine() -> None:
    nested = {"Type": "Map", "ItemProcessor": {"StartAt": "Call", "States": {"Call": TASK}}, "End": True}
    assert found(machine(Each=nested)) == ""
    twice = found(machine(Call=TASK | {"End": None, "Next": "Each"}, Each=nested))
    assert twice == "DUPLICATE_STATE_NAME: Duplicate State name: Call at /States/Each/ItemProcessor/States"
    assert 'State "Lost" is not reachable. at /States/Lost' in found(machine(Call=TASK, Lost=TASK))
    assert "at most 80 characters" in found(machine(**{"x" * 81: TASK}))


def test_a_branch_is_looked_into() -> None:
    branch = {"StartAt": "Inner", "States": {"Inner": {"Type": "Pass"}}}
    assert "/States/Both/Branches[0]/States/Inner" in found(
        machine(Both={"Type": "Parallel", "Branches": [branch], "End": True})
    )


def test_a_machine_in_jsonpath_is_held_to_its_graph() -> None:
    definition = machine(Call=copy.deepcopy(TASK) | {"Parameters": {}})
    del definition["QueryLanguage"]
    assert found(definition) == ""
    assert "Missing 'Next' target" in found(definition | {"StartAt": "Gone"})


@pytest.mark.parametrize("kind", asl.STATES)
def test_no_field_is_taken_that_cfn_lint_does_not_know(kind: str) -> None:
    schema = StateMachineDefinition()._convert_schema_to_jsonata()["definitions"][kind.lower()]
    known = {name for name, rule in schema["properties"].items() if rule is not False}
    newer = {"Succeed": {"QueryLanguage"}, "Map": {"Items"}}  # on AWS's pages, not in the schema
    assert known | newer.get(kind, set()) >= asl.STATES[kind]
