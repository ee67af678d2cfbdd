"""Leases in memory."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class MemoryLeases:
    """The leases of one organisation's deploys in ``held``, which all share. Implements Leases."""

    organisation: str
    held: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)

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
