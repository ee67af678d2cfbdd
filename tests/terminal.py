"""The command line as its users meet it: a process of its own, in a home of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

BYOA = str(Path(sys.executable).parent / "byoa")


def byoa(*arguments: str, home: Path | None = None) -> tuple[int, str, str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home or "/nonexistent"), "COLUMNS": "200"}
    done = subprocess.run([BYOA, *arguments], capture_output=True, text=True, env=environment, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def document(*arguments: str, home: Path | None = None) -> tuple[int, dict[str, Any]]:
    code, printed, _ = byoa(*arguments, "--json", home=home)
    found: dict[str, Any] = json.loads(printed)
    return code, found
