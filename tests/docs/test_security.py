"""SECURITY.md names what tests its promises: all of that is there."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.docs.blocks import ROOT

TEXT: Final = (ROOT / "SECURITY.md").read_text()
PROMISES: Final = re.findall(r"^\| (?!promise |---|who )([^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("place", sorted(set(re.findall(r"`(tests/[\w/.]+)`", TEXT))))
def test_what_tests_a_promise_is_there(place: str) -> None:
    assert (ROOT / place).exists()


@pytest.mark.parametrize(("promise", "held"), PROMISES, ids=lambda text: text[:30])
def test_a_promise_says_what_holds_it(promise: str, held: str) -> None:
    assert "`tests/" in held, promise


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\((docs/[^)#]+)", TEXT))))
def test_a_link_leads_to_a_page(link: str) -> None:
    assert (ROOT / link).is_file()
