"""What an agent has in hand: a lease that is asked for, renewed while a deploy runs, and given back by who is ended."""

from __future__ import annotations

import signal
import threading
from functools import partial
from typing import TYPE_CHECKING, Final

from byoa.bootstrap import terminal
from byoa.engine.workers import Job, Workers
from byoa.errors import ByoaError, DeploySuperseded

if TYPE_CHECKING:
    from byoa.api.asking import Api
    from byoa.installs.ports import Job as Leased

TERMINATED: Final = 128 + signal.SIGTERM

_RENEW_SECONDS: Final = 20.0
"""Three times in a lease of 60 seconds."""

_LAST_SECONDS: Final = 3.0
"""What each of these may take once somebody ends the agent: requests to the cluster that are under way, an answer that
may be a lease, and giving that back. Whoever ends containers kills them after ten seconds.
"""

_NOTHING: Final = "no deploy was in hand"
_GIVEN_BACK: Final = "the deploy was given back, and another agent may go on with it"
_RUNS_OUT: Final = "the API wasn't reached; a deploy that ran is leased again within a minute"


class Terminated(KeyboardInterrupt):
    """Somebody ends the agent, as whoever runs containers does."""


def hear_signals() -> None:
    """Let Ctrl-C and SIGTERM end what is done: the first process of a container doesn't end by it by itself."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _end)


def _end(number: int, _frame: object) -> None:
    """What is under way beside this thread has a little time, and nothing else begins. A second Ctrl-C gives none."""
    terminal.begin(_LAST_SECONDS)
    if number == signal.SIGTERM:
        signal.signal(number, signal.SIG_IGN)
        raise Terminated
    signal.signal(number, signal.default_int_handler)
    raise KeyboardInterrupt


class Hand:
    """The deploy of an install that an agent has a lease of, or none.

    A thread of its own asks for it: an answer that comes just when the agent is ended may be a lease.
    """

    def __init__(self, api: Api, install_id: str) -> None:
        self._lease = partial(terminal.lease, api, install_id)
        self._thread = Workers(1, "asks")
        self._asked: Job[tuple[Leased | None, float]] | None = None

    def take(self) -> tuple[Leased | None, float]:
        """A deploy to run, if one waits, and how many seconds to wait before the next question."""
        self._asked = asked = Job(self._lease)  # known before it is asked: a signal may come at once
        self._thread.add(asked)
        return asked.result()

    def done(self) -> None:
        """It was told of, and with that given back."""
        self._asked = None

    def give_back(self) -> str:
        """Let another agent go on at once; what of it people are told. Raises nothing."""
        asked, self._asked = self._asked, None
        if asked is None or asked.cancel():
            return _NOTHING
        if not asked.ends_within(_LAST_SECONDS):
            return _RUNS_OUT
        job = None if asked.error() else asked.result()[0]
        if job is None:
            return _NOTHING
        given = self._thread.submit(job.give_back)
        return _GIVEN_BACK if given.ends_within(_LAST_SECONDS) and given.error() is None else _RUNS_OUT


class Beat:
    """Renews a lease while a deploy runs."""

    def __init__(self, job: Leased) -> None:
        self._job = job
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: object, *_: object) -> None:
        self._ended.set()
        if kind is None:  # who is ended waits for nobody
            self._thread.join(_RENEW_SECONDS)

    def _beat(self) -> None:
        while not self._ended.wait(_RENEW_SECONDS):
            try:
                self._job.renew()
            except DeploySuperseded:
                return
            except ByoaError:
                continue  # the next one may come through; what writes asks by itself
