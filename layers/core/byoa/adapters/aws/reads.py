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
    from collections.abc import Iterable, Iterator, Mapping

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
    known = known_of(client, table, [(pk, sk)])
    if sk in known:
        return known[sk]
    with translated("DynamoDB"):
        found = client.get_item(TableName=table, Key=dump({"pk": pk, "sk": sk}), ConsistentRead=True)
    item = load(found["Item"]) if "Item" in found else None
    note(client, table, pk, {sk: item})
    return item


def known_of(client: DynamoDBClient, table: str, keys: Iterable[tuple[str, str]]) -> dict[str, Item | None]:
    """Those of the items that were read already, by their sort keys; ``None`` for what wasn't there."""
    kept = _kept.get()
    if kept is None:
        return {}
    places = ((sk, (id(client), table, pk, sk)) for pk, sk in keys)
    return {sk: kept[place] for sk, place in places if place in kept}


def note(client: DynamoDBClient, table: str, pk: str, items: Mapping[str, Item | None]) -> None:
    """Whole items were read, by their sort keys."""
    kept = _kept.get()
    if kept is not None:
        kept.update({(id(client), table, pk, sk): item for sk, item in items.items()})
