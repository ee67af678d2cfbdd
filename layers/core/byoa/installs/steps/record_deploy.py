"""RecordDeploy: how a deploy ended, or that its plan waits for somebody. It runs whatever happened."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from byoa.builds.record import read_failure
from byoa.builds.records import milliseconds
from byoa.errors import DuplicateEvent, EventUntrusted, InternalFault
from byoa.installs import contents, parcels
from byoa.installs.records import entry, failed, moved
from byoa.installs.schedules import next_after
from byoa.installs.states import DeployOutcome

if TYPE_CHECKING:
    from datetime import datetime

    from byoa.builds.messages import Failure
    from byoa.builds.ports import Clock, Lists
    from byoa.installs.messages import Deploy, InstallComponent
    from byoa.installs.ports import Becomes, Deploys
    from byoa.installs.states import DeployEnded

_TEXTS: Final = {
    "active": "applied, healthy and pruned",
    "inactive": "torn down",
    "noop": "nothing to do",
    "no-drift": "all that is not left to others is as it was applied",
    "drift-detected": "the cluster is no longer as it was applied",
    "pending-approval": "the plan waits for approval",
    "auto-skipped": "planned; nothing was to be applied",
}

_UNDONE: Final = frozenset(("pending-approval", "auto-skipped"))
"""What ends so has left nothing: its plan says what would stay."""

ENDS: Final = frozenset(_TEXTS)
"""What a plan without faults can say that a deploy ends as."""


def record_deploy(ended: DeployEnded, deploys: Deploys, shown: Lists, clock: Clock) -> DeployOutcome | None:
    """Write how it ended and what it planned (``shown``), and let go of the component. The first outcome stands.

    ``None`` where it had ended, and where another execution has it. Raises ``InternalFault`` for a deploy that isn't
    done, and ``EventUntrusted`` for one that is put together from several.
    """
    if ended.failure and ended.failure.error == DuplicateEvent.__name__:
        return None
    failure = failure_of(ended)
    plan = contents.pack(parcels.fetch(ended.planned.contents, shown)) if ended.planned else None
    now = clock.now()
    kept = deploys.finish(ended.key, ended.execution, _becomes(ended, failure, now), plan)
    return DeployOutcome(status=kept.status, failure=kept.failure) if kept else None


def failure_of(ended: DeployEnded) -> Failure | None:
    """What stopped a deploy, if anything did.

    Raises ``InternalFault`` for one that isn't done, and ``EventUntrusted`` for one put together from several.
    """
    if ended.failure:
        return read_failure(ended.failure)
    checked, planned = ended.checked, ended.planned
    if checked is None or planned is None:
        raise InternalFault("A deploy is to be recorded as done that is not.")
    if checked.key != ended.key or checked.execution != ended.execution:
        raise EventUntrusted("The message is put together from more than one deploy.")
    if planned.faults:
        return planned.faults[0]
    if planned.next == "apply":
        if ended.health and ended.health.failure:
            return ended.health.failure
        if ended.pruned is None or ended.pruned.pending or ended.applied is None or ended.applied.pending:
            raise InternalFault("A deploy is to be recorded as done that is not.")
    return None


def _becomes(ended: DeployEnded, failure: Failure | None, now: datetime) -> Becomes:
    def becomes(deploy: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
        changes: dict[str, Any] = {}
        if ended.planned:
            planned = ended.planned
            changes |= {"counts": planned.counts, "needs": planned.needs, "fingerprint": planned.fingerprint}
        if ended.health:
            changes |= {"health": ended.health.objects}
        left = [*(ended.planned.kept if ended.planned else []), *(ended.pruned.left if ended.pruned else [])]
        if left and not (ended.planned and ended.planned.status in _UNDONE):
            changes |= {"left": left}
        if failure:
            return failed(deploy, failure, now, **changes), _stands(part, ended, failure, now)
        status = ended.planned.status if ended.planned else "error"
        line = entry(status, _text(ended, status), now, step="record")
        return moved(deploy, line, **changes), _stands(part, ended, None, now)

    return becomes


def _text(ended: DeployEnded, status: str) -> str:
    counts = ended.planned.counts if ended.planned else {}
    told = ", ".join(f"{count} {action}" for action, count in counts.items() if count and action != "unchanged")
    return f"{_TEXTS[status]}{f' ({told})' if told else ''}"


def _stands(part: InstallComponent, ended: DeployEnded, failure: Failure | None, now: datetime) -> InstallComponent:
    """How the component is from now on, on its two axes, and when drift is looked for next."""
    checked, planned = ended.checked, ended.planned
    found: dict[str, Any] = {}
    if ended.health:
        words = {"healthy": "healthy", "progressing": "degraded", "unhealthy": "unhealthy"}
        found["health"] = words[ended.health.verdict] if ended.health.total else "not-applicable"
    elif failure and ended.applied:
        found["health"] = "unknown"
    if planned and not failure:
        status = planned.status
        if status in ("active", "noop", "no-drift", "drift-detected"):
            drift = "drift-detected" if status == "drift-detected" else "no-drift"
            found |= {"drift": drift, "drift_checked_at_ts": milliseconds(now)}
        if status == "noop" and checked:
            found["install_version"] = checked.install_version
        if status == "inactive":
            gone = {"build_id": None, "digest": None, "health": "not-applicable"}
            found |= {**gone, "drift": "unknown", "next_drift_ts": None}
        elif checked and status != "pending-approval":
            found["next_drift_ts"] = _next(checked.drift_schedule, now)
    return part.model_copy(update=found)


def _next(schedule: str | None, now: datetime) -> int | None:
    found = next_after(schedule, now.astimezone(UTC)) if schedule else None
    return milliseconds(found) if found else None
