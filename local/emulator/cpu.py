"""Lambda: a share of the CPU in proportion to memory, when ``EMULATOR_LAMBDA_CPU=proportional`` asks for it.

1,769 MB are one vCPU (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html). Here a worker that has
used more than its share is stopped until it hasn't, as the kernel's CPU bandwidth control does with a group; that would
need a cgroup of our own, which a developer's machine seldom allows. For measurements alone: on a busy machine it is
a bound and no promise. A worker's first call, with its imports, isn't held back.
"""
# ruff: noqa: SLF001, ANN401 - a correction reaches inside, and JSON is what it is

import contextlib
import functools
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import ministack.core.lambda_runtime as runtime

from local.emulator.anchors import anchored

FULL = 1769
PERIOD = 0.02  # an unused share is lost after as long


def correct() -> None:
    """Make the correction if the environment asks for it. Raises MiniStackChanged."""
    invoke = anchored(runtime.Worker, "invoke", "if self._proc is None or self._proc.poll() is not None:")
    if os.environ.get("EMULATOR_LAMBDA_CPU") != "proportional":
        return

    @functools.wraps(invoke)
    def invoke_with_share(worker: Any, *arguments: Any, **options: Any) -> Any:
        if worker._proc is None or worker._proc.poll() is not None:
            return invoke(worker, *arguments, **options)
        with held(worker._proc.pid, int(worker.config.get("MemorySize", 128)) / FULL):
            return invoke(worker, *arguments, **options)

    runtime.Worker.invoke = invoke_with_share


@contextlib.contextmanager
def held(pid: int, share: float) -> Iterator[None]:
    """Hold the process ``pid`` to ``share`` of one CPU meanwhile."""
    done = threading.Event()
    watcher = threading.Thread(target=_hold, args=(pid, share, done), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _hold(pid: int, share: float, done: threading.Event) -> None:
    with contextlib.suppress(ProcessLookupError, OSError):  # it ended
        used, since = _cpu_seconds(pid), time.monotonic()
        while not done.wait(PERIOD / 4):
            ahead = (_cpu_seconds(pid) - used) / share - (time.monotonic() - since)
            if ahead < -PERIOD:
                used, since = _cpu_seconds(pid), time.monotonic()
            elif ahead > 0:
                os.kill(pid, signal.SIGSTOP)
                done.wait(ahead)
                os.kill(pid, signal.SIGCONT)


def _cpu_seconds(pid: int) -> float:
    """What all threads of a process have used, by the clock that Linux gives each process (clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)
