"""What is deleted because an artifact no longer has it, what of that needs approval, and what is never deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.errors import ClusterForbidden
from byoa.installs.kinds import DEFINITION, NAMESPACE, kinds_defined
from byoa.installs.objects import COMPONENT, INSTALL, Identity, Kind, Place, metadata, uid_of
from byoa.installs.plans import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.installs.cluster import Cluster
    from byoa.installs.kinds import Kinds
    from byoa.installs.normalising import Owner
    from byoa.installs.objects import Object

GUARDED: Final = frozenset({NAMESPACE, DEFINITION, ("", "PersistentVolume"), ("", "PersistentVolumeClaim")})
"""Kinds whose deletion takes along what is not in the artifact: other objects, or data. Never recreated either."""

_KEEPS: Final = (
    ("client.lifecycle.config.k8s.io/deletion", "detach"),
    ("cli-utils.sigs.k8s.io/on-remove", "keep"),
    ("helm.sh/resource-policy", "keep"),
    ("kustomize.toolkit.fluxcd.io/prune", "disabled"),
    ("argocd.argoproj.io/sync-options", "Prune=false"),
)
"""Annotations by which other tools are told to keep an object (cli-utils, helm, flux, Argo CD)."""


class Deletions:
    """Decides on each object that was applied once and isn't wanted any more."""

    def __init__(self, cluster: Cluster, kinds: Kinds, owner: Owner, tracked: dict[Identity, str]) -> None:
        self._cluster = cluster
        self._kinds = kinds
        self._owner = owner
        self._tracked = tracked

    def decide(self, identity: Identity) -> Step:
        """Raises what asking the cluster raises."""
        kind = self._kinds.of_type(identity.group, identity.kind)
        if kind is None:
            return self._unserved(identity)
        place = Place(kind, identity.namespace, identity.name)
        live = self._cluster.get(place)
        if live is None:
            return Step(place=place, action="gone")
        kept = why_kept(live, self._tracked[identity], self._owner)
        if kept:
            return Step(place=place, action="keep", live=live, why=kept)
        if kind.type not in GUARDED:
            return Step(place=place, action="delete", live=live)
        return Step(place=place, action="delete", live=live, needs=str(identity), why=self._along(kind, live))

    def _unserved(self, identity: Identity) -> Step:
        """An object whose kind isn't served is gone with its definition; else the API may only be out for a while."""
        place = Place(Kind(identity.group, "", identity.kind, "", bool(identity.namespace)), *identity[2:])
        definitions = [
            each for each in self._tracked if each[:2] == DEFINITION and each.name.endswith(f".{identity.group}")
        ]
        served = self._kinds.of_type(*DEFINITION)
        if served and definitions:
            found = [self._cluster.get(Place(served, "", each.name)) for each in definitions]
            if not any(each and _defines(each, identity) for each in found):
                return Step(place=place, action="gone")
        return Step(place=place, action="keep", why="the cluster doesn't serve its kind at the moment")

    def _along(self, kind: Kind, live: Object) -> str:
        """What goes along with a guarded object, in words."""
        name = str(metadata(live)["name"])
        if kind.type == NAMESPACE:
            kinds = [each for each in self._kinds.served.values() if each.namespaced and each.kind != "Event"]
            return self._counted(kinds, name, "objects in it go along")
        if kind.type == DEFINITION:
            defined = [each for each in kinds_defined(live) if self._kinds.serves(each)][:1]
            return self._counted(defined, "", "objects of its kind go along")
        return "its data may go along"

    def _counted(self, kinds: Sequence[Kind], namespace: str, what: str) -> str:
        count, told = 0, ""
        for each in kinds:
            try:
                count += self._cluster.count(each, namespace)
            except ClusterForbidden:
                told = "at least "
        return f"{told}{count} {what}"


def why_kept(live: Object, uid: str, owner: Owner) -> str:
    """Why an object isn't ``owner``'s to delete, though one of its name and of this ``uid`` is tracked; else empty."""
    labels = metadata(live).get("labels") or {}
    if any(labels.get(name) != value for name, value in owner.labels.items()):
        return f"it no longer has this install's labels ({INSTALL}, {COMPONENT})"
    if uid and uid != uid_of(live):
        return "another object of its name has taken its place"
    annotations = metadata(live).get("annotations") or {}
    for name, value in _KEEPS:
        if value in str(annotations.get(name, "")).split(","):
            return f"its annotation {name} says so"
    return ""


def needs_of(deletions: Sequence[Step], tracked: int, wanted: int, *, teardown: bool) -> tuple[str, ...]:
    """What has to be approved of ``deletions`` as a whole: half of what is tracked, or all that there is.

    A teardown is meant to delete all, so only what is guarded by its kind has to be approved there.
    """
    count = sum(step.action == "delete" and not step.needs for step in deletions)
    if teardown or not count or (wanted and 2 * count < tracked):
        return ()
    return (f"deletions:{count}",)


def _defines(definition: Object, identity: Identity) -> bool:
    return any(each.type == (identity.group, identity.kind) for each in kinds_defined(definition))
