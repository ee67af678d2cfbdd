"""Builds that have not ended, of all organisations: one index tells which, each is read and written as its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from byoa.builds.messages import Build, BuildKey, HistoryEntry, Outcome
    from byoa.builds.ports import Unfinished


@dataclass(frozen=True, slots=True)
class Leftovers:
    """An Unfinished: ``every`` finds builds, which takes a right to keys alone, ``of`` gives what handles one."""

    every: Unfinished
    of: Callable[[BuildKey], Unfinished]

    def unfinished(self, before_ts: int) -> Iterator[BuildKey]:
        """See ``builds.ports.Unfinished``."""
        return self.every.unfinished(before_ts)

    def look(self, key: BuildKey) -> Build | None:
        """See ``builds.ports.Unfinished``."""
        return self.of(key).look(key)

    def tell_again(self, key: BuildKey, now_ts: int) -> bool:
        """See ``builds.ports.Unfinished``."""
        return self.of(key).tell_again(key, now_ts)

    def give_up(self, key: BuildKey, outcome: Outcome, entries: Sequence[HistoryEntry]) -> Build | None:
        """See ``builds.ports.Unfinished``."""
        return self.of(key).give_up(key, outcome, entries)
