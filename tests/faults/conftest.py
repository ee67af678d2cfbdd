"""Says at the end what was injected, and what came of it."""

from __future__ import annotations

from typing import Any


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", []) if "/faults/" in report.nodeid else ():
                terminalreporter.write_line(f"{name}: {value}")
