"""The newest warning about an object, or about what its controller makes for it: pods, and a Deployment's ReplicaSets.

A workload that isn't ready says how many replicas it lacks, and the events of its pods say why: no node takes them, a
probe fails, a volume can't be mounted, or an admission rule has none of them made.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from byoa.errors import ClusterForbidden
from byoa.installs.health import WORKLOADS, is_word
from byoa.installs.objects import Kind, mapping, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.installs.cluster import Cluster
    from byoa.installs.objects import Object, Place

PODS: Final = Kind("", "v1", "Pod", "pods", namespaced=True)
_EVENTS: Final = Kind("", "v1", "Event", "events", namespaced=True)
_DEPLOYMENT: Final = ("apps", "Deployment")
_HASH: Final = "[bcdfghjklmnpqrstvwxz2456789]{1,10}"
"""What a ReplicaSet's name ends with (k8s.io/apimachinery, util/rand: SafeEncodeString)."""

_READ: Final = 2000
"""Events of one kind that are gone through in a namespace."""


def newest_warning(place: Place, cluster: Cluster) -> str:
    """Its reason, which is one word by its own rules; empty where there is none, or none may be read.

    Raises what the cluster fails with otherwise.
    """
    if not place.kind.namespaced:
        return ""
    try:
        found = [*_warnings(place, cluster)]
    except ClusterForbidden:
        return ""
    reason = str(max(found, key=_moment).get("reason", "")) if found else ""
    return reason if is_word(reason) else ""


def _warnings(place: Place, cluster: Cluster) -> Iterator[Object]:
    yield from _told(place, cluster, place.kind.kind, {"involvedObject.name": place.name})
    if place.kind.type not in WORKLOADS:
        return
    pods = {str(metadata(each).get("name")) for each in pods_of(cluster.get(place) or {}, place, cluster)}
    if pods:
        yield from (one for one in _told(place, cluster, "Pod", {}) if _name(one) in pods)
    elif place.kind.type == _DEPLOYMENT:
        made = re.compile(f"{re.escape(place.name)}-{_HASH}")
        yield from (one for one in _told(place, cluster, "ReplicaSet", {}) if made.fullmatch(_name(one)))


def pods_of(workload: Object, place: Place, cluster: Cluster) -> Iterator[Object]:
    """The pods that a workload selects by its labels; none of one that says none. Raises what listing them raises."""
    labels: dict[str, Any] = mapping(workload, "spec", "selector", "matchLabels")
    if labels:
        yield from cluster.list(PODS, place.namespace, labels=labels)


def _told(place: Place, cluster: Cluster, kind: str, more: dict[str, str]) -> Iterator[Object]:
    fields = {"involvedObject.kind": kind, **more, "type": "Warning"}
    return islice(cluster.list(_EVENTS, place.namespace, fields=fields), _READ)


def _name(event: Object) -> str:
    return str(mapping(event, "involvedObject").get("name", ""))


def _moment(event: Object) -> str:
    """Schedulers write the second of these, others the first."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or metadata(event).get("creationTimestamp"))
