"""What a component has in a cluster, by the labels of its objects: for when the record of it was lost.

Labels alone prove little. Controllers copy them to what they make (a Service's to its Endpoints), so an object counts
if we have applied it (its field managers) and nobody else owns it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.errors import ClusterForbidden
from byoa.installs.objects import MANAGER, Identity, metadata, uid_of
from byoa.installs.together import each

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.engine.workers import Workers
    from byoa.installs.cluster import Cluster
    from byoa.installs.normalising import Owner
    from byoa.installs.objects import Kind, Object


def recover(cluster: Cluster, owner: Owner, workers: Workers | None = None) -> dict[Identity, str]:
    """The objects of a component with their UIDs, of all kinds that may be listed: elsewhere in its own namespace.

    What may not be listed even there isn't found. Raises what the cluster fails with otherwise.
    """
    kinds: dict[tuple[str, str], Kind] = {}
    for kind in cluster.kinds():
        kinds.setdefault(kind.type, kind)
    search = _Search(cluster, owner)
    found: dict[str, Identity] = {}
    for objects in each(workers, search.find, list(kinds.values())):
        for identity, uid in objects:
            found.setdefault(uid, identity)  # some are served by two groups
    return {identity: uid for uid, identity in found.items()}


class _Search:
    def __init__(self, cluster: Cluster, owner: Owner) -> None:
        self._cluster = cluster
        self._owner = owner

    def find(self, kind: Kind) -> list[tuple[Identity, str]]:
        """The component's objects of one kind."""
        for namespace in ("", self._owner.namespace) if kind.namespaced else ("",):
            try:
                return list(self._listed(kind, namespace))
            except ClusterForbidden:
                continue
        return []

    def _listed(self, kind: Kind, namespace: str) -> Iterator[tuple[Identity, str]]:
        for one in self._cluster.list(kind, namespace, labels=self._owner.labels):
            about = metadata(one)
            if _is_ours(one):
                place = str(about.get("namespace") or "") if kind.namespaced else ""
                yield Identity(kind.group, kind.kind, place, str(about["name"])), uid_of(one)


def _is_ours(found: Object) -> bool:
    """Whether it was applied by us, as far as the cluster tells, and is owned by no other object."""
    about = metadata(found)
    managers = about.get("managedFields")
    applied = not managers or any(isinstance(one, dict) and one.get("manager") == MANAGER for one in managers)
    return applied and not about.get("ownerReferences")
