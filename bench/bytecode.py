"""Byte code, as it is there after any first run: no figure is to hold a compiler's work."""

from __future__ import annotations

import subprocess
import sysconfig
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def compile_all(python: str | Path, folders: Iterable[str | Path]) -> None:
    """Compile what lies in the folders and isn't compiled yet; what can't be compiled stays as it is."""
    subprocess.run([python, "-m", "compileall", "-q", *folders], capture_output=True, check=False)


def our_folders() -> list[str]:
    """Where the command line and all that it imports lie."""
    specs = [find_spec(name) for name in ("byoa", "byoa_cli")]
    packages = [place for spec in specs if spec for place in spec.submodule_search_locations or ()]
    return [*packages, sysconfig.get_path("purelib")]


def without_python_settings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without variables that change how Python runs; where it finds modules stays."""
    return {name: value for name, value in environment.items() if not name.startswith("PYTHON") or name == "PYTHONPATH"}
