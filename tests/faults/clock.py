"""A clock that moves only when somebody sleeps by it."""

from __future__ import annotations

import threading


class Clock:
    """Its ``now`` and ``sleep`` take the place of the machine's; ``slept`` is every length that was slept."""

    def __init__(self, moment: float = 1000.0) -> None:
        self.moment = moment
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        """The moment."""
        return self.moment

    def sleep(self, seconds: float) -> None:
        """Be there at once. Who sleeps beside others arrives with them."""
        until = self.moment + seconds
        with self._lock:
            self.slept.append(seconds)
            self.moment = max(self.moment, until)
