"""How often one token may ask, and the headers that tell it (draft-ietf-httpapi-ratelimit-headers-11).

A process counts for itself (``trust.windows``). So what is told is the least that a token has; where the platform runs
several processes, it has as much in each. It stops a loop that has gone wrong. How much all callers have together, API
Gateway says (``template.yaml``, DefaultRouteSettings).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.trust.windows import WINDOW_SECONDS

if TYPE_CHECKING:
    from byoa.trust.windows import Standing

QUOTA: Final = 3000
"""Requests of a token in a window: 50 a second, more than one process answers of anything but the shortest."""


def headers(standing: Standing, quota: int) -> dict[str, str]:
    """RateLimit-Policy and RateLimit, and Retry-After where it is over."""
    told = {
        "RateLimit-Policy": f'"token";q={quota};w={WINDOW_SECONDS}',
        "RateLimit": f'"token";r={standing.remaining};t={standing.seconds}',
    }
    return told if standing.within else {**told, "Retry-After": str(standing.seconds)}
