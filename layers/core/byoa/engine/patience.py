"""How often something is tried again, and how long is waited in between.

Full jitter: a wait is a random part of a bound that doubles, so that many who failed at once don't return at once. What
the other side asks for (``retry_after``) goes before that.
"""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from byoa.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.errors import ByoaError


def _draw() -> float:
    import random  # noqa: PLC0415 - most copies wait for nothing

    return random.random()  # noqa: S311 - it spreads waits


def _endless() -> float:
    return inf


class Patience(NamedTuple):
    """``attempts`` in all; between them waits of up to ``first`` seconds, then twice that, never over ``longest``.

    Who asks for a longer wait than ``longest`` isn't waited for, nor what would end after the seconds that are
    ``left``: whoever called can do it better.
    """

    attempts: int = 1
    first: float = 0.2
    longest: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    draw: Callable[[], float] = _draw
    left: Callable[[], float] = _endless

    def again(self, tries: int, error: ByoaError) -> bool:
        """Wait, after ``tries`` attempts that ended with ``error``. ``False``, at once, where no other try is due.

        That is so as well where a patience further in has given up: tries add up and don't multiply.
        """
        if error.given_up or tries >= self.attempts:
            error.given_up |= self.attempts > 1
            return False
        asked = error.retry_after if isinstance(error, Transient) else None
        if asked is not None and asked > self.longest:
            return False
        bound = min(self.first * 2 ** (tries - 1), self.longest)
        wait = asked if asked is not None else bound * self.draw()
        if wait >= self.left():
            return False
        self.sleep(wait)
        return True


HASTY = Patience()
"""One attempt."""
