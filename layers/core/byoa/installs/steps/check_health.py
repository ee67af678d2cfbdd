"""CheckHealth: one look at what was applied. The state machine waits between two, and pays for none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.builds.messages import Failure
from byoa.installs.bounds import cut, fitting
from byoa.installs.check import Watched, look_again, unhealthy
from byoa.installs.messages import ObjectHealth
from byoa.installs.parcels import fetch_plan
from byoa.installs.states import HealthSeen

if TYPE_CHECKING:
    from byoa.installs.check import Finding
    from byoa.installs.states import HealthTask
    from byoa.installs.steps.apply_install import Site

_WAITS: Final = (1, 2, 3, 5, 10)
"""Seconds between looks; the last goes on."""

_TOLD: Final = 50
"""Objects that are named at most, those that have failed first."""


def check_health(task: HealthTask, site: Site) -> HealthSeen:
    """Look. Nothing is healthy that failed or that isn't there in the deploy's time; ``once`` waits for nothing.

    Raises what the cluster fails with, and ``DeployTimedOut`` where it is late for a first look.
    """
    late = site.clock.now() * 1000 >= task.ends_ts
    work = site.work(task.model_copy(update={"ends_ts": task.ends_ts + 60_000}) if task.looks else task)
    before = Watched(task.begun, task.stuck) if task.begun is not None else None
    steps = [step for step in fetch_plan(task.plan, site.plans).steps if step.wanted is not None]
    found, watched = look_again(steps, work, before, once=task.once)
    unwell = [each for each in found if each.health.state != "healthy"]
    failed = [each for each in unwell if each.health.state == "failed"]
    others = (each for each in unwell if each.health.state != "failed")
    over = bool(failed) or late
    told = unhealthy(failed or unwell, work, late=not failed) if unwell and over and not task.once else None
    return HealthSeen(
        verdict="healthy" if not unwell else "unhealthy" if over else "progressing",
        objects=[ObjectHealth(**each) for each in fitting(map(_told, [*failed, *others]), _TOLD)],
        total=len(found),
        looks=task.looks + 1,
        begun=watched.begun,
        stuck=dict(fitting(watched.stuck.items(), _TOLD)),
        wait=_WAITS[min(task.looks, len(_WAITS) - 1)],
        failure=Failure(**cut(told.as_dict())) if told else None,
    )


def _told(each: Finding) -> dict[str, str]:
    return {"object": str(each.place.identity), "state": each.health.state, "reason": each.health.reason[:300]}
