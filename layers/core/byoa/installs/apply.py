"""ApplyInstall: a plan's objects to the cluster, stage by stage, those of one stage side by side.

What will be there is remembered before the first write, so that whoever goes on after a crash knows of it.
"""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.errors import ByoaError, InstallUnhealthy, KindUnknown, ObjectBusy
from byoa.installs.health import judge
from byoa.installs.kinds import DEFINITION
from byoa.installs.meeting import meet
from byoa.installs.normalising import Wanted
from byoa.installs.objects import goes_away, tied, uid_of
from byoa.installs.settling import settle
from byoa.installs.stages import in_stages
from byoa.installs.together import SIDE_BY_SIDE, each

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.engine.workers import Workers
    from byoa.installs.cluster import Clock, Cluster, Shelf
    from byoa.installs.inventory import Inventory
    from byoa.installs.objects import Identity, Kind, Object, Place
    from byoa.installs.plans import Plan, Step

_POLL: Final = 0.1
"""Seconds between two looks at what the API server does by itself: a new kind is served after 50 ms, as a rule."""

_MEETINGS: Final = 8
"""Tries to write an object that others write: controllers note a status some times in a second."""

_SERVED: Final = 15.0
"""Seconds in which a kind is served after it was established."""


class Work(NamedTuple):
    """What steps of a deploy work with; ``until`` is the end of its time on ``clock``.

    ``out_of_time`` is whether whoever does it has to stop, and somebody goes on later.
    """

    cluster: Cluster
    shelf: Shelf
    clock: Clock
    until: float
    workers: Workers | None = None
    take_over: frozenset[str] = frozenset()
    out_of_time: Callable[[], bool] = lambda: False


class Written(NamedTuple):
    """What is tracked now, and how many of how many objects were written."""

    inventory: Inventory
    done: int
    total: int

    @property
    def pending(self) -> bool:
        """Whether there is more to write."""
        return self.done < self.total


def apply(plan: Plan, work: Work, done: int = 0) -> Written:
    """Write what the plan says, deletions apart, but for what was ``done`` before; it ends when time is over.

    Raises what the cluster raises, placed at its object, ``DeploySuperseded`` where another deploy has begun, and
    ``InstallUnhealthy`` where what has to be there for the next stage doesn't come in time.
    """
    wanted = plan.inventory.with_all((step.identity for step in plan.kept), plan.digest)
    inventory = plan.inventory if wanted.holds_the_same(plan.inventory) else work.shelf.write(wanted)
    parts = [part for stage in in_stages(_written(plan)) for part in batched(stage, SIDE_BY_SIDE, strict=False)]
    total, passed = sum(map(len, parts)), 0
    for part in parts:
        passed += len(part)
        if passed <= done:
            continue
        if work.out_of_time():
            return Written(inventory, passed - len(part), total)
        work.shelf.check(inventory)
        found = each(work.workers, _Writing(work).write, part)
        uids: dict[Identity, str] = {identity: uid for identity, uid in found if uid is not None}
        theirs = [identity for identity, uid in found if uid is None]
        if theirs or any(inventory.uids.get(identity) != uid for identity, uid in uids.items()):
            inventory = work.shelf.write(inventory.with_uids(uids).without(theirs))
        for step in part:
            if step.place.kind.type == DEFINITION:
                _await_definition(step, work)
    return Written(inventory, total, total)


def _written(plan: Plan) -> list[tuple[Kind, Step]]:
    return [(step.place.kind, step) for step in plan.steps if step.action in ("create", "change", "recreate")]


class _Writing:
    def __init__(self, work: Work) -> None:
        self._work = work

    def write(self, step: Step) -> tuple[Identity, str | None]:
        """The object's UID once it is written; ``None`` where it has become another install's, and is as it should be.

        It is written in the state that the plan has seen it in. Raises what ``meet`` raises where it is in another.
        """
        work = self._work
        if step.action == "recreate" and self._is_there(step) and work.cluster.delete(step.place, step.uid):
            await_gone(step.place, step.uid, work)
        live = step.live if step.action == "change" else None
        try:
            for _ in range(_MEETINGS):
                try:
                    return step.identity, self._apply(step, live)
                except ObjectBusy as error:
                    if not error.stale:
                        raise
                now = meet(step, work.cluster, work.take_over)
                if now.action == "unchanged":
                    return step.identity, None if now.shared else now.uid
                live = now.live
        except ByoaError as error:
            raise error.at(str(step.identity)) from None
        raise ObjectBusy("Others change the object all the time.", where=str(step.identity))

    def _apply(self, step: Step, live: Object | None) -> str:
        """The UID of the object, which was ``live`` or wasn't there. Waits for its kind to be served."""
        work = self._work
        wanted, until = Wanted(step.place, tied(step.wanted or {}, live)), work.clock.now() + _SERVED
        while True:
            try:
                applied = settle(work.cluster, wanted, take_over=work.take_over).applied.object
            except KindUnknown:
                if not step.unchecked or work.clock.now() > until:
                    raise
                work.clock.sleep(_POLL)
            else:
                if goes_away(applied):
                    raise ObjectBusy("The object is being deleted.")
                return uid_of(applied)

    def _is_there(self, step: Step) -> bool:
        """Whether the object is still the old one: whoever did this before and was killed has made the new one."""
        found = self._work.cluster.get(step.place)
        return found is not None and uid_of(found) == step.uid


def await_gone(place: Place, uid: str, work: Work) -> None:
    """Wait until the object of this UID is gone. Raises ``ObjectBusy`` where the time ends before that."""
    while (found := work.cluster.get(place)) and uid_of(found) == uid:
        if work.clock.now() > work.until:
            raise ObjectBusy("The object was deleted, and doesn't go away.", where=str(place.identity))
        work.clock.sleep(_POLL)


def _await_definition(step: Step, work: Work) -> None:
    while True:
        found = work.cluster.get(step.place)
        health = judge(found) if found else None
        if health and health.state == "healthy":
            return
        if (health and health.state == "failed") or work.clock.now() > work.until:
            reason = health.reason if health else "it is gone"
            raise InstallUnhealthy(f"The definition can't be used: {reason}.", where=str(step.identity))
        work.clock.sleep(_POLL)
