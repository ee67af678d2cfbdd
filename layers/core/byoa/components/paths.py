"""How a field is named beside its file: as faults name it, ``labels.'app.kubernetes.io/name'`` or ``probes[1].url``."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from byoa.components.faults import shown
from byoa.errors import EditRefused

if TYPE_CHECKING:
    from byoa.components.positions import Location

PATH_LIMIT: Final = 512
"""Characters of a path."""
DEPTH_LIMIT: Final = 8
"""Parts of a path; the format has four."""

_ESCAPE: Final = r"""\\(?:['"\\nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})"""
_PART: Final = re.compile(
    rf"""(?P<dot>\.)?(?:(?P<plain>[A-Za-z0-9_-]++)
    |(?P<quoted>'(?:[^'\\\n]|{_ESCAPE})*+'|"(?:[^"\\\n]|{_ESCAPE})*+"))
    |\[(?P<index>0|[1-9][0-9]{{0,3}})\]""",
    re.VERBOSE | re.ASCII,
)


def parse_path(text: str) -> Location:
    """Take a field's path and return its keys and indices. Raises ``EditRefused`` for a text that is none."""
    if len(text) > PATH_LIMIT:
        raise EditRefused("A path of a field is too long.", remedy=f"Write at most {PATH_LIMIT} characters.")
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if not found or (found["index"] is None and bool(found["dot"]) != bool(parts)):
            break
        parts.append(int(found["index"]) if found["index"] else found["plain"] or _unquoted(found["quoted"], text))
        at = found.end()
    if at < len(text) or not parts or isinstance(parts[0], int) or len(parts) > DEPTH_LIMIT:
        raise _none(text)
    return tuple(parts)


def _unquoted(quoted: str, path: str) -> str:
    """A key between quotes, with Python's escapes, which is what faults write."""
    try:
        key = str(ast.literal_eval(quoted))
        key.encode()
    except (ValueError, SyntaxError):
        raise _none(path) from None
    return key


def _none(text: str) -> EditRefused:
    remedy = "Write keys with dots between, keys of other characters in quotes, and indices in brackets."
    return EditRefused(f"{shown(text)} is no path of a field.", remedy=remedy)
