"""How often somebody did something in a minute, in this process: the one counter of all limits that no table keeps.

A counter that processes share would cost a write each time. So what a limit allows, each process allows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

WINDOW_SECONDS: Final = 60
NAMES: Final = 4096
"""Names that are counted at once; over it the oldest window is forgotten."""


class Standing(NamedTuple):
    """Whether there was room for one, how many more there is, and for how many seconds that counts."""

    within: bool
    remaining: int
    seconds: int


@dataclass(slots=True)
class Windows:
    """Counts by name, ``most`` in a window of a minute, which begins with the first."""

    most: int
    _windows: dict[str, list[int]] = field(default_factory=dict)

    def look(self, name: str, now_ts: int) -> Standing:
        """How the name stands at ``now_ts`` (ms since 1970 UTC); nothing is counted."""
        began, count = self._windows.get(name) or (now_ts, 0)
        if not self._lasts(began, now_ts):
            began, count = now_ts, 0
        return Standing(count < self.most, self.most - count, -(-(began + WINDOW_SECONDS * 1000 - now_ts) // 1000))

    def count(self, name: str, now_ts: int) -> Standing:
        """Count one of the name's; over the limit none."""
        window = self._windows.get(name)
        if window is None or not self._lasts(window[0], now_ts):
            self._windows.pop(name, None)
            if len(self._windows) >= NAMES:
                del self._windows[next(iter(self._windows))]
            window = self._windows[name] = [now_ts, 0]
        found = self.look(name, now_ts)
        window[1] += found.within
        return found._replace(remaining=self.most - window[1])

    @staticmethod
    def _lasts(began: int, now_ts: int) -> bool:
        return 0 <= now_ts - began < WINDOW_SECONDS * 1000
