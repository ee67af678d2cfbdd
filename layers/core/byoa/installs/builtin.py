"""Kinds that every API server has (Kubernetes 1.36), for who asks none: how each is called in paths and in rights."""

from __future__ import annotations

from typing import Final

from byoa.installs.objects import Kind

_NAMESPACED: Final = {
    ("", "v1"): "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController "
    "ResourceQuota Secret ServiceAccount Service",
    ("apps", "v1"): "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    ("autoscaling", "v2"): "HorizontalPodAutoscaler",
    ("autoscaling", "v1"): "HorizontalPodAutoscaler",
    ("batch", "v1"): "CronJob Job",
    ("coordination.k8s.io", "v1"): "Lease",
    ("discovery.k8s.io", "v1"): "EndpointSlice",
    ("networking.k8s.io", "v1"): "Ingress NetworkPolicy",
    ("policy", "v1"): "PodDisruptionBudget",
    ("rbac.authorization.k8s.io", "v1"): "RoleBinding Role",
    ("resource.k8s.io", "v1"): "ResourceClaim ResourceClaimTemplate",
    ("storage.k8s.io", "v1"): "CSIStorageCapacity",
}
_CLUSTER_WIDE: Final = {
    ("", "v1"): "Namespace Node PersistentVolume",
    ("admissionregistration.k8s.io", "v1"): "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding "
    "MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding "
    "ValidatingWebhookConfiguration",
    ("apiextensions.k8s.io", "v1"): "CustomResourceDefinition",
    ("apiregistration.k8s.io", "v1"): "APIService",
    ("certificates.k8s.io", "v1"): "CertificateSigningRequest",
    ("flowcontrol.apiserver.k8s.io", "v1"): "FlowSchema PriorityLevelConfiguration",
    ("networking.k8s.io", "v1"): "IngressClass IPAddress ServiceCIDR",
    ("node.k8s.io", "v1"): "RuntimeClass",
    ("rbac.authorization.k8s.io", "v1"): "ClusterRoleBinding ClusterRole",
    ("resource.k8s.io", "v1"): "DeviceClass ResourceSlice",
    ("scheduling.k8s.io", "v1"): "PriorityClass",
    ("storage.k8s.io", "v1"): "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
}


def _plural(kind: str) -> str:
    """Kubernetes' own kinds keep to English, but for what ends as a plural does."""
    name = kind.lower()
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    if name == "endpoints":
        return name
    return f"{name}es" if name.endswith(("s", "x")) else f"{name}s"


BUILTIN: Final = tuple(
    Kind(group, version, kind, _plural(kind), namespaced)
    for namespaced, kinds in ((True, _NAMESPACED), (False, _CLUSTER_WIDE))
    for (group, version), names in kinds.items()
    for kind in names.split()
)
