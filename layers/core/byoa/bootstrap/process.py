"""What a process has once, whatever face it shows: its clock, its threads."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from byoa.adapters.memory.clocks import SystemClock
    from byoa.engine.workers import Workers


@cache
def clock() -> SystemClock:
    """The machine's clock."""
    from byoa.adapters.memory.clocks import SystemClock

    return SystemClock()


@cache
def workers(count: int) -> Workers:
    """Threads that copy blobs, for all copies of this process."""
    from byoa.engine.workers import Workers

    return Workers(count, "blob")
