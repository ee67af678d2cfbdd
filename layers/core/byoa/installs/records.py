"""How a deploy's record reads and what may become of it: each step a pure one, from a record to the next."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from byoa.builds.messages import Failure
from byoa.builds.records import milliseconds
from byoa.errors import DeployBusy, DeployCancelled, DeploySuperseded, DuplicateEvent
from byoa.installs.messages import HISTORY, Deploy, DeployEntry, DeployKey, deploy_id_of

if TYPE_CHECKING:
    from datetime import datetime

    from byoa.installs.messages import Answered, DeployStatus, Install, InstallComponent, Operation
    from byoa.installs.ports import Request

APPROVAL_TIME: Final = timedelta(days=7)
"""How long a plan waits for an answer. Nothing is held meanwhile, but what was looked at gets old."""

_NAMED: Final = 5
"""Components that a line of history names."""

WAITING: Final[frozenset[DeployStatus]] = frozenset(("pending", "queued", "planning", "pending-approval"))
"""What a newer deploy overtakes: nothing was written yet."""

TO_RUN: Final[frozenset[DeployStatus]] = frozenset(("queued", "planning", "executing"))
"""What somebody begins, or goes on with where another one stopped."""


def entry(status: DeployStatus, text: str, moment: datetime, **metadata: str | int) -> DeployEntry:
    """One line of history."""
    return DeployEntry(
        status=status, status_human_description=text, created_at_ts=milliseconds(moment), metadata=metadata
    )


def queued(  # noqa: PLR0913, PLR0917 - where, what, and when
    install: Install,
    component: str,
    before: InstallComponent | None,
    request: Request,
    series: str,
    moment: datetime,
) -> Deploy:
    """The record of a deploy that nothing has begun yet; ``before`` is the component as it stands.

    Drift is looked for in what was applied last, unless the request names a build. Raises ``DeployBusy`` where another
    deploy than the request's ``newest`` was asked for last: it isn't to be overtaken.
    """
    if request.newest not in (None, before.number if before else 0):
        raise DeployBusy("Another deploy of the component was asked for meanwhile.")
    key = DeployKey(
        organisation=install.organisation,
        install_id=install.id,
        component=component,
        number=(before.number if before else 0) + 1,
    )
    looks = request.operation == "drift" and request.build_id is None and before is not None
    behind = ", ".join(each.component for each in request.waits_for[:_NAMED])
    more = len(request.waits_for) - _NAMED
    runs = "the install's agent" if install.access.get("kind") == "agent" else "the pipeline"
    first = entry(
        "pending" if behind else "queued",
        f"waiting for {behind}{f' and {more} more' if more > 0 else ''}" if behind else f"waiting for {runs}",
        moment,
        number=key.number,
    )
    return Deploy(
        **key.model_dump(),
        **first.model_dump(),
        app=install.app,
        id=deploy_id_of(key, series),
        operation=request.operation,
        plan_only=request.plan_only,
        build_id=before.build_id if looks and before else request.build_id,
        config_version=request.config_version,
        history=[first],
        created_by=request.by,
        cause=request.cause,
        approve_all=request.approve_all or install.approval == "approve-all",
        take_over=list(request.take_over),
        recover=request.recover,
        run=request.run,
        waits_for=list(request.waits_for),
        dependents=list(request.dependents),
        names=list(request.names),
    )


def operation_of(deploy: Deploy) -> Literal["create-apply-plan", "apply-plan", "create-teardown-plan", "drift"]:
    """What is to be done next for a deploy that waits, in Nuon's words."""
    if deploy.answered is not None:
        return "apply-plan"
    words: dict[Operation, Literal["create-apply-plan", "create-teardown-plan", "drift"]] = {
        "apply": "create-apply-plan", "teardown": "create-teardown-plan", "drift": "drift"
    }  # fmt: skip
    return words[deploy.operation]


def moved(deploy: Deploy, line: DeployEntry, **changes: object) -> Deploy:
    """The deploy with one more line of history, whose status is its own from now on, and other ``changes``.

    A history that is full takes no more lines than the last ones: those between are counted.
    """
    full = len(deploy.history) >= HISTORY
    history = [*(deploy.history[: HISTORY - 1] if full else deploy.history), line]
    shown = {
        "status": line.status,
        "status_human_description": line.status_human_description,
        "created_at_ts": deploy.created_at_ts,
        "metadata": line.metadata,
        "history": history,
        "left_out": deploy.left_out + full,
    }
    return deploy.model_copy(update={**shown, **changes})


