"""ReceiveDeploy: a deploy is taken up, of a build whose receipt is good."""

from byoa.bootstrap import installs
from byoa.installs.states import CheckedDeploy, DeployReceived
from byoa.installs.steps import receive_deploy
from byoa.step import step


@step
def handler(received: DeployReceived) -> CheckedDeploy:
    """Take it up."""
    return receive_deploy.receive_deploy(received, installs.desk(received.organisation))
