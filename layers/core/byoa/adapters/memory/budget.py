"""The budgets of registries in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from byoa.builds.budgets import Use, check_shares, window_of
from byoa.builds.records import milliseconds

if TYPE_CHECKING:
    from byoa.builds.ports import Clock


@dataclass(slots=True)
class MemoryBudget:
    """Counters in memory."""

    clock: Clock
    used: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    rests: dict[str, tuple[str, int]] = field(default_factory=dict)
    rests_of_all: dict[str, int] = field(default_factory=dict)

    def admit(self, host: str, organisation: str) -> None:
        """See ``builds.ports.Budget``."""
        now = milliseconds(self.clock.now())
        check_shares(self._use(host, organisation, now), self._use(host, "", now), now)

    def spend(self, host: str, organisation: str, requests: int) -> None:
        """See ``builds.ports.Budget``."""
        window = window_of(milliseconds(self.clock.now()))
        for whose in ("", organisation):
            self.used[host, whose, window] += requests

    def rest(self, host: str, organisation: str, seconds: float) -> None:
        """See ``builds.ports.Budget``."""
        now = milliseconds(self.clock.now())
        whose, until = self.rests.get(host, (organisation, 0))
        if whose == organisation or until <= now:
            self.rests[host] = (organisation, now + int(seconds * 1000))
        else:
            self.rests_of_all[host] = now + int(seconds * 1000)

    def _use(self, host: str, whose: str, now: int) -> Use:
        window = window_of(now)
        resting, until = self.rests.get(host, ("", 0))
        rest = (until if whose == resting else 0) if whose else self.rests_of_all.get(host, 0)
        return Use(self.used[host, whose, window], self.used[host, whose, window - 1], rest)
