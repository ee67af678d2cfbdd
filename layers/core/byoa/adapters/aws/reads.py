"""What is read once while one page is made: it is made of several answers, which are of the same items and lists.

Whoever writes nothing may take an item as it was a moment ago; the API's own function never does.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import Item, dump, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from types_boto3_dynamodb import DynamoDBClient

    type Place = tuple[int, str, str, str]
    """The client, whose rights they are, the table, and the two keys."""

    type Question = tuple[int, str]
    """The client, and all that a query says."""


class _Kept(NamedTuple):
    items: dict[Place, Item | None]
    lists: dict[Question, Sequence[Item]]


_kept: Final[ContextVar[_Kept | None]] = ContextVar("kept", default=None)


@contextmanager
def once() -> Iterator[None]:
    """Read each item and each list once till the block ends, or till something is forgotten (``forget``)."""
    before = _kept.set(_Kept({}, {}))
    try:
        yield
    finally:
        _kept.reset(before)


def forget() -> None:
    """What was read may have changed: somebody was asked to change something."""
    kept = _kept.get()
    if kept is not None:
        kept.items.clear()
        kept.lists.clear()


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
    return {sk: kept.items[place] for sk, place in places if place in kept.items}


def note(client: DynamoDBClient, table: str, pk: str, items: Mapping[str, Item | None]) -> None:
    """Whole items were read, by their sort keys."""
    kept = _kept.get()
    if kept is not None:
        kept.items.update({(id(client), table, pk, sk): item for sk, item in items.items()})


def known_list(client: DynamoDBClient, question: str) -> Sequence[Item] | None:
    """What a query found that was asked already."""
    kept = _kept.get()
    return kept.lists.get((id(client), question)) if kept is not None else None


def note_list(client: DynamoDBClient, question: str, items: Sequence[Item]) -> None:
    """A query found these items."""
    kept = _kept.get()
    if kept is not None:
        kept.lists[id(client), question] = items
