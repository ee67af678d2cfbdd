"""The test stand: where to measure and how much, and the way to run a batch of copies between two registries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.figures import Cpu, Requests, Run
from bench.measuring import Taken, stopwatch
from bench.tools import environment, prepare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.registries import Pair

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the loads are; the defaults are those of the goals."""

    large: int = 1024 * _MIB
    many: tuple[int, ...] = (40_000_000,) * 12
    flat: int = 10 * 1024 * _MIB
    layers: int = 5000
    engine: int = 200
    fleet: int = 500
    bundles: tuple[tuple[int, int], ...] = ((2_000_000, 60), (20_000_000, 1000))
    concurrent: int = 20
    alone: int = 10
    calls: int = 200
    clients: int = 50
    crowd_seconds: float = 60
    installs: tuple[int, ...] = (25, 59, 300)
    planned: int = 300

    @classmethod
    def quick(cls) -> Sizes:
        """Enough to see that everything runs."""
        return cls(
            large=8 * _MIB,
            many=(1_000_000,) * 3,
            flat=64 * _MIB,
            layers=50,
            engine=4,
            fleet=8,
            bundles=((100_000, 6), (200_000, 20)),
            concurrent=3,
            alone=2,
            calls=10,
            clients=5,
            crowd_seconds=2,
            installs=(25,),
            planned=20,
        )


@dataclass(slots=True)
class Stand:
    """A folder for all files, the sizes of the loads, and the rounds where they are not each load's own."""

    folder: Path
    sizes: Sizes
    rounds: int | None = None
    _number: int = field(default=0, init=False)

    def times(self, usual: int) -> int:
        """How many rounds a load takes."""
        return self.rounds or usual

    def next_number(self) -> int:
        """Another number each time, for names that were never used."""
        self._number += 1
        return self._number

    def take(self, pair: Pair, commands: Sequence[Sequence[str]], *, artifacts: int = 1, jobs: int = 1) -> Run:
        """Run the commands between two registries: times of all together, requests for each of the artifacts."""
        prepare(self.folder / "home", (pair.source.host, pair.target.host))
        for registry in (pair.source, pair.target):
            registry.count()
        taken = self.clock(commands, jobs=jobs, servers=pair.pids)
        source, target = pair.source.count(), pair.target.count()
        requests = None if source is None or target is None else Requests(source / artifacts, target / artifacts)
        return Run(taken.seconds, taken.rss_mib, requests, taken.disturbed, Cpu(taken.cpu, *taken.servers))

    def clock(self, commands: Sequence[Sequence[str]], *, jobs: int = 1, servers: Sequence[int] = ()) -> Taken:
        """Run commands in the tools' environment."""
        surroundings = environment(self.folder / "home")
        return stopwatch(commands, surroundings, self.folder / "tools.log", jobs=jobs, servers=servers)
