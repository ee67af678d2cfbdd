"""An organisation's people at the desk, as they begin: its first token, made by who has AWS credentials, and a login.

Whoever is logged in has the token alone: no AWS credentials, and no name of the stack's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from local.processes import DeskError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.desk import Desk

BYOA = str(Path(sys.executable).parent / "byoa")


def bootstrap(running: Desk, organisation: str | None = None) -> str:
    """`byoa admin bootstrap`: a token with the scope admin, good for a month. Raises DeskError.

    It is of the desk's own organisation, or of another one.
    """
    environment = {**outside(), **running.environment()}
    if organisation:
        environment["BYOA_ORG"] = organisation
    return run(["admin", "bootstrap"], environment).strip()


def log_in(running: Desk, token: str, folder: Path) -> dict[str, str]:
    """`byoa login`, with a profile in ``folder``: the variables of a shell that has it. Raises DeskError."""
    environment = {**outside(), "XDG_CONFIG_HOME": str(folder.resolve())}
    run(["login", "--api", running.api, "--app", running.environment()["BYOA_APP"]], environment, token)
    return environment


def variables(running: Desk, token: str) -> dict[str, str]:
    """All that the command line needs where there is no profile."""
    return {"BYOA_API": running.api, "BYOA_TOKEN": token, "BYOA_ORG": running.environment()["BYOA_ORG"]}


def outside() -> dict[str, str]:
    """This process's variables, but for those that lead to a stack, and so to another desk's."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "BYOA_"))}


def run(arguments: list[str], environment: Mapping[str, str], stdin: str = "") -> str:
    """What `byoa` prints on stdout. Raises DeskError with all that it said where it fails."""
    done = subprocess.run([BYOA, *arguments], env=environment, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DeskError(f"`byoa {' '.join(arguments[:3])}` failed.", f"{done.stdout}{done.stderr}"[-3000:])
    return done.stdout


def seen(
    command: list[str], environment: Mapping[str, str], *, stdin: int | None = None, stdout: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `byoa` where people see what it says.

    In a session of its own, as Ctrl-C is ours alone to tell of: what goes on without it ends with the desk.
    """
    return subprocess.run(
        command, env=environment, stdin=stdin, stdout=stdout, text=True, check=False, start_new_session=True
    )
