"""Asking a function of the stack: what it answers and what it ends with come back as what they are."""

from __future__ import annotations

import io
import json
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from byoa.adapters.aws.functions import invoke
from byoa.errors import (
    AuthFailed,
    ByoaError,
    InternalFault,
    PlatformForbidden,
    PlatformMissing,
    StoreThrottled,
)

CANARY = "c4n4ry"


@pytest.fixture
def client() -> Any:
    return boto3.client("lambda", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")


def answering(client: Any, payload: bytes, **fields: Any) -> Stubber:
    stubber = Stubber(client)
    body = StreamingBody(io.BytesIO(payload), len(payload))
    stubber.add_response("invoke", {"StatusCode": 200, "Payload": body, **fields})
    return stubber


def test_an_answer_is_what_the_function_returned(client: Any) -> None:
    with answering(client, b'{"a": 1}'):
        assert invoke(client, "try", {"x": "y"}) == {"a": 1}


def test_an_error_of_ours_is_raised_as_itself(client: Any) -> None:
    told = AuthFailed("The registry refuses.", remedy="Log in.", where="source").as_json()
    payload = json.dumps({"errorType": "AuthFailed", "errorMessage": told}).encode()
    with answering(client, payload, FunctionError="Unhandled"), pytest.raises(AuthFailed) as caught:
        invoke(client, "try", {})
    assert caught.value.as_json() == told


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"errorMessage": f"2026-01-01 Task timed out {CANARY}"},
        {"errorMessage": json.dumps({"code": "Nothing", "cause": CANARY, "remedy": "", "where": None})},
        {"errorMessage": json.dumps({"code": "AuthFailed"})},
        {"errorMessage": "[]"},
        {"errorMessage": 5},
    ],
)
def test_any_other_end_is_a_fault_that_quotes_nothing(client: Any, document: object) -> None:
    payload = json.dumps(document).encode()
    with answering(client, payload, FunctionError="Unhandled"), pytest.raises(InternalFault) as caught:
        invoke(client, "try", {})
    assert CANARY not in caught.value.as_json()


def test_an_answer_that_is_no_json_is_a_fault(client: Any) -> None:
    with answering(client, b"<html>"), pytest.raises(InternalFault):
        invoke(client, "try", {})


@pytest.mark.parametrize(
    ("code", "status", "wanted"),
    [
        ("ResourceNotFoundException", 404, PlatformMissing),
        ("AccessDeniedException", 403, PlatformForbidden),
        ("TooManyRequestsException", 429, StoreThrottled),
        ("ServiceException", 500, StoreThrottled),
    ],
)
def test_what_lambda_says_itself_is_the_platform_s(
    client: Any, code: str, status: int, wanted: type[ByoaError]
) -> None:
    stubber = Stubber(client)
    stubber.add_client_error("invoke", code, http_status_code=status)
    with stubber, pytest.raises(wanted):
        invoke(client, "try", {})
