"""A deploy that an agent is to run is received as the state machine's own function does it, with what the API has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from byoa.api.visits import visit
from byoa.errors import BuildNotFound
from byoa.installs.states import DeployReceived
from byoa.installs.steps.receive_deploy import Desk, receive_deploy

if TYPE_CHECKING:
    from byoa.api.ports import Inventory
    from byoa.builds.messages import Build, BuildKey, ConfigVersion
    from byoa.installs.messages import Deploy
    from byoa.installs.pocket import Pocket
    from byoa.installs.states import CheckedDeploy


def runner_of(deploy: Deploy) -> str:
    """What runs the deploys of an install that has an agent: which agent it is, its lease says."""
    return f"agent-{deploy.install_id}"


def receive(deploy: Deploy, pocket: Pocket) -> CheckedDeploy:
    """The deploy, which the install's agents have from now on. Raises what ``receive_deploy`` raises."""
    here = visit()
    desk = Desk(
        deploys=here.deploying,
        builds=_Builds(here.inventory),
        check=here.world.receipt_check,
        values=pocket,
        clock=here.world.clock,
    )
    return receive_deploy(DeployReceived(**deploy.key.model_dump(), execution=runner_of(deploy)), desk)


@dataclass(frozen=True, slots=True)
class _Builds:
    """Builds as a deploy asks for them, of the caller's organisation. Implements ``receive_deploy.Builds``."""

    inventory: Inventory

    def build(self, organisation: str, build_id: str) -> Build | None:
        """One build."""
        del organisation
        return self.inventory.build(build_id)

    def config(self, key: BuildKey) -> ConfigVersion:
        """The config version that it is of. Raises ``BuildNotFound``."""
        config = self.inventory.config(key.app, key.component, key.version)
        if config is None:
            raise BuildNotFound("The build's config isn't there any more.")
        return config

    def receipt(self, organisation: str, build_id: str) -> str | None:
        """Its receipt."""
        del organisation
        return self.inventory.receipt(build_id)
