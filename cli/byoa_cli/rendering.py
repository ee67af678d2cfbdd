"""A kustomization rendered by kustomize or kubectl, within bounds of time and size."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import suppress
from tempfile import TemporaryFile
from threading import Event, Timer
from typing import IO, Final

from byoa.content.archive import LIMITS
from byoa.errors import ContentTooLarge, RenderFailed
from byoa_cli.output import err

_SECONDS: Final = 300
"""Bases may be fetched from elsewhere."""

_PROGRAMS: Final = (("kustomize", "build"), ("kubectl", "kustomize"))
_SHOWN: Final = 16 * 1024
"""Bytes of what a renderer that fails has said, the last ones."""


def render(folder: str) -> tuple[bytes, str]:
    """What the kustomization in ``folder`` stands for, and what rendered it.

    Raises ``RenderFailed`` where nothing on the PATH can, where it fails, and after five minutes; and
    ``ContentTooLarge`` for more than an artifact may hold.
    """
    program, word = _program()
    named = f"the output of `{program} {word}`"
    with TemporaryFile() as said:
        content, code = _run([program, word, os.path.join(".", folder)], said)  # noqa: PTH118 - no option, even for "-x"
        if len(content) > LIMITS.expanded:
            raise ContentTooLarge(f"There are more than {LIMITS.expanded} bytes.").at(named)
        if code is None:
            raise RenderFailed(f"`{program} {word}` didn't end within {_SECONDS} s.").at(folder)
        if code:
            _show(said)
            raise RenderFailed(f"`{program} {word}` ended with {code}.").at(folder)
    return content, named


def _program() -> tuple[str, str]:
    for program, word in _PROGRAMS:
        if shutil.which(program):
            return program, word
    raise RenderFailed(
        "Neither kustomize nor kubectl is on the PATH.",
        remedy="Install one of them, or pipe what another program renders into `byoa push … -`.",
    )


def _run(command: list[str], said: IO[bytes]) -> tuple[bytes, int | None]:
    """What the program prints, up to a byte too many, and how it ended; ``None`` where it had to be ended.

    It has a session of its own: no git that it starts can wait for an answer on the terminal, and all end with it.
    """
    late = Event()
    with subprocess.Popen(  # noqa: S603 - one of the two programs above, for the user's own folder
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, start_new_session=True
    ) as process:
        timer = Timer(_SECONDS, _give_up, (process, late))
        timer.start()
        try:
            content = process.stdout.read(LIMITS.expanded + 1) if process.stdout else b""
            code = process.wait() if len(content) <= LIMITS.expanded else None
        finally:
            timer.cancel()
            _end(process)
    return content, None if late.is_set() else code


def _give_up(process: subprocess.Popen[bytes], late: Event) -> None:
    late.set()
    _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it has ended
        os.killpg(process.pid, signal.SIGKILL)


def _show(said: IO[bytes]) -> None:
    said.seek(max(0, said.seek(0, os.SEEK_END) - _SHOWN))
    for line in said.read().decode(errors="replace").splitlines():
        err().print(line)
