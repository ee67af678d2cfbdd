"""PruneInstall: what a set no longer has is deleted, in the reverse order of stages, when all else is healthy.

What the cluster refuses to delete, and what a finalizer holds, stays tracked and is named; the rest goes on.
"""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.errors import ClusterForbidden, ObjectBusy, ObjectInvalid
from byoa.installs.guards import why_kept
from byoa.installs.objects import metadata, uid_of, version_of
from byoa.installs.stages import in_stages
from byoa.installs.together import SIDE_BY_SIDE, each

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from byoa.installs.apply import Work
    from byoa.installs.normalising import Owner
    from byoa.installs.objects import Identity
    from byoa.installs.plans import Plan, Step

_POLLS: Final = (0.1, 0.2, 0.5, 1.0)
_TRIES: Final = 5
"""To delete an object in the state that it was looked at in."""

_PATIENCE: Final = 60.0
"""Seconds that what was deleted has to go away; background deletion of a namespace takes that long with a few pods."""


class Pruned(NamedTuple):
    """What is gone, and why the others aren't; ``pending`` is whether time was over before all was tried."""

    gone: tuple[Identity, ...]
    left: tuple[tuple[Identity, str], ...]
    pending: bool = False


def prune(
    plan: Plan,
    work: Work,
    owner: Owner,
    go_on: Callable[[], None],
    forget: Callable[[Sequence[Identity]], None] = lambda _: None,
) -> Pruned:
    """Delete what the plan deletes; ``forget`` is told at once what is gone.

    Since the plan was made the rest was waited for, so what is no longer ``owner``'s stays. ``go_on`` raises where the
    deploy is to write nothing more. Raises that, and what the cluster fails with.
    """
    gone: list[Identity] = [step.identity for step in plan.steps if step.action == "gone"]
    forget(gone)
    left: list[tuple[Identity, str]] = []
    doomed = [(step.place.kind, step) for step in plan.steps if step.action == "delete"]
    for stage in reversed(in_stages(doomed)):
        if work.out_of_time():
            return Pruned(tuple(gone), tuple(left), pending=True)
        answers: list[str | None] = []
        for part in batched(stage, SIDE_BY_SIDE, strict=False):
            go_on()
            answers += each(work.workers, lambda step: _delete(step, work, owner), part)
        waiting = [step for step, answer in zip(stage, answers, strict=True) if answer is None]
        left += [(step.identity, answer) for step, answer in zip(stage, answers, strict=True) if answer]
        held = _await(waiting, work)
        done = [step.identity for step in waiting if step.identity not in held]
        forget(done)
        gone += done
        left += held.items()
    return Pruned(tuple(gone), tuple(left))


def _delete(step: Step, work: Work, owner: Owner) -> str | None:
    """Why it isn't deleted; ``None`` where it is, or is gone already. It is deleted as it was looked at, or not."""
    cause = ""
    for _ in range(_TRIES):
        try:
            live = work.cluster.get(step.place)
            if live is None:
                return None
            kept = why_kept(live, step.uid, owner)
            if kept:
                return kept
            work.cluster.delete(step.place, step.uid, version=version_of(live))
        except (ClusterForbidden, ObjectBusy, ObjectInvalid) as error:
            cause = error.cause
            if not (isinstance(error, ObjectBusy) and error.stale):
                return cause
        else:
            return None
    return cause


def _await(steps: Sequence[Step], work: Work) -> dict[Identity, str]:
    """Wait until they are gone; those that aren't in time, with what holds them."""
    until = min(work.until, work.clock.now() + _PATIENCE)
    polls = iter(_POLLS)
    while True:
        found = zip(steps, each(work.workers, lambda step: work.cluster.get(step.place), steps), strict=True)
        there = [(step, live) for step, live in found if live and uid_of(live) == step.uid]
        if not there:
            return {}
        if work.clock.now() >= until:
            return {step.identity: _holder(metadata(live).get("finalizers")) for step, live in there}
        steps = [step for step, _ in there]
        work.clock.sleep(next(polls, _POLLS[-1]))


def _holder(finalizers: object) -> str:
    count = len(finalizers) if isinstance(finalizers, list) else 0
    return f"it was deleted, and {count} finalizers hold it" if count else "it was deleted, and is still there"
