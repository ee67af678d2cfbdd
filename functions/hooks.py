"""Hooks: registries tell that something was pushed."""

import json
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from byoa.bootstrap import hooks
from byoa.errors import ByoaError, Transient

_logger = Logger(service="byoa")


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Answer a delivery that API Gateway hands over. What is written down has no address, no header and no body."""
    try:
        answer = hooks.door().take(event)
    except ByoaError as error:
        _logger.warning("delivery not told", error=error.as_dict())
        status = 503 if isinstance(error, Transient) else 500
        return _answer(status, {"error": "The platform failed.", "code": error.code}, 5)
    except Exception as error:  # noqa: BLE001 - a text of it may hold what was sent
        _logger.error("delivery failed", exception_name=type(error).__name__)  # noqa: TRY400 - no texts
        return _answer(500, {"error": "The platform failed.", "code": "InternalFault"}, 5)
    _logger.info("delivery", status=answer.status, noted=answer.noted)
    return _answer(answer.status, answer.body, answer.retry_after)


def _answer(status: int, body: dict[str, Any], retry_after: int) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    headers |= {"Retry-After": str(retry_after)} if retry_after else {}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body), "isBase64Encoded": False}
