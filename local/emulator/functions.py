"""Lambda: true error types, a protocol nobody can disturb, whole logs without waiting, bounded workers."""
# ruff: noqa: SLF001, ANN401 - a correction reaches inside, and JSON is what it is

import functools
import os
import queue
import time
from collections.abc import Callable
from typing import Any

import ministack.core.lambda_runtime as runtime
import ministack.services.lambda_svc as lambdas

from local.emulator.anchors import anchored, edited
from local.emulator.slots import BEGAN, Slots

# Written to stderr after each call: what came before belongs to that call's log.
END_OF_LOG = "\x1eend of log"
LOG_PATIENCE = 0.25

# Each worker holds some 60 MB and a private copy of the layer, and keeps a core busy: its own work or MiniStack for it.
# One more than there are cores: fewer were measured to leave some idle, twice as many to end nothing sooner.
SLOTS = int(os.environ.get("EMULATOR_LAMBDA_SLOTS", (os.cpu_count() or 1) + 1))
# Functions that others wait for, whose slot serves for both: else those who wait could hold all slots.
WAITED_FOR = ("-look-up-artifact", "-read-artifacts")
# Whatever else waits for a function in a slot goes on without one rather than wait forever.
QUEUE_SECONDS = float(os.environ.get("EMULATOR_LAMBDA_QUEUE_SECONDS", "60"))

type Execute = Callable[[dict[str, Any], Any, str], dict[str, Any]]


class Failure(dict[str, Any]):
    """What a handler raised, as ``{"errorType", "errorMessage", "stackTrace"}``; no function can return one."""


def correct() -> None:
    """Make all corrections of Lambda. Raises MiniStackChanged."""
    _move_protocol_off_standard_streams()
    _report_exceptions_by_class()
    _mark_the_end_of_logs()
    _bound_workers()
    _name_throttling()


def _edit_worker(old: str, new: str, *, times: int = 1) -> None:
    runtime._PYTHON_WORKER_SCRIPT = edited(runtime._PYTHON_WORKER_SCRIPT, old, new, times=times)


def _move_protocol_off_standard_streams() -> None:
    """Speak to the worker over private descriptors.

    MiniStack speaks JSON lines over descriptors 0 and 1, which child processes and C code inherit: whatever they print
    is taken for the function's answer, and every later answer is off by one.
    """
    _edit_worker(
        "_real_stdout = sys.stdout\n",
        '_real_stdout = os.fdopen(os.dup(1), "w")\n'
        "    _requests = os.fdopen(os.dup(0))\n"
        "    os.dup2(2, 1)\n"
        "    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)\n",
    )
    _edit_worker("sys.stdin.readline()", "_requests.readline()", times=2)


def _report_exceptions_by_class() -> None:
    """Report the class name of what a handler raised, and keep the worker, as AWS does.

    MiniStack says ``Runtime.HandlerError`` whatever happened, so Retry and Catch by class never match, and kills the
    worker, so the next call is a cold start.
    """
    _edit_worker(
        '{"status": "error", "error": str(e), "trace": traceback.format_exc()}',
        '{"status": "ok", "failure": {"errorMessage": str(e), "errorType": type(e).__name__, '
        '"stackTrace": traceback.format_tb(e.__traceback__)[1:]}}',
    )
    invoke = anchored(runtime.Worker, "invoke", "response = result_box[0]")

    @functools.wraps(invoke)
    def invoke_and_tell(worker: Any, *arguments: Any, **options: Any) -> Any:
        answer = invoke(worker, *arguments, **options)
        if "failure" in answer:
            answer["result"] = Failure(answer["failure"])
        return answer

    runtime.Worker.invoke = invoke_and_tell
    execute = anchored(lambdas, "_execute_function_warm", 'return {"body": result.get("result")')
    lambdas._execute_function_warm = _telling_failures(execute)


def _telling_failures(execute: Execute) -> Execute:
    def execute_and_tell(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        outcome = execute(function, event, request_id)
        body: Any = outcome.get("body")
        if isinstance(body, Failure):
            said = f"[ERROR] {body['errorType']}: {body['errorMessage']}"
            log = "\n".join(filter(None, [outcome.get("log"), said, *body["stackTrace"]]))
            return {"error": True, "body": {**body, "requestId": request_id}, "log": log}
        if outcome.get("error") and body.get("errorMessage") == "Worker process died":
            body["errorType"] = "Runtime.ExitError"
        return outcome

    return execute_and_tell


def _mark_the_end_of_logs() -> None:
    """Read a call's log up to a mark that the worker writes.

    MiniStack waits 50 ms for a first line, in vain when a handler logs nothing, and can take a late line for the next
    call's.
    """
    _edit_worker(
        "        _real_stdout.flush()\n\nrun()\n",
        f"        sys.stderr.flush()\n        os.write(2, {(END_OF_LOG + '\n').encode()!r})\n"
        "        _real_stdout.flush()\n\nrun()\n",
    )
    drain = anchored(runtime.Worker, "_drain_stderr_bounded", "first_line_wait: float = 0.050")

    def drain_to_mark(worker: Any, **waits: float) -> Any:
        if not worker.config.get("Runtime", "").startswith("python"):
            return drain(worker, **waits)
        return _read_to_mark(worker._stderr_queue)

    runtime.Worker._drain_stderr_bounded = drain_to_mark


def _read_to_mark(lines: queue.Queue[str]) -> str:
    kept: list[str] = []
    deadline = time.monotonic() + LOG_PATIENCE  # a worker that died leaves no mark
    while (left := deadline - time.monotonic()) > 0:
        try:
            line = lines.get(timeout=left)
        except queue.Empty:
            break
        if line.endswith(END_OF_LOG):
            kept.extend(filter(None, [line.removesuffix(END_OF_LOG)]))
            break
        kept.append(line)
    return "\n".join(kept)


def _bound_workers() -> None:
    """Let at most ``SLOTS`` functions run at once; further calls queue, those of the oldest execution first.

    MiniStack starts one process per concurrent call, without a bound.
    """
    slots = Slots(SLOTS)
    execute: Execute = lambdas._execute_function_warm

    def execute_in_a_slot(function: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        name = function.get("config", function).get("FunctionName", "")
        held = not name.endswith(WAITED_FOR) and slots.acquire(BEGAN.get(), QUEUE_SECONDS)
        try:
            return execute(function, event, request_id)
        finally:
            if held:
                slots.release()

    lambdas._execute_function_warm = execute_in_a_slot


def _name_throttling() -> None:
    """Tell Step Functions ``Lambda.TooManyRequestsException``; MiniStack says ``Lambda.Unknown``."""
    throttled = anchored(lambdas, "_throttle_response", '"__type": "TooManyRequestsException"')

    @functools.wraps(throttled)
    def throttled_by_name(*arguments: Any, **options: Any) -> Any:
        answer = throttled(*arguments, **options)
        answer["body"]["errorType"] = "Lambda.TooManyRequestsException"
        return answer

    lambdas._throttle_response = throttled_by_name
