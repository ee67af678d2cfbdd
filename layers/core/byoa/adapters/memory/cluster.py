"""A cluster in memory, for tests and the desk. What it is not: it has no schemas, defaults, webhooks or rights.

So it refuses nothing for its fields, and knows of no immutable ones: that only a real API server shows. It has kinds
with definitions, namespaces, field owners, dry runs, UIDs, finalizers, selectors, and controllers that are toys.
"""

from __future__ import annotations

import threading
from copy import deepcopy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from byoa.adapters.memory.ownership import Owned
from byoa.adapters.memory.served import SERVED, keeps_status
from byoa.adapters.memory.toys import play
from byoa.errors import KindUnknown, NamespaceMissing, ObjectBusy, ObjectInvalid
from byoa.installs.cluster import EVERYTHING, Applied, Rule
from byoa.installs.kinds import DEFINITION, NAMESPACE, kinds_defined
from byoa.installs.objects import MANAGER, Kind, Place, goes_away, mapping, metadata, uid_of, version_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from byoa.installs.cluster import Right
    from byoa.installs.objects import Object

type _Key = tuple[str, str, str, str]


class MemoryCluster:
    """The port's methods, and what others do, by ``manager`` and ``edit``. ``refuse`` may raise what a real one would.

    Safe to share between threads.
    """

    def __init__(self, *, broken_images: frozenset[str] = frozenset()) -> None:
        """Pods of ``broken_images`` can't be started, beside those that ``toys`` knows."""
        self.refuse: Callable[[str, Place, Object | None], None] = lambda *_: None
        self.denied: set[Right] = set()
        """What the login may not; it is told, and not held to."""
        self.writes = 0
        """How many requests changed something."""
        self._found: dict[_Key, Owned] = {}
        self._owned: dict[str, set[_Key]] = {}
        self._custom: dict[Kind, _Key] = {}
        self._broken = broken_images
        self._count = 0
        self._lock = threading.RLock()
        for name in ("default", "kube-system"):
            wanted = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            self.apply(Place(SERVED[0], "", name), wanted)

    def kinds(self) -> tuple[Kind, ...]:
        """All kinds that are served now."""
        with self._lock:
            return (*SERVED, *self._custom)

    def keeps_status(self, kind: Kind) -> bool:
        """Whether only ``edit`` of the status writes it."""
        with self._lock:
            definition = self._found.get(self._custom[kind]) if kind in self._custom else None
            return keeps_status(kind, definition.object if definition else None)

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
            for key, each in sorted(self._found.items(), key=lambda item: item[0]):
                if key[:2] == kind.type and namespace in ("", key[2]) and _is_selected(each.object, labels, fields):
                    yield deepcopy(each.object)

    def count(self, kind: Kind, namespace: str = "") -> int:
        """How many objects of a kind there are."""
        return sum(1 for _ in self.list(kind, namespace))

    def apply(
        self, place: Place, wanted: Object, *, force: bool = False, dry_run: bool = False, manager: str = MANAGER
    ) -> Applied:
        """Server-side apply, by leaves."""
        with self._lock:
            self._check(place, "patch", wanted)
            before = self._found.get(_key(place))
            owned = before.copy() if before else self._new(place)
            owned.apply(_untied(wanted), manager, force=force)
            _check_ties(metadata(wanted), before.object if before else None)
            return Applied(self._keep(place, before, owned, dry_run=dry_run), before is None)

    def create(self, place: Place, wanted: Object, *, dry_run: bool = False, manager: str = MANAGER) -> Object:
        """A new object."""
        with self._lock:
            self._check(place, "create", wanted)
            if _key(place) in self._found:
                raise _stale()
            owned = self._new(place)
            owned.apply(wanted, manager, force=True)
            return self._keep(place, None, owned, dry_run=dry_run)

    def replace(self, place: Place, wanted: Object, *, dry_run: bool = False, manager: str = MANAGER) -> Object:
        """Another state of an object."""
        with self._lock:
            self._check(place, "update", wanted)
            before = self._found.get(_key(place))
            version = metadata(wanted).get("resourceVersion")
            if before is None or metadata(before.object).get("resourceVersion") != version:
                raise _stale()
            owned = before.copy()
            owned.replace(wanted, manager)
            return self._keep(place, before, owned, dry_run=dry_run)

    def edit(self, place: Place, changes: Object, manager: str, *, dry_run: bool = False) -> Object:
        """What somebody else does to an object: a merge patch (RFC 7396) of ``manager``'s, its status included."""
        with self._lock:
            self._check(place, "patch", changes)
            before = self._found[_key(place)]
            owned = before.copy()
            owned.update(changes, manager)
            return self._keep(place, before, owned, dry_run=dry_run)

    def delete(self, place: Place, uid: str, *, version: str = "", dry_run: bool = False) -> bool:
        """Delete the object of this UID; one with finalizers is only marked."""
        with self._lock:
            self._check_served(place.kind)
            self.refuse("delete", place, None)
            found = self._found.get(_key(place))
            if found is None:
                return False
            if uid_of(found.object) != uid or version not in ("", version_of(found.object)):
                raise _stale()
            if not dry_run:
                self.writes += 1
                self._delete(_key(place))
            return True

    def rules(self, namespace: str) -> tuple[Rule, ...]:  # noqa: ARG002 - the same in all
        """All that is not denied, if nothing is."""
        everything = frozenset(("*",))
        return () if self.denied else (Rule(everything, everything, everything),)

    def may(self, right: Right) -> bool:
        """What is not denied."""
        return right not in self.denied and not (self.denied and right == EVERYTHING)

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
        if kind not in _SERVED and kind not in self._custom:
            raise KindUnknown(f"The cluster serves no {kind.kind} of {kind.api_version}.")

    def _new(self, place: Place) -> Owned:
        about: dict[str, Any] = {"name": place.name}
        about |= {"namespace": place.namespace} if place.kind.namespaced else {}
        self._count += 1
        about |= {"uid": f"00000000-0000-4000-8000-{self._count:012x}", "generation": 0, "creationTimestamp": _now()}
        return Owned({"apiVersion": place.kind.api_version, "kind": place.kind.kind, "metadata": about})

    def _keep(self, place: Place, before: Owned | None, after: Owned, *, dry_run: bool) -> Object:
        """Store it; what changes nothing gets no new version, and the owners are noted all the same."""
        changed = before is None or before.object != after.object
        spec_changed = before is None or _spec(before.object) != _spec(after.object)
        if changed:
            about = after.object["metadata"]
            about["generation"] = int(about["generation"]) + spec_changed
            if not (dry_run and before):  # what is only tried has no state of its own
                self._count += 1
                about["resourceVersion"] = str(self._count)
        if not dry_run:
            self.writes += changed
            self._store(_key(place), after)
            if spec_changed:
                self._play(place, after.object)
            if goes_away(after.object) and not metadata(after.object).get("finalizers"):
                self._delete(_key(place))
        return deepcopy(after.object)

    def _store(self, key: _Key, after: Owned) -> None:
        self._found[key] = after
        for uid in _owners(after.object):
            self._owned.setdefault(uid, set()).add(key)
        if key[:2] == DEFINITION:
            self._serve(key, after.object)

    def _serve(self, key: _Key, definition: Object) -> None:
        self._custom = {kind: of for kind, of in self._custom.items() if of != key}
        self._custom |= dict.fromkeys(kinds_defined(definition), key)

    def _play(self, place: Place, found: Object) -> None:
        """What a controller makes of a new state: a status, and a pod where none can be started."""
        for key in [key for key in self._owned.get(uid_of(found), ()) if key[:2] == ("", "Pod")]:
            self._remove(key)
        for pod in play(found, self._broken):
            self._store(("", "Pod", place.namespace, metadata(pod)["name"]), Owned(pod))

    def _delete(self, key: _Key) -> None:
        found = self._found[key].object
        if metadata(found).get("finalizers"):
            found["metadata"].setdefault("deletionTimestamp", _now())
            return
        inside = [other for other in self._found if key[:2] == NAMESPACE and other[2] == key[3]]
        if key[:2] == DEFINITION:
            types = {kind.type for kind in kinds_defined(found)}
            inside += [other for other in self._found if other[:2] in types]
        inside += self._owned.get(uid_of(found), ())
        for other in inside:
            if other in self._found:
                self._delete(other)
        if any(other in self._found for other in inside):
            found["metadata"].setdefault("deletionTimestamp", _now())
        else:
            self._remove(key)

    def _remove(self, key: _Key) -> None:
        found = self._found.pop(key)
        for uid in _owners(found.object):
            self._owned[uid].discard(key)
        self._owned.pop(uid_of(found.object), None)
        if key[:2] == DEFINITION:
            self._serve(key, {})


