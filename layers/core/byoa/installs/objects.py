"""Kubernetes objects as JSON data, and what identifies them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

type Object = dict[str, Any]
"""An object as the API has it in JSON."""

INSTALL: Final = "byoa.dev/install"
COMPONENT: Final = "byoa.dev/component"
"""Labels that prove whose an object is. No deploy has one of its own: every object would change with each."""

MANAGER: Final = "byoa"
"""Who owns the fields that we apply (server-side apply's field manager)."""


_NEVER: Final = "1"
"""A state that no object is ever in: it is that of a store before its first write. To an object that isn't there it is
of no matter."""


class Kind(NamedTuple):
    """A kind of objects as a cluster serves it; ``plural`` is its name in paths."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """As objects state it: ``apps/v1``, or ``v1`` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def type(self) -> tuple[str, str]:
        """Group and kind: what it is in whatever version."""
        return self.group, self.kind


class Identity(NamedTuple):
    """What an object is known by, in whatever version of its group; ``namespace`` is empty where it has none."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """As people name it: ``Deployment/vendor/web``, with the group where that isn't one of Kubernetes' own."""
        own = not self.group or "." not in self.group or self.group.endswith(".k8s.io")
        kind = self.kind if own else f"{self.kind}.{self.group}"
        return f"{kind}/{self.namespace}/{self.name}" if self.namespace else f"{kind}/{self.name}"


class Place(NamedTuple):
    """Where the API has an object."""

    kind: Kind
    namespace: str
    name: str

    @property
    def identity(self) -> Identity:
        """What it is known by."""
        return Identity(self.kind.group, self.kind.kind, self.namespace, self.name)


def group_of(api_version: str) -> str:
    """The group in ``apiVersion``; empty for the core group."""
    return api_version.rpartition("/")[0]


def metadata(found: Object) -> dict[str, Any]:
    """The object's metadata, whatever stands there."""
    part = found.get("metadata")
    return part if isinstance(part, dict) else {}


def mapping(holder: Any, *path: str) -> dict[str, Any]:  # noqa: ANN401 - any part of an object
    """The mapping at ``path`` below ``holder``; an empty one where there is none."""
    for key in path:
        holder = holder.get(key) if isinstance(holder, dict) else None
    return holder if isinstance(holder, dict) else {}


def uid_of(found: Object) -> str:
    """The object's UID, which no later object of its name has."""
    return str(metadata(found).get("uid", ""))


def place_of(found: Object, kind: Kind) -> Place:
    """Where an object of ``kind`` is."""
    about = metadata(found)
    return Place(kind, str(about.get("namespace") or "") if kind.namespaced else "", str(about["name"]))


def version_of(found: Object) -> str:
    """The state that the object is in, as the API server counts it; empty where that isn't known."""
    return str(metadata(found).get("resourceVersion", ""))


def tied(wanted: Object, live: Object | None) -> Object:
    """What is applied to the ``live`` object in just this state, or where that is ``None`` to none but a new one.

    An API server answers 409 where it is in another state, or gone, or there already.
    """
    about = metadata(live) if live is not None else {"resourceVersion": _NEVER}
    ties = {name: about[name] for name in ("resourceVersion", "uid") if about.get(name)}
    return {**wanted, "metadata": {**wanted["metadata"], **ties}}


def goes_away(found: Object) -> bool:
    """Whether it is being deleted: to such an object one can apply, and it goes all the same."""
    return bool(metadata(found).get("deletionTimestamp"))
