"""The rows of the threats, as data: what somebody sends, and how it has to end."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent


def rows(file: str, *fields: str) -> list[dict[str, Any]]:
    """The rows of a file that have one of the fields; all of them without any."""
    found: list[dict[str, Any]] = tomllib.loads((FOLDER / file).read_text())["row"]
    return [row for row in found if not fields or not row.keys().isdisjoint(fields)]


def named(row: dict[str, Any]) -> str:
    return f"{row['id']} {row['what']}"
