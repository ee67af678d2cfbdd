"""Measures BYOA beside its peers and prints the figures, with the goals.

python bench/run.py                              every load, with each peer that is on PATH
python bench/run.py --only large --only fleet    the loads whose names begin so
python bench/run.py --quick                      small sizes: whether it all runs
"""

from __future__ import annotations

import argparse
import functools
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bench.bytecode import compile_all, our_folders
from bench.hostile import ROWS
from bench.loads import api, copying, hooks, inspecting, installs, pages, pipeline
from bench.loads.hostile import hostile
from bench.machine import describe
from bench.registries import real_kinds, storage_folder
from bench.report import as_json, save, show
from bench.stand import Sizes, Stand
from bench.tools import tools

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.figures import Load

_RESULTS = Path(__file__).parent / "results"

GROUPS: dict[tuple[str, ...], Callable[[Stand], list[Load]]] = {
    ("large, null registry",): copying.large_null,
    ("large, real registry",): copying.large_real,
    ("many layers, real registry",): copying.many_layers,
    ("flat, one blob of 10 GiB", "flat, 5,000 layers"): copying.flat,
    ("small, warm engine",): copying.small_warm,
    ("small, whole process", "requests, no-op", "requests, cold small artifact"): copying.small,
    ("fleet of 500, cold", "fleet of 500, no-op"): copying.fleet,
    inspecting.NAMES: inspecting.inspecting,
    ("pipeline, warm", "cold start", "cost", "memory"): pipeline.pipeline,
    api.NAMES: api.api,
    hooks.NAMES: hooks.hook,
    pages.NAMES: pages.pages,
    installs.NAMES: installs.installs,
    tuple(f"hostile, {name}" for name in ROWS): hostile,
}


def wanted(name: str, only: Sequence[str]) -> bool:
    """Whether a load was asked for."""
    return not only or any(name.startswith(each) for each in only)


def measure(stand: Stand, only: Sequence[str]) -> list[Load]:
    """All loads that were asked for, in the order of the goals."""
    loads: list[Load] = []
    for names, group in GROUPS.items():
        asked = [name for name in names if wanted(name, only)]
        if asked:
            _say(f"measuring {'; '.join(asked)}")
            loads += [load for load in group(stand) if wanted(load.name, asked)]
    return loads


_say = functools.partial(print, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    about, _, examples = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        description=about, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a load, or how its name begins")
    parser.add_argument("--rounds", type=int, metavar="N", help="runs of each tool (default: 3 to 15, by load)")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round; nothing is kept")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line of stdout")
    return parser


def main() -> int:
    """Measure, print, and keep the figures of a full run."""
    given = _parser().parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and everything that was started is stopped
    if not any(wanted(name, given.only) for names in GROUPS for name in names):
        _say(f"no load is called so; there are: {'; '.join(name for names in GROUPS for name in names)}")
        return 2
    sizes = Sizes.quick() if given.quick else Sizes()
    _say(f"tools: {', '.join(tools())}; the real registries are {', '.join(real_kinds())}")
    compile_all(sys.executable, our_folders())
    with storage_folder() as folder:
        loads = measure(Stand(folder, sizes, 1 if given.quick else given.rounds), given.only)
    show(loads, stderr=given.json)
    if given.json:
        print(as_json(loads))
    if not given.only and not given.quick:
        save(loads, describe(), _RESULTS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
