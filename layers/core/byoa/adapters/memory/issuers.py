"""Rules on issuers of JWTs and the keys of those, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from byoa.api.doorkeeping import IssuerRule, KeptKeys


@dataclass(slots=True)
class MemoryIssuers:
    """What one organisation trusts, of ``held``, ``kept`` and ``asked``, which all share. Implements Issuers."""

    organisation: str
    held: dict[str, list[IssuerRule]] = field(default_factory=dict)
    kept: dict[tuple[str, str], KeptKeys] = field(default_factory=dict)
    asked: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def rules(self) -> list[IssuerRule]:
        """See ``api.ports.Issuers``."""
        return list(self.held.get(self.organisation, []))

    def add(self, rule: IssuerRule) -> None:
        """See ``api.ports.Issuers``."""
        self.held[self.organisation] = [*self.rules(), rule]

    def remove(self, rule_id: str) -> bool:
        """See ``api.ports.Issuers``."""
        before = self.rules()
        self.held[self.organisation] = [rule for rule in before if rule.id != rule_id]
        return self.rules() != before

    def keep(self, issuer: str, keys: KeptKeys) -> None:
        """See ``api.ports.Issuers``."""
        self.kept[self.organisation, issuer] = keys

    def may_ask(self, what: str, times: int, now_ts: int) -> bool:
        """See ``api.ports.Issuers``."""
        place = (self.organisation, what, now_ts // 60_000)
        self.asked[place] = self.asked.get(place, 0) + 1
        return self.asked[place] <= times
