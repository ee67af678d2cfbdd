"""What each function takes, and costs, with as much CPU as its memory size would give it."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from bench.figures import Figure, Load
from bench.loads.cold_start import round_of
from bench.prices import LIST_PRICES
from bench.share import share

if TYPE_CHECKING:
    from pathlib import Path

    from bench.pipeline import Pipeline

SIZES: Final = (256, 512, 1024, 1769)
"""Megabytes."""


def memory(pipeline: Pipeline, rounds: int, folder: Path) -> Load:
    """For each function and size: seconds of the first answer and of one after it, and USD for a million of those.

    A first answer on AWS is sooner: Lambda gives a whole CPU while modules are imported. The rules are off meanwhile.
    """
    taken: dict[str, dict[int, list[dict[str, float]]]] = {}
    for size in SIZES:
        with share(size) as group:
            if group is None:
                return Load("memory", [], None, "seconds", {"not measured": "no share of a CPU can be had here"})
            for _ in range(rounds):
                for name, times in round_of(pipeline, folder, group).items():
                    taken.setdefault(name, {}).setdefault(size, []).append(times)
    return Load("memory", [_figure(name, runs) for name, runs in taken.items()], None, "seconds")


def _figure(name: str, runs: dict[int, list[dict[str, float]]]) -> Figure:
    more: dict[str, dict[str, float]] = {}
    for size, times in runs.items():
        first, warm = (statistics.median(each[key] for each in times) for key in ("first_answer", "again"))
        dollars = warm * size / 1024 * LIST_PRICES["lambda_gb_second"] * 1e6
        more[f"{size} MB"] = {"first": round(first, 3), "warm": round(warm, 4), "usd_per_million": round(dollars, 2)}
    return Figure(name, None, more=more)
