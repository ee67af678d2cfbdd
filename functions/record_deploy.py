"""RecordDeploy: how a deploy ended, whatever happened."""

from byoa.bootstrap import installs, pipeline
from byoa.installs.states import DeployEnded, DeployOutcome
from byoa.installs.steps import record_deploy
from byoa.step import count_deploy, step


@step
def handler(ended: DeployEnded) -> DeployOutcome | None:
    """Write it."""
    contents = installs.parcels(ended.organisation, "contents")
    outcome = record_deploy.record_deploy(ended, installs.deploys(ended.organisation), contents, pipeline.clock())
    if outcome:
        count_deploy(outcome.status)
    return outcome
