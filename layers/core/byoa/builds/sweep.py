"""SweepBuilds: no build is left behind. A change that reached no pipeline is told again, one that died is ended.

Events are delivered at least once in the end, but not always: a stream's record expires, a rule's target is given up,
Step Functions tells of an execution's end as well as it can. What the table says is what counts.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from byoa.builds.messages import Failure, Outcome, Swept
from byoa.builds.records import entry, milliseconds
from byoa.builds.turns import in_turn
from byoa.errors import ByoaError, Timeout

if TYPE_CHECKING:
    from datetime import datetime

    from byoa.builds.messages import Build, HistoryEntry
    from byoa.builds.ports import Clock, Unfinished

PATIENCE: Final = timedelta(minutes=15)
"""How long a change may be on its way; what is told again, is told in intervals that double up to ``LONGEST``."""

LONGEST: Final = timedelta(hours=1)

SILENCE: Final = timedelta(hours=3)
"""How long a build that runs may say nothing: an hour more than its execution may last."""

_AT_ONCE: Final = 2000
"""Builds that one sweep looks at: as many as it can read in half of its time. The next one looks at others."""


def sweep(builds: Unfinished, clock: Clock) -> Swept:
    """Look at builds that should have gone on, at all of them in a few sweeps.

    One that can't be read or written holds up no other: it is counted. Raises what finding them raises.
    """
    now, told, ended, failed = clock.now(), 0, 0, 0
    for key in in_turn(builds.unfinished(milliseconds(now - PATIENCE)), _AT_ONCE, now):
        try:
            build = builds.look(key)
            if build is None or build.ended:
                continue
            if build.status == "queued":
                told += is_due(build, now) and builds.tell_again(key, milliseconds(now))
            elif milliseconds(now - SILENCE) > build.history[-1].created_at_ts:
                ended += builds.give_up(key, *_given_up(now)) is not None
        except (ByoaError, ValueError):  # pydantic's errors are ValueErrors
            failed += 1
    return Swept(told=told, ended=ended, failed=failed)


def is_due(build: Build, now: datetime) -> bool:
    """Whether a build that waits is to be told of again: at first at once, then when it has waited twice as long.

    But at least every hour or so: what kept it from being built may be over.
    """
    if build.told_again_ts is None:
        return True
    waited = min(build.told_again_ts - build.created_at_ts, LONGEST // timedelta(milliseconds=1))
    return milliseconds(now) - build.told_again_ts >= waited


def _given_up(now: datetime) -> tuple[Outcome, list[HistoryEntry]]:
    cause = "The pipeline's execution ended, and nobody heard how."
    failure = Failure(code=Timeout.__name__, cause=cause, remedy=Timeout.default_remedy)
    return Outcome(status="error", failure=failure), [entry("error", cause, now, step="sweep")]
