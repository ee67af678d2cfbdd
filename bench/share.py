"""A share of a CPU for one process, as Lambda gives it by a function's memory: 1,769 MB are one vCPU.

The kernel's own quota does it (cgroups, either version), where we may make a group; elsewhere nothing can be said.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MEGABYTES_OF_A_CPU: Final = 1769
"""Lambda, "Configure Lambda function memory"."""

_PERIOD: Final = 20_000
"""Microseconds in which a quota is used up or not."""

_PLACES: Final = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))


@contextmanager
def share(megabytes: int) -> Iterator[Path | None]:
    """A group whose processes together have as much of a CPU as a function of so much memory; ``None`` for none.

    A process joins by writing its id into the file ``cgroup.procs`` there. Several CPUs are no more than one.
    """
    group = _made()
    if group is None:
        yield None
        return
    try:
        _limit(group, max(1000, _PERIOD * megabytes // MEGABYTES_OF_A_CPU))
        yield group
    finally:
        group.rmdir()


def _made() -> Path | None:
    for place in _PLACES:
        group = place / f"bench-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        if (group / "cpu.cfs_quota_us").exists() or (group / "cpu.max").exists():
            return group
        group.rmdir()
    return None


def _limit(group: Path, quota: int) -> None:
    if (group / "cpu.max").exists():
        (group / "cpu.max").write_text(f"{quota} {_PERIOD}")
        return
    (group / "cpu.cfs_period_us").write_text(str(_PERIOD))
    (group / "cpu.cfs_quota_us").write_text(str(quota))
