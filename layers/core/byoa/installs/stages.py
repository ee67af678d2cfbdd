"""In which order objects are applied: what others need comes first, and goes last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from byoa.installs.objects import Kind

_GROUPS: Final[tuple[tuple[tuple[str, str], ...], ...]] = (
    (("", "Namespace"), ("apiextensions.k8s.io", "CustomResourceDefinition")),
    (
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "Role"),
        ("", "ServiceAccount"),
        ("storage.k8s.io", "StorageClass"),
        ("scheduling.k8s.io", "PriorityClass"),
        ("networking.k8s.io", "IngressClass"),
        ("node.k8s.io", "RuntimeClass"),
        ("gateway.networking.k8s.io", "GatewayClass"),
        ("", "ResourceQuota"),
        ("", "LimitRange"),
        ("networking.k8s.io", "NetworkPolicy"),
    ),
    (("rbac.authorization.k8s.io", "ClusterRoleBinding"), ("rbac.authorization.k8s.io", "RoleBinding")),
    (
        ("", "ConfigMap"),
        ("", "Secret"),
        ("", "PersistentVolume"),
        ("", "PersistentVolumeClaim"),
        ("", "Service"),
    ),
)
_HOOKS: Final = (
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiregistration.k8s.io", "APIService"),
)
"""These have the API server ask others, who should be there by then."""

_STAGES: Final = {kind: stage for stage, kinds in enumerate(_GROUPS) for kind in kinds}
_REST: Final = len(_GROUPS)
_LAST: Final = _REST + 1


def stage_of(kind: Kind) -> int:
    """The stage in which objects of a kind are applied, from 0."""
    return _LAST if kind.type in _HOOKS else _STAGES.get(kind.type, _REST)


def in_stages[Part](parts: Iterable[tuple[Kind, Part]]) -> list[list[Part]]:
    """What belongs to kinds, stage by stage; those of one stage go side by side."""
    found: dict[int, list[Part]] = {}
    for kind, part in parts:
        found.setdefault(stage_of(kind), []).append(part)
    return [found[stage] for stage in sorted(found)]