def begun(deploy: Deploy, execution: str, moment: datetime) -> Deploy:
    """The deploy, given to ``execution``; the same one may ask again.

    Raises ``DuplicateEvent`` where another has it and ``DeploySuperseded`` where it has ended or waits for an answer.
    """
    if deploy.ended:
        raise stopped(deploy)
    if deploy.execution not in (None, execution):
        raise DuplicateEvent("Another execution already runs this deploy.")
    if deploy.status in ("pending", "pending-approval"):
        raise DuplicateEvent("The deploy waits for somebody's answer, or for another deploy.")
    if deploy.execution == execution:
        return deploy
    return moved(deploy, entry("planning", "checking the build and its receipt", moment), execution=execution)


def check_runs(deploy: Deploy | None, execution: str) -> Deploy:
    """The deploy, if ``execution`` has it and may go on. Raises ``DuplicateEvent`` and ``DeploySuperseded``."""
    if deploy is None:
        raise DeploySuperseded("The deploy isn't there any more.")
    if deploy.ended:
        raise stopped(deploy)
    if deploy.execution != execution:
        raise DuplicateEvent("Another execution already runs this deploy.")
    return deploy


def settled(deploy: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
    """A deploy and its component as they are kept: of one that ended while it wrote nobody knows how its objects are.

    Its objects aren't on their way to anything any more; they are looked at by the next deploy, or look for drift.
    """
    if deploy.ended and part.health == "progressing":
        return deploy, part.model_copy(update={"health": "unknown"})
    return deploy, part


def stopped(deploy: Deploy) -> DeploySuperseded:
    """What whoever runs an ended deploy is told."""
    return DeploySuperseded(f"The deploy has ended ({deploy.status}); nothing more is written for it.")


def overtaken(deploy: Deploy, number: int, moment: datetime) -> Deploy | None:
    """The deploy, cancelled because deploy ``number`` was asked for; ``None`` where it writes already or has ended."""
    if deploy.status not in WAITING:
        return None
    told = DeploySuperseded(f"Deploy {number} of the component was asked for before this one wrote anything.")
    return _failed(deploy, "cancelled", told, moment, overtaken_by=number)


def answered(deploy: Deploy, said: Answered, moment: datetime) -> Deploy | None:
    """The deploy with what somebody said to its plan; ``None`` where that isn't waited for, or of another plan.

    What was approved waits for an execution of its own. What an approval leaves out of what only goes by name
    (``Deploy.needs``) is for the caller to refuse: a deploy would end with it.
    """
    if deploy.status != "pending-approval" or deploy.fingerprint != said.fingerprint or is_late(deploy, moment):
        return None
    by = {"answered_by": said.by} if said.by else {}
    if said.decision == "deny":
        return moved(deploy, entry("approval-denied", "the plan was denied", moment, **by), answered=said)
    line = entry("queued", "approved; waiting to go on", moment, **by)
    return moved(deploy, line, answered=said, execution=None)


def cancelled(deploy: Deploy, cause: str, by: str, moment: datetime) -> Deploy | None:
    """The deploy, ended by somebody; ``None`` where it has ended."""
    if deploy.ended:
        return None
    return _failed(deploy, "cancelled", DeployCancelled(cause), moment, stopped_by=by)


def released(deploy: Deploy, failure: Failure | None, moment: datetime) -> Deploy | None:
    """The deploy, which waited for others: queued, or skipped for a ``failure``. ``None`` where it doesn't wait so."""
    if deploy.status != "pending":
        return None
    if failure:
        return moved(deploy, entry("auto-skipped", failure.cause, moment), failure=failure)
    return moved(deploy, entry("queued", "what it waited for went well; waiting to begin", moment))


def is_late(deploy: Deploy, moment: datetime) -> bool:
    """Whether a plan has waited for an answer for longer than it may."""
    asked = deploy.history[-1].created_at_ts
    return deploy.status == "pending-approval" and milliseconds(moment - APPROVAL_TIME) > asked


def expired(deploy: Deploy, moment: datetime) -> Deploy | None:
    """The deploy, ended because nobody answered to its plan in time; ``None`` where there still is time."""
    if not is_late(deploy, moment):
        return None
    told = DeployCancelled(f"Nobody answered to the plan within {APPROVAL_TIME.days} days.")
    return _failed(deploy, "cancelled", told, moment)


def failed(deploy: Deploy, failure: Failure, moment: datetime, **changes: object) -> Deploy:
    """The deploy, ended by a failure: as ``cancelled`` where it was overtaken or stopped."""
    quiet = failure.code in {DeploySuperseded.__name__, DeployCancelled.__name__}
    status: DeployStatus = "cancelled" if quiet else "error"
    return moved(deploy, entry(status, failure.cause, moment, step="record"), failure=failure, **changes)


def _failed(
    deploy: Deploy, status: DeployStatus, told: DeploySuperseded | DeployCancelled, moment: datetime,
    **metadata: str | int,
) -> Deploy:  # fmt: skip
    failure = Failure(code=told.code, cause=told.cause, remedy=told.remedy)
    return moved(deploy, entry(status, told.cause, moment, **metadata), failure=failure)
