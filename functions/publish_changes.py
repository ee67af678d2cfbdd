"""PublishChanges: the table's stream → the bus."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from byoa import bootstrap

_processor = BatchProcessor(event_type=EventType.DynamoDBStreams)


def publish(record: DynamoDBRecord) -> None:
    """Tell the bus of one change, if it is one to tell of."""
    bootstrap.publish(record.raw_event)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Publish a batch; the answer names the first record that failed, and the stream goes on from there."""
    return dict(process_partial_response(event, record_handler=publish, processor=_processor, context=context))
