"""Requests to Kubernetes' API, answered from the cluster in memory."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any

import yaml

from byoa.errors import ByoaError
from byoa.installs.objects import Place, goes_away, mapping, metadata, uid_of
from local.kube.discovery import groups
from local.kube.paths import way_of
from local.kube.selectors import selected
from local.kube.statuses import Unable, failure, no_such_object, no_such_path, told
from local.registry.messages import Request, Response, as_json

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from byoa.adapters.memory.cluster import MemoryCluster
    from byoa.installs.objects import Object
    from local.kube.paths import Way

VERSION = {"major": "1", "minor": "36", "gitVersion": "v1.36.0-desk", "platform": "memory"}
_LARGEST = 3 * 1024 * 1024
_APPLY = "application/apply-patch+yaml"
_MERGE = ("application/merge-patch+json", "application/strategic-merge-patch+json")
"""Both are merged the same way: without schemas nobody knows the keys of lists."""

_REVIEWS = "/apis/authorization.k8s.io/v1"
_ALL = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}


class KubernetesApi:
    """The API of ``cluster`` for who has one of ``tokens``, which may change; each may do everything."""

    def __init__(self, cluster: MemoryCluster, tokens: AbstractSet[str]) -> None:
        self._cluster = cluster
        self._tokens = tokens

    def answer(self, request: Request) -> Response:
        """The answer to one request."""
        try:
            return self._answer(request)
        except Unable as unable:
            return unable.response

    def _answer(self, request: Request) -> Response:
        path = request.path.rstrip("/")
        if path in ("/readyz", "/livez", "/healthz"):
            return Response(200, [("Content-Type", "text/plain")], b"ok")
        self._check_login(request.headers.get("Authorization", ""))
        return self._about(request, path) or self._of_objects(request, path)

    def _about(self, request: Request, path: str) -> Response | None:
        """What the server tells of itself."""
        if path == "/version":
            return as_json(200, VERSION)
        if path in ("/api", "/apis"):
            accepted = request.headers.get("Accept", "")
            return groups(path[1:], accepted, self._cluster.kinds(), self._cluster.keeps_status)
        if (request.method, path) == ("POST", f"{_REVIEWS}/selfsubjectaccessreviews"):
            return as_json(201, {**_document(request), "status": {"allowed": True, "reason": "all may do all here"}})
        if (request.method, path) == ("POST", f"{_REVIEWS}/selfsubjectrulesreviews"):
            status = {"resourceRules": [_ALL], "nonResourceRules": [], "incomplete": False}
            return as_json(201, {**_document(request), "status": status})
        return None

    def _of_objects(self, request: Request, path: str) -> Response:
        way = way_of(path, self._cluster.kinds()) if path.startswith(("/api/", "/apis/")) else None
        if way is None or (way.part and not (way.part == "status" and self._cluster.keeps_status(way.place.kind))):
            return no_such_path()
        try:
            return self._act(request, way)
        except ByoaError as error:
            return told(error, way.place, going=self._namespace_goes(way.place))

    def _check_login(self, header: str) -> None:
        scheme, _, token = header.partition(" ")
        known = any(hmac.compare_digest(token.strip().encode(), each.encode()) for each in self._tokens)
        if scheme.lower() != "bearer" or not known:
            raise Unable(401, "Unauthorized")

    def _act(self, request: Request, way: Way) -> Response:
        if request.first("watch") in ("true", "1"):
            return failure(405, "nothing can be watched here")
        actions = {"GET": self._get, "PATCH": self._patch, "PUT": self._put, "DELETE": self._delete}
        collection = {"GET": self._list, "POST": self._create}
        action = (actions if way.place.name else collection).get(request.method)
        return action(request, way) if action else failure(405, "the server does not allow this method here")

    def _namespace_goes(self, place: Place) -> bool:
        kinds = {kind.type: kind for kind in self._cluster.kinds()}
        found = self._cluster.get(Place(kinds["", "Namespace"], "", place.namespace)) if place.namespace else None
        return bool(found and goes_away(found))

    def _get(self, request: Request, way: Way) -> Response:  # noqa: ARG002 - as the others
        found = self._cluster.get(way.place)
        return as_json(200, found) if found else no_such_object(way.place)

    def _list(self, request: Request, way: Way) -> Response:
        """A page; what comes after it begins behind the place that its ``continue`` names."""
        kind = way.place.kind
        is_wanted = selected(request.first("labelSelector"), request.first("fieldSelector"))
        found = [each for each in self._cluster.list(kind, way.place.namespace) if is_wanted(each)]
        begun = _read_mark(request.first("continue") or "")
        rest = [each for each in found if _mark(each) > begun]
        limit = int(request.first("limit") or 0) or len(rest)
        page, about = rest[:limit], {"resourceVersion": str(self._cluster.writes)}
        if len(rest) > limit:
            about["continue"] = base64.urlsafe_b64encode(json.dumps(_mark(page[-1])).encode()).decode()
        listed: dict[str, Any] = {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": about}
        if len(rest) > limit and not request.first("labelSelector") and not request.first("fieldSelector"):
            listed["metadata"] = {**about, "remainingItemCount": len(rest) - limit}
        items = [{key: each[key] for key in each if key not in ("apiVersion", "kind")} for each in page]
        return as_json(200, {**listed, "items": items or None})  # as a real one does for some kinds

    def _create(self, request: Request, way: Way) -> Response:
        wanted = self._whole(_document(request), way, named=False)
        about = wanted["metadata"]
        if "name" not in about and about.get("generateName"):
            about["name"] = f"{about['generateName']}{secrets.token_hex(3)[:5]}"
        if not about.get("name"):
            return failure(422, "metadata.name: Required value: name or generateName is required")
        place = way.place._replace(name=str(about["name"]))
        if self._cluster.get(place):
            return failure(409, f'{place.kind.plural} "{place.name}" already exists', "AlreadyExists")
        return as_json(201, self._cluster.create(place, wanted, dry_run=_is_dry(request), manager=_manager(request)))

    def _put(self, request: Request, way: Way) -> Response:
        live = self._cluster.get(way.place)
        if live is None:
            return no_such_object(way.place)
        wanted = _document(request)
        if way.part:
            return self._edit(request, way, {"status": wanted.get("status")})
        wanted = self._whole(wanted, way, named=True)
        wanted["metadata"].setdefault("resourceVersion", metadata(live)["resourceVersion"])
        found = self._cluster.replace(way.place, wanted, dry_run=_is_dry(request), manager=_manager(request))
        return as_json(200, found)

    def _patch(self, request: Request, way: Way) -> Response:
        kind_of = (request.headers.get("Content-Type") or "").partition(";")[0].strip()
        if kind_of == _APPLY and not way.part:
            wanted = self._whole(_document(request), way, named=True)
            return self._apply(request, way, wanted)
        if kind_of not in _MERGE:
            return failure(415, f"only {_APPLY} and {_MERGE[0]} are understood here")
        live, changes = self._cluster.get(way.place), _document(request)
        if live is None:
            return no_such_object(way.place)
        version = metadata(changes).get("resourceVersion")
        if version and version != metadata(live)["resourceVersion"]:
            return failure(409, "the object has been modified")
        return self._edit(request, way, {"status": changes.get("status")} if way.part else self._own(changes, way))

    def _apply(self, request: Request, way: Way, wanted: Object) -> Response:
        force, dry_run, manager = request.first("force") == "true", _is_dry(request), request.first("fieldManager")
        if not manager:
            return failure(422, "fieldManager: Required value: is required for apply patch")
        found = self._cluster.apply(way.place, wanted, force=force, dry_run=dry_run, manager=manager)
        return as_json(201 if found.created else 200, found.object)

    def _edit(self, request: Request, way: Way, changes: Object) -> Response:
        found = self._cluster.edit(way.place, changes, _manager(request), dry_run=_is_dry(request))
        return as_json(200, found)

    def _delete(self, request: Request, way: Way) -> Response:
        """Where there is a body, what the query says is passed over, as a real one does."""
        live, options = self._cluster.get(way.place), _document(request)
        if live is None or way.part:
            return no_such_object(way.place)
        dry_run = options.get("dryRun") == ["All"] if options else _is_dry(request)
        uid = str(mapping(options, "preconditions").get("uid") or uid_of(live))
        version = str(mapping(options, "preconditions").get("resourceVersion") or "")
        self._cluster.delete(way.place, uid, version=version, dry_run=dry_run)
        left = self._cluster.get(way.place)
        gone = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": {"uid": uid}}
        return as_json(200, left if left and not dry_run else gone)

    def _own(self, found: Object, way: Way) -> Object:
        """Without a status that is a part of its own."""
        if not self._cluster.keeps_status(way.place.kind):
            return found
        return {key: found[key] for key in found if key != "status"}

    def _whole(self, found: Object, way: Way, *, named: bool) -> Object:
        """A whole object for this place. Raises ``Unable`` where it is another's."""
        kind, about = way.place.kind, metadata(found)
        if (found.get("apiVersion"), found.get("kind")) != (kind.api_version, kind.kind):
            raise Unable(400, "the object is of another kind than the path")
        if named and about.get("name", way.place.name) != way.place.name:
            raise Unable(400, "the name of the object does not match the name on the URL")
        if about.get("namespace", way.place.namespace) != way.place.namespace and kind.namespaced:
            raise Unable(400, "the namespace of the object does not match the namespace on the request")
        kept = {key: value for key, value in about.items() if key not in ("managedFields", "namespace")}
        return {**self._own(found, way), "metadata": kept}


