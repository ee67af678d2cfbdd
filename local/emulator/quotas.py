"""Step Functions: the sizes that states may pass on, and how long a history gets.

Quotas: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html. An error that breaks one is terminal:
neither ``States.ALL`` nor ``States.TaskFailed`` stands for it ("Handling errors in Step Functions workflows").
"""
# ruff: noqa: SLF001, ANN401 - a correction reaches inside, and JSON is what it is

import functools
import json
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import ministack.services.stepfunctions as workflows

from local.emulator.anchors import anchored

type Fields = dict[str, Any]
type Handler = Callable[..., tuple[Any, str | None]]

PAYLOAD_LIMIT = 256 * 1024  # of an input or output, of a variable, and of what one Assign sets
VARIABLES_LIMIT = 10 * 1024 * 1024
HISTORY_LIMIT = 25_000
TERMINAL = ("States.DataLimitExceeded", "States.Runtime")
_STATES = ("pass", "task", "choice", "wait", "parallel", "map")
_NESTED: ContextVar[bool] = ContextVar("_NESTED", default=False)
_history_lock = threading.Lock()


def correct() -> None:
    """Make all corrections of quotas. Raises MiniStackChanged."""
    _refuse_inputs()
    _hold_states()
    _hold_tasks()
    _assign_at_once()
    _end_long_histories()
    _leave_terminal_errors_uncaught()


def size(value: Any) -> int:
    """The bytes of ``value`` as JSON in UTF-8."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))


def _hold(value: Any, who: str, limit: int = PAYLOAD_LIMIT) -> None:
    if size(value) > limit:
        cause = (
            f"The state/task '{who}' returned a result with a size exceeding the maximum number of bytes service limit."
        )
        raise workflows._ExecutionError("States.DataLimitExceeded", cause)


def _refuse_inputs() -> None:
    """Refuse an execution whose input is too large or no JSON; MiniStack takes any size, and no JSON for ``{}``."""
    start = anchored(workflows, "_start_execution", 'input_str = data.get("input", "{}")')

    @functools.wraps(start)
    def start_within_quota(request: Fields) -> Any:
        text = request.get("input", "{}")
        if len(text.encode(errors="surrogatepass")) > PAYLOAD_LIMIT:
            # The length that the API's model gives ``input``; constraints of the model are ValidationExceptions.
            message = f"Member must have length less than or equal to {PAYLOAD_LIMIT}"
            message = f"1 validation error detected: Value at 'input' failed to satisfy constraint: {message}"
            return workflows.error_response_json("ValidationException", message, 400)
        try:
            json.loads(text)
        except ValueError as error:
            message = f"Invalid State Machine Execution Input: '{error}'"
            return workflows.error_response_json("InvalidExecutionInput", message, 400)
        return start(request)

    workflows._start_execution = start_within_quota


def _hold_states() -> None:
    """Hold each state's input and output to the quota, and record states inside Map and Parallel as AWS does."""
    for name in _STATES:
        handler = anchored(workflows, f"_execute_{name}", f"def _execute_{name}(state_def, raw_input")
        setattr(workflows, f"_execute_{name}", _held(handler))
    run = anchored(workflows, "_run_sub_machine", "handler_fn = {")

    @functools.wraps(run)
    def run_nested(states: Fields, start: str, given: Any, execution: Fields, ctx: Fields) -> Any:
        token = _NESTED.set(True)
        iteration = "MapIteration" if "Map" in ctx else None
        try:
            _note(execution, iteration and f"{iteration}Started")
            output = run(states, start, given, execution, ctx)
            _note(execution, iteration and f"{iteration}Succeeded")
        finally:
            _NESTED.reset(token)
        return output

    workflows._run_sub_machine = run_nested


def _held(handler: Handler) -> Handler:
    @functools.wraps(handler)
    def run(state: Fields, given: Any, *rest: Any) -> tuple[Any, str | None]:
        ctx = rest[-1] or {}
        name, kind = (ctx.get("State") or {}).get("Name", ""), state.get("Type")
        execution = workflows._executions.get((ctx.get("Execution") or {}).get("Id"))
        nested = execution if _NESTED.get() else None
        _note(nested, f"{kind}StateEntered", name)
        _hold(given, name)
        _note(execution, "MapStateStarted" if kind == "Map" else None)
        output, following = handler(state, given, *rest)
        _note(execution, "MapStateSucceeded" if kind == "Map" else None)
        _hold(output, name)
        _note(nested, f"{kind}StateExited", name)
        return output, following

    return run


def _note(execution: Fields | None, event: str | None, name: str | None = None) -> None:
    """Add ``event`` to the history, without data: what a big fan-out passes on would fill the memory."""
    if execution and event:
        side = "stateEnteredEventDetails" if event.endswith("Entered") else "stateExitedEventDetails"
        workflows._add_event(execution, event, {side: {"name": name}} if name else None)


def _hold_tasks() -> None:
    """Hold what a task is given and what it answers to the quota, before Output makes it smaller."""
    invoke = anchored(workflows, "_invoke_resource", '"states:::lambda:invoke" in resource')

    @functools.wraps(invoke)
    def invoke_within_quota(resource: str, given: Any) -> Any:
        _hold(given, resource)
        answer = invoke(resource, given)
        _hold(answer, resource)
        return answer

    workflows._invoke_resource = invoke_within_quota


def _assign_at_once() -> None:
    """Evaluate all of an Assign with the variables as they were, within the quotas; MiniStack goes one by one."""
    anchored(workflows, "_apply_state_assign", "variables[name] = _apply_jsonata_template(")

    def assign(state: Fields, given: Any, ctx: Fields | None, result: Any = None, error_output: Any = None) -> None:
        wanted = state.get("Assign")
        if ctx is None or workflows._state_query_language(state, ctx) != "JSONata" or not isinstance(wanted, dict):
            return
        values = workflows._apply_jsonata_template(wanted, given, ctx, result=result, error_output=error_output)
        name = (ctx.get("State") or {}).get("Name", "")
        _hold(values, name)
        variables = ctx.get("variables", {}) | values
        _hold(variables, name, VARIABLES_LIMIT)
        ctx["variables"] = variables

    workflows._apply_state_assign = assign


def _end_long_histories() -> None:
    """End an execution whose history is full. AWS counts a task's start too, which MiniStack leaves out."""
    add = anchored(workflows, "_add_event", '"id": len(execution["events"]) + 1')

    @functools.wraps(add)
    def add_within_quota(execution: Fields, event: str, details: Fields | None = None) -> Any:
        with _history_lock:
            if len(execution["events"]) >= HISTORY_LIMIT - 1 and not event.startswith("Execution"):
                cause = f"The execution reached the maximum number of history events ({HISTORY_LIMIT})."
                raise workflows._ExecutionError("States.Runtime", cause)
            added = add(execution, event, details)
            if event == "TaskScheduled":
                scheduled = (details or {}).get("taskScheduledEventDetails", {})
                add(execution, "TaskStarted", {"taskStartedEventDetails": scheduled})
            return added

    workflows._add_event = add_within_quota


def _leave_terminal_errors_uncaught() -> None:
    """``States.ALL`` and ``States.TaskFailed`` stand for no terminal error."""
    matches = anchored(workflows, "_error_matches", '"States.ALL" in error_equals')

    @functools.wraps(matches)
    def matches_unless_terminal(names: list[str], error: str) -> bool:
        found: bool = error in names if error in TERMINAL else matches(names, error)
        return found

    workflows._error_matches = matches_unless_terminal
