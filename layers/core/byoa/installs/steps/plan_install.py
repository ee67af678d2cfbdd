"""PlanInstall: what a deploy would do to the cluster, as the cluster says, and whether it may go on by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from byoa.builds.messages import Failure
from byoa.errors import PlanChanged
from byoa.installs import contents, parcels
from byoa.installs.bounds import cut, fitting
from byoa.installs.inventory import EMPTY
from byoa.installs.normalising import Owner
from byoa.installs.plan import Task, check, plan
from byoa.installs.plans import fingerprint
from byoa.installs.recover import recover
from byoa.installs.sets import spelled
from byoa.installs.states import PlannedInstall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.ports import Lists
    from byoa.engine.workers import Workers
    from byoa.installs.cluster import Cluster, Shelf
    from byoa.installs.inventory import Inventory
    from byoa.installs.messages import DeployStatus
    from byoa.installs.plans import Plan
    from byoa.installs.states import LoadedDeploy, Next

_TOLD: Final = 20
"""Faults and needs that a message tells of; what people are shown has all of them."""

_CHARACTERS: Final = 500
"""Of each text of a fault."""

_KEPT: Final = 4 * 1024
"""Characters of what is told of objects that stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What plans are made on; ``key`` keeps fingerprints from being guessed."""

    cluster: Cluster
    shelf: Shelf
    key: bytes | None
    objects: Lists
    plans: Lists
    contents: Lists
    workers: Workers | None = None


def plan_install(loaded: LoadedDeploy, table: Table) -> PlannedInstall:
    """Plan it, and decide whether it is applied now.

    Raises ``PlanChanged`` where another plan was approved, ``ApprovalMissing`` where one was that needs more, and what
    the cluster fails with. What it refuses of single objects are ``faults``, with which a deploy ends.
    """
    task = Task(
        digest=loaded.digest or "",
        objects=tuple(parcels.fetch(loaded.objects, table.objects)) if loaded.objects else (),
        owner=Owner(loaded.install_id, loaded.component, loaded.target_namespace),
        take_over=frozenset(loaded.take_over),
        teardown=loaded.operation == "teardown",
        looking=loaded.operation == "drift",
    )
    kept_of_it = table.shelf.read()
    tracked = _recovered(kept_of_it or EMPTY, task, table) if loaded.recover else kept_of_it
    found = plan(task, table.cluster, tracked, table.workers)._replace(inventory=kept_of_it or EMPTY)
    known_as, approved = fingerprint(found, table.key, loaded.access), frozenset(loaded.names)
    if loaded.fingerprint is not None:
        if loaded.fingerprint != known_as:
            raise PlanChanged("The cluster, the artifact or the inputs are not what they were when the plan was made.")
        approved = spelled(approved, found.by_name)
        check(found, approved)
    needs, kept = found.missing(frozenset()), found.as_approved(approved)
    status, then = _decided(loaded, found, kept)
    return PlannedInstall(
        plan=parcels.put_plan(kept, table.plans),
        contents=parcels.put(
            contents.document(found if status == "pending-approval" else kept, known_as), table.contents
        ),
        fingerprint=known_as,
        counts=kept.counts,
        needs=fitting(needs, _TOLD),
        faults=[Failure(**told) for told in fitting(_told(found), _TOLD)],
        kept=fitting(_kept(kept), _TOLD, _KEPT),
        status=status,
        next=then,
    )


def _recovered(inventory: Inventory, task: Task, table: Table) -> Inventory:
    """What is tracked, with what the component's labels find: none of it is forgotten by this."""
    return inventory.with_uids(recover(table.cluster, task.owner, table.workers))


def _decided(loaded: LoadedDeploy, found: Plan, kept: Plan) -> tuple[DeployStatus, Next]:
    """How the deploy ends if all goes well, and what is done for that."""
    done: DeployStatus = "inactive" if loaded.operation == "teardown" else "active"
    if found.faults:
        return "error", "record"
    if loaded.operation == "drift":
        return ("no-drift" if kept.is_noop else "drift-detected"), "look"
    asks = _only_by_name(loaded, found, kept)
    if kept.is_noop and not asks:
        return ("noop" if done == "active" else done), "look"
    if loaded.plan_only:
        return "auto-skipped", "record"
    approved = loaded.approve_all and not asks and not found.missing(frozenset(loaded.names))
    if loaded.fingerprint is not None or approved:
        return done, "apply"
    return "pending-approval", "record"


def _only_by_name(loaded: LoadedDeploy, found: Plan, kept: Plan) -> bool:
    """Whether all that a teardown still finds goes by name: somebody is asked, or it would stay, and tracked, for ever.

    What an artifact no longer has stays until then: that is nothing to ask about with each of its deploys.
    """
    asked = loaded.plan_only or loaded.fingerprint is not None
    return loaded.operation == "teardown" and not asked and kept.is_noop and not found.is_noop


def _kept(plan: Plan) -> Iterator[list[str]]:
    return ([str(step.identity), step.why[:300]] for step in plan.steps if step.action == "keep")


def _told(plan: Plan) -> Iterator[dict[str, str | None]]:
    return (cut(fault.as_dict(), _CHARACTERS) for fault in plan.faults)
