"""SweepDeploys: no deploy is left behind: told of again, ended, expired, or let go of (see ``builds.sweep``)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from byoa.builds.messages import Failure
from byoa.builds.records import milliseconds
from byoa.builds.sweep import LONGEST, PATIENCE
from byoa.builds.turns import in_turn
from byoa.errors import AgentSilent, ByoaError, Timeout
from byoa.installs.records import expired, failed, is_late
from byoa.installs.runs import verdict
from byoa.installs.states import SweptDeploys

if TYPE_CHECKING:
    from byoa.builds.ports import Clock
    from byoa.installs.messages import Deploy, DeployKey, InstallComponent
    from byoa.installs.ports import Unended

SILENCE: Final = timedelta(hours=5)
"""How long a deploy that runs may say nothing: an hour more than its execution may last."""

UNASKED: Final = timedelta(hours=24)
"""How long a deploy waits for an agent of its install that isn't heard of: one that cron starts comes once a day."""

VANISHED: Final = timedelta(hours=2)
"""How long one that an agent has begun waits for an agent to go on: twice as long as a deploy may last."""

_PATIENCE: Final = {"queued": UNASKED, "planning": VANISHED, "executing": VANISHED}

_AT_ONCE: Final = 2000
"""Deploys that one sweep looks at. The next one looks at others."""


def sweep_deploys(deploys: Unended, clock: Clock) -> SweptDeploys:
    """Look at deploys that should have gone on, at all of them in a few sweeps.

    One that can't be read or written is counted, and stops no other.

    Raises what finding them raises.
    """
    now, told, ended, failed_ = clock.now(), 0, 0, 0
    for key in in_turn(deploys.unended(milliseconds(now - PATIENCE)), _AT_ONCE, now):
        try:
            deploy = deploys.look(key)
            if deploy is None:
                continue
            if deploy.status == "pending":
                begun, skipped = _release(deploys, deploy)
                told, ended = told + begun, ended + skipped
            elif _end_unasked(deploys, deploy, now):
                ended += 1
            elif deploy.status == "queued":
                told += _tell(deploys, key, deploy, now)
            elif is_late(deploy, now) or _is_silent(deploy, now):
                ended += 1
                deploys.give_up(key, lambda found, part: _given_up(found, part, now))
        except (ByoaError, ValueError):  # pydantic's errors are ValueErrors
            failed_ += 1
    return SweptDeploys(told=told, ended=ended, failed=failed_)


def _tell(deploys: Unended, key: DeployKey, deploy: Deploy, now: datetime) -> bool:
    """Whether one that waits is told of again: in intervals that double, as builds are."""
    last = deploys.told_at(key)
    since = deploy.history[-1].created_at_ts
    waited = min((last or since) - since, LONGEST // timedelta(milliseconds=1))
    if last is not None and milliseconds(now) - last < waited:
        return False
    return deploys.tell_again(key, milliseconds(now))


def _end_unasked(deploys: Unended, deploy: Deploy, now: datetime) -> bool:
    """Whether a deploy was ended because the agent that is to run it wasn't heard of for too long."""
    patience = _PATIENCE.get(deploy.status)
    if patience is None or milliseconds(now - patience) <= deploy.history[-1].created_at_ts:
        return False
    heard_ts = deploys.heard_at(deploy.key)
    if heard_ts is None or milliseconds(now - patience) <= heard_ts:
        return False
    told = _unasked(heard_ts)
    return deploys.give_up(deploy.key, lambda found, part: (failed(found, told, now), part)) is not None


def _unasked(heard_ts: int) -> Failure:
    """What it ends with that no agent asked for, or went on with, since a moment (ms since 1970 UTC; 0: never)."""
    since = datetime.fromtimestamp(heard_ts / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    cause = (
        f"No agent has asked for this install since {since}." if heard_ts else "No agent ever asked for this install."
    )
    return Failure(code=AgentSilent.__name__, cause=cause, remedy=AgentSilent.default_remedy)


def _release(deploys: Unended, deploy: Deploy) -> tuple[bool, bool]:
    """Whether one that waits for others begins now, and whether it is skipped: nobody heard that these ended."""
    said = verdict(deploy, deploys.look)
    failure = said if isinstance(said, Failure) else None
    done = said != "wait" and deploys.release(deploy.key, failure) is not None
    return done and failure is None, done and failure is not None


def _is_silent(deploy: Deploy, now: datetime) -> bool:
    """Whether whoever runs it must have gone. One that has ended, and still holds its component, is among these."""
    return deploy.status != "pending-approval" and milliseconds(now - SILENCE) > deploy.history[-1].created_at_ts


def _given_up(deploy: Deploy, part: InstallComponent, now: datetime) -> tuple[Deploy, InstallComponent]:
    late = expired(deploy, now)
    if late:
        return late, part
    cause = "The execution of the deploy ended, and nobody heard how."
    return failed(deploy, Failure(code=Timeout.__name__, cause=cause, remedy=Timeout.default_remedy), now), part
