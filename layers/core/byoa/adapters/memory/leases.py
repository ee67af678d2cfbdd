"""Leases in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from byoa.installs.records import TO_RUN

if TYPE_CHECKING:
    from byoa.adapters.memory.installs import DeployStore
    from byoa.installs.messages import DeployKey
    from byoa.installs.ports import AgentSign


@dataclass(slots=True)
class MemoryLeases:
    """The leases of one organisation's deploys in ``store`` are in ``held``, which all share. Implements Leases."""

    organisation: str
    held: dict[tuple[str, str], tuple[str, int]]
    store: DeployStore

    def to_run(self, install_id: str) -> list[DeployKey]:
        """See ``installs.ports.Leases``."""
        whose = (self.organisation, install_id)
        mine = (self.store.deploys[key] for key in self.store.agents if (key.organisation, key.install_id) == whose)
        found = [each for each in mine if each.status in TO_RUN]
        return [each.key for each in sorted(found, key=lambda each: (each.created_at_ts, each.component))]

    def heard(self, install_id: str) -> AgentSign | None:
        """See ``installs.ports.Leases``."""
        return self.store.signs.get((self.organisation, install_id))

    def note(self, install_id: str, sign: AgentSign) -> None:
        """See ``installs.ports.Leases``."""
        self.store.signs[self.organisation, install_id] = sign

    def take(self, deploy_id: str, lease: str, now_ts: int, until_ts: int) -> bool:
        """See ``installs.ports.Leases``."""
        _, ends_ts = self.held.get((self.organisation, deploy_id), ("", 0))
        if now_ts < ends_ts:
            return False
        self.held[self.organisation, deploy_id] = (lease, until_ts)
        return True

    def renew(self, deploy_id: str, lease: str, now_ts: int, until_ts: int) -> bool:
        """See ``installs.ports.Leases``."""
        holder, ends_ts = self.held.get((self.organisation, deploy_id), ("", 0))
        if holder != lease or now_ts >= ends_ts:
            return False
        self.held[self.organisation, deploy_id] = (lease, until_ts)
        return True

    def give_back(self, deploy_id: str, lease: str) -> None:
        """See ``installs.ports.Leases``."""
        if self.held.get((self.organisation, deploy_id), ("", 0))[0] == lease:
            del self.held[self.organisation, deploy_id]
