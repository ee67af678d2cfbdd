"""A build's time. Every step looks at it first, so that no try of any state goes on after it.

It is no ``Timeout``: that one is tried again, and here a try can't help.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.builds.records import milliseconds
from byoa.errors import BuildTimedOut

if TYPE_CHECKING:
    from datetime import datetime


def check_time(ends_ts: int, now: datetime) -> None:
    """Raise ``BuildTimedOut`` where a build that ends at ``ends_ts`` (ms since 1970-01-01 UTC) has no time left."""
    if milliseconds(now) >= ends_ts:
        raise BuildTimedOut("The build took longer than its build_timeout.", where="build_timeout")
