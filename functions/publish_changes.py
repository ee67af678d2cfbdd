"""PublishChanges: the table's stream → the bus."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from byoa.bootstrap import pipeline

_logger = Logger(service="byoa")


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Publish a batch; the answer names the first record that failed, and the stream goes on from there."""
    untold = pipeline.publish(event["Records"])
    if untold is None:
        return {"batchItemFailures": []}
    _logger.error("change not told", sequence_number=untold)
    return {"batchItemFailures": [{"itemIdentifier": untold}]}
