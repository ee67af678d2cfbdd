"""Items that are read once while one page is made: it is made of several answers, which are of the same items.

Whoever writes nothing may take an item as it was a moment ago; the API's own function never does.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import Item, dump, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_dynamodb import DynamoDBClient

    type Place = tuple[int, str, str, str]
    """The client, whose rights they are, the table, and the two keys."""

_kept: Final[ContextVar[dict[Place, Item | None] | None]] = ContextVar("kept", default=None)


@contextmanager
def once() -> Iterator[None]:
    """Read each item once till the block ends, or till something is forgotten (``forget``)."""
    before = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(before)


def forget() -> None:
    """What was read may have changed: somebody was asked to change something."""
    kept = _kept.get()
    if kept is not None:
        kept.clear()


def get_item(client: DynamoDBClient, table: str, pk: str, sk: str) -> Item | None:
    """An item, as the last write left it. Raises what stands for the store."""
    kept, place = _kept.get(), (id(client), table, pk, sk)
    if kept is not None and place in kept:
        return kept[place]
    with translated("DynamoDB"):
        found = client.get_item(TableName=table, Key=dump({"pk": pk, "sk": sk}), ConsistentRead=True)
    item = load(found["Item"]) if "Item" in found else None
    if kept is not None:
        kept[place] = item
    return item
