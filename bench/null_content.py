"""What the null registry holds: an artifact of its own under every name, and the manifests that it was given."""

from __future__ import annotations

import hashlib
import json
import os
import random
import tempfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    import socket

MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
CONFIG: Final = "application/vnd.cncf.flux.config.v1+json"
LAYER: Final = "application/vnd.cncf.flux.content.v1.tar+gzip"
_BLOCK: Final = 1024 * 1024
_IN_MEMORY: Final = 8 * 1024
_PATTERN: Final = 256 * _BLOCK
"""Bytes of a layer until it repeats: more than fits into the CPU's caches."""


class Layer:
    """``size`` bytes, the same for the same size, sent without passing through this process."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - kept as long as the layer
        block = random.Random(size).randbytes(min(_BLOCK, size))
        for number in range(-(-min(size, _PATTERN) // max(len(block), 1))):
            self._file.write((b"\x1f\x8b\x08" + number.to_bytes(4) + block[7:])[: size - number * len(block)])
        self._file.flush()
        self._period = min(size, self._file.tell())
        self.digest = self._hash()

    def send(self, client: socket.socket, start: int, end: int) -> None:
        """Send the bytes from ``start`` up to ``end``."""
        while start < end:
            offset = start % self._period
            start += os.sendfile(client.fileno(), self._file.fileno(), offset, min(end - start, self._period - offset))

    def close(self) -> None:
        """Forget the bytes."""
        self._file.close()

    def _hash(self) -> str:
        found, done = hashlib.sha256(), 0
        while done < self.size:
            offset = done % self._period
            block = os.pread(self._file.fileno(), min(16 * _BLOCK, self.size - done), offset)
            found.update(block)
            done += len(block)
        return f"sha256:{found.hexdigest()}"


@dataclass(slots=True)
class Content:
    """What the registry holds: its own artifact under every name, and the manifests it was given."""

    stock: bytes | None = None
    blobs: dict[str, Layer | bytes] = field(default_factory=dict)
    pushed: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)

    @classmethod
    def of_layers(cls, sizes: list[int], *, corrupt: bool = False) -> Content:
        """An artifact of layers of these sizes; their bytes are other ones than their digests say if ``corrupt``."""
        layers = [_small(size) if size <= _IN_MEMORY else Layer(size) for size in sizes]
        blobs: dict[str, Layer | bytes] = {_digest(layer, corrupt=corrupt): layer for layer in layers}
        config = b"{}"
        descriptors = [{"mediaType": LAYER, "digest": name, "size": _size(layer)} for name, layer in blobs.items()]
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": descriptors,
        }
        return cls(json.dumps(document).encode(), blobs | {digest_of(config): config})

    def close(self) -> None:
        """Forget all of it."""
        for blob in self.blobs.values():
            if isinstance(blob, Layer):
                blob.close()

    def manifest(self, name: str, reference: str) -> tuple[str, bytes] | None:
        """A manifest's media type and bytes."""
        stock = (MANIFEST, self.stock) if self.stock else None
        return self.pushed.get((name, reference)) or stock


def _small(size: int) -> bytes:
    """A layer without a file of its own: there may be thousands."""
    return random.Random(size).randbytes(size)


def _size(layer: Layer | bytes) -> int:
    return len(layer) if isinstance(layer, bytes) else layer.size


def _digest(layer: Layer | bytes, *, corrupt: bool) -> str:
    """The digest, or another one."""
    found = digest_of(layer) if isinstance(layer, bytes) else layer.digest
    return digest_of(found.encode()) if corrupt else found


def digest_of(content: bytes) -> str:
    """Its sha256 digest."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
