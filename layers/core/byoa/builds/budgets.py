"""How much of a registry's patience the platform uses, and each organisation of that.

Requests are counted in windows; what counts is the running window and as much of the one before as a window's length
back from now reaches into. An organisation counts on its own account and on the host's, and its own share is smaller:
one that asks without end waits for itself, while the host still has room for the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from byoa.errors import RegistryThrottled

WINDOW: Final = 30
"""Seconds."""

_MILLISECONDS: Final = WINDOW * 1000

PER_HOST: Final = 6000
"""Requests to one registry in a window, 200 a second: what a small registry serves without strain."""

PER_ORGANISATION: Final = PER_HOST // 4
"""So that others find room beside one, two or three that take all they can get. A cold artifact costs some ten."""


@dataclass(frozen=True, slots=True)
class Use:
    """Requests in the running window and in the one before, and until when the host wants rest (ms since 1970 UTC)."""

    current: int = 0
    before: int = 0
    rest_until_ts: int = 0

    def wait(self, limit: int, now_ts: int) -> float:
        """Seconds until another request may go; 0.0 is now."""
        resting = max(0, self.rest_until_ts - now_ts) / 1000
        passed = (now_ts % _MILLISECONDS) / _MILLISECONDS
        if self.current + self.before * (1 - passed) < limit:
            return resting
        if self.current >= limit:  # what is before no longer matters: wait for the next window, and into it
            due = 1 - passed + max(0.0, 1 - (limit - 1) / self.current)
        else:
            due = 1 - (limit - 1 - self.current) / self.before - passed if self.before else 0.0
        return max(resting, due * WINDOW)


def window_of(now_ts: int) -> int:
    """The number of the window that ``now_ts`` (milliseconds since 1970-01-01 UTC) is in."""
    return now_ts // _MILLISECONDS


def check_shares(organisation: Use, host: Use, now_ts: int) -> None:
    """Raise ``RegistryThrottled``, with the seconds to wait, where either has used up its share of a host."""
    for whose, use, limit in (("organisation", organisation, PER_ORGANISATION), ("platform", host, PER_HOST)):
        seconds = use.wait(limit, now_ts)
        if seconds > 0:
            raise RegistryThrottled(
                f"The {whose}'s share of this registry is used up for the moment.", retry_after=seconds
            )
