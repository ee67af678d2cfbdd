"""Step Functions: the same start twice, caps on retry delays, an execution's timeout, ends that stay."""
# ruff: noqa: SLF001 - a correction reaches inside

import contextvars
import functools
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import ministack.services.stepfunctions as workflows

from local.emulator.anchors import anchored
from local.emulator.slots import BEGAN

type Answer = tuple[int, dict[str, str], bytes]


def correct() -> None:
    """Make all corrections of Step Functions. Raises MiniStackChanged."""
    _answer_the_same_start_alike()
    _cap_retry_delays()
    _keep_the_first_end()
    _time_executions_out()
    _give_succeed_its_output()


def _answer_the_same_start_alike() -> None:
    """Answer a second StartExecution of the same name and input with the running execution's ARN."""
    start = anchored(workflows, "_start_execution", '"ExecutionAlreadyExists"')

    @functools.wraps(start)
    def start_once(request: dict[str, Any]) -> Answer:
        answer: Answer = start(request)
        body = json.loads(answer[2])
        if body.get("__type") != "ExecutionAlreadyExists":
            return answer
        execution = _named_execution(request)
        if execution["status"] != "RUNNING" or execution["input"] != request.get("input", "{}"):
            return answer
        again: Answer = workflows.json_response({key: execution[key] for key in ("executionArn", "startDate")})
        return again

    workflows._start_execution = start_once


def _named_execution(request: dict[str, Any]) -> dict[str, Any]:
    machine = workflows._resolve_state_machine_arn(request["stateMachineArn"].partition("#")[0])
    arn = machine.replace(":stateMachine:", ":execution:") + ":" + request["name"]
    execution: dict[str, Any] = workflows._executions[arn]
    return execution


def _cap_retry_delays() -> None:
    """Honour a retrier's MaxDelaySeconds, which MiniStack ignores; JitterStrategy stays ignored."""
    anchored(workflows, "_execute_task", "sleep_sec = interval * (backoff ** count)")
    anchored(workflows, "_with_retry_and_catch", 'interval * (retrier.get("BackoffRate", 2.0) ** count)')
    find = anchored(workflows, "_find_matching_retrier", "return retrier, idx")

    @functools.wraps(find)
    def find_capped(retriers: list[dict[str, Any]], error: str, counts: dict[int, int]) -> tuple[Any, int]:
        retrier, index = find(retriers, error, counts)
        if not retrier or "MaxDelaySeconds" not in retrier:
            return retrier, index
        delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** counts.get(index, 0)
        return {**retrier, "IntervalSeconds": min(delay, retrier["MaxDelaySeconds"]), "BackoffRate": 1}, index

    workflows._find_matching_retrier = find_capped


def _keep_the_first_end() -> None:
    """Keep ABORTED and TIMED_OUT when the state that was running then fails; MiniStack makes them FAILED."""
    fail = anchored(workflows, "_fail_execution", 'execution["status"] = "FAILED"')

    @functools.wraps(fail)
    def fail_running(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail(execution, error, cause)

    workflows._fail_execution = fail_running


def _give_succeed_its_output() -> None:
    """Evaluate the Output of a Succeed state, which MiniStack ignores in JSONata."""
    apply = anchored(workflows, "_apply_output_path", 'op = state_def.get("OutputPath", "$")')

    @functools.wraps(apply)
    def apply_output(state: dict[str, Any], given: Any, ctx: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
        if state.get("Type") == "Succeed" and workflows._state_query_language(state, ctx) == "JSONata":
            return workflows._apply_jsonata_output(state, given, ctx, default=given)
        return apply(state, given, ctx)

    workflows._apply_output_path = apply_output


def _time_executions_out() -> None:
    """End an execution as TIMED_OUT after its machine's TimeoutSeconds, which MiniStack ignores.

    The state that is running then isn't interrupted, but nothing follows it.
    """
    run = anchored(workflows, "_run_execution", 'while current_name and execution["status"] == "RUNNING"')

    @functools.wraps(run)
    def run_in_time(arn: str) -> None:
        BEGAN.set(time.monotonic())
        timer = _timer(workflows._executions.get(arn))
        try:
            run(arn)
        finally:
            timer()

    workflows._run_execution = run_in_time


def _timer(execution: dict[str, Any] | None) -> Callable[[], None]:
    """Start the clock of ``execution``; call what is returned to stop it."""
    machine = execution and workflows._state_machines.get(execution["stateMachineArn"])
    seconds = machine and json.loads(machine["definition"]).get("TimeoutSeconds")
    if not seconds:
        return lambda: None
    timer = threading.Timer(seconds, contextvars.copy_context().run, (_time_out, execution))
    timer.daemon = True
    timer.start()
    return timer.cancel


def _time_out(execution: dict[str, Any]) -> None:
    if execution["status"] != "RUNNING":
        return
    execution.update(status="TIMED_OUT", stopDate=workflows.now_iso())
    workflows._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
    workflows._emit_execution_status_event(execution)
