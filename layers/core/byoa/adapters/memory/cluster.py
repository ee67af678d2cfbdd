"""A cluster in memory, for tests and the desk. What it is not: it has no schemas, defaults, webhooks or rights.

So it refuses nothing for its fields, and knows of no immutable ones: that only a real API server shows. It has kinds
with definitions, namespaces, field owners, dry runs, UIDs, finalizers, selectors, and controllers that are toys.
"""

from __future__ import annotations

import threading
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from byoa.adapters.memory.ownership import Owned
from byoa.adapters.memory.toys import play
from byoa.errors import KindUnknown, NamespaceMissing, ObjectBusy
from byoa.installs.kinds import DEFINITION, NAMESPACE, kinds_defined
from byoa.installs.objects import MANAGER, Kind, Place, goes_away, mapping, metadata, uid_of
from byoa.installs.ports import Applied

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from byoa.installs.objects import Object


def _kinds(group: str, version: str, named: Mapping[str, str], *, namespaced: bool = True) -> list[Kind]:
    return [Kind(group, version, kind, plural, namespaced) for kind, plural in named.items()]


_RBAC: Final = "rbac.authorization.k8s.io"
SERVED: Final = (
    *_kinds("", "v1", {"Namespace": "namespaces", "PersistentVolume": "persistentvolumes"}, namespaced=False),
    *_kinds("", "v1", {
        "ConfigMap": "configmaps", "Event": "events", "PersistentVolumeClaim": "persistentvolumeclaims", "Pod": "pods",
        "Secret": "secrets", "Service": "services", "ServiceAccount": "serviceaccounts",
    }),
    *_kinds("apps", "v1", {
        "DaemonSet": "daemonsets", "Deployment": "deployments", "ReplicaSet": "replicasets",
        "StatefulSet": "statefulsets",
    }),
    *_kinds("batch", "v1", {"CronJob": "cronjobs", "Job": "jobs"}),
    *_kinds("autoscaling", "v2", {"HorizontalPodAutoscaler": "horizontalpodautoscalers"}),
    *_kinds("networking.k8s.io", "v1", {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}),
    *_kinds("policy", "v1", {"PodDisruptionBudget": "poddisruptionbudgets"}),
    *_kinds(_RBAC, "v1", {"Role": "roles", "RoleBinding": "rolebindings"}),
    *_kinds(
        _RBAC, "v1", {"ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings"}, namespaced=False
    ),
    *_kinds("storage.k8s.io", "v1", {"StorageClass": "storageclasses"}, namespaced=False),
    *_kinds(
        "apiextensions.k8s.io", "v1", {"CustomResourceDefinition": "customresourcedefinitions"}, namespaced=False
    ),
    *_kinds("admissionregistration.k8s.io", "v1", {
        "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
        "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
    }, namespaced=False),
)  # fmt: skip

type _Key = tuple[str, str, str, str]


