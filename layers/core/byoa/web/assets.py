"""Styles and scripts: under a name that changes with any of them, so that a browser asks for each once."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("static")
KINDS: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@cache
def files() -> dict[str, bytes]:
    """All of them by name."""
    return {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in KINDS}


@cache
def version() -> str:
    """What stands in their path. Modules name each other beside it, so it is of all of them."""
    every = hashlib.sha256()
    for name, content in files().items():
        every.update(f"{name}\n{len(content)}\n".encode() + content)
    return every.hexdigest()[:12]


@cache
def packed(name: str) -> bytes:
    """One of them, compressed: API Gateway's HTTP APIs don't."""
    return gzip.compress(files()[name], 9, mtime=0)
