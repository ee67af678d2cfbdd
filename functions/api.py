"""Api: the HTTP API."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from byoa.api.app import make
from byoa.bootstrap import api


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request that API Gateway hands over."""
    return api.face(make)(event, context)
