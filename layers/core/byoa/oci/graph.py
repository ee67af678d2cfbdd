"""The graph below a manifest: what must be there before it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from byoa.errors import ContentTooLarge, GraphLimit

if TYPE_CHECKING:
    from byoa.oci.manifest import Descriptor, Manifest


class GraphLimits(NamedTuple):
    """How much an artifact may consist of. ``None`` is no limit: the plain copy takes what registries take.

    ``layers`` counts per manifest, ``manifests`` in the whole graph, ``depth`` levels of indexes, ``blob`` bytes.
    """

    layers: int | None = None
    manifests: int | None = None
    depth: int = 8
    blob: int | None = None


PLAIN = GraphLimits()
"""For copies between registries: nothing but the nesting is bounded."""


def blobs_of(manifest: Manifest) -> tuple[Descriptor, ...]:
    """The config and the layers, each digest once, in the manifest's order."""
    config = (manifest.config,) if manifest.config else ()
    return tuple({blob.digest: blob for blob in (*config, *manifest.layers)}.values())


def children_of(manifest: Manifest) -> tuple[Descriptor, ...]:
    """The manifests of an index, each digest once, in its order."""
    return tuple({child.digest: child for child in manifest.manifests}.values())


def described(manifest: Manifest) -> Descriptor:
    """The descriptor by which a list of referrers names ``manifest`` (distribution-spec, "Listing Referrers")."""
    return manifest.descriptor._replace(artifact_type=manifest.kind, annotations=manifest.annotations)


class Walk:
    """Holds a graph to its limits while it is walked from the top."""

    def __init__(self, limits: GraphLimits) -> None:
        self._limits = limits
        self._manifests = 0

    def enter(self, manifest: Manifest, depth: int) -> None:
        """Count ``manifest``, found ``depth`` indexes below the top.

        Raises ``GraphLimit`` for too many parts or levels and ``ContentTooLarge`` for a blob over the limit.
        """
        limits = self._limits
        self._manifests += 1
        if depth > limits.depth:
            raise GraphLimit(f"The artifact nests indexes more than {limits.depth} deep.")
        listed = self._manifests + len(manifest.manifests)
        if limits.manifests is not None and listed > limits.manifests:
            raise GraphLimit(f"The artifact has more than {limits.manifests} manifests.")
        if limits.layers is not None and len(manifest.layers) > limits.layers:
            raise GraphLimit(f"A manifest of the artifact has more than {limits.layers} layers.")
        largest = max((blob.size for blob in blobs_of(manifest)), default=0)
        if limits.blob is not None and largest > limits.blob:
            raise ContentTooLarge(f"A blob of the artifact is larger than {limits.blob} bytes.")

    def again(self, root: Manifest) -> Walk:
        """The same walk from the top, with ``root`` entered."""
        walk = Walk(self._limits)
        walk.enter(root, 0)
        return walk
