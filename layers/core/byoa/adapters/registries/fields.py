"""The syntax of header fields that have parameters: challenges (RFC 9110, 11.6.1) and links (RFC 8288, 3). No I/O.

Patterns are compiled when such a field comes: that takes longer than all else of this module's import.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED: Final = r'"(?P<quoted>(?:[^"\\]|\\.)*)"'
_BETWEEN: Final = r"[ \t,]*"
_SCHEME: Final = rf"(?P<scheme>{_WORD})(?=[ \t,]|\Z)(?:[ \t]+[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|\Z)))?"
"""With what Negotiate has in place of parameters (token68)."""

_PARAMETER: Final = rf'(?P<name>{_WORD})[ \t]*=[ \t]*(?:{_QUOTED}|(?P<bare>[^\s,"]+))'
_LINK: Final = r"<(?P<address>[^<>]*)>"
_LINK_PARAMETER: Final = rf'[ \t]*;[ \t]*(?:(?P<name>{_WORD})(?:[ \t]*=[ \t]*(?:{_QUOTED}|(?P<bare>[^\s,;"]*)))?)?'
_END_OF_LINK: Final = r"[ \t]*(?:,|\Z)"

type Challenge = dict[str, dict[str, str]]
"""Parameters by scheme, both in lower case."""


def read_challenges(value: str) -> Challenge:
    """The challenges of one field, the first of each scheme, up to what can't be read."""
    between, scheme, parameter = (re.compile(each, re.ASCII) for each in (_BETWEEN, _SCHEME, _PARAMETER))
    found: Challenge = {}
    current: dict[str, str] | None = None
    position = _end(between.match(value))
    while position < len(value):
        if current is not None and (match := parameter.match(value, position)):
            current.setdefault(match["name"].lower(), _value(match))
        elif match := scheme.match(value, position):
            current = {}
            found.setdefault(match["scheme"].lower(), current)
        else:
            break
        position = _end(between.match(value, match.end()))
    return found


class Link(NamedTuple):
    """An address, and the relations that it is in, in lower case."""

    address: str
    relations: tuple[str, ...]


def read_links(value: str) -> list[Link] | None:
    """All links of one field; ``None`` where any of it can't be read: there may be one in it."""
    between, link, end = (re.compile(each, re.ASCII) for each in (_BETWEEN, _LINK, _END_OF_LINK))
    found: list[Link] = []
    position = _end(between.match(value))
    while position < len(value):
        match = link.match(value, position)
        if match is None:
            return None
        position, relations = _read_parameters(value, match.end())
        found.append(Link(match["address"], relations))
        match = end.match(value, position)
        if match is None:
            return None
        position = _end(between.match(value, match.end()))
    return found


def _read_parameters(value: str, position: int) -> tuple[int, tuple[str, ...]]:
    """Where a link's parameters end, and its relations: the first ``rel`` counts (RFC 8288, 3.3)."""
    parameter = re.compile(_LINK_PARAMETER, re.ASCII)
    relations: tuple[str, ...] | None = None
    while match := parameter.match(value, position):
        position = match.end()
        if relations is None and match["name"] and match["name"].lower() == "rel":
            relations = tuple(_value(match).lower().split())
    return position, relations or ()


def _value(match: re.Match[str]) -> str:
    quoted = match["quoted"]
    return re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else match["bare"] or ""


def _end(match: re.Match[str] | None) -> int:
    return match.end() if match else 0
