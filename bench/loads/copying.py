"""The loads that copy between registries: one function for each set-up, giving the loads that share it."""

from __future__ import annotations

import functools
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.artifacts import TAG, Noise, Pusher, manifests_layer
from bench.figures import OURS, Figure, Load, Run, median_figure, rounded
from bench.measuring import ToolFailed, compare
from bench.registries import real_kinds, running
from bench.tools import WITH_REFERRERS, Copy, copy_command, list_command, tools

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.registries import Pair
    from bench.stand import Stand

_RSS_GOAL_MIB = 64
_JOBS = 4


def _on_each_registry(measure: Callable[[Stand, str], list[Load]]) -> Callable[[Stand], list[Load]]:
    """Measure between two registries of each real kind that there is. The first kind's loads bear the goals' names."""

    @functools.wraps(measure)
    def measured(stand: Stand) -> list[Load]:
        first, *others = real_kinds()
        loads = measure(stand, first)
        for kind in others:
            loads += [replace(load, name=f"{load.name}, {kind}") for load in measure(stand, kind)]
        return loads

    return measured


def large_null(stand: Stand) -> list[Load]:
    """One large layer between null registries: the client is what is measured.

    This target checks nothing, so a tool that leaves the checking to the target does less than the others: it is shown,
    and no peer.
    """
    trusting = _trusting(stand)
    with running("null", stand.folder / "null", ["--layer", str(stand.sizes.large)]) as pair:

        def run(tool: str) -> Run:
            name = f"large/{stand.next_number()}:{TAG}"
            return stand.take(pair, [copy_command(tool, _between(pair, name))])

        figures = compare(tools(), stand.times(5), run)
    more = {"passes corrupt bytes on, so no peer here": ", ".join(sorted(trusting)) or "none"}
    return [Load("large, null registry", figures, 0.65, more=more, no_peers=trusting)]


def _trusting(stand: Stand) -> frozenset[str]:
    """The tools that copy a layer whose bytes don't match its digest without a word."""
    found = set()
    with running("null", stand.folder / "corrupt", ["--layer", "1000000", "--corrupt"]) as pair:
        for tool in tools():
            with suppress(ToolFailed):
                stand.take(pair, [copy_command(tool, _between(pair, f"corrupt/{tool}:{TAG}"))])
                found.add(tool)
    return frozenset(found)


@_on_each_registry
def large_real(stand: Stand, kind: str) -> list[Load]:
    """One large layer between real registries; our peak memory is set against that of our imports alone."""
    figures = _into_emptied(stand, kind, "large", [stand.sizes.large])
    imports = stand.clock([[sys.executable, "-c", "import byoa_cli.main"]]).rss_mib
    peak = next((figure.rss_mib for figure in figures if figure.tool == OURS), None)
    above = None if peak is None else round(peak - imports, 1)
    more = {"imports_rss_mib": round(imports, 1), "rss_above_imports_mib": above, "rss_goal_mib": _RSS_GOAL_MIB}
    kept = above is not None and above <= _RSS_GOAL_MIB
    return [Load("large, real registry", figures, 1.0, more=more, further=(kept,))]


@_on_each_registry
def many_layers(stand: Stand, kind: str) -> list[Load]:
    """Many middling layers between real registries; beside the best peer's, the ratio to the best that checks bytes."""
    load = Load("many layers, real registry", _into_emptied(stand, kind, "many", stand.sizes.many), 1.0)
    checking = replace(load, no_peers=_trusting(stand))
    best = checking.best_peer
    more = {"best_that_checks_bytes": best.tool if best else None, "ratio_to_that": rounded(checking.ratio, 2)}
    return [replace(load, more=more)]


def flat(stand: Stand) -> list[Load]:
    """Ours alone, on what is far larger than anybody pushes: its peak memory above that of its imports."""
    imports = stand.clock([[sys.executable, "-c", "import byoa_cli.main"]]).rss_mib
    loads = [
        ("flat, one blob of 10 GiB", [str(stand.sizes.flat)]),
        ("flat, 5,000 layers", [str(1000 + number) for number in range(stand.sizes.layers)]),
    ]
    return [Load(name, [_flat(stand, sizes, imports)], _RSS_GOAL_MIB, "MiB") for name, sizes in loads]


def _flat(stand: Stand, sizes: Sequence[str], imports: float) -> Figure:
    layers = [part for size in sizes for part in ("--layer", size)]
    number = stand.next_number()
    with running("null", stand.folder / f"flat-{number}", layers) as pair:
        taken = stand.take(pair, [copy_command(OURS, _between(pair, f"flat/{number}:{TAG}"))])
    above = round(taken.rss_mib - imports, 1)
    return Figure(OURS, taken.seconds, above, taken.requests, more={"imports_rss_mib": round(imports, 1)})


