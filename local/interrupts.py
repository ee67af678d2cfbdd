"""Ctrl-C at the desk, or SIGTERM: one sentence on what was stopped, and no server that nobody knows of."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from local.processes import Process

EXIT_CODE = 130
"""128 and the number of SIGINT, as shells have it."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def hear_sigterm() -> None:
    """Let SIGTERM, which whoever runs jobs ends them with, do what Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with a sentence on what became of what was going on."""


@contextlib.contextmanager
def held(*, passed_on: bool = True) -> Iterator[None]:
    """A signal waits for the end of this block: it comes then, or not at all where it isn't ``passed_on``.

    Only a main thread hears of it, so that there is nothing to hold in others.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []
    before = {each: signal.signal(each, lambda number, _: pressed.append(number)) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if pressed and passed_on:
        signal.raise_signal(pressed[0])


class Kept:
    """Processes, each known before it is waited for; ``known`` is told of all of them at each that begins."""

    def __init__(self, known: Callable[[Sequence[Process]], object] | None = None) -> None:
        self._processes: list[Process] = []
        self._known = known

    def add(self, process: Process) -> None:
        """One more runs."""
        self._processes.append(process)
        if self._known:
            self._known(self._processes)

    def stop(self) -> None:
        """Stop them, the newest first."""
        for process in reversed(self._processes):
            process.stop()

    def told(self) -> str:
        """What is said of them after a Ctrl-C."""
        names = ", ".join(dict.fromkeys(process.name for process in self._processes))
        return f"all that was started is stopped ({names})" if names else "nothing was started"
