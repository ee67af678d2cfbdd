"""How running builds are shown: a spinner on a terminal that can draw one, lines elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.screen import Screen

HIDDEN = "\x1b[?25l"
"""A spinner hides the cursor while it turns."""

ROOT = Path(__file__).parents[2]
QUEUED = """
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.clocks import SteppingClock
from byoa.components.reading import check_config
from byoa.errors import Timeout
from byoa_cli.following import follow

ledger = MemoryLedger(SteppingClock())
text = 'name = "web"\\ntype = "kubernetes_manifest"\\nnamespace = "vendor"\\nmanifest = "a: 1"\\n'
config = check_config(text).config
try:
    follow([ledger.submit("org_demo00000000", "shop", config).build], ledger, 0.1, shown=True)
except Timeout as error:
    print(error.cause)
"""
COMMAND = [sys.executable, "-c", QUEUED]


def test_a_terminal_gets_a_spinner() -> None:
    with Screen(COMMAND, {"TERM": "xterm", "PYTHONPATH": str(ROOT)}) as screen:
        code, drawn = screen.end()
    assert (code, HIDDEN in drawn) == (0, True)
    assert "building component" in drawn


def test_a_dumb_terminal_gets_lines() -> None:
    with Screen(COMMAND, {"TERM": "dumb", "PYTHONPATH": str(ROOT)}) as screen:
        code, drawn = screen.end()
    assert (code, "\x1b" in drawn) == (0, False)
    assert drawn.startswith("building component bld")


@pytest.mark.parametrize("variables", [{}, {"FORCE_COLOR": "1"}], ids=str)
def test_a_log_gets_lines_even_where_colours_are_forced_into_it(variables: dict[str, str]) -> None:
    environment = {"TERM": "xterm", "PYTHONPATH": str(ROOT)} | variables
    done = subprocess.run(COMMAND, capture_output=True, text=True, env=environment, check=True)
    assert HIDDEN not in done.stderr
    assert done.stderr.startswith("building component bld")
    assert done.stdout == "Not all builds ended in time; they go on.\n"
