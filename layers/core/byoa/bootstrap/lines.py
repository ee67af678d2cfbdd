"""Connections to registries, kept apart by organisation: what one has asked for, another never has the answer of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.adapters.registries.authorization import Wallet
from byoa.adapters.registries.deadlines import Allowance
from byoa.adapters.registries.dialing import OPEN, Dialer
from byoa.adapters.registries.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.trust.addresses import Reachable

KEPT: Final = 4
"""How many are kept: a step works for one organisation at a time, and idle connections cost descriptors."""


class Line(NamedTuple):
    """A transport, and the tokens that were asked for over it."""

    transport: Transport
    wallet: Wallet


class Lines:
    """The lines of a process. ``left`` tells how many seconds it has, ``longest_rest`` what it waits for a registry.

    ``reachable`` tells where guarded ones may lead. For one thread: a step asks for its line and shares that.
    """

    def __init__(self, left: Callable[[], float], longest_rest: float, reachable: Callable[[], Reachable]) -> None:
        self._left = left
        self._longest_rest = longest_rest
        self._reachable = reachable
        self._kept: dict[tuple[str, str | None, bool], Line] = {}

    def guarded(self, organisation: str, ca: str | None = None) -> Line:
        """To wherever the organisation sends us; ``ca`` (PEM) is trusted there beside the platform's authorities."""
        return self._line(organisation, ca, guarded=True)

    def open(self, organisation: str) -> Line:
        """To registries of ours, for what is the organisation's."""
        return self._line(organisation, None, guarded=False)

    def _line(self, organisation: str, ca: str | None, *, guarded: bool) -> Line:
        key = (organisation, ca, guarded)
        line = self._kept.pop(key, None) or self._make(ca, guarded=guarded)
        self._kept[key] = line  # the last one, so that the first is the one that was asked for the longest ago
        while len(self._kept) > KEPT:
            self._kept.pop(next(iter(self._kept))).transport.close()
        return line

    def _make(self, ca: str | None, *, guarded: bool) -> Line:
        transport = Transport(
            allowance=Allowance(left=self._left),
            longest_rest=self._longest_rest,
            dialer=Dialer(self._reachable()) if guarded else OPEN,
            ca=ca,
            by_environment=False,
        )
        return Line(transport, Wallet(transport))
