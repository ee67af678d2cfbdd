"""ReleaseDeploys: what waited for a deploy that has ended begins, or is skipped."""

from byoa.bootstrap import installs
from byoa.installs.messages import DeployStatusChanged
from byoa.installs.steps import release_deploys
from byoa.installs.steps.release_deploys import DeploysReleased
from byoa.step import step


@step
def handler(changed: DeployStatusChanged) -> DeploysReleased:
    """Go on with its run."""
    return release_deploys.release_deploys(changed, installs.installs(changed.organisation))
