"""RecordDeploy: what came of a deploy, and what of it stays remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from byoa.installs.apply import Work
    from byoa.installs.check import Finding
    from byoa.installs.inventory import Inventory
    from byoa.installs.objects import Identity
    from byoa.installs.plans import Plan
    from byoa.installs.prune import Pruned

type Status = Literal["active", "noop", "inactive"]
"""``inactive`` is an install's component after its teardown."""


class Outcome(NamedTuple):
    """How a deploy ended that wasn't broken off; ``left`` is what should be gone and isn't, with reasons."""

    status: Status
    plan: Plan
    findings: tuple[Finding, ...] = ()
    left: tuple[tuple[Identity, str], ...] = ()


def record(plan: Plan, inventory: Inventory, pruned: Pruned, findings: list[Finding], work: Work) -> Outcome:
    """Keep what is tracked from now on, and say how it ended. Raises what the shelf raises."""
    seen = {step.identity: step.uid for step in plan.kept if step.action == "unchanged" and not step.shared}
    rest = inventory.with_uids(seen).without(pruned.gone)
    if not rest.holds_the_same(inventory):
        work.shelf.write(rest)
    wanted = any(step.wanted is not None for step in plan.steps)
    return Outcome(status="active" if wanted else "inactive", plan=plan, findings=tuple(findings), left=pruned.left)
