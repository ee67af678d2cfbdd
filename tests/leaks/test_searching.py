"""The searcher itself: a canary that is there is found, in whatever form, and where there is none nothing is."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest

from tests.leaks.searching import Searcher, canary, forms, told

if TYPE_CHECKING:
    from collections.abc import Callable

WRITERS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON in JSON": lambda secret: json.dumps(json.dumps({"password": secret})),
    "JSON with escaped slashes": lambda secret: json.dumps(secret).replace("/", "\\/"),
    "repr": lambda secret: repr({"password": secret}),
    "bytes": lambda secret: repr(secret.encode()),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 of a JSON document": lambda secret: base64.b64encode(json.dumps({"a": [secret]}).encode()).decode(),
    "base64 of URLs": lambda secret: base64.urlsafe_b64encode(b"->" + secret.encode()).decode(),
    "base64 of a login, 1 letter": lambda secret: base64.b64encode(f"a:{secret}".encode()).decode(),
    "base64 of a login, 2 letters": lambda secret: base64.b64encode(f"ab:{secret}".encode()).decode(),
    "base64 of a login, 3 letters": lambda secret: base64.b64encode(f"abc:{secret}".encode()).decode(),
    "a query": lambda secret: f"?password={quote_plus(secret)}&x=1",
    "a path": lambda secret: f"/v2/{quote(secret, safe='')}/",
    "percents alone": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "hex": lambda secret: secret.encode().hex(),
    "hex in capitals": lambda secret: secret.encode().hex().upper(),
    "a host": lambda secret: f"https://{secret.encode().hex()[:60]}.example.com/",
    "half of it": lambda secret: secret[:20],
    "the other half": lambda secret: secret[-22:],
    "half of its base64": lambda secret: base64.b64encode(secret.encode()).decode()[12:36],
}


@pytest.mark.parametrize("written", WRITERS.values(), ids=WRITERS)
def test_a_canary_is_found_in_every_form(written: Callable[[str], str]) -> None:
    for _ in range(50):
        searcher = Searcher()
        assert searcher.find("a log", f"before {written(searcher.add(canary()))} behind")


def test_what_is_not_there_is_not_found() -> None:
    searcher = Searcher()
    for _ in range(100):
        searcher.add(canary())
    assert searcher.find("noise", base64.b64encode(os.urandom(200_000)).decode() + os.urandom(200_000).hex()) == []


def test_each_form_has_characters_of_the_secret_alone() -> None:
    secret = canary()
    for offset in range(3):
        inner = forms(secret)[f"base64 at {offset}"]
        for before, behind in ((b"\0" * offset, b""), (b"\xff" * offset, b"\xff\xff"), (b"x" * offset, b"\0\0")):
            assert inner in base64.b64encode(before + secret.encode() + behind).decode()


def _chained(secret: str) -> Exception:
    error = RuntimeError("hidden")
    error.__cause__ = KeyError(secret)
    return error


def _suppressed(secret: str) -> Exception:
    error = RuntimeError("hidden")
    error.__context__ = KeyError(secret)
    error.__suppress_context__ = True
    return error


def _noted(secret: str) -> Exception:
    error = ValueError("hidden")
    error.add_note(f"with {secret}")
    return error


def _undecodable(secret: str) -> Exception:
    return UnicodeDecodeError("utf-8", secret.encode(), 0, 1, "hidden")


@pytest.mark.parametrize(
    "make",
    [KeyError, lambda secret: ValueError("a", [secret]), _chained, _suppressed, _noted, _undecodable],
    ids=["text", "arguments", "cause", "suppressed context", "note", "object"],
)
def test_an_exception_s_canary_is_found_wherever_it_holds_it(make: Callable[[str], Any]) -> None:
    searcher = Searcher()
    assert searcher.find("an error", told(make(searcher.add(canary()))))
