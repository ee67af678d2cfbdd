"""One organisation at a hundred times its share, played through on the shipped budget and a clock of its own.

The others wait as they would without it: their 95th percentile stays within 1.2 times.
"""

from __future__ import annotations

import heapq
import random
from datetime import UTC, datetime, timedelta

import pytest

from byoa.adapters.memory.budget import MemoryBudget
from byoa.errors import RegistryThrottled

SECONDS = 90
COST = 10
"""Requests of one build at the source."""

OTHERS = [f"org_quiet0000{number:03d}" for number in range(20)]
NOISY = "org_noisy0000000"
SERVICE = 0.5
"""Seconds of a build that need no permission."""


class PlayedClock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)


def arrivals(draw: random.Random, organisation: str, per_second: float) -> list[tuple[float, int, str, float]]:
    found, moment = [], 0.0
    while (moment := moment + draw.expovariate(per_second)) < SECONDS:
        found.append((moment, draw.getrandbits(60), organisation, moment))
    return found


def p95_of_the_others(seed: int, *, noisy: bool) -> float:
    """Seconds from a build's event to its end, for all organisations but the noisy one."""
    draw = random.Random(seed)
    waiting = [each for organisation in OTHERS for each in arrivals(draw, organisation, 0.1)]
    share = 0.1 * 100
    waiting += arrivals(random.Random(seed + 1), NOISY, share) if noisy else []
    heapq.heapify(waiting)
    clock, latencies = PlayedClock(), []
    budget = MemoryBudget(clock)
    while waiting:
        clock.seconds, number, organisation, since = heapq.heappop(waiting)
        try:
            budget.admit("ghcr.io", organisation)
        except RegistryThrottled as error:
            if clock.seconds < 2 * SECONDS:
                pause = max(1.0, (error.retry_after or 1.0) * draw.random())
                heapq.heappush(waiting, (clock.seconds + pause, number, organisation, since))
            continue
        budget.spend("ghcr.io", organisation, COST)
        if organisation != NOISY:
            latencies.append(clock.seconds - since + SERVICE)
    return sorted(latencies)[int(len(latencies) * 0.95)]


@pytest.mark.parametrize("seed", range(3))
def test_one_organisation_at_a_hundred_times_its_share_slows_nobody_else(seed: int) -> None:
    assert p95_of_the_others(seed, noisy=True) <= 1.2 * p95_of_the_others(seed, noisy=False)
