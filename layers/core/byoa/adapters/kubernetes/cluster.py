"""A Kubernetes cluster by its API: what ``installs.cluster.Cluster`` asks for, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from byoa.adapters.kubernetes.answers import not_allowed, refusal, unknown_login
from byoa.adapters.kubernetes.discovery import ACCEPT, PATHS, keeps_status, kinds_in
from byoa.adapters.kubernetes.shapes import items_of, mappings, object_of, texts
from byoa.errors import ClusterUnavailable, KindUnknown
from byoa.installs.cluster import Applied, Rule
from byoa.installs.objects import MANAGER, Kind, Place, mapping, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from byoa.adapters.kubernetes.wire import Answer, Wire
    from byoa.installs.cluster import Right
    from byoa.installs.objects import Object

_APPLY: Final = "application/apply-patch+yaml"
_REVIEWS: Final = "authorization.k8s.io"
_PAGE: Final = 500
_PAGES: Final = 200
"""Pages of a list at most: what is listed here are pods of a workload, and events and objects of one install."""

_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403
_UNKNOWN: Final = 401
_CREATED: Final = 201


class KubernetesCluster:
    """One cluster. Safe to share between threads if its wire is."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def kinds(self) -> tuple[Kind, ...]:
        """All kinds that are served now, of each group the preferred version first."""
        return tuple(kind for path in PATHS for kind in kinds_in(self._discovered(path)))

    def keeps_status(self, kind: Kind) -> bool:
        """Whether a kind has a status of its own. Raises what the port names."""
        return keeps_status(self._discovered(PATHS[bool(kind.group)]), kind)

    def _discovered(self, path: str) -> Answer:
        answer = self._wire.ask("GET", path, accept=f"{ACCEPT},application/json")
        if answer.status in (_UNKNOWN, _FORBIDDEN):
            raise unknown_login()
        return answer

    def get(self, place: Place) -> Object | None:
        """The object; ``None`` where there is none. Raises what the port names."""
        answer = self._wire.ask("GET", _path(place))
        if answer.status == _NOT_FOUND and answer.body is not None:
            return None
        return object_of(place.kind, self._body(answer, "get", place))

    def list(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        labels: Mapping[str, str] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> Iterator[Object]:
        """The objects of a kind, page by page. Raises what the port names."""
        asked = {"limit": str(_PAGE)}
        asked |= {"labelSelector": _selector(labels)} if labels else {}
        asked |= {"fieldSelector": _selector(fields)} if fields else {}
        for _ in range(_PAGES):
            body = self._list(kind, namespace, asked)
            yield from items_of(kind, body)
            more = metadata(body).get("continue")
            if not more:
                return
            asked = {**asked, "continue": str(more)}
        raise ClusterUnavailable("The cluster's API tells a list that has no end.")

    def count(self, kind: Kind, namespace: str = "") -> int:
        """How many objects of a kind there are. Raises what the port names."""
        body = self._list(kind, namespace, {"limit": "1"})
        rest = metadata(body).get("remainingItemCount")
        return len(mappings(body, "items")) + (rest if isinstance(rest, int) else 0)

    def apply(
        self, place: Place, wanted: Object, *, force: bool = False, dry_run: bool = False, manager: str = MANAGER
    ) -> Applied:
        """Server-side apply. Raises what the port names."""
        asked = {"fieldManager": manager, "force": "true" if force else "false"}
        answer = self._wire.ask("PATCH", _path(place, asked, dry_run=dry_run), wanted, content_type=_APPLY)
        found = object_of(place.kind, self._body(answer, "patch", place))
        return Applied(found, answer.status == _CREATED, answer.warnings)

    def create(self, place: Place, wanted: Object, *, dry_run: bool = False) -> Object:
        """A new object. Raises what the port names."""
        asked = {"fieldManager": MANAGER}
        path = _path(place._replace(name=""), asked, dry_run=dry_run)
        answer = self._wire.ask("POST", path, wanted, once=not dry_run)
        return object_of(place.kind, self._body(answer, "create", place))

    def replace(self, place: Place, wanted: Object) -> Object:
        """Another state of an object. Raises what the port names."""
        path = _path(place, {"fieldManager": MANAGER})
        return object_of(place.kind, self._body(self._wire.ask("PUT", path, wanted, once=True), "update", place))

    def delete(self, place: Place, uid: str, *, version: str = "", dry_run: bool = False) -> bool:
        """Delete the object of this UID. Raises what the port names.

        Whether it is only tried stands in the body: beside one the API server passes over what the query says.
        """
        options: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid, **({"resourceVersion": version} if version else {})},
        }
        options |= {"dryRun": ["All"]} if dry_run else {}
        answer = self._wire.ask("DELETE", _path(place), options)
        if answer.status == _NOT_FOUND:
            return False
        self._body(answer, "delete", place)
        return True

    def rules(self, namespace: str) -> tuple[Rule, ...]:
        """What the login may do in a namespace (SelfSubjectRulesReview). Raises what the port names."""
        status = self._reviewed("SelfSubjectRulesReview", {"namespace": namespace})
        return tuple(
            Rule(*(texts(each, part) for part in ("verbs", "apiGroups", "resources", "resourceNames")))
            for each in mappings(status, "resourceRules")
        )

    def may(self, right: Right) -> bool:
        """Whether the login may do that (SelfSubjectAccessReview). Raises what the port names."""
        resource, _, part = right.resource.partition("/")
        asked = {**right._asdict(), "resource": resource, "subresource": part}
        status = self._reviewed("SelfSubjectAccessReview", {"resourceAttributes": asked})
        return status.get("allowed") is True

    def _reviewed(self, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
        place = Place(Kind(_REVIEWS, "v1", kind, f"{kind.lower()}s", namespaced=False), "", "")
        body = {"apiVersion": f"{_REVIEWS}/v1", "kind": kind, "spec": spec}
        found = self._body(self._wire.ask("POST", _path(place), body), "create", place)
        return mapping(found, "status")

    def _list(self, kind: Kind, namespace: str, asked: Mapping[str, str]) -> dict[str, Any]:
        place = Place(kind, namespace, "")
        answer = self._wire.ask("GET", _path(place, asked))
        if answer.status == _FORBIDDEN:
            raise not_allowed("list", kind, namespace)
        if answer.status == _NOT_FOUND:
            raise KindUnknown(f"The cluster serves no {kind.kind} of {kind.api_version}.")
        return self._body(answer, "list", place)

    @staticmethod
    def _body(answer: Answer, verb: str, place: Place) -> Object:
        if not answer.fine:
            raise refusal(answer, verb, place)
        return answer.body or {}


def _path(place: Place, asked: Mapping[str, str] | None = None, *, dry_run: bool = False) -> str:
    kind = place.kind
    base = f"/apis/{kind.group}" if kind.group else "/api"
    inside = f"/namespaces/{quote(place.namespace, safe='')}" if kind.namespaced and place.namespace else ""
    name = f"/{quote(place.name, safe='')}" if place.name else ""
    query = {**(asked or {}), **({"dryRun": "All"} if dry_run else {})}
    path = f"{base}/{quote(kind.version, safe='')}{inside}/{quote(kind.plural, safe='')}{name}"
    return f"{path}?{urlencode(query)}" if query else path


def _selector(wanted: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in wanted.items())
