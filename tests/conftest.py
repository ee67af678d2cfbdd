"""Says at the end which kinds of tests were skipped, and why; a shell with a desk's variables runs the same tests.

With workers (`-n 2 --dist loadgroup`) a module's tests stay together, because they share what is set up for it, and all
tests on the session's desks are one worker's, so that no desk is set up twice.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

_DESKS = Path(__file__).parent / "e2e"
_ITS_OWN = "test_local_invoke.py"
"""It has a desk by `make up`, at the standard ports."""


def pytest_configure() -> None:
    for name in [each for each in os.environ if each.startswith(("AWS_", "BYOA_"))]:
        del os.environ[name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What lasts longest begins first: the desks."""
    items.sort(key=lambda item: not item.path.is_relative_to(_DESKS))
    for item in items:
        on_desks = item.path.parent == _DESKS and item.path.name != _ITS_OWN
        item.add_marker(pytest.mark.xdist_group("desks" if on_desks else f"{item.path.parent.name}.{item.path.stem}"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    stats = terminalreporter.stats
    ran = len(stats.get("passed", [])) + len(stats.get("failed", []))
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in stats.get("skipped", []))
    terminalreporter.write_line(f"{ran} tests ran; {sum(reasons.values())} were skipped")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"  skipped {count}: {reason}")
