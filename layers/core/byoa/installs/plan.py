"""PlanInstall: what applying a set would do to a cluster, object by object, as the cluster itself says.

Each object that can be is tried by a server-side dry run, so that defaults, webhooks and field owners have their say.
Nothing is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.errors import ApprovalMissing, ByoaError, Fault, ObjectBusy, ObjectInvalid, OfCluster
from byoa.installs.guards import Deletions, needs_of
from byoa.installs.health import removes_itself
from byoa.installs.inventory import EMPTY
from byoa.installs.kinds import DEFINITION, NAMESPACE, kinds_defined, know_kinds
from byoa.installs.looking import look
from byoa.installs.normalising import normalise
from byoa.installs.plans import Plan, Step
from byoa.installs.rights import role_of, with_rights
from byoa.installs.stages import stage_of
from byoa.installs.together import each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.engine.workers import Workers
    from byoa.installs.cluster import Cluster, Right
    from byoa.installs.inventory import Inventory
    from byoa.installs.kinds import Kinds
    from byoa.installs.normalising import Owner, Wanted
    from byoa.installs.objects import Identity, Object

_LATER: Final = "checked once it exists"
_OVER: Final = "it has ended, and its ttlSecondsAfterFinished is over"


class Task(NamedTuple):
    """A set of objects for one component of an install: the artifact's ``digest``, what it holds, whose it is.

    ``rights`` are what remembering it takes. Fields of owners in ``take_over`` are taken, and other installs' objects
    whose names are. A ``teardown`` wants none of the objects; who is ``looking`` writes nothing.
    """

    digest: str
    objects: tuple[Object, ...]
    owner: Owner
    take_over: frozenset[str] = frozenset()
    rights: frozenset[Right] = frozenset()
    teardown: bool = False
    looking: bool = False


def plan(task: Task, cluster: Cluster, inventory: Inventory | None, workers: Workers | None = None) -> Plan:
    """What would be done, by ``inventory`` (``None`` at first), and all that keeps it from being done.

    Raises what the cluster fails with; what it refuses of single objects are the plan's ``faults``.
    """
    tracked = inventory or EMPTY
    objects = () if task.teardown else task.objects
    kinds = know_kinds(cluster.kinds(), objects)
    wanted, faults = normalise(objects, kinds, task.owner)
    planning = _Planning(cluster, kinds, task, faults, frozenset(one.identity for one in wanted), tracked)
    first = [one for one in wanted if stage_of(one.place.kind) == 0]
    rest = [one for one in wanted if stage_of(one.place.kind) > 0]
    steps = dict(zip([one.identity for one in first], each(workers, planning.look, first), strict=True))
    planning.learn(first, [step for step in steps.values() if step])
    steps |= dict(zip([one.identity for one in rest], each(workers, planning.look, rest), strict=True))
    dropped = [identity for identity in tracked.uids if identity not in steps]
    deletions = each(workers, Deletions(cluster, kinds, task.owner, dict(tracked.uids)).decide, dropped)
    found = Plan(
        steps=(*(step for one in wanted if (step := steps[one.identity])), *deletions),
        faults=tuple(faults),
        digest=task.digest,
        inventory=tracked,
        needs=needs_of(deletions, len(tracked.uids), len(wanted), teardown=task.teardown),
    )
    if task.looking or (found.is_noop and not faults):
        return found
    return with_rights(found, wanted, task.rights, cluster, workers)


def check(found: Plan, approved: frozenset[str]) -> None:
    """Raise the first fault of a plan, or ``ApprovalMissing`` where it needs more than was ``approved``."""
    if found.faults:
        raise found.faults[0]
    missing = found.missing(approved)
    if missing:
        raise ApprovalMissing(
            f"The plan needs approval for {len(missing)} of its parts: {', '.join(missing[:5])}"
            + (", …." if len(missing) > 5 else "."),  # noqa: PLR2004 - as many as fit into a sentence
        )


class _Planning:
    """One look at a cluster. What comes with the set itself is known after the first stage was looked at."""

    def __init__(  # noqa: PLR0913, PLR0917 - a cluster, what is wanted of it, and what is known
        self,
        cluster: Cluster,
        kinds: Kinds,
        task: Task,
        faults: list[ByoaError],
        wanted: frozenset[Identity],
        tracked: Inventory,
    ) -> None:
        self.cluster = cluster
        self.kinds = kinds
        self.task = task
        self.faults = faults
        self.wanted = wanted
        self.tracked = tracked
        self.namespaces: set[str] = set()
        self.redefined: set[tuple[str, str]] = set()

    def learn(self, wanted: Sequence[Wanted], steps: Sequence[Step]) -> None:
        """Which namespaces come with the set, and which kinds are defined anew."""
        coming = {step.identity for step in steps if step.action in ("create", "change")}
        new = {step.identity for step in steps if step.action == "create"}
        for one in wanted:
            if one.identity not in coming:
                continue
            if one.place.kind.type == NAMESPACE and one.identity in new:
                self.namespaces.add(one.place.name)
            elif one.place.kind.type == DEFINITION:
                self.redefined |= {kind.type for kind in kinds_defined(one.object)}

    def look(self, one: Wanted) -> Step | None:
        """What becomes of one object; ``None`` for what the cluster refuses, which is a fault."""
        if not self.kinds.serves(one.place.kind) or one.place.namespace in self.namespaces:
            return _unchecked(one)
        try:
            found = look(one, self.cluster, self.task.owner, self.task.take_over)
            return Step(place=one.place, action="keep", why=_OVER) if self._is_over(one, found) else found
        except (OfCluster, Fault) as error:
            if not isinstance(error, ObjectBusy):
                raise
            if role_of(one) in self.wanted:  # which a login that may not bind all roles is asked for, and isn't there
                return _unchecked(one)
            self.faults.append(error.at(str(one.identity)))
        except ObjectInvalid as error:
            if one.place.kind.type in self.redefined:
                return _unchecked(one)
            self.faults.append(error.at(str(one.identity)))
        except ByoaError as error:
            self.faults.append(error.at(str(one.identity)))
        return None

    def _is_over(self, one: Wanted, found: Step) -> bool:
        """Whether it is a Job of ours that isn't there because it has ended: no drift, and nothing to run again."""
        missing = self.task.looking and found.action == "create" and one.identity in self.tracked.uids
        return missing and removes_itself(one.object)


def _unchecked(one: Wanted) -> Step:
    return Step(place=one.place, action="create", wanted=one.object, unchecked=True, why=_LATER)
