"""The load that means harm: what memory and time small inputs of strangers take. It is no race, so we are alone."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.figures import OURS, Figure, Load
from bench.hostile import ROWS, Hostile
from bench.tools import prepare

if TYPE_CHECKING:
    from bench.stand import Stand

_CEILING_MIB: Final = 256
"""A function has 512, and what it imports beside us."""


def hostile(stand: Stand) -> list[Load]:
    """One load a row. That a mirror is refused is as good an end as any: what it took is measured."""
    return [_measure(stand, name) for name in ROWS]


def _measure(stand: Stand, name: str) -> Load:
    make, option = ROWS[name]
    with Hostile(make()) as registry:
        prepare(stand.folder / "home", (registry.address,))
        tag = "" if option == "--all-tags" else ":v1"
        source, target = (f"oci://{registry.address}/{each}/app{tag}" for each in ("source", "target"))
        byoa = Path(sys.executable).with_name("byoa")
        command = shlex.join([str(byoa), "mirror", source, target, option, "--plain-http", registry.address])
        taken = stand.clock([["/bin/sh", "-c", f"{command} || true"]])
    figure = Figure(OURS, taken.seconds, taken.rss_mib, more={"disturbed": int(taken.disturbed), "runs": 1})
    return Load(f"hostile, {name}", [figure], _CEILING_MIB, "MiB at the peak")
