"""Says at the end which kinds of tests were skipped, and why."""

from __future__ import annotations

from collections import Counter
from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    stats = terminalreporter.stats
    ran = len(stats.get("passed", [])) + len(stats.get("failed", []))
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in stats.get("skipped", []))
    terminalreporter.write_line(f"{ran} tests ran; {sum(reasons.values())} were skipped")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"  skipped {count}: {reason}")
