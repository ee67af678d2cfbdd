"""Reads one bundle in a process of its own: a layout as an inspection does, a file as PyYAML's C loader does.

first_look.py FOLDER|FILE    prints {"objects", "seconds", "rss_mib"}
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import yaml

from byoa.adapters.registries.layout import LayoutRepository
from byoa.builds.inspect import look_into


def look(place: Path) -> dict[str, float]:
    """What was found in how long, and the peak of this process."""
    begun = time.perf_counter()
    if place.is_dir():
        source = LayoutRepository(place)
        objects = len(look_into(source, source.fetch_manifest("v1")).resources)
    else:
        with place.open("rb") as file:
            objects = sum(1 for _ in yaml.load_all(file, Loader=yaml.CSafeLoader))
    seconds = time.perf_counter() - begun
    return {
        "objects": objects,
        "seconds": seconds,
        "rss_mib": _peak_mib(),
    }


def _peak_mib() -> float:
    """Of this program alone: what getrusage tells begins with the peak of who started it."""
    found = re.search(r"VmHWM:\s+([0-9]+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    print(json.dumps(look(Path(sys.argv[1]))))
