"""How much a vendor's artifact may consist of, and how much one build may fetch."""

from __future__ import annotations

from typing import Final, NamedTuple

from byoa.oci.graph import GraphLimits

_MEBIBYTE: Final = 1024 * 1024

STAGED: Final = GraphLimits(layers=10, manifests=50, depth=2, blob=100 * _MEBIBYTE, manifest_bytes=16 * _MEBIBYTE)
"""What a vendor's artifact may consist of: Argo CD's limit of layers, Flux's of unpacked size.

A manifest of ten layers has some 3 KiB; the bytes of all of them leave room for four of the largest that the spec
knows, and are little beside a function's memory.
"""

ATTACHED: Final = 50
"""How many manifests may be attached to an artifact; each has its place in a message and in the receipt."""


class Sums(NamedTuple):
    """What one build may fetch in all: its artifact, what is attached to it, and all below these.

    ``nodes`` counts manifests and blobs; ``content_bytes`` are those of both.
    """

    manifests: int
    nodes: int
    manifest_bytes: int
    content_bytes: int


WHOLE: Final = Sums(manifests=100, nodes=500, manifest_bytes=8 * _MEBIBYTE, content_bytes=1024 * _MEBIBYTE)
"""A receipt names each node with up to half a kilobyte and must fit into an item of 400 KB. All manifests are held in
memory at once, where a text may take four times its bytes.
"""
