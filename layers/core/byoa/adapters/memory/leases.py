"""Leases in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from byoa.installs.ports import AgentSign


@dataclass(slots=True)
class MemoryLeases:
    """The leases of one organisation's deploys in ``held`` and ``signs``, which all share. Implements Leases."""

    organisation: str
    held: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    signs: dict[tuple[str, str], AgentSign] = field(default_factory=dict)

    def heard(self, install_id: str) -> AgentSign | None:
        """See ``installs.ports.Leases``."""
        return self.signs.get((self.organisation, install_id))

    def note(self, install_id: str, sign: AgentSign) -> None:
        """See ``installs.ports.Leases``."""
        self.signs[self.organisation, install_id] = sign

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
