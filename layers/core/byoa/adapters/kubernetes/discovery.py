"""Which kinds an API server serves, by aggregated discovery: two requests for all groups (Kubernetes 1.27 on)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.errors import ClusterAccessInvalid
from byoa.installs.objects import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.adapters.kubernetes.wire import Answer

ACCEPT: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
PATHS: Final = ("/api", "/apis")
_NEEDED: Final = frozenset(("get", "list", "patch", "delete"))
"""Verbs of what can be installed; what lacks one is an answer or a question, not an object."""


def kinds_in(answer: Answer) -> Iterator[Kind]:
    """The kinds that an answer tells, of each group the preferred version first.

    Raises ``ClusterAccessInvalid`` for who doesn't know aggregated discovery.
    """
    body = answer.body or {}
    if body.get("kind") != "APIGroupDiscoveryList":
        raise ClusterAccessInvalid(
            "What answers is no Kubernetes API of version 1.27 or newer.",
            remedy="Check the address, or update the cluster.",
        )
    for group in body.get("items") or []:
        name = str((group.get("metadata") or {}).get("name", ""))
        for version in group.get("versions") or []:
            for resource in version.get("resources") or []:
                kind = _kind(name, str(version.get("version", "")), resource)
                if kind:
                    yield kind


def _kind(group: str, version: str, resource: dict[str, Any]) -> Kind | None:
    told = resource.get("responseKind") or {}
    if not {*(resource.get("verbs") or [])} >= _NEEDED or not told.get("kind"):
        return None
    return Kind(group, version, str(told["kind"]), str(resource["resource"]), resource.get("scope") == "Namespaced")
