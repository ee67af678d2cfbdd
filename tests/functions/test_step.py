"""What crosses from a function to the state machine, and what stays in the function's log."""

from __future__ import annotations

import importlib
import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from byoa import step as module
from byoa.builds.messages import BuildKey
from byoa.errors import BuildTimedOut, EventUntrusted, InternalFault, ReferenceNotFound, RegistryThrottled
from byoa.step import step
from tests.template import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = {"organisation": "org_demo00000000", "app": "demo", "component": "flux", "version": 1}
ODD_VERSIONS: list[Any] = [[1], {}, "x", 1.5, 10**10, -1, None]
SECRET = "hunter2-of-the-vendor"


class Answer(BuildKey):
    note: str


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the function logs: powertools took hold of the real stdout when it was imported."""
    (handler,) = (each for each in module.logger.handlers if isinstance(each, logging.StreamHandler))
    written = io.StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before or handler.stream)


@pytest.fixture
def context() -> LambdaContext:
    made = LambdaContext()
    made._function_name = "byoa-some-step"
    made._aws_request_id = "11111111-2222-3333-4444-555555555555"
    return made


def _lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def _raising(error: Exception) -> Callable[[dict[str, Any], LambdaContext], Any]:
    @step
    def handler(key: BuildKey) -> Answer:
        raise error

    return handler


@step
def polite(key: BuildKey) -> Answer:
    return Answer(**key.model_dump(), note="hello")


@step
def silent(key: BuildKey) -> None:
    """Nothing to say."""


def test_the_answer_is_the_model_as_json_data(log: io.StringIO, context: LambdaContext) -> None:
    assert polite(KEY, context) == {**KEY, "note": "hello"}


def test_no_answer_is_no_answer(log: io.StringIO, context: LambdaContext) -> None:
    assert silent(KEY, context) is None


@pytest.mark.parametrize(
    "error",
    [
        ReferenceNotFound("The registry has no such tag.", where="source"),
        RegistryThrottled("Too many requests.", retry_after=3),
    ],
    ids=lambda error: error.code,
)
def test_an_error_of_ours_crosses_by_its_class_name_and_as_json(
    error: ReferenceNotFound | RegistryThrottled, log: io.StringIO, context: LambdaContext
) -> None:
    with pytest.raises(type(error)) as caught:
        _raising(error)(KEY, context)
    # Lambda reports errorType = the class's name, errorMessage = str(exception).
    assert type(caught.value).__name__ == error.code
    assert json.loads(str(caught.value)) == error.as_dict()
    assert set(json.loads(str(caught.value))) == {"code", "cause", "remedy", "where"}


def test_an_unknown_exception_crosses_without_a_word_of_its_own(log: io.StringIO, context: LambdaContext) -> None:
    with pytest.raises(InternalFault) as caught:
        _raising(RuntimeError(f"token {SECRET} refused"))(KEY, context)
    said = json.loads(str(caught.value))
    assert said["code"] == "InternalFault"
    assert said["remedy"] == InternalFault.default_remedy
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.args)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_the_unknown_exception_stays_in_the_log_for_operators(log: io.StringIO, context: LambdaContext) -> None:
    with pytest.raises(InternalFault):
        _raising(KeyError("lost"))(KEY, context)
    (line,) = (line for line in _lines(log) if line["level"] == "ERROR")
    assert line["exception_name"] == "KeyError"
    assert line["organisation"] == KEY["organisation"]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {**KEY, "organisation": "org_OTHER"},
        {**KEY, "version": 0},
        {**KEY, "more": 1},
        {**KEY, "component": "../../other"},
        [],
        None,
        *({**KEY, "organisation": f"org_demo0000000{end}"} for end in ("\n", " ", "*", "?", "A", "\u0430", "#", "/")),
        *({**KEY, "app": f"demo{end}"} for end in ("\n", "#", "__x", "-", "*", "", "#1")[:5]),
        *({**KEY, "version": version} for version in ODD_VERSIONS),
    ],
)
def test_an_event_of_another_form_is_not_trusted(event: Any, log: io.StringIO, context: LambdaContext) -> None:
    with pytest.raises(EventUntrusted) as caught:
        polite(event, context)
    assert json.loads(str(caught.value))["code"] == "EventUntrusted"


def test_the_log_names_a_bad_event_s_fields_and_not_its_values(log: io.StringIO, context: LambdaContext) -> None:
    with pytest.raises(EventUntrusted) as caught:
        polite({**KEY, "app": SECRET * 9}, context)
    (line,) = (line for line in _lines(log) if line["message"] == "event refused")
    assert line["faults"] == ["app"]
    assert SECRET not in log.getvalue() + str(caught.value)


def test_every_line_says_which_build_and_which_call_it_is_of(log: io.StringIO, context: LambdaContext) -> None:
    polite(KEY, context)
    last = _lines(log)[-1]
    assert last["message"] == "step done"
    assert {name: last[name] for name in KEY} == KEY
    assert last["function"] == "byoa-some-step"
    assert last["request_id"] == "11111111-2222-3333-4444-555555555555"


def test_one_call_s_build_is_not_in_the_next_call_s_log(log: io.StringIO, context: LambdaContext) -> None:
    polite(KEY, context)
    log.truncate(0)
    log.seek(0)
    with pytest.raises(EventUntrusted):
        polite({}, context)
    assert all("build" not in line and "organisation" not in line for line in _lines(log))


@pytest.mark.parametrize("name", ["resolve_digest", "stage_blob", "mirror_artifact", "retire_tags"])
def test_no_step_begins_after_its_build_s_time(name: str, log: io.StringIO, context: LambdaContext) -> None:
    event = json.loads((ROOT / "events" / f"{name}.json").read_bytes())
    event.get("artifact", event)["ends_ts"] = 1_000
    handler = importlib.import_module(f"functions.{name}").handler
    with pytest.raises(BuildTimedOut) as caught:
        handler(event, context)
    assert json.loads(str(caught.value))["where"] == "build_timeout"


@pytest.mark.parametrize("event", [KEY, {}], ids=["done", "refused"])
def test_the_time_of_every_call_is_measured(
    event: dict[str, Any], log: io.StringIO, context: LambdaContext, capsys: pytest.CaptureFixture[str]
) -> None:
    if event:
        polite(event, context)
    else:
        with pytest.raises(EventUntrusted):
            polite(event, context)
    (line,) = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert line["function"] == "byoa-some-step"
    assert line["StepDuration"][0] >= 0
