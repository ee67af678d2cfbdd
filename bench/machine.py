"""What the figures were measured on and with: nothing that names the machine, its owner or its folders."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from pathlib import Path

from bench import tools
from bench.registries import in_memory, real_kinds


def describe() -> dict[str, object]:
    """For the results file."""
    registries = [f"{kind} {tools.version(kind, *_VERSION_ARGUMENTS.get(kind, ())) or ''}" for kind in real_kinds()]
    peers = {peer: tools.version(peer, *_VERSION_ARGUMENTS.get(peer, ())) for peer in tools.PEERS}
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "bare interpreter": f"{_interpreter_ms():.0f} ms to start, after the loads (13 where the goals were set)",
        "registries": f"{', '.join(map(str.strip, registries))}; storage {'in memory' if in_memory() else 'on disk'}",
        "tools": {"byoa": version_of("byoa"), **{peer: found for peer, found in peers.items() if found}},
    }


_VERSION_ARGUMENTS = {"skopeo": ("--version",), "docker-registry": ("--version",)}


def _interpreter_ms() -> float:
    """How fast the machine is just now: the median start of a bare interpreter, in milliseconds."""
    found = []
    for _ in range(15):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)
        found.append(time.perf_counter() - started)
    return statistics.median(found) * 1000


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
