"""DynamoDB's typed items and plain JSON data."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

if TYPE_CHECKING:
    from collections.abc import Mapping

type Item = dict[str, Any]


def dump(item: Mapping[str, Any]) -> Item:
    """JSON data as a typed item."""
    serializer = TypeSerializer()
    return {name: serializer.serialize(_exact(value)) for name, value in item.items()}


def load(item: Mapping[str, Any]) -> Item:
    """A typed item as JSON data."""
    deserializer = TypeDeserializer()
    return {name: _plain(deserializer.deserialize(value)) for name, value in item.items()}


def _exact(value: Any) -> Any:  # noqa: ANN401 - JSON data of any shape
    """boto3 takes no float, because most have no exact decimal; what JSON writes of one has."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [_exact(each) for each in value]
    if isinstance(value, dict):
        return {name: _exact(each) for name, each in value.items()}
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON data of any shape
    """boto3 reads every number as a Decimal."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return value
