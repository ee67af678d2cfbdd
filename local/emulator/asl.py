"""The Amazon States Language in JSONata: what a definition may hold, and what CreateStateMachine refuses. Pure.

Fields: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html and the pages of the
state types. cfn-lint's schema knows less (retriers, transitions) and costs its environment 140 MB, so this is a table
of our own; a test holds it against that schema. Definitions in JSONPath, which this project doesn't write, get the
checks of their graph alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

type Fields = Mapping[str, Any]
type Faults = Iterator[str]

NAME_LIMIT: Final = 80
_COMMON: Final = frozenset({"Type", "Comment", "QueryLanguage", "Output", "Assign"})
_MOVES: Final = frozenset({"Next", "End"})
_MENDS: Final = frozenset({"Retry", "Catch"})
_MAP: Final = frozenset(
    {"Items", "ItemSelector", "ItemReader", "ItemBatcher", "ItemProcessor", "ResultWriter", "Label", "MaxConcurrency"}
    | {"ToleratedFailureCount", "ToleratedFailurePercentage"}
)
_CALLS: Final = frozenset({"Resource", "Arguments", "Credentials", "TimeoutSeconds", "HeartbeatSeconds"})
STATES: Final[dict[str, frozenset[str]]] = {
    "Task": _COMMON | _MOVES | _MENDS | _CALLS,
    "Pass": _COMMON | _MOVES,
    "Choice": _COMMON | {"Choices", "Default"},
    "Wait": _COMMON | _MOVES | {"Seconds", "Timestamp"},
    "Succeed": _COMMON - {"Assign"},
    "Fail": _COMMON - {"Output", "Assign"} | {"Error", "Cause"},
    "Parallel": _COMMON | _MOVES | _MENDS | {"Branches", "Arguments"},
    "Map": _COMMON | _MOVES | _MENDS | _MAP,
}
_REQUIRED: Final = {"Task": "Resource", "Choice": "Choices", "Parallel": "Branches", "Map": "ItemProcessor"}
_MACHINE: Final = frozenset({"StartAt", "States", "Comment", "QueryLanguage", "TimeoutSeconds", "Version"})
_BRANCH: Final = frozenset({"StartAt", "States", "Comment", "QueryLanguage", "ProcessorConfig"})
_RETRIER: Final = frozenset(
    {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy", "Comment"}
)
_FOLLOWS: Final = frozenset({"Next", "Output", "Assign", "Comment"})
_RULES: Final = {  # what the elements of these lists may hold, and what they must
    "Choices": (_FOLLOWS | {"Condition"}, ("Condition", "Next")),
    "Retry": (_RETRIER, ("ErrorEquals",)),
    "Catch": (_FOLLOWS | {"ErrorEquals"}, ("ErrorEquals", "Next")),
}
_PLACEHOLDER: Final = re.compile(r"\$\{\w+\}")


class DefinitionInvalid(ValueError):
    """A definition that AWS refuses; the text begins with AWS's code."""


def parse(text: str) -> Any:  # noqa: ANN401 - JSON is what it is
    """The definition in ``text``, YAML or JSON, as CloudFormation's handler reads it after substitution.

    Raises DefinitionInvalid for aliases and anchors, which its reader (Jackson's YAMLFactory) doesn't resolve: ``*a``
    becomes the text "a". Also for a ``${Name}`` that DefinitionSubstitutions left: whatever it is part of is invalid.
    """
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if isinstance(token, (yaml.AnchorToken, yaml.AliasToken)):
                message = f"the alias or anchor {token.value!r} in line {token.start_mark.line + 1} is not resolved"
                raise DefinitionInvalid(f"SCHEMA_VALIDATION_FAILED: {message}: write it out")
        definition = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DefinitionInvalid(f"INVALID_JSON_DESCRIPTION: {error}") from error
    if left := _PLACEHOLDER.search(text):
        message = f"{left[0]} is not among DefinitionSubstitutions"
        raise DefinitionInvalid(f"SCHEMA_VALIDATION_FAILED: {message}")
    return definition


def faults(definition: Any) -> Faults:  # noqa: ANN401 - anything may have been written
    """What CreateStateMachine has against ``definition``, each fault with AWS's code and the place."""
    yield from _machine(definition, "", _MACHINE, set(), jsonata=_is_jsonata(definition))


def _is_jsonata(definition: Any) -> bool:  # noqa: ANN401
    return isinstance(definition, Mapping) and definition.get("QueryLanguage") == "JSONata"


def _invalid(message: str, at: str) -> str:
    return f"SCHEMA_VALIDATION_FAILED: {message} at {at or '/'}"


