"""Dashboard: pages for people's browsers."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from byoa.api.app import make as make_api
from byoa.bootstrap import dashboard
from byoa.web.app import make


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request that API Gateway hands over."""
    return dashboard.face(make_api, make)(event, context)
