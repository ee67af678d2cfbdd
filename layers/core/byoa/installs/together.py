"""Several things of one kind done side by side: round trips to a cluster are what most of an install's time goes to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from byoa.engine.workers import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from byoa.engine.workers import Workers

SIDE_BY_SIDE: Final = 256
"""Objects between two looks at whether another deploy has begun and at the time: a few seconds' worth."""


def each[Part, Result](
    workers: Workers | None, action: Callable[[Part], Result], parts: Iterable[Part]
) -> list[Result]:
    """What ``action`` makes of each part, in their order; one after the other without ``workers``.

    Raises what the first of them raises that fails, when those that were begun have ended; no other is begun then.
    """
    if workers is None:
        return [action(part) for part in parts]
    jobs: list[Job[Result]] = []
    try:
        for part in parts:
            jobs.append(job := Job(partial(action, part)))  # before it is begun: a signal may come at once
            workers.add(job)
        return [workers.result(job) for job in jobs]
    except BaseException:
        for job in [job for job in jobs if not job.cancel()]:
            job.error()
        raise
