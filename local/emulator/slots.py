"""Which functions run now, where a machine has fewer cores than AWS: the oldest execution's first.

AWS gives each invocation a share of a CPU of its own. Here those that run at once share a few cores: served in the
order of their calls, many executions that begin together all end as late as the last one.
"""

import heapq
import itertools
import threading
from contextvars import ContextVar

BEGAN: ContextVar[float] = ContextVar("BEGAN", default=0.0)
"""When the execution began that calls a function (``time.monotonic``). Calls from elsewhere go first: they are few, and
executions begin and are heard of through them.
"""


class Slots:
    """``count`` places for functions that run."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._lock = threading.Lock()
        self._waiting: list[tuple[float, int, threading.Event]] = []
        self._numbers = itertools.count()

    def acquire(self, began: float, seconds: float) -> bool:
        """Wait for a place, before all that began later. Whether there was one within ``seconds``."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = (began, next(self._numbers), threading.Event())
            heapq.heappush(self._waiting, turn)
        turn[2].wait(seconds)
        with self._lock:
            if turn[2].is_set():
                return True
            self._waiting.remove(turn)
            heapq.heapify(self._waiting)
            return False

    def release(self) -> None:
        """Give a place back, to the oldest that waits."""
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[2].set()
            else:
                self._free += 1
