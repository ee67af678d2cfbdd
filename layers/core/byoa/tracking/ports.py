"""What following tags needs of the world. Implemented under ``adapters/``.

Every call may raise a leaf of ``byoa.errors`` that stands for the store (``StoreThrottled``, ``PlatformForbidden``,
``InternalFault``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.builds.messages import Build, BuildKey
    from byoa.tracking.messages import Moved, RegistryPushed
    from byoa.tracking.records import HookRecord
    from byoa.trust.allowed import Allowed


class Named(NamedTuple):
    """A component whose newest config names a tag."""

    organisation: str
    app: str
    component: str


class Standing(NamedTuple):
    """How a component stands: the build of its newest config, and the move that was noted of it, if one was."""

    build: Build
    moved: Moved | None


class Porter(Protocol):
    """Finds the hook that was called, whichever organisation's it says it is."""

    def find(self, organisation: str, hook_id: str) -> HookRecord | None:
        """The record under exactly these two names."""
        ...


class Bell(Protocol):
    """Tells the bus that somebody pushed."""

    def ring(self, pushed: RegistryPushed) -> None:
        """Tell it. Raises ``StoreThrottled`` where the bus didn't take it."""
        ...


class Mentions(Protocol):
    """Which components name a tag, of one organisation or of all: names and nothing else of them."""

    def of(self, registry: str, repository: str, tag: str, organisation: str | None) -> Sequence[Named]:
        """The components whose newest configs name this tag, without a digest beside it."""
        ...


class Tracked(Protocol):
    """What one organisation's components were built of, and what is noted of their tags."""

    def hook(self, hook_id: str) -> HookRecord | None:
        """One of the organisation's hooks."""
        ...

    def allowed(self) -> Allowed:
        """What its builds may read."""
        ...

    def claim(self, delivery: str, event: str, now_ts: int) -> bool:
        """Take a delivery up in an event's name, once: ``False`` where another event did. It is kept for a week."""
        ...

    def standing(self, components: Sequence[Named]) -> list[Standing]:
        """How these stand; those that are gone, or have no build, are left out."""
        ...

    def note(self, key: BuildKey, moved: Moved | None) -> None:
        """Note that the component's tag moved, of which the bus hears; ``None`` that it means what was built again."""
        ...


class Workshop(Protocol):
    """Where one organisation's components are built anew."""

    def hook(self, hook_id: str) -> HookRecord | None:
        """One of the organisation's hooks."""
        ...

    def build_anew(self, newest: BuildKey, by: str) -> Build | None:
        """A new version of the same config, with its build; ``None`` where ``newest`` isn't the newest any more."""
        ...