def small(stand: Stand) -> list[Load]:
    """Small artifacts, a process each: cold into a new repository, then once more when it is all there."""
    count, compared = stand.times(15), [*tools(), WITH_REFERRERS]
    with running(real_kinds()[0], stand.folder / "small") as pair:
        copies = iter(_push_small(pair, count * len(compared)))
        noop: dict[str, list[Run]] = {}

        def run(tool: str) -> Run:
            command = copy_command(tool, next(copies))
            cold = stand.take(pair, [command])
            noop.setdefault(tool, []).append(stand.take(pair, [command]))
            return cold

        cold = compare(compared, count, run)
    ours_too = frozenset({WITH_REFERRERS})
    return [
        Load("small, whole process", cold, 0.25, "seconds", no_peers=ours_too),
        Load("requests, no-op", _again(cold, noop), "1+1", "requests", no_peers=ours_too),
        Load("requests, cold small artifact", cold, "3+7", "requests", no_peers=ours_too),
    ]


@_on_each_registry
def small_warm(stand: Stand, kind: str) -> list[Load]:
    """Many small artifacts in one process of ours, a process each for the peers; figures for one artifact.

    The goal names crane, so that where crane is there it is the one peer; the ratio to the best one stands beside.
    """
    count = stand.sizes.engine
    with running(kind, stand.folder / f"engine-{kind}") as pair:
        copies = _push_small(pair, count)

        def run(tool: str) -> Run:
            pair.target.empty()
            taken = stand.take(pair, _all_of(stand, tool, copies, jobs=1), artifacts=count)
            return replace(taken, seconds=taken.seconds / count)

        figures = compare(tools(), stand.times(5), run)
    load = Load("small, warm engine", figures, 0.5)
    best = load.best_peer
    more = {"artifacts": count, "best_of_all": best.tool if best else None, "ratio_to_that": rounded(load.ratio, 2)}
    named = frozenset(tools()) - {"crane"} if "crane" in tools() else frozenset()
    return [replace(load, more=more, no_peers=named)]


@_on_each_registry
def fleet(stand: Stand, kind: str) -> list[Load]:
    """Many small artifacts, four at a time: first cold, then once more when it is all there."""
    count = stand.sizes.fleet
    noop: dict[str, list[Run]] = {}
    with running(kind, stand.folder / f"fleet-{kind}") as pair:
        copies = _push_small(pair, count)

        def run(tool: str) -> Run:
            pair.target.empty()
            commands = _all_of(stand, tool, copies, jobs=_JOBS)
            cold = stand.take(pair, commands, artifacts=count, jobs=_JOBS)
            noop.setdefault(tool, []).append(stand.take(pair, commands, artifacts=count, jobs=_JOBS))
            return cold

        cold = compare(tools(), stand.times(3), run)
        floor = _floor(stand, copies)
    more: dict[str, Any] = {"artifacts": count, "at_a_time": _JOBS}
    warm = Load("fleet of 500, no-op", _again(cold, noop), 0.2)
    bare: dict[str, Any] = {"bare_requests_seconds": round(floor, 3)}
    if warm.best_peer and warm.best_peer.seconds:
        bare["bare_requests_ratio"] = round(floor / warm.best_peer.seconds, 2)
    return [Load("fleet of 500, cold", cold, 0.65, more=more), replace(warm, more=more | bare)]


def _floor(stand: Stand, copies: Sequence[Copy]) -> float:
    """Seconds for the no-op's requests alone, by bare sockets: nearly all of that is the registries'."""
    file = stand.folder / "list"
    list_command(copies, file, jobs=_JOBS)
    command = [sys.executable, str(Path(__file__).with_name("bare_requests.py")), str(file), str(_JOBS)]
    return median(stand.clock([command]).seconds for _ in range(stand.times(3)))


def _into_emptied(stand: Stand, kind: str, repository: str, sizes: Sequence[int]) -> list[Figure]:
    """Every tool copies the same artifact into a target that was just emptied.

    The first copy counts for nobody: it was measured to cost its target up to twice the CPU of the later ones, which
    store into memory that was used before.
    """
    with running(kind, stand.folder / f"{repository}-{kind}") as pair:
        pusher = Pusher(pair.source.host)
        pusher.push(repository, [Noise(size, number) for number, size in enumerate(sizes)])
        pusher.close()

        def run(tool: str) -> Run:
            pair.target.empty()
            return stand.take(pair, [copy_command(tool, _between(pair, f"{repository}:{TAG}"))])

        with suppress(ToolFailed):  # which the comparison tells
            run(OURS)
        return compare(tools(), stand.times(5), run)


def _push_small(pair: Pair, count: int) -> list[Copy]:
    """Put that many typical artifacts into the source, each into a repository of its own."""
    pusher = Pusher(pair.source.host)
    for number in range(count):
        pusher.push(f"fleet/app-{number}", [manifests_layer(number)])
    pusher.close()
    return [_between(pair, f"fleet/app-{number}:{TAG}") for number in range(count)]


def _between(pair: Pair, name: str) -> Copy:
    return Copy(f"{pair.source.host}/{name}", f"{pair.target.host}/{name}")


def _all_of(stand: Stand, tool: str, copies: Sequence[Copy], *, jobs: int) -> list[list[str]]:
    """All copies: one process of ours, one for each from a peer."""
    if tool == OURS:
        return [list_command(copies, stand.folder / "list", jobs=jobs)]
    return [copy_command(tool, copy) for copy in copies]


def _again(cold: Sequence[Figure], noop: dict[str, list[Run]]) -> list[Figure]:
    """The figures of the second runs; a tool that failed stays failed."""
    return [figure if figure.note else median_figure(figure.tool, noop[figure.tool]) for figure in cold]
