"""Lookups in memory: who answers them is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from byoa.api.ports import KeptLookup
from byoa.builds.answer import answer, answered
from byoa.builds.lookups import AwaitedLookup
from byoa.builds.records import milliseconds
from byoa.errors import Timeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.builds.lookups import Answer, LookUp, LookupEnded
    from byoa.builds.ports import Clock, LookupFunctions

DAY_MS = 24 * 3600 * 1000


@dataclass(slots=True)
class MemoryLookups:
    """One organisation's part of ``held``, which all share. An answer takes ``lasting`` seconds.

    What is begun waits in ``begun`` until ``go_on``. Implements Lookups and LookupShelf.
    """

    organisation: str
    clock: Clock
    functions: LookupFunctions
    held: dict[tuple[str, str], KeptLookup] = field(default_factory=dict)
    begun: list[AwaitedLookup] = field(default_factory=list)
    lasting: Callable[[], float] = float

    def answer(self, asked: LookUp, seconds: float) -> Answer | None:
        """See ``api.ports.Lookups``."""
        try:
            return answered(asked, self.functions) if self.lasting() <= seconds else None
        except Timeout:
            return None

    def begin(self, lookup_id: str, asked: LookUp, now_ts: int) -> None:
        """See ``api.ports.Lookups``."""
        self.held[self.organisation, lookup_id] = KeptLookup(lookup_id, asked.action, now_ts)
        self.begun.append(AwaitedLookup(organisation=self.organisation, id=lookup_id, asked=asked))

    def go_on(self) -> None:
        """Answer what was begun."""
        while self.begun:
            answer(self.begun.pop(0), self.functions, self, self.clock)

    def find(self, lookup_id: str) -> KeptLookup | None:
        """See ``api.ports.Lookups``."""
        kept = self.held.get((self.organisation, lookup_id))
        return kept if kept and milliseconds(self.clock.now()) < kept.began_ts + DAY_MS else None

    def end(self, lookup_id: str, ended: LookupEnded) -> None:
        """See ``builds.ports.LookupShelf``."""
        kept = self.held.get((self.organisation, lookup_id))
        if kept:
            self.held[self.organisation, lookup_id] = kept._replace(ended=ended)