def _document(request: Request) -> Object:
    """The body as an object; an empty one without a body. Raises ``Unable``."""
    if "protobuf" in request.headers.get("Content-Type", ""):
        raise Unable(415, "only JSON and YAML are understood here: have kubectl apply a file, with --validate=false")
    content = request.body.read(_LARGEST)
    try:
        found = json.loads(content) if content.lstrip()[:1] in (b"{", b"") else yaml.load(content, yaml.CSafeLoader)
    except (ValueError, yaml.YAMLError, RecursionError):
        found = None if content else {}
    if not isinstance(found, dict) or not isinstance(found.get("metadata") or {}, dict):
        raise Unable(400, "the body is no object")
    return found


def _is_dry(request: Request) -> bool:
    return request.query.get("dryRun") == ["All"]


def _manager(request: Request) -> str:
    """Who changes something, by its own word; else by the program's, as a real one has it."""
    told_by = request.headers.get("User-Agent", "").partition("/")[0]
    return request.first("fieldManager") or told_by or "unknown"


def _mark(found: Object) -> list[str]:
    about = metadata(found)
    return [str(about.get("namespace", "")), str(about["name"])]


def _read_mark(text: str) -> list[str]:
    try:
        return list(map(str, json.loads(base64.urlsafe_b64decode(text)))) if text else []
    except ValueError:
        raise Unable(400, "the continue token is none") from None
