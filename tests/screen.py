"""A program on a terminal: what it prints there, and what it answers to keys."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PATIENCE = 30
"""Seconds after which a program that says nothing more is given up."""


class Screen:
    """A program that has a terminal for stdin, stdout and stderr; ended when it is left."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)
        self.text = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._master)
        self._process.kill()
        self._process.wait()

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, text: str) -> str:
        """Read on until ``text`` is there and return what came before; what is waited for next comes after it."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.text:
            if not self._read(deadline):
                raise AssertionError(f"{text!r} is not in {self.text!r}")
        before, _, self.text = self.text.partition(text)
        return before

    def end(self) -> tuple[int, str]:
        """Wait for the program's end and return its exit code and the rest of what it printed."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self._process.wait(PATIENCE), self.text.replace("\r\n", "\n")

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            return False
        try:
            found = os.read(self._master, 65536)
        except OSError:  # how Linux tells that the program has closed its end
            return False
        self.text += found.decode(errors="replace")
        return bool(found)
