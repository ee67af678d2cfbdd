"""The quotas of organisations in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from byoa.builds.quotas import day_of, exceeded

if TYPE_CHECKING:
    from byoa.builds.ports import Clock


@dataclass(slots=True)
class MemoryQuota:
    """Counters in memory; ``limit`` is how many bytes an organisation has a day."""

    clock: Clock
    limit: int
    used: Counter[tuple[str, int]] = field(default_factory=Counter)
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)

    def take(self, organisation: str, build_id: str, size: int) -> None:
        """See ``builds.ports.Quota``."""
        more, day = size - self.counted[organisation, build_id], day_of(self.clock.now())
        if more <= 0:
            return
        if self.used[organisation, day] + more > self.limit:
            raise exceeded(self.limit)
        self.used[organisation, day] += more
        self.counted[organisation, build_id] = size
