"""What all organisations have of installs and their deploys, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from byoa.builds.ports import Clock
    from byoa.installs.messages import Deploy, DeployKey, Install, InstallComponent
    from byoa.installs.ports import AgentSign


@dataclass(slots=True)
class DeployStore:
    """What all organisations have, by key; ``holders`` are the numbers of deploys that hold a component."""

    clock: Clock
    series: str = ""
    installs: dict[tuple[str, str], Install] = field(default_factory=dict)
    deploys: dict[DeployKey, Deploy] = field(default_factory=dict)
    parts: dict[tuple[str, str, str], InstallComponent] = field(default_factory=dict)
    holders: dict[tuple[str, str, str], int] = field(default_factory=dict)
    plans: dict[str, str] = field(default_factory=dict)
    packed: dict[tuple[str, str, str], tuple[str, int]] = field(default_factory=dict)
    told: list[Deploy] = field(default_factory=list)
    told_again: dict[DeployKey, int] = field(default_factory=dict)
    signs: dict[tuple[str, str], AgentSign] = field(default_factory=dict)
    agents: set[DeployKey] = field(default_factory=set)

    def keep(self, deploy: Deploy) -> Deploy:
        """Keep a deploy as it is now; ``told`` are those that the bus hears of."""
        before = self.deploys.get(deploy.key)
        if before is None or before.status != deploy.status:
            self.told.append(deploy)
        self.deploys[deploy.key] = deploy
        return deploy


def place_of(key: DeployKey) -> tuple[str, str, str]:
    """The component that a deploy is of."""
    return key.organisation, key.install_id, key.component