class MemoryCluster:
    """The port's methods, and ``edit`` for what others do. ``refuse`` may raise what a real cluster would."""

    def __init__(self, *, broken_images: frozenset[str] = frozenset()) -> None:
        """Pods of ``broken_images`` can't be started."""
        self.refuse: Callable[[str, Place, Object | None], None] = lambda *_: None
        self.writes = 0
        """How many requests changed something."""
        self._found: dict[_Key, Owned] = {}
        self._broken = broken_images
        self._count = 0
        self._lock = threading.RLock()
        for name in ("default", "kube-system"):
            wanted = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self.apply(Place(SERVED[0], "", name), wanted)

    def kinds(self) -> tuple[Kind, ...]:
        """All kinds that are served now."""
        with self._lock:
            definitions = [each.object for key, each in self._found.items() if key[:2] == DEFINITION]
            return (*SERVED, *(kind for each in definitions for kind in kinds_defined(each)))

    def get(self, place: Place) -> Object | None:
        """The object; ``None`` where there is none."""
        with self._lock:
            self._check_served(place.kind)
            found = self._found.get(_key(place))
            return deepcopy(found.object) if found else None

    def list(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Iterator[Object]:
        """The objects of a kind with these labels and fields."""
        with self._lock:
            self._check_served(kind)
            for key, each in sorted(self._found.items()):
                if key[:2] == kind.type and namespace in ("", key[2]) and _is_selected(each.object, labels, fields):
                    yield deepcopy(each.object)

    def count(self, kind: Kind, namespace: str = "") -> int:
        """How many objects of a kind there are."""
        return sum(1 for _ in self.list(kind, namespace))

    def apply(self, place: Place, wanted: Object, *, force: bool = False, dry_run: bool = False) -> Applied:
        """Server-side apply, by leaves."""
        with self._lock:
            self._check(place, "patch", wanted)
            before = self._found.get(_key(place))
            owned = before.copy() if before else self._new(place)
            owned.apply(wanted, MANAGER, force=force)
            return Applied(self._keep(place, before, owned, dry_run=dry_run), before is None)

    def create(self, place: Place, wanted: Object, *, dry_run: bool = False) -> Object:
        """A new object."""
        with self._lock:
            self._check(place, "create", wanted)
            if _key(place) in self._found:
                raise ObjectBusy("The object has changed meanwhile.")
            owned = self._new(place)
            owned.apply(wanted, MANAGER, force=True)
            return self._keep(place, None, owned, dry_run=dry_run)

    def replace(self, place: Place, wanted: Object) -> Object:
        """Another state of an object."""
        with self._lock:
            self._check(place, "update", wanted)
            before = self._found.get(_key(place))
            version = metadata(wanted).get("resourceVersion")
            if before is None or metadata(before.object).get("resourceVersion") != version:
                raise ObjectBusy("The object has changed meanwhile.")
            owned = before.copy()
            owned.object = deepcopy(wanted)
            kept = ("uid", "creationTimestamp", "generation", "resourceVersion")
            owned.object["metadata"] |= {name: before.object["metadata"][name] for name in kept}
            return self._keep(place, before, owned, dry_run=False)

    def delete(self, place: Place, uid: str, *, dry_run: bool = False) -> bool:
        """Delete the object of this UID; one with finalizers is only marked."""
        with self._lock:
            self._check_served(place.kind)
            self.refuse("delete", place, None)
            found = self._found.get(_key(place))
            if found is None:
                return False
            if uid_of(found.object) != uid:
                raise ObjectBusy("The object has changed meanwhile.")
            if not dry_run:
                self.writes += 1
                self._delete(_key(place))
            return True

    def edit(self, place: Place, changes: Object, manager: str) -> None:
        """What somebody else does to an object: a merge patch (RFC 7396) of ``manager``'s, its status included."""
        with self._lock:
            before = self._found[_key(place)]
            owned = before.copy()
            owned.update(changes, manager)
            self._keep(place, before, owned, dry_run=False)
            if goes_away(owned.object) and not metadata(owned.object).get("finalizers"):
                self._delete(_key(place))

    def _check(self, place: Place, verb: str, wanted: Object) -> None:
        self._check_served(place.kind)
        self.refuse(verb, place, wanted)
        if place.kind.namespaced:
            namespace = self._found.get((*NAMESPACE, "", place.namespace))
            if namespace is None:
                raise NamespaceMissing(f"The cluster has no namespace {place.namespace}.")
            if goes_away(namespace.object) and _key(place) not in self._found:
                raise ObjectBusy("The namespace is being deleted.")

    def _check_served(self, kind: Kind) -> None:
        if kind not in self.kinds():
            raise KindUnknown(f"The cluster serves no {kind.kind} of {kind.api_version}.")

    def _new(self, place: Place) -> Owned:
        about: dict[str, Any] = {"name": place.name}
        about |= {"namespace": place.namespace} if place.kind.namespaced else {}
        self._count += 1
        about |= {"uid": f"00000000-0000-4000-8000-{self._count:012x}", "generation": 0}
        about["creationTimestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Owned({"apiVersion": place.kind.api_version, "kind": place.kind.kind, "metadata": about})

    def _keep(self, place: Place, before: Owned | None, after: Owned, *, dry_run: bool) -> Object:
        """Store it; what changes nothing gets no new version, and the owners are noted all the same."""
        changed = before is None or before.object != after.object
        if changed:
            about = after.object["metadata"]
            spec_changed = before is None or _spec(before.object) != _spec(after.object)
            about["generation"] = int(about["generation"]) + spec_changed
            self._count += 1
            about["resourceVersion"] = str(self._count)
        if not dry_run:
            self.writes += changed
            self._found[_key(place)] = after
            for pod in play(after.object, self._broken):
                self._found["", "Pod", place.namespace, metadata(pod)["name"]] = Owned(pod)
        return deepcopy(after.object)

    def _delete(self, key: _Key) -> None:
        found = self._found[key].object
        if metadata(found).get("finalizers"):
            found["metadata"].setdefault("deletionTimestamp", "2026-01-01T00:00:00Z")
            return
        inside = [other for other in self._found if key[:2] == NAMESPACE and other[2] == key[3]]
        if key[:2] == DEFINITION:
            types = {kind.type for kind in kinds_defined(found)}
            inside += [other for other in self._found if other[:2] in types]
        inside += [other for other, each in self._found.items() if _is_owned(each.object, uid_of(found))]
        for other in inside:
            if other in self._found:
                self._delete(other)
        if any(other in self._found for other in inside):
            found["metadata"].setdefault("deletionTimestamp", "2026-01-01T00:00:00Z")
        else:
            del self._found[key]


def _key(place: Place) -> _Key:
    return tuple(place.identity)  # type: ignore[return-value] # of four


def _spec(found: Object) -> Object:
    return {key: value for key, value in found.items() if key not in ("metadata", "status")}


def _is_owned(found: Object, uid: str) -> bool:
    owners = metadata(found).get("ownerReferences") or []
    return any(each.get("uid") == uid for each in owners)


def _is_selected(found: Object, labels: Mapping[str, str] | None, fields: Mapping[str, str] | None) -> bool:
    own = metadata(found).get("labels") or {}
    if any(own.get(name) != value for name, value in (labels or {}).items()):
        return False
    return all(_field(found, path) == value for path, value in (fields or {}).items())


def _field(found: Object, path: str) -> Any:  # noqa: ANN401 - JSON data
    *parts, name = path.split(".")
    return mapping(found, *parts).get(name)
