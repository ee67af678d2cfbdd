"""ApplyInstall: a plan to the cluster, as much of it as there is time for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from byoa.errors import DeployTimedOut
from byoa.installs import parcels
from byoa.installs.apply import Work, apply
from byoa.installs.inventory import EMPTY
from byoa.installs.records import entry, moved
from byoa.installs.states import AppliedInstall

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.builds.ports import Clock as Calendar
    from byoa.builds.ports import Lists
    from byoa.engine.workers import Workers
    from byoa.installs.cluster import Clock, Cluster, Shelf
    from byoa.installs.messages import Deploy, InstallComponent
    from byoa.installs.plans import Plan
    from byoa.installs.ports import Becomes, Running
    from byoa.installs.states import ApplyTask, CheckedDeploy


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What a plan is carried out with; ``left`` tells how many seconds the step has, ``clock`` has the epoch's."""

    cluster: Cluster
    shelf: Shelf
    plans: Lists
    clock: Clock
    left: Callable[[], float]
    workers: Workers | None = None

    def plan(self, digest: str) -> Plan:
        """The plan, with what is tracked now: whoever did a part of it before has written that."""
        return parcels.fetch_plan(digest, self.plans)._replace(inventory=self.shelf.read() or EMPTY)

    def work(self, checked: CheckedDeploy) -> Work:
        """What steps work with, until the deploy's time or the step's is over. Raises ``DeployTimedOut``."""
        ends = checked.ends_ts / 1000
        if self.clock.now() >= ends:
            raise DeployTimedOut("The deploy took longer than its deploy_timeout.", where="deploy_timeout")
        return Work(
            cluster=self.cluster,
            shelf=self.shelf,
            clock=self.clock,
            until=min(ends, self.clock.now() + self.left()),
            workers=self.workers,
            take_over=frozenset(checked.take_over),
            out_of_time=lambda: self.left() <= 0 or self.clock.now() >= ends,
        )


def apply_install(task: ApplyTask, site: Site, deploys: Running, calendar: Calendar) -> AppliedInstall:
    """Write what the plan says, from the object on that ``done`` names.

    Before its first write the deploy is ``executing``, and from then on no newer one overtakes it. Raises what
    ``apply.apply`` raises.
    """
    work = site.work(task)
    if deploys.check(task.key, task.execution).status != "executing":
        deploys.change(task.key, task.execution, executing(task, calendar))
    written = apply(site.plan(task.plan), work, task.done)
    return AppliedInstall(done=written.done, total=written.total, pending=written.pending)


def executing(task: CheckedDeploy, calendar: Calendar) -> Becomes:
    """A deploy that writes from now on, and its component as it is until then."""

    def becomes(deploy: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
        line = entry("executing", "applying the plan", calendar.now(), step="apply")
        applied = {"build_id": task.build_id, "digest": task.digest, "install_version": task.install_version}
        of_build = applied if task.operation == "apply" else {}
        return moved(deploy, line), part.model_copy(update={**of_build, "health": "progressing"})

    return becomes
