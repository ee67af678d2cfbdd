"""The API's description: fresh, whole, and true of what routes answer."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import jsonschema
import pytest

from byoa.api.app import OPERATIONS
from byoa.api.problems import CODES
from byoa.api.published import DOCUMENT, PAGE, SCRIPT, STYLE, published
from local.pages.openapi import openapi_text
from tests.api.served import Served

METHOD_UNKNOWN: Final = 405
"""What a method gets that there isn't, and so no operation."""

SAID: Final[dict[str, Any]] = json.loads(published(DOCUMENT))
ALL: Final = [
    (f"{method.upper()} {path}", operation)
    for path, methods in SAID["paths"].items()
    for method, operation in methods.items()
]


def test_the_description_is_what_the_code_says() -> None:
    assert published(DOCUMENT) == openapi_text(), "run `make docs`"


def test_every_route_is_described_and_nothing_else() -> None:
    assert {operation["operationId"] for _, operation in ALL} == {each.name for each in OPERATIONS}
    assert len(ALL) == len(OPERATIONS)


@pytest.mark.parametrize(("place", "operation"), ALL, ids=[place for place, _ in ALL])
def test_an_operation_says_who_may_what_it_answers_and_gives_an_example(place: str, operation: dict[str, Any]) -> None:
    statuses = operation["responses"].keys()
    is_open = operation["x-byoa-scope"] == "open"
    assert operation["security"] == ([] if is_open else [{"token": []}])
    assert "500" in statuses
    assert is_open or {"400", "401", "403", "415", "422", "503"} <= statuses
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        _check(content["example"], content["schema"])
    for parameter in operation.get("parameters", []):
        assert parameter["description"]
        assert parameter["in"] != "path" or parameter["example"]
    for status, described in operation["responses"].items():
        answer = described
        if "$ref" in described:
            answer = SAID["components"]["responses"][described["$ref"].rpartition("/")[2]]
        assert answer["description"], (place, status)
        for content in answer.get("content", {}).values():
            shown = (
                [content["example"]]
                if "example" in content
                else [each["value"] for each in content["examples"].values()]
            )
            assert shown, (place, status)
            for each in shown:
                _check(each, content["schema"])
    assert ("429" in statuses) is not is_open
    assert "content" not in operation["responses"].get("204", {})
    assert "content" not in operation["responses"].get("304", {})


def _check(value: Any, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator({**schema, "components": SAID["components"]}).validate(value)


def test_every_code_of_the_api_s_own_is_an_example_of_its_status() -> None:
    shown = {
        name: int(found["value"]["status"])
        for answer in SAID["components"]["responses"].values()
        for name, found in answer["content"]["application/json"]["examples"].items()
    }
    assert {code: status for code, (status, _, _) in CODES.items() if status != METHOD_UNKNOWN} == {
        code: status for code, status in shown.items() if code in CODES
    }


def test_no_example_has_a_secret_that_could_be_one() -> None:
    assert not re.search(r"byoa_org_\w+_tok[a-z2-7]{23}_[A-Za-z0-9_-]{43}", published(DOCUMENT))


def test_everything_that_is_referred_to_is_there() -> None:
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', published(DOCUMENT)))
    assert named
    assert named <= SAID["components"]["schemas"].keys()


@pytest.mark.parametrize("name", [PAGE, SCRIPT, STYLE])
def test_the_page_loads_nothing_from_elsewhere(name: str) -> None:
    text = published(name)
    assert not re.search(
        r"https?://|//[a-z]|@import|url\(|innerHTML|eval\(|document\.write", text.replace("// Shows", "")
    )


def test_the_page_is_let_load_nothing_from_elsewhere() -> None:
    served = Served()
    answer = served.ask("GET", "/v1/docs", token=None)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert served.ask("GET", "/v1/openapi.json", token=None).json == SAID
    assert served.ask("GET", "/v1/docs/docs.js", token=None).headers["Content-Type"].startswith("text/javascript")
