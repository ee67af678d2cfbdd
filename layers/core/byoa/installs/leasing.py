"""What there is for agents to run, beside who runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from byoa.installs.ports import Leases

if TYPE_CHECKING:
    from byoa.installs.messages import DeployKey, DeployStatus

TO_RUN: Final[frozenset[DeployStatus]] = frozenset(("queued", "planning", "executing"))
"""What an agent begins, or goes on with where another one stopped."""


class Leasing(Leases, Protocol):
    """Leases, and the deploys that they are of."""

    def to_run(self, install_id: str) -> list[DeployKey]:
        """Those of an install that its agents have to begin or go on with, the oldest first.

        They were asked for while its cluster was an agent's. Where there are none this is one small read, however many
        components the install has: agents ask every few seconds. What was asked for at this very moment may be missing
        once, and what has just ended may be among them.
        """
        ...
