"""What is known of one host by all who speak to it in this process: how many may at once, since when it wants rest."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.deadlines import endless
from byoa.errors import RegistryThrottled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST_REST: Final = 60.0
"""Seconds that a request waits for a host that asked for rest; who finds more left is told to come back."""


class Host:
    """One endpoint's gate. ``concurrency`` requests go at once; while it wants rest all wait.

    They wait at most ``longest`` seconds, and no longer than they have ``left``.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        longest: float = LONGEST_REST,
        left: Callable[[], float] = endless,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._slots = threading.BoundedSemaphore(concurrency)
        self._longest = longest
        self._left = left
        self._now = now
        self._sleep = sleep
        self._lock = threading.Lock()
        self._rest_until = 0.0
        self._next_write = 0.0
        self.lists_referrers: bool | None = None
        """Whether it has the referrers API; ``None`` while nobody asked."""

    def rest(self, seconds: float) -> None:
        """Let nobody in for so long: the host said so to one of us and meant all (RFC 9110, Retry-After)."""
        with self._lock:
            self._rest_until = max(self._rest_until, self._now() + seconds)

    def wait(self) -> None:
        """Wait for the end of a rest. Raises ``RegistryThrottled`` when that is farther away than may be waited."""
        while (left := self._rest_until - self._now()) > 0:
            if left > min(self._longest, self._left()):
                raise RegistryThrottled("The registry asked for a rest, and it isn't over.", retry_after=left)
            self._sleep(left)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a slot, then for the end of a rest: one may begin while others have the slots."""
        with self._slots:
            self.wait()
            yield

    def pace(self, per_second: float | None) -> None:
        """Wait until another write may go, where so many a second are taken."""
        if per_second is None:
            return
        with self._lock:
            moment = max(self._now(), self._next_write)
            self._next_write = moment + 1 / per_second
        if (left := moment - self._now()) > 0:
            self._sleep(left)
