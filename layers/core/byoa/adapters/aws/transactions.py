"""Several writes of the table that are done together or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from byoa.adapters.aws.refusals import error_code, translated
from byoa.adapters.aws.table import Item, dump
from byoa.errors import StoreThrottled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

TOGETHER: Final = 100
"""Writes of one transaction at most (DynamoDB API reference)."""


def transact(client: DynamoDBClient, writes: Sequence[TransactWriteItemTypeDef]) -> bool:
    """Whether a transaction went through; ``False`` when a condition didn't hold."""
    with translated("DynamoDB"):
        try:
            client.transact_write_items(TransactItems=writes)
        except client.exceptions.TransactionCanceledException as error:
            reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
            if "ConditionalCheckFailed" in reasons:
                return False
            raise StoreThrottled("DynamoDB is busy with the same items.") from error
        except ClientError as error:
            if error_code(error) == "IdempotentParameterMismatchException":
                raise StoreThrottled("DynamoDB took two writes for one.") from error
            raise
    return True


def put(
    table: str, item: Item, condition: str = "attribute_not_exists(pk)", values: Item | None = None
) -> TransactWriteItemTypeDef:
    """A put that replaces nothing, unless ``condition`` says what it may."""
    write = {"TableName": table, "Item": dump(item), **_conditional(condition, values)}
    return cast("TransactWriteItemTypeDef", {"Put": write})


def delete(
    table: str, pk: str, sk: str, condition: str = "attribute_exists(pk)", values: Item | None = None
) -> TransactWriteItemTypeDef:
    """A deletion of what is there; with an empty ``condition`` also of what isn't."""
    write = {"TableName": table, "Key": dump({"pk": pk, "sk": sk}), **_conditional(condition, values)}
    return cast("TransactWriteItemTypeDef", {"Delete": write})


def check(
    table: str, pk: str, sk: str, condition: str = "attribute_exists(pk)", values: Item | None = None
) -> TransactWriteItemTypeDef:
    """That an item is there, or as ``condition`` has it."""
    write = {"TableName": table, "Key": dump({"pk": pk, "sk": sk}), **_conditional(condition, values)}
    return cast("TransactWriteItemTypeDef", {"ConditionCheck": write})


def update(  # noqa: PLR0913 - what of it changes, and when
    table: str,
    pk: str,
    sk: str,
    changed: Item,
    *,
    remove: Sequence[str] = (),
    condition: str | None = None,
    values: Item | None = None,
) -> TransactWriteItemTypeDef:
    """Set attributes and ``remove`` others; ``condition`` may name ``:<attribute>`` of those that are set."""
    sets, gone = [f"#{name} = :{name}" for name in changed], [f"#{name}" for name in remove]
    words = [f"SET {', '.join(sets)}"] if sets else []
    words += [f"REMOVE {', '.join(gone)}"] if gone else []
    bound = {**{f":{name}": value for name, value in changed.items()}, **(values or {})}
    write: dict[str, Any] = {
        "TableName": table,
        "Key": dump({"pk": pk, "sk": sk}),
        "UpdateExpression": " ".join(words),
        "ExpressionAttributeNames": {f"#{name}": name for name in [*changed, *remove]},
        **({"ExpressionAttributeValues": dump(bound)} if bound else {}),
        **({"ConditionExpression": condition} if condition else {}),
    }
    return cast("TransactWriteItemTypeDef", {"Update": write})


def _conditional(condition: str, values: Item | None) -> dict[str, Any]:
    if not condition:
        return {}
    names = {f"#{name}": name for name in ("version", "number", "status") if f"#{name}" in condition}
    return {
        "ConditionExpression": condition,
        **({"ExpressionAttributeNames": names} if names else {}),
        **({"ExpressionAttributeValues": dump(values)} if values else {}),
    }
