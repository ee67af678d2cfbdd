"""How often one token may ask, and the headers that tell it (draft-ietf-httpapi-ratelimit-headers-11).

A process counts for itself, in memory: a counter that all share would cost a write a request. So what is told is the
least that a token has; where the platform runs several processes, it has as much in each. It stops a loop that has gone
wrong. How much all callers have together, API Gateway says (``template.yaml``, DefaultRouteSettings).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

QUOTA: Final = 3000
"""Requests of a token in a window: 50 a second, more than one process answers of anything but the shortest."""

WINDOW_SECONDS: Final = 60
CALLERS: Final = 4096
"""Callers that are counted at once; over it the oldest window is forgotten."""


class Standing(NamedTuple):
    """Whether a request is within the quota, how many more are, and for how many seconds that counts."""

    within: bool
    remaining: int
    seconds: int

    def headers(self, quota: int) -> dict[str, str]:
        """RateLimit-Policy and RateLimit, and Retry-After where it is over."""
        told = {
            "RateLimit-Policy": f'"token";q={quota};w={WINDOW_SECONDS}',
            "RateLimit": f'"token";r={self.remaining};t={self.seconds}',
        }
        return told if self.within else {**told, "Retry-After": str(self.seconds)}


@dataclass(slots=True)
class Rates:
    """Counts each caller's requests in windows that begin with the first one."""

    quota: int = QUOTA
    _windows: dict[tuple[str, str], list[int]] = field(default_factory=dict)

    def count(self, caller: tuple[str, str], now_ts: int) -> Standing:
        """Count a request of ``caller`` (organisation, id) at ``now_ts`` (ms since 1970 UTC); over the quota none."""
        window = self._windows.get(caller)
        if window is None or not 0 <= now_ts - window[0] < WINDOW_SECONDS * 1000:
            self._windows.pop(caller, None)
            if len(self._windows) >= CALLERS:
                del self._windows[next(iter(self._windows))]
            window = self._windows[caller] = [now_ts, 0]
        within = window[1] < self.quota
        window[1] += within
        seconds = -(-(window[0] + WINDOW_SECONDS * 1000 - now_ts) // 1000)
        return Standing(within, self.quota - window[1], seconds)
