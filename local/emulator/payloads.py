"""Lambda and EventBridge: how large a request, an answer and an event may be.

Lambda: 6 MB for synchronous invocations, 1 MB for asynchronous ones, 256 KB until 2025
(https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
EventBridge: less than 1 MB for all entries of a request, 256 KB until 2026 and still in older guides
(https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html); how an entry is counted stands in the
user guide (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevent-size.html).
"""
# ruff: noqa: SLF001, ANN401 - a correction reaches inside, and JSON is what it is

import functools
import json
from typing import Any

import ministack.services.eventbridge as events
import ministack.services.lambda_svc as lambdas

from local.emulator.anchors import anchored

REQUEST_LIMIT = 6 * 1024 * 1024
EVENT_LIMIT = 1024 * 1024
RESPONSE_LIMIT = 6 * 1024 * 1024 + 100  # as the service's own message has it
ENTRIES_LIMIT = 1024 * 1024
_TIME_BYTES = 14


def correct() -> None:
    """Make all corrections of payloads; MiniStack takes any size. Raises MiniStackChanged."""
    _refuse_large_requests()
    _refuse_large_answers()
    _refuse_large_events()


def _refuse_large_requests() -> None:
    invoke = anchored(lambdas, "_invoke", 'headers.get("x-amz-invocation-type")')

    @functools.wraps(invoke)
    async def invoke_within_quota(name: str, event: Any, headers: dict[str, str], *rest: Any) -> Any:
        sent = {key.lower(): value for key, value in headers.items()}
        size = int(sent.get("content-length") or len(json.dumps(event)))
        asynchronous = sent.get("x-amz-invocation-type") == "Event"
        if asynchronous and size > EVENT_LIMIT:
            return _too_large(
                f"{size} byte payload is too large for the Event invocation type (limit {EVENT_LIMIT} bytes)"
            )
        if size > REQUEST_LIMIT:
            return _too_large(f"Request must be smaller than {REQUEST_LIMIT} bytes for the InvokeFunction operation")
        return await invoke(name, event, headers, *rest)

    lambdas._invoke = invoke_within_quota


def _too_large(message: str) -> Any:
    """The service says so by this name, though its model calls it RequestTooLargeException (ASFHyP3/hyp3#2241)."""
    return lambdas.error_response_json("RequestEntityTooLargeException", message, 413)


def _refuse_large_answers() -> None:
    execute = anchored(lambdas, "_execute_function_dispatch", "request_id: str, started: float")

    @functools.wraps(execute)
    def execute_within_quota(*arguments: Any) -> Any:
        outcome = execute(*arguments)
        if (
            outcome.get("error")
            or len(json.dumps(outcome.get("body"), ensure_ascii=False, default=str).encode()) <= RESPONSE_LIMIT
        ):
            return outcome
        message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
        body = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
        return {"error": True, "body": body, "log": outcome.get("log", "")}

    lambdas._execute_function_dispatch = execute_within_quota


def _refuse_large_events() -> None:
    """Refuse a whole PutEvents; what services tell of themselves doesn't come that way."""
    put = anchored(events, "_put_events", "if len(entries) > 10:")

    @functools.wraps(put)
    def put_within_quota(request: dict[str, Any], allow_aws_source: bool = False) -> Any:  # noqa: FBT001, FBT002 - its own
        entries = request.get("Entries", [])
        if not allow_aws_source and sum(map(entry_size, entries)) >= ENTRIES_LIMIT:
            message = "Total size of the entries in the request is over the limit."
            return events.error_response_json("ValidationException", message, 400)
        return put(request, allow_aws_source)

    events._put_events = put_within_quota


def entry_size(entry: dict[str, Any]) -> int:
    """The bytes of one entry of PutEvents."""
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")] + (entry.get("Resources") or [])
    time = _TIME_BYTES if entry.get("Time") is not None else 0
    return time + sum(len(text.encode(errors="surrogatepass")) for text in texts)
