"""Reading the table: one item, several, or a part of a list in one query."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from byoa.adapters.aws.reads import get_item, known_list, known_of, note, note_list
from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import Item, dump, load
from byoa.api.ports import Page, Span
from byoa.errors import StoreThrottled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_dynamodb import DynamoDBClient

AT_ONCE: Final = 100
"""Items of one BatchGetItem (API reference)."""

_TRIES: Final = 4
_SERVICE: Final = "DynamoDB"


@dataclass(frozen=True, slots=True)
class Rows:
    """A table whose items are found by ``pk`` and ``sk``."""

    client: DynamoDBClient
    table: str

    def one(self, pk: str, sk: str) -> Item | None:
        """An item, as the last write left it."""
        return get_item(self.client, self.table, pk, sk)

    def several(self, keys: Sequence[tuple[str, str]]) -> dict[str, Item]:
        """Up to 100 items by their sort keys; those that aren't there are left out."""
        known = known_of(self.client, self.table, keys)
        found = {sk: item for sk, item in known.items() if item is not None}
        wanted = [(pk, sk) for pk, sk in keys if sk not in known]
        asked: Any = {self.table: {"Keys": [dump({"pk": pk, "sk": sk}) for pk, sk in wanted], "ConsistentRead": True}}
        for tried in range(_TRIES):
            if not wanted or not asked:
                for pk, sk in wanted:
                    note(self.client, self.table, pk, {sk: found.get(sk)})
                return found
            with translated(_SERVICE):
                answer = self.client.batch_get_item(RequestItems=asked)
            for item in (load(each) for each in answer["Responses"].get(self.table, [])):
                found[item["sk"]] = item
            asked = answer.get("UnprocessedKeys")
            if asked:
                time.sleep(0.05 * 2**tried)
        raise StoreThrottled("DynamoDB gives back only a part of what was asked.")

    def listed(self, pk: str, prefix: str, span: Span, *, newest_first: bool = False, narrow: str = "") -> Page[Item]:
        """A part of the items whose sort keys begin with ``prefix`` and ``narrow``; a place is what follows ``prefix``.

        One query, while what is passed over and shown is less than a megabyte; a place costs nothing to pass over.
        """
        if span.after is not None and not span.after.startswith(narrow):
            return Page([], None)
        start = None if span.after is None else {"pk": pk, "sk": prefix + span.after}
        condition = "pk = :pk AND begins_with(sk, :prefix)"
        values = {":pk": pk, ":prefix": prefix + narrow}
        items = self.asked(condition, values, span.offset + span.limit + 1, start, newest_first=newest_first)
        shown = items[span.offset : span.offset + span.limit]
        more = len(items) > span.offset + span.limit
        return Page(shown, shown[-1]["sk"].removeprefix(prefix) if more else None)

    def between(self, pk: str, first: str, last: str) -> list[Item]:
        """All items from one sort key to another, the last first."""
        condition = "pk = :pk AND sk BETWEEN :first AND :last"
        return self.asked(condition, {":pk": pk, ":first": first, ":last": last}, AT_ONCE, None, newest_first=True)

    def asked(  # noqa: PLR0913 - a query
        self,
        condition: str,
        values: Item,
        count: int,
        start: Item | None,
        *,
        newest_first: bool = False,
        index: str | None = None,
    ) -> list[Item]:
        """Up to ``count`` items that meet a condition on their keys, behind ``start``."""
        asked: dict[str, Any] = {
            "TableName": self.table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": dump(values),
            "ScanIndexForward": not newest_first,
            **({"IndexName": index} if index else {"ConsistentRead": True}),
            **({"ExclusiveStartKey": dump(start)} if start else {}),
        }
        question = f"{count} {asked}"
        known = known_list(self.client, question)
        if known is None:
            known = self._query(asked, count)
            note_list(self.client, question, known)
            if not index:  # which has a part of each
                note(self.client, self.table, values[":pk"], {item["sk"]: item for item in known})
        return [*known]

    def _query(self, asked: dict[str, Any], count: int) -> list[Item]:
        found: list[Item] = []
        while True:
            with translated(_SERVICE):
                answer = self.client.query(**asked, Limit=count - len(found))
            found += [load(item) for item in answer["Items"]]
            if len(found) >= count or "LastEvaluatedKey" not in answer:
                return found
            asked = {**asked, "ExclusiveStartKey": answer["LastEvaluatedKey"]}
