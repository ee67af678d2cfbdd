"""Markdown as the generated pages use it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MADE = "<!-- Made by `make docs` from the code; changes here are lost. -->\n"


def cell(text: str) -> str:
    """Text that stays in its cell of a table and in its line."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """Text as it is to be typed."""
    return f"`{text}`" if text else ""


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are escaped here."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines) + "\n"


def fence(language: str, text: str) -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```\n"


def json_block(document: object) -> str:
    """A block of JSON."""
    return fence("json", json.dumps(document, indent=2, ensure_ascii=False))


def page(title: str, *parts: str) -> str:
    """A whole page."""
    return "\n".join([MADE, f"# {title}\n", *parts])
