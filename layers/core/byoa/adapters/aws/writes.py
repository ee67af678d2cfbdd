"""What a running build's writes look like to DynamoDB: their conditions, and the updates that they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.adapters.aws.table import Item, dump
from byoa.builds.messages import ENDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.builds.messages import HistoryEntry

UNENDED: Final = "NOT #status IN (:active, :error, :superseded)"
RUNNING: Final = f"attribute_exists(pk) AND attribute_not_exists(overtaken) AND {UNENDED}"
OURS_OR_NOBODYS: Final = "(attribute_not_exists(execution) OR execution = :execution)"
_ENDS: Final = {f":{status}": status for status in sorted(ENDED)}

UNFINISHED: Final = "unfinished"
"""The index of builds that have not ended, and the attribute that puts one in it."""


def append(entries: Sequence[HistoryEntry], extra: str, values: Item, *, news: bool) -> Item:
    """An update that appends to the history and makes its last entry the build's status."""
    sets = ["history = list_append(history, :entries)", *([extra] if extra else [])]
    return _update(entries, sets, {":entries": _lines(entries), **values}, news=news)


def leave_out(entries: Sequence[HistoryEntry], values: Item, *, news: bool) -> Item:
    """The same without the lines, which are counted instead."""
    update = _update(entries, ["left_out = if_not_exists(left_out, :none) + :more"], values, news=news)
    update["ExpressionAttributeValues"] |= dump({":none": 0, ":more": len(entries)})
    return update


def end(entries: Sequence[HistoryEntry], values: Item, stands: Item, *, keep: bool = True) -> Item:
    """An update that ends a build, with its history or, where that leaves no room, in place of it.

    ``stands`` is what has it listed from then on.
    """
    history = "list_append(history, :entries)" if keep else ":entries"
    sets = [f"history = {history}", "#outcome = :outcome", *(f"{name} = :{name}" for name in stands)]
    listed = {f":{name}": value for name, value in stands.items()}
    update = _update(entries, sets, {":entries": _lines(entries), **listed, **values}, news=True)
    update["ExpressionAttributeNames"] |= {"#outcome": "outcome"}
    update["UpdateExpression"] += f" REMOVE {UNFINISHED}"
    return update


def _update(entries: Sequence[HistoryEntry], sets: Sequence[str], values: Item, *, news: bool) -> Item:
    last = entries[-1]
    always = ["#status = :status", "#human = :human", "#metadata = :metadata", "news = :news"]
    bound = {
        ":news": news,
        ":status": last.status,
        ":human": last.status_human_description,
        ":metadata": last.metadata,
    }
    return {
        "UpdateExpression": f"SET {', '.join([*sets, *always])}",
        "ExpressionAttributeNames": {
            "#status": "status",
            "#human": "status_human_description",
            "#metadata": "metadata",
        },
        "ExpressionAttributeValues": dump({**bound, **values, **_ENDS}),
    }


def _lines(entries: Sequence[HistoryEntry]) -> list[Item]:
    return [entry.model_dump(mode="json") for entry in entries]
