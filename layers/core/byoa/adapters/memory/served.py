"""The kinds that the cluster in memory serves, and which of them keep a status that only ``/status`` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.installs.kinds import DEFINITION
from byoa.installs.objects import Kind, mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.installs.objects import Object


def _kinds(group: str, version: str, named: Mapping[str, str], *, namespaced: bool = True) -> list[Kind]:
    return [Kind(group, version, kind, plural, namespaced) for kind, plural in named.items()]


_RBAC: Final = "rbac.authorization.k8s.io"
SERVED: Final = (
    *_kinds("", "v1", {"Namespace": "namespaces", "PersistentVolume": "persistentvolumes"}, namespaced=False),
    *_kinds("", "v1", {
        "ConfigMap": "configmaps", "Event": "events", "LimitRange": "limitranges",
        "PersistentVolumeClaim": "persistentvolumeclaims", "Pod": "pods", "ResourceQuota": "resourcequotas",
        "Secret": "secrets", "Service": "services", "ServiceAccount": "serviceaccounts",
    }),
    *_kinds("apps", "v1", {
        "DaemonSet": "daemonsets", "Deployment": "deployments", "ReplicaSet": "replicasets",
        "StatefulSet": "statefulsets",
    }),
    *_kinds("batch", "v1", {"CronJob": "cronjobs", "Job": "jobs"}),
    *_kinds("autoscaling", "v2", {"HorizontalPodAutoscaler": "horizontalpodautoscalers"}),
    *_kinds("networking.k8s.io", "v1", {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"}),
    *_kinds("networking.k8s.io", "v1", {"IngressClass": "ingressclasses"}, namespaced=False),
    *_kinds("policy", "v1", {"PodDisruptionBudget": "poddisruptionbudgets"}),
    *_kinds(_RBAC, "v1", {"Role": "roles", "RoleBinding": "rolebindings"}),
    *_kinds(
        _RBAC, "v1", {"ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings"}, namespaced=False
    ),
    *_kinds("scheduling.k8s.io", "v1", {"PriorityClass": "priorityclasses"}, namespaced=False),
    *_kinds("storage.k8s.io", "v1", {"StorageClass": "storageclasses"}, namespaced=False),
    *_kinds(
        "apiextensions.k8s.io", "v1", {"CustomResourceDefinition": "customresourcedefinitions"}, namespaced=False
    ),
    *_kinds("admissionregistration.k8s.io", "v1", {
        "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
        "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
    }, namespaced=False),
)  # fmt: skip

_WITH_STATUS: Final = frozenset({
    ("", "Namespace"), ("", "PersistentVolume"), ("", "PersistentVolumeClaim"), ("", "Pod"), ("", "Service"),
    ("apps", "DaemonSet"), ("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet"),
    ("autoscaling", "HorizontalPodAutoscaler"), ("batch", "CronJob"), ("batch", "Job"),
    ("networking.k8s.io", "Ingress"), ("policy", "PodDisruptionBudget"), DEFINITION,
})  # fmt: skip


def keeps_status(kind: Kind, definition: Object | None) -> bool:
    """Whether a kind's status is a part of its own, which the kind's ``definition`` says of a custom one."""
    if definition is None:
        return kind.type in _WITH_STATUS
    versions = mapping(definition, "spec").get("versions") or []
    return any(each.get("name") == kind.version and "status" in mapping(each, "subresources") for each in versions)
