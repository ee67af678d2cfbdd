"""The loads on the deployed pipeline: how soon a change is active, cold starts, and what a build costs."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from bench.figures import OURS, Figure, Load, percentile
from bench.loads.cold_start import cold_start
from bench.loads.memory import memory
from bench.pipeline import deployed
from bench.prices import cost_per_thousand, quantities
from bench.usage import Recorder

if TYPE_CHECKING:
    from bench.pipeline import Pipeline
    from bench.stand import Stand

_P50_SECONDS = 1.0
_P95_SECONDS = 2.0
_SETTLE_SECONDS = 0.5
"""Until the last status has gone through the table's stream."""


def pipeline(stand: Stand) -> list[Load]:
    """All of them, on one desk."""
    with deployed(stand.folder / "desk") as running:
        _warm(running, stand.sizes.concurrent)
        together = _together(running, stand)
        alone, cost = _alone(running, stand.sizes.alone)
        loads = [_latency(together, alone, stand.sizes.concurrent), cost]
        loads.insert(1, cold_start(running, stand.times(5), stand.folder))
        return [*loads, memory(running, stand.times(3), stand.folder)]


def _names(count: int) -> list[str]:
    return [f"app-{number}" for number in range(count)]


def _warm(running: Pipeline, count: int) -> None:
    """Twice all at once: workers run, repositories exist."""
    for _ in range(2):
        pushed = running.push(_names(count))
        running.seconds([running.hand_in(*each) for each in pushed])


def _together(running: Pipeline, stand: Stand) -> list[float]:
    """Changes of many components handed in at once, some rounds of that."""
    seconds: list[float] = []
    for _ in range(stand.times(3)):
        pushed = running.push(_names(stand.sizes.concurrent))
        seconds += running.seconds([running.hand_in(*each) for each in pushed])
    return seconds


def _alone(running: Pipeline, count: int) -> tuple[list[float], Load]:
    """Changes one after the other, and what they used."""
    recorder = Recorder(running, int(time.time() * 1000))
    running.looks = 0
    seconds = []
    for _ in range(count):
        seconds += running.seconds([running.submit("app-0")])
        time.sleep(_SETTLE_SECONDS)
        recorder.note()
    use, durations = recorder.use(count, own_reads=2 * running.looks)
    parts = cost_per_thousand(use)
    more = {
        "parts": {name: round(value, 5) for name, value in parts.items()},
        "per_build": {name: round(value / count, 6) for name, value in quantities(use).items()},
        "mean_ms": {name: round(value, 1) for name, value in durations.items()},
        "calls_per_build": {name: round(value / count, 2) for name, value in sorted(use.calls.items())},
    }
    total = round(sum(parts.values()), 4)
    return seconds, Load("cost", [Figure(OURS, None)], None, "USD", {"usd_per_1000": total, **more})


def _latency(together: list[float], alone: list[float], concurrent: int) -> Load:
    p50, p95 = statistics.median(together), percentile(together, 0.95)
    more = {
        "p50_seconds": p50,
        "p95_seconds": p95,
        "p95_goal": _P95_SECONDS,
        "concurrent": concurrent,
        "builds": len(together),
        "alone_p50_seconds": statistics.median(alone),
        "alone_p95_seconds": percentile(alone, 0.95),
    }
    figures = [Figure(OURS, p50, more={"p95_seconds": p95})]
    return Load("pipeline, warm", figures, _P50_SECONDS, "seconds", more, (p95 <= _P95_SECONDS,))
