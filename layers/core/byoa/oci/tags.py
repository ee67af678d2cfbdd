"""The order in which people look for a tag: the newest version first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_VERSION: Final = re.compile(r"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z.-]+))?", re.ASCII)
"""Semantic Versioning 2.0.0, 2 and 9; a ``v`` and fewer numbers are what tags have too, a ``+`` no tag can have."""

_YEAR: Final = 1000
_DATE: Final = 1_000_000
"""A number from here on is a date (``20261127.1``) or a counter and no major version; alone, a year is none either."""

type _Part = tuple[int, int, str]
type _Order = tuple[int, tuple[int, ...], int, tuple[_Part, ...], str]


def newest_first(tags: Iterable[str]) -> list[str]:
    """Versions by their precedence (Semantic Versioning 2.0.0, 11), the highest first; then all else, the last first.

    That is what is newest of names that begin with a date or a counter; of other names nothing tells.
    """
    return sorted(tags, key=_order, reverse=True)


def _order(tag: str) -> _Order:
    found = _VERSION.fullmatch(tag)
    if not found or int(found[1]) >= (_DATE if found[2] else _YEAR):
        return (0, (), 0, (), tag)
    numbers = tuple(int(each or 0) for each in found.groups()[:3])
    before = tuple(_part(each) for each in found[4].split(".")) if found[4] else ()
    return (1, numbers, 0 if before else 1, before, tag)


def _part(text: str) -> _Part:
    """Numbers come before names, and by their size (11.4)."""
    return (0, int(text), "") if text.isdigit() else (1, 0, text)
