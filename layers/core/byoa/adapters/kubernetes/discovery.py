"""Which kinds an API server serves, by aggregated discovery: two requests for all groups (Kubernetes 1.27 on)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.adapters.kubernetes.shapes import mappings, texts
from byoa.errors import ClusterAccessInvalid
from byoa.installs.objects import Kind, mapping, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.adapters.kubernetes.wire import Answer

ACCEPT: Final = ",".join(
    f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")
)
"""The same documents by both names: servers know the first from 1.30 on, and the other one until then."""
PATHS: Final = ("/api", "/apis")
_NEEDED: Final = frozenset(("get", "list", "patch", "delete"))
"""Verbs of what can be installed; what lacks one is an answer or a question, not an object."""


def kinds_in(answer: Answer) -> Iterator[Kind]:
    """The kinds that an answer tells, of each group the preferred version first. Raises what ``_resources`` does."""
    for group, version, resource in _resources(answer):
        kind = _kind(group, version, resource)
        if kind:
            yield kind


def keeps_status(answer: Answer, kind: Kind) -> bool:
    """Whether ``kind`` has a status of its own, which its controller writes. Raises what ``_resources`` does."""
    return any(
        (group, version, resource.get("resource")) == (kind.group, kind.version, kind.plural)
        and any(each.get("subresource") == "status" for each in mappings(resource, "subresources"))
        for group, version, resource in _resources(answer)
    )


def _resources(answer: Answer) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Group and version of each resource with it.

    Raises ``ClusterAccessInvalid`` for who doesn't know aggregated discovery, and ``ClusterUnavailable`` for lists that
    are none.
    """
    body = answer.body or {}
    if body.get("kind") != "APIGroupDiscoveryList":
        raise ClusterAccessInvalid(
            "What answers is no Kubernetes API of version 1.27 or newer.",
            remedy="Check the address, or update the cluster.",
        )
    for group in mappings(body, "items"):
        for version in mappings(group, "versions"):
            for resource in mappings(version, "resources"):
                yield str(metadata(group).get("name", "")), str(version.get("version", "")), resource


def _kind(group: str, version: str, resource: dict[str, Any]) -> Kind | None:
    told, plural = mapping(resource, "responseKind").get("kind"), resource.get("resource")
    if not texts(resource, "verbs") >= _NEEDED or not told or not plural:
        return None
    return Kind(group, version, str(told), str(plural), resource.get("scope") == "Namespaced")
