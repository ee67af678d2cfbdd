"""How much of what is told of many objects goes along with a deploy.

A message between states has room for 256 KiB, what one state assigns as well (Step Functions' quotas), an item of the
table for 400 KB. What was approved by name and a cluster's certificates take some 70 KiB of it, twice where they are
assigned.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

LISTED: Final = 16 * 1024
"""Characters of a list, as JSON that is all ASCII: no encoding takes more bytes."""

DEPENDENTS: Final = 96 * 1024
"""Characters of what is deployed behind a deploy, which its item of the table has."""

WAITED: Final = 500
"""Deploys that one waits for at most: some 65 KB of its item."""

TEXT: Final = 2000
"""Characters of a text that names some objects and reasons."""


def fitting[Item](found: Iterable[Item], most: int, characters: int = LISTED) -> list[Item]:
    """The first of some JSON data: at most so many, and as many as fit. One that is too long ends the list."""
    kept: list[Item] = []
    left = characters
    for each in found:
        left -= length(each) + 2
        if left < 0 or len(kept) == most:
            break
        kept.append(each)
    return kept


def length(found: Any) -> int:  # noqa: ANN401 - JSON data
    """The characters of JSON data, written in ASCII."""
    return len(json.dumps(found))


def cut(told: dict[str, str | None], characters: int = TEXT) -> dict[str, str | None]:
    """An error's texts, each of at most so many characters."""
    return {name: text and text[:characters] for name, text in told.items()}
