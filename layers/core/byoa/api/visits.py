"""One request, as routes see it: whose it is, what it says beside its body, and what of the world is theirs."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from byoa.builds.records import milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.api.doorkeeping import TokenRecord
    from byoa.api.ports import Inventory, Lookups, World
    from byoa.installs.ports import Deploys, Installs, Leases
    from byoa.trust.ports import ClusterTokens, SharedSafe


@dataclass(frozen=True, slots=True)
class Visit:
    """A caller who was let in, the request (API Gateway's event, payload 2.0), and the world."""

    world: World
    caller: TokenRecord
    event: Mapping[str, Any]

    @property
    def organisation(self) -> str:
        """The caller's, by the token's record."""
        return self.caller.organisation

    @property
    def inventory(self) -> Inventory:
        """What the caller's organisation has."""
        return self.world.inventory(self.organisation)

    @property
    def safe(self) -> SharedSafe:
        """The credentials of the caller's organisation."""
        return self.world.safe(self.organisation)

    @property
    def installs(self) -> Installs:
        """The installs of the caller's organisation."""
        return self.world.installs(self.organisation)

    @property
    def clusters(self) -> ClusterTokens:
        """The tokens of its installs' clusters, to be written."""
        return self.world.clusters(self.organisation)

    @property
    def deploying(self) -> Deploys:
        """The deploys of the caller's organisation, for who runs them."""
        return self.world.deploying(self.organisation)

    @property
    def leases(self) -> Leases:
        """Which of them wait for agents, and who runs which."""
        return self.world.leases(self.organisation)

    @property
    def lookups(self) -> Lookups:
        """Lookups for the caller's organisation."""
        return self.world.lookups(self.organisation)

    @property
    def now_ts(self) -> int:
        """The time, in milliseconds since 1970 UTC."""
        return milliseconds(self.world.clock.now())

    def header(self, name: str) -> str:
        """A header of the request, or an empty text; ``name`` in lower case."""
        return header_of(self.event, name)


def header_of(event: Mapping[str, Any], name: str) -> str:
    """A header of an event, or an empty text; ``name`` in lower case."""
    headers: Mapping[str, str] = event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name), "")


current: Final[ContextVar[Visit]] = ContextVar("visit")
"""The request that is being answered; ``face`` sets it."""


def visit() -> Visit:
    """The request that is being answered. Raises ``LookupError`` where nobody was let in."""
    return current.get()
