"""What an API server tells of the kinds that it serves: aggregated discovery, and no other."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from byoa.adapters.kubernetes.discovery import ACCEPT
from local.kube.statuses import Unable
from local.registry.messages import Response, as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from byoa.installs.objects import Kind

_VERBS = ["create", "delete", "get", "list", "patch", "update"]
_SHORT = {
    "configmaps": "cm", "cronjobs": "cj", "customresourcedefinitions": "crd", "daemonsets": "ds",
    "deployments": "deploy",
    "events": "ev", "horizontalpodautoscalers": "hpa", "ingresses": "ing", "namespaces": "ns",
    "networkpolicies": "netpol", "persistentvolumeclaims": "pvc", "persistentvolumes": "pv",
    "poddisruptionbudgets": "pdb", "pods": "po", "replicasets": "rs", "resourcequotas": "quota",
    "serviceaccounts": "sa", "services": "svc", "statefulsets": "sts", "storageclasses": "sc",
}  # fmt: skip
"""What people type for them."""

_IN_ALL = frozenset((
    "cronjobs", "daemonsets", "deployments", "horizontalpodautoscalers", "jobs", "pods", "replicasets", "services",
    "statefulsets",
))  # fmt: skip
"""What `kubectl get all` lists."""


def groups(root: str, accepted: str, kinds: Sequence[Kind], keeps_status: Callable[[Kind], bool]) -> Response:
    """The groups below ``root`` (``api`` or ``apis``). Raises ``Unable`` for who asks in the way of before 1.27."""
    if "as=APIGroupDiscoveryList" not in accepted:
        raise Unable(406, "only aggregated discovery is served here")
    found = sorted(kind for kind in kinds if bool(kind.group) == (root == "apis"))
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None},
            "versions": [
                {"version": name, "freshness": "Current", "resources": [_resource(each, keeps_status) for each in of]}
                for name, of in groupby(of_group, lambda kind: kind.version)
            ],
        }
        for group, of_group in groupby(found, lambda kind: kind.group)
    ]  # fmt: skip
    document = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}
    return as_json(200, document, [("Content-Type", ACCEPT.partition(",")[0])])


def _resource(kind: Kind, keeps_status: Callable[[Kind], bool]) -> dict[str, Any]:
    told = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    found: dict[str, Any] = {
        "resource": kind.plural, "responseKind": told, "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.kind.lower(), "verbs": _VERBS,
    }  # fmt: skip
    if kind.plural in _SHORT:
        found["shortNames"] = [_SHORT[kind.plural]]
    if kind.plural in _IN_ALL:
        found["categories"] = ["all"]
    if keeps_status(kind):
        status = {"subresource": "status", "responseKind": told, "verbs": ["get", "patch", "update"]}
        found["subresources"] = [status]
    return found
