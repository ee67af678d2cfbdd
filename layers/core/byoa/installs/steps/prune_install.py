"""PruneInstall: what a component no longer has is deleted, and forgotten as soon as it is known to be gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.installs.bounds import fitting
from byoa.installs.normalising import Owner
from byoa.installs.prune import prune
from byoa.installs.states import PrunedInstall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.installs.objects import Identity
    from byoa.installs.states import PruneTask
    from byoa.installs.steps.apply_install import Site

_TOLD: Final = 50
"""Objects that are named at most which should be gone and aren't; all of them stay tracked."""


def prune_install(task: PruneTask, site: Site) -> PrunedInstall:
    """Delete what the plan deletes that is still tracked, as much of it as there is time for.

    Raises what ``prune.prune`` and the shelf raise: nothing is deleted for a deploy that has ended.
    """
    work, plan = site.work(task), site.plan(task.plan)
    tracked, inventory = plan.inventory.uids, plan.inventory
    ours = [step for step in plan.kept if step.action == "unchanged" and not step.shared]
    seen = {step.identity: step.uid for step in ours if step.uid}
    if any(inventory.uids.get(identity) != uid for identity, uid in seen.items()):
        inventory = site.shelf.write(inventory.with_uids(seen))
    site.shelf.check(inventory)

    def forget(gone: Sequence[Identity]) -> None:
        nonlocal inventory
        rest = inventory.without(gone)
        if not rest.holds_the_same(inventory):
            inventory = site.shelf.write(rest)

    steps = tuple(step for step in plan.steps if step.action not in ("delete", "gone") or step.identity in tracked)
    doomed = plan.__class__(steps=steps, digest=plan.digest)
    owner = Owner(task.install_id, task.component)
    done = prune(doomed, work, owner, lambda: site.shelf.check(inventory), forget)
    left = [[str(identity), why[:300]] for identity, why in done.left]
    return PrunedInstall(gone=len(done.gone), left=fitting(left, _TOLD), pending=done.pending)
