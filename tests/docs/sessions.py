"""A session on a terminal as documentation shows it: commands behind ``$``, and what they print.

``…`` stands for any text; on a line of its own for any lines.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.docs.blocks import ROOT, write_files
from tests.docs.calls import DESK, judge
from tests.terminal import BYOA

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.docs.blocks import Block

_MARK: Final = "--- the command ended with"
_SECONDS: Final = 60


class Step(NamedTuple):
    """A command, and what it is shown to print."""

    command: str
    output: str


def steps(text: str) -> list[Step]:
    """Take a block and return its commands. Raises ``AssertionError`` for one that begins with something else."""
    assert text.startswith("$ "), "a session begins with a command behind $"
    found = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command = re.match(r"(?:.*\\\n)*.*\n?", part)
        assert command
        found.append(Step(command[0].strip(), part[command.end() :]))
    return found


def runnable(shown: list[Step]) -> tuple[list[Step], str | None]:
    """Check all commands and return those that can be run here, up to the first that can't, and what is missing."""
    verdicts = [judge(step.command) for step in shown]
    missing = next((each.missing for each in verdicts if each.missing), None)
    if not any(step.output for step in shown):
        return [], missing  # an illustration: it shows how to call, not what happens
    count = next((number for number, each in enumerate(verdicts) if not each.runs), len(shown))
    return shown[:count], missing


def run(
    block: Block, shown: list[Step], folder: Path, registry: str, desk: Mapping[str, str] | None = None
) -> list[tuple[int, str]]:
    """Run the commands one after the other in one shell and return how each ended and what it printed.

    ``registry`` is where the vendor's registry really is, ``desk`` the variables that lead to the stack.
    """
    write_files(block.page, folder, {DESK: registry})
    for name in (".venv", "examples", "tests"):
        (folder / name).symlink_to(ROOT / name)
    lines = [f"{step.command}\nended=$?; echo; echo {_MARK} $ended" for step in shown]
    path = f"{os.path.dirname(BYOA)}:{os.environ['PATH']}"  # noqa: PTH120 - text for a variable
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines).replace(DESK, registry)],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder / ".home"), "COLUMNS": "120", "NO_COLOR": "1", **(desk or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    printed = re.split(rf"\n{_MARK} (\d+)\n", done.stdout.replace(registry, DESK))
    return [(int(code), text) for text, code in zip(printed[::2], printed[1::2], strict=False)]


def fits(shown: str, printed: str) -> bool:
    """Whether a command printed what is shown."""
    pattern = "".join(_pattern(line) for line in shown.strip().splitlines())
    return re.fullmatch(pattern, printed.strip() + "\n") is not None


def _pattern(line: str) -> str:
    if line.strip() == "…":
        return r"(?:.*\n)*?"
    return ".*".join(map(re.escape, line.rstrip().split("…"))) + r"[ \t]*\n"
