"""CheckHealth: wait until what was applied does what it is for, or until it is known that it won't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.errors import ClusterForbidden, InstallUnhealthy
from byoa.installs.events import PODS, newest_warning, pods_of
from byoa.installs.health import WORKLOADS, Health, judge, pods_reasons, waiting_reasons
from byoa.installs.kinds import DEFINITION, is_custom
from byoa.installs.objects import Kind, Object, Place, mapping
from byoa.installs.together import each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.installs.apply import Work
    from byoa.installs.plans import Step

_POLLS: Final = (0.2, 0.5, 1.0, 2.0)
"""Seconds between looks; the last goes on."""

_STUCK: Final = 15.0
"""Seconds after which a reason to wait that doesn't pass by itself is a failure: kubelet has tried again by then."""

_UNWRITTEN: Final = 30.0
"""Seconds in which a custom object's controller is given time to write a first status, which not all of them do."""

_TOLD: Final = 5

_CLASSES: Final = Kind("storage.k8s.io", "v1", "StorageClass", "storageclasses", namespaced=False)


class Finding(NamedTuple):
    """The health of one object."""

    place: Place
    health: Health


class Watched(NamedTuple):
    """What is known between two looks: when the first was, and since when pods of workloads wait (seconds)."""

    begun: float
    stuck: dict[str, float]


def look(steps: Sequence[Step], work: Work) -> list[Finding]:
    """The health of what a plan wants there, as it is now."""
    return _Watch(steps, work).look()


def seen(steps: Sequence[Step], work: Work) -> list[Finding]:
    """The same by what a plan has just found there: no object is asked for once more."""
    watch = _Watch(steps, work, patient=False)
    return each(work.workers, lambda step: watch.judge(step.place, step.live), [one for one in steps if one.wanted])


def look_again(
    steps: Sequence[Step], work: Work, watched: Watched | None, *, once: bool = False
) -> tuple[list[Finding], Watched]:
    """The same, by what was ``watched`` until now; ``None`` at first. Who looks ``once`` gives nothing its time."""
    watch = _Watch(steps, work, watched, patient=not once)
    return watch.look(), Watched(watch.begun, watch.stuck)


def check(steps: Sequence[Step], work: Work) -> list[Finding]:
    """Wait for what a plan wants there to be healthy.

    Raises ``InstallUnhealthy``, which names the objects and reasons, as soon as one has failed or when time is over.
    """
    watch = _Watch(steps, work)
    polls = iter(_POLLS)
    while True:
        found = watch.look()
        unwell = [each for each in found if each.health.state != "healthy"]
        failed = [each for each in unwell if each.health.state == "failed"]
        if not unwell:
            return found
        if failed or work.clock.now() >= work.until:
            raise unhealthy(failed or unwell, work, late=not failed)
        work.clock.sleep(next(polls, _POLLS[-1]))


class _Watch:
    def __init__(
        self, steps: Sequence[Step], work: Work, watched: Watched | None = None, *, patient: bool = True
    ) -> None:
        self._work = work
        self._patient = patient
        self._kept: dict[Kind, bool] = {}
        self._places = [step.place for step in steps if step.wanted is not None]
        self._with_status = {kind for step in steps if step.wanted for kind in _with_status(step)}
        self.begun = watched.begun if watched else work.clock.now()
        self.stuck = dict(watched.stuck) if watched else {}

    def look(self) -> list[Finding]:
        return each(self._work.workers, self._look, self._places)

    def _look(self, place: Place) -> Finding:
        return self.judge(place, self._work.cluster.get(place))

    def judge(self, place: Place, found: Object | None) -> Finding:
        """The health of what was found at a place."""
        if found is None:
            return Finding(place, Health("failed", "it is gone"))
        young = self._patient and self._work.clock.now() - self.begun < _UNWRITTEN
        health = judge(found, has_status=young and self._is_unseen(place.kind, found))
        if health.state == "progressing" and place.kind.kind == "PersistentVolumeClaim" and self._is_late(found):
            health = judge(found, late_binding=True)
        if health.state == "progressing" and place.kind.type in WORKLOADS:
            health = self._with_pods(place, found, health)
        elif health.state == "progressing" and place.kind.type == PODS.type:
            health = self._lasting(place, waiting_reasons(found), health)
        return Finding(place, health)

    def _is_unseen(self, kind: Kind, found: Object) -> bool:
        """Whether an object may be one whose controller has not written a status yet: its definition says if it can."""
        if kind.type in self._with_status:
            return True
        if not is_custom(kind) or mapping(found, "status"):
            return False
        if kind not in self._kept:
            self._kept[kind] = self._work.cluster.keeps_status(kind)
        return self._kept[kind]

    def _is_late(self, claim: Object) -> bool:
        """Whether the claim's class binds it when a pod asks for it, which may never be."""
        name = mapping(claim, "spec").get("storageClassName")
        try:
            found = self._work.cluster.get(Place(_CLASSES, "", str(name))) if name else None
        except ClusterForbidden:
            found = None
        return bool(found) and found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"

    def _with_pods(self, place: Place, found: Object, health: Health) -> Health:
        """Why pods of a workload wait; failed where that has lasted."""
        try:
            reasons = pods_reasons(pods_of(found, place, self._work.cluster))
        except ClusterForbidden:  # the workload's own status says less, and enough
            return health
        told = f"{health.reason}; pods wait: {', '.join(reasons)}" if reasons else health.reason
        return self._lasting(place, reasons, health._replace(reason=told))

    def _lasting(self, place: Place, reasons: list[str], health: Health) -> Health:
        """Failed where something waits for ``reasons`` that don't pass by themselves, and has for long enough."""
        if not reasons:
            self.stuck.pop(str(place.identity), None)
            return health
        now = self._work.clock.now()
        lasted = now - self.stuck.setdefault(str(place.identity), now)
        return health._replace(state="failed") if lasted >= _STUCK else health


def _with_status(step: Step) -> list[tuple[str, str]]:
    """The kinds that a definition gives a status of their own."""
    if step.place.kind.type != DEFINITION or step.wanted is None:
        return []
    spec = mapping(step.wanted, "spec")
    versions = spec.get("versions")
    listed = versions if isinstance(versions, list) else []
    if not any(isinstance(one, dict) and "status" in mapping(one, "subresources") for one in listed):
        return []
    return [(str(spec.get("group")), str(mapping(spec, "names").get("kind")))]


def unhealthy(unwell: Sequence[Finding], work: Work, *, late: bool) -> InstallUnhealthy:
    """What is raised for objects that have failed, or that were ``late``."""
    told = [f"{one.place.identity} ({one.health.reason}{_event(one.place, work)})" for one in unwell[:_TOLD]]
    more = f" and {len(unwell) - _TOLD} more" if len(unwell) > _TOLD else ""
    what = "did not get healthy in time" if late else "failed"
    return InstallUnhealthy(f"{', '.join(told)}{more} {what}.", where=str(unwell[0].place.identity))


def _event(place: Place, work: Work) -> str:
    reason = newest_warning(place, work.cluster)
    return f"; last warning: {reason}" if reason else ""