_SERVED = frozenset(SERVED)


def _untied(wanted: Object) -> Object:
    about = {name: value for name, value in metadata(wanted).items() if name not in ("uid", "resourceVersion")}
    return {**wanted, "metadata": about}


def _check_ties(about: Mapping[str, Any], live: Object | None) -> None:
    """What an API server makes of a UID and a version in what is applied; conflicts of fields come before that."""
    version, uid = about.get("resourceVersion"), about.get("uid")
    if live is None:
        if uid:
            raise _stale()
        return
    if version not in (None, "", "0", version_of(live)):
        raise _stale()
    if uid not in (None, "", uid_of(live)):
        raise ObjectInvalid("metadata.uid: field is immutable.", fields=("metadata.uid",), perhaps_immutable=True)


def _stale() -> ObjectBusy:
    return ObjectBusy("The object has changed meanwhile.", stale=True)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _key(place: Place) -> _Key:
    return tuple(place.identity)  # type: ignore[return-value] # of four


def _spec(found: Object) -> Object:
    return {key: value for key, value in found.items() if key not in ("metadata", "status")}


def _owners(found: Object) -> list[str]:
    return [str(each.get("uid")) for each in metadata(found).get("ownerReferences") or []]


def _is_selected(found: Object, labels: Mapping[str, str] | None, fields: Mapping[str, str] | None) -> bool:
    own = metadata(found).get("labels") or {}
    if any(own.get(name) != value for name, value in (labels or {}).items()):
        return False
    return all(_field(found, path) == value for path, value in (fields or {}).items())


def _field(found: Object, path: str) -> Any:  # noqa: ANN401 - JSON data
    *parts, name = path.split(".")
    return mapping(found, *parts).get(name)
