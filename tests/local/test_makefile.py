"""`make setup` the first time: somebody who waits for minutes is told before."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from local.desk import ROOT

if TYPE_CHECKING:
    from pathlib import Path

UV = """\
#!/bin/sh
place=${UV_PROJECT_ENVIRONMENT:-.venv}
mkdir -p $place/bin
ln -sf /bin/true $place/bin/python
"""
NOTICE = "the first run downloads Python packages for three environments: that takes some minutes"


def setup(folder: Path) -> list[str]:
    command = ["make", "setup", f"UV={folder / 'uv'}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.splitlines()


def test_the_first_set_up_says_that_it_takes_its_time_before_it_does(tmp_path: Path) -> None:
    for name in ("Makefile", "uv.lock", "pyproject.toml", ".python-version"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "uv").write_text(UV)
    (tmp_path / "uv").chmod(0o755)
    first = setup(tmp_path)
    assert first.index(NOTICE) < next(at for at, line in enumerate(first) if " sync " in line)
    (tmp_path / ".venv" / ".ready").unlink()
    again = setup(tmp_path)
    assert (NOTICE in again, any(" sync " in line for line in again)) == (False, True)
