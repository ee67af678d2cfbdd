"""Answers of DynamoDB without a walk through every value: what a list costs is mostly that (a quarter of a page)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.parsers import JSONParser, ResponseParserFactory

if TYPE_CHECKING:
    from botocore.model import MapShape, StructureShape
    from botocore.parsers import ResponseParser

_PROTOCOL: Final = "json"
_VALUE: Final = "AttributeValue"


class PlainValues(ResponseParserFactory):
    """botocore's parsers, but for typed values of the table: those are as they came.

    JSON has them in the very shape that botocore makes of them, all but bytes, which nothing of ours writes.
    """

    def create_parser(self, protocol_name: str) -> ResponseParser:
        """The parser of a protocol."""
        return _Parser() if protocol_name == _PROTOCOL else super().create_parser(protocol_name)


class _Parser(JSONParser):
    def _handle_map(self, shape: MapShape, value: Any) -> Any:  # noqa: ANN401 - JSON data
        if shape.value.name == _VALUE:
            return value
        return super()._handle_map(shape, value)  # type: ignore[misc] # no part of botocore's types

    def _handle_structure(self, shape: StructureShape, value: Any) -> Any:  # noqa: ANN401 - JSON data
        if shape.name == _VALUE:
            return value
        return super()._handle_structure(shape, value)  # type: ignore[misc] # no part of botocore's types
