"""Of more than a sweep can look at: whose turn it is in this one, so that all of them are looked at in a few."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EVERY: Final = timedelta(minutes=15)
"""How often sweeps are made (``template.yaml``)."""

_KNOWN: Final = 100_000
"""What a sweep chooses from, the oldest."""

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Owned(Protocol):
    """What is of an organisation."""

    @property
    def organisation(self) -> str:
        """Whose it is."""
        ...


def in_turn[Key: Owned](keys: Iterable[Key], most: int, now: datetime) -> Iterator[Key]:
    """At most so many of them: one of each organisation, then the next of each.

    Each sweep begins where the one before ended, with organisations as with what one of them has: what waits for days
    (a plan for its answer, a deploy for its agent) keeps neither others nor its own from being looked at.
    """
    owned: dict[str, list[Key]] = {}
    for key in islice(keys, _KNOWN):
        owned.setdefault(key.organisation, []).append(key)
    if not owned:
        return iter(())
    rounds = -(-len(owned) // most)
    sweep = (now - _BEGINNING) // EVERY
    each_has = max(1, most // len(owned))
    whose = _from(list(owned.values()), sweep % rounds * most)
    turns = zip_longest(*(_from(mine, sweep // rounds * each_has) for mine in whose))
    return islice((key for turn in turns for key in turn if key is not None), most)


def _from[Item](found: list[Item], first: int) -> list[Item]:
    """The same, from another one on."""
    first %= len(found)
    return [*found[first:], *found[:first]]
