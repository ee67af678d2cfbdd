"""Runs commands under the stopwatch and watches whether strangers use the machine meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.figures import FOREIGN_SHARE, Figure, Run, median_figure, rotated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_STOPWATCH = Path(__file__).parent / "stopwatch.py"
_TICK = os.sysconf("SC_CLK_TCK")
_RESOLUTION = 0.03
"""Seconds of CPU time that the kernel's counting may be off."""


class ToolFailed(Exception):
    """A tool ended with an error; the text is the end of what it said."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a batch of commands took in all; CPU seconds are those of the commands and of each server."""

    seconds: float
    rss_mib: float
    disturbed: bool
    cpu: float
    servers: tuple[float, ...]


def stopwatch(
    commands: Sequence[Sequence[str]],
    environment: Mapping[str, str],
    log: Path,
    *,
    jobs: int = 1,
    servers: Iterable[int] = (),
) -> Taken:
    """Run the commands, ``jobs`` at a time. ``servers`` are the processes whose CPU time is ours too.

    Raises ToolFailed when one of them fails.
    """
    lines = "\n".join("\t".join(command) for command in commands)
    before, used = _foreign(servers := list(servers)), [_cpu_of(server) for server in servers]
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(_STOPWATCH), str(jobs), str(log)],
        input=lines,
        env=dict(environment),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    foreign = _foreign(servers) - before
    serving = tuple(_cpu_of(server) - so_far for server, so_far in zip(servers, used, strict=True))
    wall, cpu, peak, failures = done.stdout.split()
    if int(failures):
        raise ToolFailed(f"{failures} of {len(commands)} failed: {log.read_text(errors='replace').strip()[-600:]}")
    spare = FOREIGN_SHARE * float(wall) * (os.cpu_count() or 1) + _RESOLUTION
    return Taken(float(wall), float(peak) / 1024, foreign > spare, float(cpu), serving)


def compare(tools: Sequence[str], rounds: int, run: Callable[[str], Run]) -> list[Figure]:
    """The median of each tool's runs, the order of tools rotated each round. A tool that fails once is left out."""
    runs: dict[str, list[Run]] = {tool: [] for tool in tools}
    failed: dict[str, str] = {}
    for number in range(rounds):
        for tool in rotated(tools, number):
            if tool in failed:
                continue
            try:
                runs[tool].append(run(tool))
            except ToolFailed as failure:
                failed[tool] = str(failure)
    return [
        Figure(tool, None, note=failed[tool]) if tool in failed else median_figure(tool, runs[tool]) for tool in tools
    ]


def _foreign(servers: Iterable[int]) -> float:
    """CPU seconds of the machine so far that were neither ours, nor our children's, nor the servers'."""
    own = os.times()
    ours = own.user + own.system + own.children_user + own.children_system
    return _busy() - ours - sum(_cpu_of(server) for server in servers)


def _busy() -> float:
    """User, nice, system and stolen time; 0 where the kernel doesn't tell, and nothing counts as disturbed."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _idle, _iowait, _irq, _softirq, steal = map(int, fields[:8])
    return (user + nice + system + steal) / _TICK


def _cpu_of(process: int) -> float:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK
