"""DynamoDB's typed items and plain JSON data.

What has parts is kept as JSON text, a list as a list of texts: nothing in the table is found or changed by its inner
parts, and typed maps in maps cost every write and read many times what a text costs.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

if TYPE_CHECKING:
    from collections.abc import Mapping

type Item = dict[str, Any]

_OF_PARTS: Final = frozenset({"config", "history", "metadata", "outcome"})
"""The attributes that are JSON text, or a list of such."""


def dump(item: Mapping[str, Any]) -> Item:
    """JSON data as a typed item."""
    serializer = TypeSerializer()
    return {name: serializer.serialize(_flat(value)) for name, value in item.items()}


def load(item: Mapping[str, Any]) -> Item:
    """A typed item as JSON data."""
    deserializer = TypeDeserializer()
    return {name: _whole(name, deserializer.deserialize(value)) for name, value in item.items()}


def _flat(value: Any) -> Any:  # noqa: ANN401 - JSON data of any shape
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return [_flat(each) for each in value] if isinstance(value, list) else value


def _whole(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON data of any shape
    if isinstance(value, list):
        return [_whole(name, each) for each in value]
    if isinstance(value, str) and name in _OF_PARTS:
        return json.loads(value)
    return int(value) if isinstance(value, Decimal) else value
