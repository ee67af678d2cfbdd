"""The standard streams, whatever they are: closed, full, broken, or of an encoding that lacks most letters."""

from __future__ import annotations

import os
import sys
from typing import Any


def prepare() -> None:
    """Have all three, and write what an encoding lacks as an escape instead of not at all."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _open_missing()
    for stream in (sys.stdout, sys.stderr):
        encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
        if encoding != "utf8" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _open_missing() -> None:
    """A stream that is closed is one to nowhere; no file that is opened later may pass for it."""
    while (file := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - the number of stderr
        pass
    os.close(file)
    streams: Any = sys  # typed as never missing
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(streams, name) is None:
            setattr(streams, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - until the end


def flush() -> None:
    """Send what was written. Raises ``OSError``, here rather than at the interpreter's end."""
    sys.stdout.flush()


def silence() -> None:
    """Let nothing more be said on stdout, which can't take it."""
    try:
        number = sys.stdout.fileno()
    except (OSError, ValueError):  # no file: a test's
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
