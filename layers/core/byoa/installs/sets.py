"""Parts of a plan that only go by name, named together: a kind, and how many of it there are (``Job:1200``).

Such a name is said to one plan, by its fingerprint, and stands for just the parts of that kind which this plan has.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_SET: Final = re.compile(r"(?!deletions:)([^/:]+):([0-9]{1,9})")


def is_set(name: str) -> bool:
    """Whether a name stands for several parts; ``deletions:COUNT`` is a part of its own."""
    return _SET.fullmatch(name) is not None


def sets_of(needs: Iterable[str]) -> dict[str, int]:
    """How many parts there are of each kind, as their names have it (``Deployment``, ``Widget.example.com``)."""
    return dict(sorted(Counter(_kind(each) for each in needs if "/" in each).items()))


def spelled(names: Collection[str], needs: Iterable[str], sets: Mapping[str, int] | None = None) -> frozenset[str]:
    """The names, with the parts among ``needs`` that sets stand for; a wrong count stands for none.

    ``sets`` are the plan's, where ``needs`` aren't all of its parts.
    """
    wanted = [found for name in names if (found := _SET.fullmatch(name))]
    parts = [each for each in needs if "/" in each] if wanted else []
    counts = sets_of(parts) if sets is None else sets
    kinds = {found[1] for found in wanted if counts.get(found[1]) == int(found[2])}
    return frozenset(names) | {each for each in parts if _kind(each) in kinds}


def _kind(part: str) -> str:
    return part.partition("/")[0]
