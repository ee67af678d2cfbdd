"""Which kinds of objects there are: those that a cluster serves, and those that come with the set itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.installs.objects import Kind, group_of, mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from byoa.installs.objects import Object

DEFINITION: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")
NAMESPACE: Final = ("", "Namespace")


class Kinds(NamedTuple):
    """Kinds by group and kind, and by the exact version too."""

    served: dict[tuple[str, str], Kind]
    exact: dict[tuple[str, str], Kind]
    defined: dict[tuple[str, str], Kind]

    def find(self, api_version: str, kind: str) -> Kind | None:
        """The kind as it is served, or else as the set defines it."""
        return self.exact.get((api_version, kind)) or self.defined.get((api_version, kind))

    def of_type(self, group: str, kind: str) -> Kind | None:
        """The kind in the version that the cluster prefers; ``None`` where it serves none."""
        return self.served.get((group, kind))

    def serves(self, kind: Kind) -> bool:
        """Whether the cluster has it now."""
        return (kind.api_version, kind.kind) in self.exact


def know_kinds(served: Sequence[Kind], objects: Iterable[Object]) -> Kinds:
    """The kinds that a cluster serves, with those that ``objects`` define."""
    by_type: dict[tuple[str, str], Kind] = {}
    for kind in served:
        by_type.setdefault(kind.type, kind)
    exact = {(kind.api_version, kind.kind): kind for kind in served}
    defined = {
        (kind.api_version, kind.kind): kind
        for each in objects
        if (group_of(str(each.get("apiVersion"))), each.get("kind")) == DEFINITION
        for kind in kinds_defined(each)
    }
    return Kinds(by_type, exact, defined)


def is_custom(kind: Kind) -> bool:
    """Whether somebody else than Kubernetes defines it: of its groups most have no dot, and the others its domain."""
    return "." in kind.group and not kind.group.endswith(".k8s.io")


def kinds_defined(definition: Object) -> list[Kind]:
    """What a CustomResourceDefinition defines: a kind in each version that it serves."""
    spec, names = mapping(definition, "spec"), mapping(definition, "spec", "names")
    versions = spec.get("versions")
    return [
        Kind(
            str(spec.get("group", "")),
            str(version.get("name", "")),
            str(names.get("kind", "")),
            str(names.get("plural", "")),
            spec.get("scope") == "Namespaced",
        )
        for version in (versions if isinstance(versions, list) else [])
        if isinstance(version, dict) and version.get("served")
    ]
