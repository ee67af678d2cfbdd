"""EndStoppedDeploy: an execution that ended without RecordDeploy still ends its deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.builds.messages import Failure
from byoa.errors import InternalFault
from byoa.installs.records import failed
from byoa.installs.states import DeployOutcome

if TYPE_CHECKING:
    from byoa.builds.ports import Clock
    from byoa.installs.messages import Deploy, InstallComponent
    from byoa.installs.ports import Deploys
    from byoa.installs.states import StoppedDeploy


def end_stopped_deploy(stopped: StoppedDeploy, deploys: Deploys, clock: Clock) -> DeployOutcome | None:
    """End the deploy of an execution that was stopped, and let go of its component.

    ``None`` where it had ended, waits for an answer, or that execution had not begun it.
    """
    if stopped.input is None:
        return None
    key = stopped.input.detail.key
    deploy = deploys.look(key)
    if deploy is None or deploy.execution != stopped.name or deploy.status == "pending-approval":
        return None
    told = Failure(
        code=InternalFault.__name__,
        cause=f"The execution of the deploy ended before the deploy did ({stopped.status}).",
        remedy="Deploy again: what was applied is tracked, and it goes on from there.",
    )

    def becomes(found: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
        return failed(found, told, clock.now()), part

    kept = deploys.finish(key, stopped.name, becomes)
    return DeployOutcome(status=kept.status, failure=kept.failure) if kept else None
