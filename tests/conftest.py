"""Says at the end which kinds of tests were skipped, and why; a shell with a desk's variables runs the same tests.

With workers (`-n 2`) a file's tests stay together, because they share what is set up for it, and those
of some folders, whose tests share for the session what takes long to start.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

_TOGETHER = ("e2e", "installs", "browser")
"""Folders whose tests share desks, a cluster, a browser; the longest begin first."""
_ALONE = "test_local_invoke.py"
"""It has a desk of its own, by `make up`, at the standard ports."""


def pytest_configure() -> None:
    for name in [each for each in os.environ if each.startswith(("AWS_", "BYOA_"))]:
        del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(_TOGETHER)}
    items.sort(key=lambda item: order.get(item.path.parent.name, len(order)))


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]
    """Groups by ``group_of``."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Groups by the test's place: pytest 9.2 shows no names that xdist 3.8 would take groups by marks from."""
    return Scheduler(config, log)


def group_of(nodeid: str) -> str:
    """What one worker runs: a file, or a folder whose tests share what takes long to start."""
    file = nodeid.partition("::")[0]
    folder, _, name = file.rpartition("/")
    return folder if folder.rpartition("/")[2] in _TOGETHER and name != _ALONE else file


def pytest_terminal_summary(terminalreporter: Any) -> None:
    stats = terminalreporter.stats
    ran = len(stats.get("passed", [])) + len(stats.get("failed", []))
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in stats.get("skipped", []))
    terminalreporter.write_line(f"{ran} tests ran; {sum(reasons.values())} were skipped")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"  skipped {count}: {reason}")
