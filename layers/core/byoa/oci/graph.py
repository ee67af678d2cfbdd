"""The graph below a manifest: what must be there before it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.errors import ContentTooLarge, GraphLimit
from byoa.oci.manifest import Descriptor

if TYPE_CHECKING:
    from byoa.oci.digest import Digest
    from byoa.oci.manifest import Manifest

_MEBIBYTE: Final = 1024 * 1024

MOST_ATTACHED: Final = 1000
"""Manifests that may be attached to one artifact: each costs some requests, and nightly scans leave one a day."""


class GraphLimits(NamedTuple):
    """How much an artifact may consist of. ``None`` is no limit.

    ``layers`` counts per manifest; ``manifests``, their ``manifest_bytes`` and ``blobs`` in the whole graph; ``depth``
    levels of indexes, ``blob`` bytes of a blob.
    """

    layers: int | None = None
    manifests: int | None = None
    depth: int = 8
    blob: int | None = None
    manifest_bytes: int | None = None
    blobs: int | None = None


PLAIN: Final = GraphLimits(layers=10_000, manifests=10_000, manifest_bytes=256 * _MEBIBYTE, blobs=100_000)
"""For copies between registries: far above what artifacts have, and few enough to be held in memory and to end.

Blobs are as large as they are: they pass through.
"""


def blobs_of(manifest: Manifest) -> tuple[Descriptor, ...]:
    """The config and the layers, each digest once, in the manifest's order, and nothing but what they are.

    What an index lists that is no manifest is a blob as well (image-spec, image-index.md): build caches have such.
    """
    config = (manifest.config,) if manifest.config else ()
    listed = (each for each in manifest.manifests if not each.is_manifest)
    return tuple({blob.digest: _bare(blob) for blob in (*config, *manifest.layers, *listed)}.values())


def _bare(blob: Descriptor) -> Descriptor:
    return Descriptor(*blob[:3]) if blob.annotations or blob.platform else blob


def children_of(manifest: Manifest) -> tuple[Descriptor, ...]:
    """The manifests of an index, each digest once, in its order."""
    return tuple({child.digest: child for child in manifest.manifests if child.is_manifest}.values())


def described(manifest: Manifest) -> Descriptor:
    """The descriptor by which a list of referrers names ``manifest`` (distribution-spec, "Listing Referrers")."""
    return manifest.descriptor._replace(artifact_type=manifest.kind)


class Walk:
    """Holds a graph to its limits while it is walked from the top."""

    def __init__(self, limits: GraphLimits) -> None:
        self._limits = limits
        self._manifests = 0
        self._sizes: dict[Digest, int] = {}
        self._bytes = 0
        self._blobs = 0

    def enter(self, manifest: Manifest, depth: int) -> None:
        """Count ``manifest``, found ``depth`` indexes below the top, and what it lists: that needn't be fetched first.

        Raises ``GraphLimit`` for too many parts, levels or bytes of manifests, and ``ContentTooLarge`` for a blob over
        the limit.
        """
        limits = self._limits
        self._manifests += 1
        if depth > limits.depth:
            raise GraphLimit(f"The artifact nests indexes more than {limits.depth} deep.")
        if _over(self._manifests + len(manifest.manifests), limits.manifests):
            raise GraphLimit(f"The artifact has more than {limits.manifests} manifests.")
        if _over(self._weigh(manifest), limits.manifest_bytes):
            raise GraphLimit(f"The artifact's manifests are more than {limits.manifest_bytes} bytes together.")
        self._check_blobs(manifest)

    def _weigh(self, manifest: Manifest) -> int:
        """The bytes of all manifests that were met or listed, each digest once."""
        for each in (manifest.descriptor, *manifest.manifests):
            if each.digest not in self._sizes:
                self._sizes[each.digest] = each.size
                self._bytes += each.size
        return self._bytes

    def _check_blobs(self, manifest: Manifest) -> None:
        limits, blobs = self._limits, blobs_of(manifest)
        self._blobs += len(blobs)
        if _over(len(manifest.layers), limits.layers):
            raise GraphLimit(f"A manifest of the artifact has more than {limits.layers} layers.")
        if _over(self._blobs, limits.blobs):
            raise GraphLimit(f"The artifact has more than {limits.blobs} blobs.")
        if _over(max((blob.size for blob in blobs), default=0), limits.blob):
            raise ContentTooLarge(f"A blob of the artifact is larger than {limits.blob} bytes.")

    def again(self, root: Manifest) -> Walk:
        """The same walk from the top, with ``root`` entered."""
        walk = Walk(self._limits)
        walk.enter(root, 0)
        return walk


def _over(count: int, limit: int | None) -> bool:
    return limit is not None and count > limit
