"""What a process has once, whatever face it shows: its settings, its clock, its threads."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from byoa.adapters.memory.clocks import SystemClock
    from byoa.engine.workers import Workers
    from byoa.settings import Settings


@cache
def settings() -> Settings:
    """The settings that a function's environment holds."""
    from byoa.settings import Settings

    return Settings.read(os.environ)


@cache
def clock() -> SystemClock:
    """The machine's clock."""
    from byoa.adapters.memory.clocks import SystemClock

    return SystemClock()


CLUSTER_WORKERS: Final = 16
"""Requests to a cluster at once, which hide a round trip of 40 ms; its API server's own limits are far above."""

FEW_WORKERS: Final = 4
"""As many ask a cluster that is near and quick: more connections would cost both sides more than they save."""


def cluster_workers() -> Workers:
    """Threads that ask a cluster side by side."""
    return workers(CLUSTER_WORKERS, FEW_WORKERS)


@cache
def workers(count: int, few: int | None = None) -> Workers:
    """Threads that copy blobs or ask a cluster, for all copies of this process; see ``Workers``."""
    from byoa.engine.workers import Workers

    return Workers(count, "worker", few)
