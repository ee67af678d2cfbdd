"""How our data stands in the table: boto3's types, and JSON text for what has parts.

Nothing in the table is found or changed by inner parts, and typed maps in maps cost every write and read many times
what a text costs: a list is a list of texts (``docs/decisions/0010``).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

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

_serialize: Final = TypeSerializer().serialize
_deserialize: Final = TypeDeserializer().deserialize


def dump(item: Mapping[str, Any]) -> Item:
    """JSON data, numbers being whole, as a typed item. Raises TypeError for what is no such data."""
    return {name: _serialize(_text(value)) for name, value in item.items()}


def load(item: Mapping[str, Any]) -> Item:
    """A typed item as JSON data. Raises ValueError for a type that ``dump`` never writes."""
    return {name: _plain(name, _read(value)) for name, value in item.items()}


def _text(value: Any) -> Any:  # noqa: ANN401 - JSON data of any shape
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return [_text(each) for each in value] if isinstance(value, list) else value


def _read(value: Any) -> object:  # noqa: ANN401 - as the table has it
    try:
        return _deserialize(value)
    except TypeError:  # no type of DynamoDB's
        return value


def _plain(name: str, value: object) -> Any:  # noqa: ANN401 - JSON data of any shape
    match value:
        case str():
            return json.loads(value) if name in _OF_PARTS else value
        case bool() | None:
            return value
        case Decimal() if value == value.to_integral_value():
            return int(value)
        case list():
            return [_plain(name, each) for each in value]
    raise ValueError(f"The attribute {name} is of a type that nothing of ours writes.")
