"""What applying takes of the world: a cluster, what it remembers, and time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from byoa.installs.objects import MANAGER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from byoa.installs.inventory import Inventory
    from byoa.installs.objects import Kind, Object, Place

_ALL: Final = "*"


class Applied(NamedTuple):
    """An object as the API has it after it was applied; ``warnings`` are the API server's own words."""

    object: Object
    created: bool
    warnings: tuple[str, ...] = ()


class Right(NamedTuple):
    """To do something with objects of one resource (a plural): in a namespace, or in none; all of them, or one."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""


class Rule(NamedTuple):
    """What a login may do in a namespace, as the API server tells it; without ``names`` with all objects."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str] = frozenset()

    def covers(self, right: Right) -> bool:
        """Whether it allows that, in the namespace that it is for."""
        parts = ((self.verbs, right.verb), (self.groups, right.group), (self.resources, right.resource))
        named = not self.names or right.name in self.names
        return named and all(wanted in found or _ALL in found for found, wanted in parts)


EVERYTHING: Final = Right(_ALL, _ALL, _ALL)
"""What an administrator may."""


class Cluster(Protocol):
    """The API of a Kubernetes cluster, by the least of it that installs take.

    All of it raises ``ClusterUnavailable`` and ``ClusterThrottled``, ``ClusterUntrusted`` and ``ClusterForbidden``;
    what names a place also ``KindUnknown`` where the API has no such kind.
    """

    def kinds(self) -> tuple[Kind, ...]:
        """All kinds that are served now, of each group the preferred version first."""
        ...

    def keeps_status(self, kind: Kind) -> bool:
        """Whether a kind has a status of its own (a subresource), which its controller writes."""
        ...

    def get(self, place: Place) -> Object | None:
        """The object; ``None`` where there is none."""
        ...

    def list(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Iterator[Object]:
        """The objects of a kind, in one namespace or in all, with these labels and fields."""
        ...

    def count(self, kind: Kind, namespace: str = "") -> int:
        """How many objects of a kind there are, in one namespace or in all."""
        ...

    def apply(
        self, place: Place, wanted: Object, *, force: bool = False, dry_run: bool = False, manager: str = MANAGER
    ) -> Applied:
        """Server-side apply: the object becomes what is ``wanted`` of it, and loses what ``manager`` wanted before.

        Raises ``FieldConflict`` where others own fields that would change, unless forced; ``ObjectInvalid``;
        ``NamespaceMissing``; ``ObjectBusy`` where its namespace goes away, and as ``stale`` where what is wanted is
        ``objects.tied`` to another state.
        """
        ...

    def create(self, place: Place, wanted: Object, *, dry_run: bool = False) -> Object:
        """A new object. Raises ``ObjectInvalid``, ``NamespaceMissing``, and ``ObjectBusy`` where there is one."""
        ...

    def replace(self, place: Place, wanted: Object) -> Object:
        """Another state of an object, whose ``resourceVersion`` says what it was. Raises ``ObjectBusy`` if it isn't."""
        ...

    def rules(self, namespace: str) -> Sequence[Rule]:
        """What the login may do in a namespace, as far as the cluster has rules to tell."""
        ...

    def may(self, right: Right) -> bool:
        """Whether the login may do that; ``*`` stands for all verbs, groups, resources or namespaces."""
        ...

    def delete(self, place: Place, uid: str, *, version: str = "", dry_run: bool = False) -> bool:
        """Delete the object of this UID, and what it owns after it. ``False`` where it is gone already.

        Raises ``ObjectBusy`` as ``stale`` where another object has its name, or where it isn't in the state ``version``
        any more; ``ObjectInvalid`` where the cluster refuses.
        """
        ...


class Shelf(Protocol):
    """Where the inventory of one component of an install is kept."""

    def read(self) -> Inventory | None:
        """What was kept last. Raises ``InventoryInvalid``."""
        ...

    def check(self, inventory: Inventory) -> None:
        """Raise ``DeploySuperseded`` where another deploy has begun since it was kept, or this one has ended."""
        ...

    def write(self, inventory: Inventory) -> Inventory:
        """Keep it, if nobody has kept another since it was read; what is returned is the one to go on with.

        Raises ``DeploySuperseded`` if somebody has.
        """
        ...


class Clock(Protocol):
    """Time that passes."""

    def now(self) -> float:
        """Seconds since whenever."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        ...
