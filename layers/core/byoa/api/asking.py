"""What is asked of the API: one request, or a list that comes in parts. Implemented under ``adapters/``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from byoa.errors import ApiUnusable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.api.lookups import DifferenceOut, InspectedOut, PlannedOut, ResolvedOut
    from byoa.builds.lookups import Sought


class Reply(NamedTuple):
    """An answer that isn't an error: its status, its JSON data, where its list goes on, and its ETag, if any."""

    status: int
    document: Any
    cursor: str | None = None
    etag: str = ""

    def fields(self) -> dict[str, Any]:
        """The data as an object. Raises ``ApiUnusable`` where it is none."""
        if not isinstance(self.document, dict):
            raise ApiUnusable("The API's answer is not the object that was asked for.")
        return self.document


class Listing(NamedTuple):
    """A part of a list, and whether there is more of it."""

    items: list[dict[str, Any]]
    more: bool


class Api(Protocol):
    """An API of BYOA's, as one token sees it.

    Every call raises the leaf of ``byoa.errors`` that the API names, ``ApiRefused`` for what only it knows,
    ``ApiUnavailable`` where it can't be reached, is out or asks to slow down, after several tries, and ``ApiUnusable``
    where what answers is none.
    """

    def ask(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        match: str = "",
        once: bool = False,
    ) -> Reply:
        """One request. ``path`` are the segments below ``/v1``, as they are.

        ``match`` is the ETag of the state that is to be changed (``Reply.etag``): of another one nothing is.
        ``once`` is without further tries: for what has the platform try by itself.
        """
        ...

    def listing(
        self, *path: str, query: Mapping[str, str] | None = None, offset: int = 0, limit: int | None = None
    ) -> Listing:
        """A list from ``offset`` on: ``limit`` items of it, or all."""
        ...


class Artifacts(Protocol):
    """Artifacts in registries, looked up by the platform, which has the stored credentials.

    Each is asked once, because the platform has tried by itself, and is waited for as long as it may take. Calls raise
    the leaf that the lookup ended with, ``Timeout`` for one that doesn't end, and what ``Api`` raises.
    """

    def resolve(self, sought: Sought) -> ResolvedOut:
        """What a reference means now."""
        ...

    def plan(self, sought: Sought) -> PlannedOut:
        """What a build would fetch, and what the registry would refuse."""
        ...

    def inspect(self, sought: Sought) -> InspectedOut:
        """What it holds."""
        ...

    def compare(self, before: Sought, after: Sought) -> DifferenceOut:
        """Which objects differ between two."""
        ...
