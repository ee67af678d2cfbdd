"""What is measured, and what follows from it: medians, ratios, orders, verdicts. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

OURS = "byoa"
FOREIGN_SHARE = 0.1
"""Of the machine's CPU time: a run during which strangers used more is disturbed."""

type Unit = Literal["ratio", "seconds", "requests", "USD", "MiB", "MiB at the peak"]


class Requests(NamedTuple):
    """HTTP requests to each side, for one artifact."""

    source: float
    target: float

    def __str__(self) -> str:
        return f"{self.source:g}+{self.target:g}"


class Cpu(NamedTuple):
    """CPU seconds of the tool's processes and of each side's registry.

    Where their sum nears the wall time of all cores, or one registry's nears the wall time, a tool has little to gain.
    """

    tool: float
    source: float
    target: float

    def __str__(self) -> str:
        return "+".join(f"{each:.2f}" for each in self)


@dataclass(frozen=True, slots=True)
class Run:
    """One run: seconds, requests and CPU time for one artifact, the largest peak of its processes."""

    seconds: float
    rss_mib: float
    requests: Requests | None
    disturbed: bool = False
    cpu: Cpu | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One tool under one load; ``note`` says why a figure is missing."""

    tool: str
    seconds: float | None
    rss_mib: float | None = None
    requests: Requests | None = None
    cpu: Cpu | None = None
    note: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        document: dict[str, Any] = {
            "tool": self.tool,
            "seconds": rounded(self.seconds),
            "rss_mib": rounded(self.rss_mib, 1),
            "requests": self.requests._asdict() if self.requests else None,
            "cpu_seconds": {name: rounded(each) for name, each in self.cpu._asdict().items()} if self.cpu else None,
            **self.more,
        }
        return document | ({"note": self.note} if self.note else {})


@dataclass(frozen=True, slots=True)
class Load:
    """All tools under one load, and the goal.

    ``further`` are goals beside the main one, met or not; ``no_peers`` are tools that don't do the same work.
    """

    name: str
    figures: Sequence[Figure]
    goal: float | str | None
    unit: Unit = "ratio"
    more: dict[str, Any] = field(default_factory=dict)
    further: tuple[bool, ...] = ()
    no_peers: frozenset[str] = frozenset()

    @property
    def ours(self) -> Figure | None:
        """Our own figure, if there is one."""
        return next((figure for figure in self.figures if figure.tool == OURS), None)

    @property
    def best_peer(self) -> Figure | None:
        """The peer with the fewest requests or the least time."""
        others = [figure for figure in self.figures if figure.tool not in {OURS, *self.no_peers}]
        peers = [figure for figure in others if self._cost(figure) is not None]
        return min(peers, key=lambda figure: self._cost(figure) or 0.0, default=None)

    @property
    def ratio(self) -> float | None:
        """Ours over the best peer's; ``None`` without both."""
        ours, best = self.ours, self.best_peer
        return ratio(self._cost(ours) if ours else None, self._cost(best) if best else None)

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached, with all further ones; ``None`` where that can't be told."""
        main = self._met_main()
        return main if main is None else main and all(self.further)

    def _met_main(self) -> bool | None:
        ours = self.ours
        if isinstance(self.goal, str):
            return within(ours.requests, self.goal) if ours and ours.requests else None
        seconds = ours.seconds if ours else None
        memory = ours.rss_mib if ours else None
        reached = {"ratio": self.ratio, "MiB": memory, "MiB at the peak": memory}.get(self.unit, seconds)
        return None if reached is None or self.goal is None else reached <= self.goal

    def _cost(self, figure: Figure) -> float | None:
        if self.unit == "requests":
            return sum(figure.requests) if figure.requests else None
        return figure.seconds

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        best = self.best_peer
        return {
            "load": self.name,
            "best_peer": best.tool if best else None,
            "ratio": rounded(self.ratio, 3),
            "goal": self.goal,
            "unit": self.unit,
            "met": self.met,
            "tools": [figure.as_dict() for figure in self.figures],
            **self.more,
        }


def ratio(ours: float | None, best: float | None) -> float | None:
    """Ours over theirs; ``None`` without one of them."""
    return ours / best if ours is not None and best else None


def within(requests: Requests, goal: str) -> bool:
    """Whether neither side got more than the goal says (``3+7``)."""
    source, _, target = goal.partition("+")
    return requests.source <= float(source) and requests.target <= float(target)


def rotated[T](items: Sequence[T], by: int) -> list[T]:
    """The same items, another one first in each round."""
    start = by % len(items) if items else 0
    return [*items[start:], *items[:start]]


def median_figure(tool: str, runs: Sequence[Run]) -> Figure:
    """The medians of the runs that nobody disturbed, or of all where those are fewer than half."""
    calm = [run for run in runs if not run.disturbed]
    chosen = calm if 2 * len(calm) >= len(runs) else runs
    disturbed = sum(run.disturbed for run in chosen)
    counted, clocked = [run.requests for run in chosen if run.requests], [run.cpu for run in chosen if run.cpu]
    return Figure(
        tool,
        statistics.median(run.seconds for run in chosen),
        max(run.rss_mib for run in chosen),
        Requests(*_medians(counted)) if counted else None,
        Cpu(*_medians(clocked)) if clocked else None,
        more={"runs": len(chosen), "disturbed": disturbed},
    )


def _medians(runs: Sequence[tuple[float, ...]]) -> list[float]:
    """Of each place, the median over all runs."""
    return [statistics.median(side) for side in zip(*runs, strict=True)]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` of all are no larger than."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


def rounded(value: float | None, digits: int = 4) -> float | None:
    """``value`` to so many digits behind the point, if there is one."""
    return None if value is None else round(value, digits)
