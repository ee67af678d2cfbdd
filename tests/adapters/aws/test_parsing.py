"""Answers of DynamoDB are read as botocore reads them, without its walk through every value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.parsers import ResponseParserFactory
from botocore.session import Session

from byoa.adapters.aws import parsing
from byoa.adapters.aws.parsing import PlainValues
from byoa.bootstrap import clients

ITEM = {
    "pk": {"S": "ORG#a"}, "version": {"N": "7"}, "moved": {"NULL": True}, "news": {"BOOL": False},
    "history": {"L": [{"S": "{}"}, {"N": "1"}]}, "empty": {"L": []}, "map": {"M": {"a": {"S": "b"}}},
}  # fmt: skip
ANSWERS: dict[str, Any] = {
    "GetItem": {"Item": ITEM},
    "Query": {"Items": [ITEM, {}], "Count": 2, "ScannedCount": 2, "LastEvaluatedKey": {"pk": {"S": "ORG#a"}}},
    "BatchGetItem": {"Responses": {"t": [ITEM]}, "UnprocessedKeys": {"t": {"Keys": [{"pk": {"S": "x"}}]}}},
    "UpdateItem": {"Attributes": ITEM},
}


def parsed(factory: ResponseParserFactory, operation: str, status: int, body: object) -> Any:
    shape = Session().get_service_model("dynamodb").operation_model(operation).output_shape
    assert shape
    answer = {"body": json.dumps(body).encode(), "headers": {}, "status_code": status}
    return factory.create_parser("json").parse(answer, shape)


@pytest.mark.parametrize("operation", ANSWERS)
def test_what_comes_is_what_botocore_makes_of_it(operation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = parsed(ResponseParserFactory(), operation, 200, ANSWERS[operation])
    assert parsed(PlainValues(), operation, 200, ANSWERS[operation]) == known
    monkeypatch.setattr(parsing, "_VALUE", "another")
    assert parsed(PlainValues(), operation, 200, ANSWERS[operation]) == known


def test_values_are_not_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shape that it goes by has this name in botocore's own description of DynamoDB."""
    handed: dict[str, Any] = {"pk": {"not": "a type"}}
    assert parsed(PlainValues(), "GetItem", 200, {"Item": handed})["Item"] == handed
    assert parsed(ResponseParserFactory(), "GetItem", 200, {"Item": handed})["Item"] != handed


def test_a_refusal_is_read_as_ever() -> None:
    body = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "Item": ITEM}
    known = parsed(ResponseParserFactory(), "UpdateItem", 400, body)
    assert parsed(PlainValues(), "UpdateItem", 400, body) == known
    assert known["Error"]["Code"] == "ConditionalCheckFailedException"


def test_all_clients_of_ours_read_so() -> None:
    assert isinstance(clients.session().get_component("response_parser_factory"), PlainValues)
