"""Says at the end which kinds of tests were skipped, and why; a shell with a desk's variables runs the same tests."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any


def pytest_configure() -> None:
    for name in [each for each in os.environ if each.startswith(("AWS_", "BYOA_"))]:
        del os.environ[name]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    stats = terminalreporter.stats
    ran = len(stats.get("passed", [])) + len(stats.get("failed", []))
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in stats.get("skipped", []))
    terminalreporter.write_line(f"{ran} tests ran; {sum(reasons.values())} were skipped")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"  skipped {count}: {reason}")
