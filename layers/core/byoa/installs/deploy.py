"""One deploy from its plan to its end, for whoever has a cluster at hand.

It may be killed anywhere and begun again: it goes on from what is there, and ends the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from byoa.errors import PlanChanged
from byoa.installs import apply as apply_step
from byoa.installs import check as check_step
from byoa.installs import plan as plan_step
from byoa.installs import prune as prune_step
from byoa.installs import record as record_step
from byoa.installs.plans import fingerprint
from byoa.installs.record import Outcome
from byoa.installs.sets import spelled

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.installs.apply import Work
    from byoa.installs.plan import Task
    from byoa.installs.plans import Plan


class Approval(NamedTuple):
    """What was approved: the plan of this fingerprint, if one was seen, made with ``key``; and parts of it by name."""

    fingerprint: str | None = None
    key: bytes | None = None
    names: frozenset[str] = frozenset()


def deploy(task: Task, work: Work, approval: Approval, tell: Callable[[str], None] = lambda _: None) -> Outcome:
    """Plan, and do it; ``tell`` is given a word at each step.

    Raises ``PlanChanged`` where the plan isn't the approved one, the first fault of the plan, ``ApprovalMissing``,
    ``DeploySuperseded``, ``InstallUnhealthy``, and what the cluster fails with.
    """
    tell("planning")
    found = plan_step.plan(task, work.cluster, work.shelf.read(), work.workers)
    _check_same(found, approval)
    names = spelled(approval.names, found.by_name) if approval.fingerprint else approval.names
    plan_step.check(found, names)
    found = found.as_approved(names)
    if found.is_noop:
        return Outcome(status="noop", plan=found, findings=tuple(check_step.seen(found.steps, work)))
    tell("applying")
    inventory = apply_step.apply(found, work).inventory
    tell("waiting for health")
    findings = check_step.check(found.steps, work)
    tell("pruning")
    pruned = prune_step.prune(found, work, task.owner, lambda: work.shelf.check(inventory))
    return record_step.record(found, inventory, pruned, findings, work)


def _check_same(found: Plan, approval: Approval) -> None:
    if approval.fingerprint and fingerprint(found, approval.key) != approval.fingerprint:
        raise PlanChanged("The cluster, the artifact or the inputs are not what they were when the plan was made.")
