"""DynamoDB's typed items and plain JSON data.

What has parts is kept as JSON text, a list as a list of texts: nothing in the table is found or changed by its inner
parts, and typed maps in maps cost every write and read many times what a text costs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

type Item = dict[str, Any]

_OF_PARTS: Final = frozenset({"config", "history", "metadata", "outcome"})
"""The attributes that are JSON text, or a list of such."""


def dump(item: Mapping[str, Any]) -> Item:
    """JSON data, numbers being whole, as a typed item. Raises TypeError for what is no such data."""
    return {name: _typed(value) for name, value in item.items()}


def load(item: Mapping[str, Any]) -> Item:
    """A typed item as JSON data. Raises ValueError for a type that ``dump`` never writes."""
    return {name: _plain(name, value) for name, value in item.items()}


def _typed(value: Any) -> Item:  # noqa: ANN401 - JSON data of any shape
    match value:
        case str():
            return {"S": value}
        case bool():  # before int, which it is as well
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case None:
            return {"NULL": True}
        case list():
            return {"L": [_typed(each) for each in value]}
        case dict():
            return {"S": json.dumps(value, ensure_ascii=False, separators=(",", ":"))}
    raise TypeError(f"An item holds no {type(value).__name__}")


def _plain(name: str, value: Item) -> Any:  # noqa: ANN401 - JSON data of any shape
    match value:
        case {"S": text}:
            return json.loads(text) if name in _OF_PARTS else text
        case {"N": text}:
            return int(text)
        case {"BOOL": flag}:
            return flag
        case {"NULL": _}:
            return None
        case {"L": values}:
            return [_plain(name, each) for each in values]
    raise ValueError(f"The attribute {name} is of a type that nothing of ours writes: {', '.join(value)}")
