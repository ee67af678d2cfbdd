"""EndStoppedDeploy: an execution that ended without RecordDeploy still ends its deploy."""

from byoa.bootstrap import installs, pipeline
from byoa.installs.states import DeployOutcome, StoppedDeploy
from byoa.installs.steps import end_stopped_deploy
from byoa.step import count_deploy, step


@step
def handler(stopped: StoppedDeploy) -> DeployOutcome | None:
    """End the deploy of an execution that was stopped or gave up."""
    if stopped.input is None:  # about no deploy, and so about no organisation whose session could write
        return None
    organisation = stopped.input.detail.organisation
    outcome = end_stopped_deploy.end_stopped_deploy(stopped, installs.deploys(organisation), pipeline.clock())
    if outcome:
        count_deploy(outcome.status)
    return outcome
