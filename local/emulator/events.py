"""EventBridge: a rule calls a Lambda function asynchronously, with retries and an on-failure destination."""
# ruff: noqa: SLF001, ANN401 - a correction reaches inside, and JSON is what it is

import json
from typing import Any

import ministack.services.eventbridge as events
import ministack.services.lambda_svc as lambdas

from local.emulator.anchors import anchored


def correct() -> None:
    """Make the correction. Raises MiniStackChanged.

    MiniStack calls the function once and forgets it: no second try, no dead letters, no destination.
    """
    call_once = anchored(events, "_dispatch_to_lambda", "target=lambda_svc._execute_function_with_config_scope")
    anchored(lambdas, "invoke_async_with_retry", 'eic.get("MaximumRetryAttempts")')

    def call_with_retries(arn: str, payload: str) -> None:
        function, config, _name = lambdas._get_func_record_for_ref(arn)
        if not function or not config:
            call_once(arn, payload)  # it says so in the log
            return
        lambdas.invoke_async_with_retry(lambdas._execution_record_for_config(function, config), _event(payload))

    events._dispatch_to_lambda = call_with_retries


def _event(payload: str) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return {"body": payload}
