"""Threads that work beside the one that leads.

``concurrent.futures`` does this and more, and imports logging for it: a tenth of a small mirror's start. A hand-over
here costs two locks and a queue, which matters where what is handed over is one request.
"""

from __future__ import annotations

from queue import SimpleQueue
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable


class Job[T]:
    """One thing to do, by whichever thread comes to it first."""

    _result: T

    def __init__(self, action: Callable[[], T]) -> None:
        self._action = action
        self._taken = Lock()
        self._running = Lock()
        self._running.acquire()
        self._error: BaseException | None = None
        self._ended = False  # a signal may come when somebody who waits has just got the lock, and keeps it
        self.cancelled = False

    def run(self) -> None:
        """Do it, unless it was cancelled. What it raises is kept for who asks."""
        if not self._taken.acquire(blocking=False):
            return
        try:
            self._result = self._action()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
            self._error = error
        finally:
            del self._action  # what it holds may hold this job
            self._ended = True
            self._running.release()

    def cancel(self) -> bool:
        """Whether it was not begun; it never will be then."""
        if self._taken.acquire(blocking=False):
            self.cancelled = self._ended = True
            self._running.release()
        return self.cancelled

    def ends_within(self, seconds: float) -> bool:
        """Wait for its end, that long at most; whether it has ended."""
        if not self._ended and self._running.acquire(timeout=seconds):
            self._running.release()
        return self._ended

    def error(self) -> BaseException | None:
        """Wait for its end; what it raised, if it did."""
        if not self._ended:
            with self._running:
                pass
        return self._error

    def result(self) -> T:
        """Wait for its end; what it returned. Raises what it raised."""
        error = self.error()
        if error:
            raise error
        return self._result


_LONG: Final = 0.01
"""Seconds that a job takes whose result is waited for, after which another thread is worth its start."""


class Workers:
    """At most ``count`` threads, started when there is something to do; they end with the process or with ``close``.

    Of these only ``few`` are started by what is submitted, if that is given; the others one by one while ``result``
    waits. What is quick is done by few, which is sooner where each thread has a connection to open; what takes its time
    by all of them.
    """

    def __init__(self, count: int, name: str, few: int | None = None) -> None:
        self._count = count
        self._few = count if few is None else few
        self._name = name
        self._jobs: SimpleQueue[Job[Any] | None] = SimpleQueue()
        self._lock = Lock()
        self._started = 0
        self._idle = 0

    def submit[T](self, action: Callable[[], T]) -> Job[T]:
        """Have ``action`` done as soon as a thread is free, in the order of submission."""
        job = Job(action)
        self.add(job)
        return job

    def add(self, job: Job[Any]) -> None:
        """The same with a job that somebody knows already: a signal may come before ``submit`` has returned one."""
        with self._lock:
            if self._idle:
                self._idle -= 1
            elif self._started < self._few:
                self._start()
        self._jobs.put(job)

    def result[T](self, job: Job[T]) -> T:
        """``job.result()``; as long as it isn't there, another thread is started now and then for what waits."""
        while not job.ends_within(_LONG):
            with self._lock:
                if self._started < self._count and not self._jobs.empty():
                    self._start()
        return job.result()

    def _start(self) -> None:
        self._started += 1
        Thread(target=self._work, name=f"{self._name}-{self._started}", daemon=True).start()

    def close(self) -> None:
        """Let the threads end once all that was submitted is done; nothing may be submitted any more."""
        for _ in range(self._started):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
            del job  # while the thread waits, it holds nothing
            with self._lock:
                self._idle += 1
