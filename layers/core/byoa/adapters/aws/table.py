"""How our data stands in the table: boto3's types, and JSON text for what has parts.

Nothing in the table is found or changed by inner parts, and typed maps in maps cost every write and read many times
what a text costs: a list is a list of texts (``docs/decisions/0010``).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import TypeSerializer

if TYPE_CHECKING:
    from collections.abc import Mapping

type Item = dict[str, Any]

_OF_PARTS: Final = frozenset(
    (
        "access",
        "answered",
        "config",
        "counts",
        "dependents",
        "failure",
        "findings",
        "history",
        "inputs",
        "metadata",
        "moved",
        "outcome",
        "waits_for",
    )
)
"""The attributes that are JSON text, or a list of such."""

_NOTHING: Final[tuple[str, Any]] = ("", None)

_serialize: Final = TypeSerializer().serialize


def dump(item: Mapping[str, Any]) -> Item:
    """JSON data, numbers being whole, as a typed item. Raises TypeError for what is no such data."""
    return {name: {"S": value} if type(value) is str else _serialize(_text(value)) for name, value in item.items()}


def load(item: Mapping[str, Any]) -> Item:
    """A typed item as JSON data. Raises ValueError for a type that ``dump`` never writes."""
    return {name: _plain(name, value) for name, value in item.items()}


def _text(value: Any) -> Any:  # noqa: ANN401 - JSON data of any shape
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return [_text(each) for each in value] if isinstance(value, list) else value


def _plain(name: str, typed: Any) -> Any:  # noqa: ANN401 - JSON data of any shape, a way out for each type
    """Not by boto3's reader, which looks its types up by name: a list of builds has hundreds of values."""
    kind, value = next(iter(typed.items()), _NOTHING) if isinstance(typed, dict) else _NOTHING
    if kind == "S":
        return json.loads(value) if name in _OF_PARTS else value
    if kind == "N" and (whole := _whole(value)) is not None:
        return whole
    if kind == "L":
        return [_plain(name, each) for each in value]
    if kind == "BOOL":
        return value
    if kind == "NULL":
        return None
    raise ValueError(f"The attribute {name} is of a type that nothing of ours writes.")


def _whole(text: str) -> int | None:
    """A number as the table has it, which may have an exponent; ``None`` for one with a fraction."""
    try:
        return int(text)
    except ValueError:
        number = Decimal(text)
        return int(number) if number == number.to_integral_value() else None
