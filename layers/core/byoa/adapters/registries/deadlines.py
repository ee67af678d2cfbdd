"""How long the other side may take. Whatever waits at a socket asks here first how long it may."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable


_GRAIN: Final = 0.02
"""Seconds that are none: a wait may end a little before its time."""


class TooLate(TimeoutError):
    """The time for an answer is over: another try would be as late."""


class OutOfTime(TooLate):
    """Our own time is over; its text is what to do about it."""


def endless() -> float:
    """Nothing waits for us to end."""
    return math.inf


def uncounted(_: int) -> None:
    """Nobody asks how much gets done."""


SECONDS: Final = 600.0
"""How long somebody waits at a terminal, or a job in CI, for what doesn't get on."""

_BYTES: Final = 128 * 1024
"""Bytes that give a second back, whichever way they go: a megabit a second, or half of it from registry to registry.
A few dozen connections at an ``Allowance``'s slowest rate stay below it together.
"""

_ANSWERS: Final = 4
"""Answers that give a second back: with four artifacts under way, as many as come over the longest ways there are."""


class Deadline:
    """The end of a command, over all that it waits for: ``seconds`` after the first wait, or after what got done.

    What gets done gives time back, up to all of it, so that a copy may last for days and what only drips ends in
    minutes. ``hard``, nothing is given back.
    """

    def __init__(
        self, seconds: float = SECONDS, *, hard: bool = False, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._hard = hard
        self._now = now
        self._end = math.inf
        self._lock = threading.Lock()

    def left(self) -> float:
        """Seconds until the end; the first look begins them."""
        with self._lock:
            if self._end == math.inf:
                self._end = self._now() + self._seconds
            return self._end - self._now()

    def moved(self, count: int) -> None:
        """So many bytes came or went."""
        self._give(count / _BYTES)

    def answered(self, status: int) -> None:
        """A registry answered, with ``status``. That it is busy or broken is no answer (429 and 5xx)."""
        if status != 429 and status < 500:  # noqa: PLR2004 - RFC 6585, 4; RFC 9110, 15.6
            self._give(1 / _ANSWERS)

    def _give(self, seconds: float) -> None:
        if not self._hard:
            with self._lock:
                self._end = min(self._end + seconds, self._now() + self._seconds)


class Allowance:
    """Seconds and rates.

    ``connect`` for a connection to be made; ``silence`` until the next byte comes or goes; ``answer`` for an answer's
    head and all of its body, unless that is a blob. Who sends or takes less than ``slowest`` bytes a second, over
    ``window`` seconds of waiting for it, holds the connection rather than using it. ``left`` tells how long we have
    ourselves, ``longer`` how we would have more; ``moved`` and ``answered`` are told of what gets done.

    4 KiB a second is a hundredth of a slow line's rate, so that it bears a few dozen blobs at once; and a server that
    keeps to it needs a quarter of an hour for what an artifact of manifests usually has, not a day.
    """

    def __init__(  # noqa: PLR0913 - settings by name
        self,
        *,
        connect: float = 10.0,
        silence: float = 30.0,
        answer: float = 120.0,
        window: float = 60.0,
        slowest: int = 4096,
        left: Callable[[], float] = endless,
        longer: str = "",
        moved: Callable[[int], None] = uncounted,
        answered: Callable[[int], None] = uncounted,
    ) -> None:
        self.connect = connect
        self.silence = silence
        self.answer = answer
        self.window = window
        self.slowest = slowest
        self.left = left
        self.longer = longer
        self.moved = moved
        self.answered = answered


PATIENT = Allowance()
"""For who has nothing else to do."""


class Watch:
    """The time of one connection."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._end = math.inf
        self._waited = 0.0
        self._count = 0

    def begin(self) -> None:
        """A request goes out, which may have a blob with it: the rate is counted anew."""
        self._end = math.inf
        self._waited, self._count = 0.0, 0

    def expect(self) -> None:
        """An answer is expected: from now on its time counts."""
        self.begin()
        self._end = time.monotonic() + self._allowance.answer

    def answered(self, status: int) -> None:
        """An answer's head has come."""
        self._allowance.answered(status)

    def lift(self) -> None:
        """A blob comes, of whatever length: it has a rate to keep instead of a time."""
        self._end = math.inf

    def seconds(self) -> float:
        """How long the socket may wait now. Raises ``TooLate``."""
        own, left = self._allowance.left(), self._end - time.monotonic()
        if own <= _GRAIN:
            raise OutOfTime(self._allowance.longer)
        if left <= _GRAIN:
            raise TooLate
        return min(own, left, self._allowance.silence)

    def took(self, seconds: float, count: int) -> None:
        """``count`` bytes were waited for so long. Raises ``TimeoutError`` for who is too slow, whatever it sends."""
        self._allowance.moved(count)
        self._waited += seconds
        self._count += count
        if self._waited > self._allowance.window:
            if self._count < self._allowance.slowest * self._waited:
                raise TimeoutError
            self._waited, self._count = 0.0, 0
