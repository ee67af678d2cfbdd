"""Says at the end which kinds of tests were skipped, and why; a shell with a desk's variables runs the same tests.

With workers (`-n 2 --dist loadgroup`) a file's tests stay together, because they share what is set up for it, and those
of some folders, whose tests share for the session what takes long to start.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest

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
    for item in items:
        folder = item.path.parent.name
        is_alone = folder not in order or item.path.name == _ALONE
        item.add_marker(pytest.mark.xdist_group(f"{folder}.{item.path.stem}" if is_alone else folder))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    stats = terminalreporter.stats
    ran = len(stats.get("passed", [])) + len(stats.get("failed", []))
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in stats.get("skipped", []))
    terminalreporter.write_line(f"{ran} tests ran; {sum(reasons.values())} were skipped")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"  skipped {count}: {reason}")
