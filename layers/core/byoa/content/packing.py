"""Packs inline manifests into an artifact. The same text makes the same bytes, on every machine, in every release."""

from __future__ import annotations

import json
import struct
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.oci.digest import Digest
from byoa.oci.manifest import EMPTY_JSON, OCI_MANIFEST, Manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

ARTIFACT_TYPE: Final = "application/vnd.byoa.manifests.v1"
LAYER_TYPE: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
"""The one layer type that BYOA, Flux and Argo CD all take."""

INLINE_TAG: Final = "inline"
"""What the one artifact of an inline component goes by until it is pinned."""

_EMPTY: Final = b"{}"
_TAR_BLOCK: Final = 512
_GZIP_BLOCK: Final = 65_535
_CHECKSUM: Final = slice(148, 156)


class Packed(NamedTuple):
    """An artifact in memory: its manifest, and its blobs by digest."""

    manifest: Manifest
    blobs: Mapping[Digest, bytes]


def pack(text: str) -> Packed:
    """One layer, one file ``manifest.yaml`` with ``text`` in UTF-8; no dates, no names, no compression level."""
    layer = gzip_stored(_tar("manifest.yaml", text.encode()))
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": ARTIFACT_TYPE,
        "config": _describe(EMPTY_JSON, _EMPTY),
        "layers": [_describe(LAYER_TYPE, layer)],
    }
    content = json.dumps(document, separators=(",", ":")).encode()
    manifest = read_manifest(content, OCI_MANIFEST)
    return Packed(manifest, {Digest.of(blob): blob for blob in (_EMPTY, layer)})


def _describe(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content)}


def _tar(name: str, content: bytes) -> bytes:
    """One regular file, mode 0644, of nobody and no time, in POSIX ustar (IEEE 1003.1, "ustar Interchange Format")."""
    header = bytearray(_TAR_BLOCK)
    fields = ((0, name), (100, "0000644"), (108, "0000000"), (116, "0000000"), (124, f"{len(content):011o}"),
              (136, "00000000000"), (156, "0"), (257, "ustar\x0000"))  # fmt: skip
    for offset, value in fields:
        header[offset : offset + len(value)] = value.encode()
    header[_CHECKSUM] = b" " * 8
    header[_CHECKSUM] = f"{sum(header):06o}\0 ".encode()
    padding = bytes(-len(content) % _TAR_BLOCK)
    return bytes(header) + content + padding + bytes(2 * _TAR_BLOCK)


def gzip_stored(content: bytes) -> bytes:
    """A gzip member of stored blocks (RFC 1951, 3.2.4): compressors differ from release to release, this can't."""
    blocks = [content[start : start + _GZIP_BLOCK] for start in range(0, len(content), _GZIP_BLOCK)]
    body = b"".join(
        struct.pack("<BHH", index == len(blocks) - 1, len(block), len(block) ^ 0xFFFF) + block
        for index, block in enumerate(blocks)
    )
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return head + body + struct.pack("<II", zlib.crc32(content), len(content))
