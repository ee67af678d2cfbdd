"""The exchanges that the page on pagination and errors shows, had with the API in this process."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.api.served import APP, Served
from tests.docs.blocks import ROOT, blocks

PAGE = ROOT / "docs" / "pagination-and-errors.md"
SHOWN = [block for block in blocks(PAGE) if block.language == "http"]
LEFT_OUT = "…"


@pytest.fixture(scope="module")
def shop() -> tuple[Served, str]:
    """An app of three components, and a token. The page's exchanges are had in their order."""
    served = Served()
    for name in ("web", "database", "api"):
        path = f"/v1/apps/{APP}/components/{name}/configs/kubernetes-manifest"
        assert served.ask("POST", path, {"namespace": "a", "manifest": "a: 1"}).status == 201
    return served, served.token()


def parts(text: str) -> tuple[str, dict[str, str], str]:
    """The first line, the headers and the body."""
    head, _, body = text.partition("\n\n")
    first, *lines = head.strip().splitlines()
    return first, dict(line.split(": ", 1) for line in lines), body.strip()


def fits(shown: Any, found: Any) -> bool:
    """Whether what is shown is what was found, but for what is left out."""
    if shown == LEFT_OUT:
        return True
    if isinstance(shown, dict) and isinstance(found, dict):
        whole = LEFT_OUT in shown or shown.keys() == found.keys()
        return whole and all(key in found and fits(shown[key], found[key]) for key in shown.keys() - {LEFT_OUT})
    if isinstance(shown, list) and isinstance(found, list):
        return len(shown) == len(found) and all(map(fits, shown, found))
    return bool(shown == found)


def test_a_request_is_followed_by_its_answer() -> None:
    assert len(SHOWN) % 2 == 0
    for asked, answered in zip(SHOWN[::2], SHOWN[1::2], strict=True):
        assert re.match(r"(GET|POST|PUT|PATCH|DELETE) /v1/", asked.text), str(asked)
        assert answered.text.startswith("HTTP/1.1 "), str(answered)


@pytest.mark.parametrize(
    ("asked", "answered"), [*zip(SHOWN[::2], SHOWN[1::2], strict=False)], ids=lambda block: f"line {block.line}"
)
def test_what_is_asked_is_answered_as_it_is_shown(shop: tuple[Served, str], asked: Any, answered: Any) -> None:
    (line, headers, body), (status, told, shown) = parts(asked.text), parts(answered.text)
    method, path = line.split(" ", 1)
    served, token = shop
    answer = served.ask(method, path, raw=body or None, token=token, **headers)
    assert f"HTTP/1.1 {answer.status}" == status, answer.text
    for name, value in told.items():
        pattern = ".*".join(map(re.escape, value.split(LEFT_OUT)))
        assert re.fullmatch(pattern, answer.headers[name]), (name, answer.headers[name])
    assert fits(json.loads(shown), answer.json), answer.text