def _machine(machine: Any, at: str, allowed: frozenset[str], names: set[str], *, jsonata: bool) -> Faults:  # noqa: ANN401
    states = machine.get("States") if isinstance(machine, Mapping) else None
    if not isinstance(states, Mapping) or not states or not all(isinstance(each, Mapping) for each in states.values()):
        yield _invalid("These fields are required: [StartAt, States]", at)
        return
    yield from _unknown(machine, allowed, at, jsonata=jsonata)
    for name, state in states.items():
        if name in names:
            yield f"DUPLICATE_STATE_NAME: Duplicate State name: {name} at {at}/States"
        if len(name) > NAME_LIMIT:
            yield _invalid(f"The name of a state has at most {NAME_LIMIT} characters", f"{at}/States/{name}")
        names.add(name)
        yield from _state(state, f"{at}/States/{name}", names, jsonata=jsonata)
    yield from _graph(machine.get("StartAt"), states, at)


def _graph(start: object, states: Mapping[str, Fields], at: str) -> Faults:
    reached, waiting = set[object](), [(start, f"{at}/StartAt")]
    while waiting:
        name, place = waiting.pop()
        if name in reached:
            continue
        if not isinstance(name, str) or name not in states:
            yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {name} at {place}"
            continue
        reached.add(name)
        waiting += [(target, f"{at}/States/{name}") for target in _targets(states[name])]
    for name in states.keys() - reached:
        yield f'MISSING_TRANSITION_TARGET: State "{name}" is not reachable. at {at}/States/{name}'


def _targets(state: Fields) -> list[object]:
    followers = [state] + [each for key in ("Choices", "Catch") for each in _mappings(state.get(key))]
    return [each[key] for each in followers for key in ("Next", "Default") if key in each]


def _mappings(value: object) -> list[Fields]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _unknown(fields: Fields, allowed: frozenset[str], at: str, *, jsonata: bool = True) -> Faults:
    for name in sorted(fields.keys() - allowed) if jsonata else ():
        yield _invalid(f"Field '{name}' is not supported", f"{at}/{name}")


def _state(state: Fields, at: str, names: set[str], *, jsonata: bool) -> Faults:
    kind = state.get("Type")
    if kind not in STATES:
        yield _invalid(f"'{kind}' is no type of a state", f"{at}/Type")
        return
    yield from _unknown(state, STATES[kind], at, jsonata=jsonata)
    if jsonata and state.get("QueryLanguage", "JSONata") != "JSONata":
        yield _invalid("A state of a JSONata machine is in JSONata", f"{at}/QueryLanguage")
    required = _REQUIRED.get(kind)
    if jsonata and required and not state.get(required):
        yield _invalid(f"These fields are required: [{required}]", at)
    if kind == "Wait" and jsonata and ("Seconds" in state) == ("Timestamp" in state):
        yield _invalid("Exactly one of these fields is required: [Seconds, Timestamp]", at)
    if STATES[kind] >= _MOVES and (isinstance(state.get("Next"), str)) == (state.get("End") is True):
        yield _invalid("Exactly one of these fields is required: [Next, End]", at)
    yield from _parts(state, at, names, jsonata=jsonata)


def _parts(state: Fields, at: str, names: set[str], *, jsonata: bool) -> Faults:
    for key in _RULES.keys() & state.keys():
        yield from _rules(state[key], key, f"{at}/{key}", jsonata=jsonata)
    for key in ("Retry", "Catch"):
        yield from _errors(_mappings(state.get(key)), f"{at}/{key}")
    for number, branch in enumerate(state.get("Branches") or ()):
        yield from _machine(branch, f"{at}/Branches[{number}]", _BRANCH, names, jsonata=jsonata)
    if "ItemProcessor" in state:
        yield from _machine(state["ItemProcessor"], f"{at}/ItemProcessor", _BRANCH, names, jsonata=jsonata)


def _rules(rules: Any, key: str, at: str, *, jsonata: bool) -> Faults:  # noqa: ANN401
    if not isinstance(rules, list) or len(_mappings(rules)) != len(rules):
        yield _invalid(f"Field '{key}' is a list of objects", at)
        return
    allowed, required = _RULES[key]
    for number, rule in enumerate(rules if jsonata else ()):
        yield from _unknown(rule, allowed, f"{at}[{number}]")
        if missing := [name for name in required if not rule.get(name)]:
            yield _invalid(f"These fields are required: [{', '.join(missing)}]", f"{at}[{number}]")


def _errors(rules: list[Fields], at: str) -> Faults:
    """``States.ALL`` stands alone, in the last retrier or catcher ("Error handling in Step Functions")."""
    for number, rule in enumerate(rules):
        errors = rule.get("ErrorEquals", [])
        if not isinstance(errors, list) or not all(isinstance(error, str) for error in errors):
            yield _invalid("Field 'ErrorEquals' is a list of names", f"{at}[{number}]")
        elif "States.ALL" in errors and (len(errors) > 1 or number < len(rules) - 1):
            yield _invalid("States.ALL must appear alone, and in the last of them", f"{at}[{number}]")
