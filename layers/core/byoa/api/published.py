"""Files that the API shows as they are; `make docs` makes the description (``local/pages/openapi.py``)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

DOCUMENT: Final = "openapi.json"
PAGE: Final = "docs.html"
SCRIPT: Final = "docs.js"
STYLE: Final = "docs.css"

FOLDER: Final = Path(__file__).with_name("static")


@cache
def published(name: str) -> str:
    """The text of one of them."""
    return (FOLDER / name).read_text(encoding="utf-8")
