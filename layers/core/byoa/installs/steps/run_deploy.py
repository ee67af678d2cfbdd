"""All states of a deploy in one process, as an agent does them, in the order of ``install.asl.yaml``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from byoa.builds.messages import CaughtError
from byoa.errors import ByoaError, Transient
from byoa.installs.states import ApplyTask, DeployEnded, HealthTask, LoadedDeploy, PruneTask
from byoa.installs.steps.apply_install import Site, apply_install
from byoa.installs.steps.check_health import check_health
from byoa.installs.steps.load_manifests import load_manifests
from byoa.installs.steps.plan_install import Table, plan_install
from byoa.installs.steps.prune_install import prune_install
from byoa.installs.steps.pull_mirror import pull_mirror

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.builds.ports import Clock as Calendar
    from byoa.builds.ports import Lists
    from byoa.engine.ports import Repository, Source
    from byoa.engine.workers import Workers
    from byoa.installs.cluster import Clock, Cluster, Shelf
    from byoa.installs.ports import Running
    from byoa.installs.states import CheckedDeploy, PlannedInstall

_RESTS: Final = (2.0, 4.0, 8.0, 16.0)
"""Seconds between tries of one state at what passes by itself."""

_LONG: Final = 3600.0
"""Seconds that a state has at most: a process has no other end than the deploy's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rig:
    """What a deploy is run with. ``lists`` has what goes from state to state, ``key`` keeps fingerprints from guesses.

    ``quarantine`` is empty, ``mirror`` opens the mirror of a deploy, and ``tell`` is given a word at each state.
    """

    mirror: Callable[[CheckedDeploy], Source]
    quarantine: Repository
    cluster: Cluster
    shelf: Shelf
    deploys: Running
    lists: Lists
    clock: Clock
    calendar: Calendar
    key: bytes | None = None
    workers: Workers | None = None
    tell: Callable[[str], None] = lambda _: None

    def site(self) -> Site:
        """What plans are carried out with."""
        return Site(
            cluster=self.cluster, shelf=self.shelf, plans=self.lists, clock=self.clock, left=lambda: _LONG,
            workers=self.workers,
        )  # fmt: skip


def run_deploy(checked: CheckedDeploy, rig: Rig) -> DeployEnded:
    """Run it, and say which way it went; what it fails with is told and not raised."""
    way: dict[str, Any] = {}
    try:
        _states(checked, rig, way)
    except ByoaError as error:
        told = {"errorMessage": error.as_json(), "errorType": error.code}
        way["failure"] = CaughtError(error=error.code, cause=json.dumps(told))
    return DeployEnded(**checked.key.model_dump(), execution=checked.execution, checked=checked, **way)


def _states(checked: CheckedDeploy, rig: Rig, way: dict[str, Any]) -> None:
    rig.tell("planning")
    loaded = _loaded(checked, rig)
    planned = way["planned"] = _try(rig, plan_install, loaded, _table(rig))
    if planned.next == "record":
        return
    if planned.next == "apply":
        rig.tell("applying")
        _apply(checked, planned, rig, way)
    rig.tell("waiting for health")
    if not _is_well(checked, planned, rig, way) or planned.next == "look":
        return
    rig.tell("pruning")
    task = PruneTask(**checked.model_dump(), plan=planned.plan)
    while True:
        pruned = way["pruned"] = _try(rig, prune_install, task, rig.site())
        if not pruned.pending:
            return


def _loaded(checked: CheckedDeploy, rig: Rig) -> LoadedDeploy:
    if checked.operation == "teardown":
        return LoadedDeploy(**checked.model_dump())
    _try(rig, pull_mirror, checked, rig.mirror(checked), rig.quarantine)
    found = _try(rig, load_manifests, checked, rig.quarantine, rig.lists, rig.lists)
    return LoadedDeploy(**checked.model_dump(), objects=found.objects, target_namespace=found.target_namespace)


def _table(rig: Rig) -> Table:
    return Table(
        cluster=rig.cluster, shelf=rig.shelf, key=rig.key, objects=rig.lists, plans=rig.lists, contents=rig.lists,
        workers=rig.workers,
    )  # fmt: skip


def _apply(checked: CheckedDeploy, planned: PlannedInstall, rig: Rig, way: dict[str, Any]) -> None:
    done = 0
    while True:
        task = ApplyTask(**checked.model_dump(), plan=planned.plan, done=done)
        applied = way["applied"] = _try(rig, apply_install, task, rig.site(), rig.deploys, rig.calendar)
        done = applied.done
        if not applied.pending:
            return


def _is_well(checked: CheckedDeploy, planned: PlannedInstall, rig: Rig, way: dict[str, Any]) -> bool:
    """Whether all of it got healthy in the deploy's time; where nothing was applied one look is enough."""
    once = planned.next == "look"
    seen: dict[str, Any] = {}
    while True:
        task = HealthTask(**checked.model_dump(), plan=planned.plan, once=once, **seen)
        health = way["health"] = _try(rig, check_health, task, rig.site())
        if once or health.verdict != "progressing":
            return health.verdict == "healthy"
        seen = {"looks": health.looks, "begun": health.begun, "stuck": health.stuck}
        rig.clock.sleep(health.wait)


def _try[**Given, Answer](
    rig: Rig, state: Callable[Given, Answer], *given: Given.args, **named: Given.kwargs
) -> Answer:
    """What passes by itself is tried again."""
    for rest in _RESTS:
        try:
            return state(*given, **named)
        except Transient as error:
            rig.clock.sleep(error.retry_after or rest)
    return state(*given, **named)
