"""Artifacts as large as a vendor likes, in memory: manifests and blobs by sha512, with media types of full length."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from byoa.adapters.memory.repository import MemoryRepository
from byoa.oci.digest import Digest
from byoa.oci.manifest import EMPTY_JSON, OCI_INDEX, OCI_MANIFEST, read_manifest

if TYPE_CHECKING:
    from byoa.oci.manifest import Manifest

LONG = f"{'a' * 127}/{'x' * 127}"


class Vast:
    """A repository to put things into."""

    def __init__(self) -> None:
        self.repository = MemoryRepository()
        self.config = self.blob(b"{}", EMPTY_JSON)

    def blob(self, content: bytes, media_type: str = LONG, size: int | None = None) -> dict[str, Any]:
        """A blob's descriptor; with a ``size`` of its own there is no blob behind it."""
        digest = Digest.of(content, "sha512")
        if size is None:
            self.repository.blobs[digest] = content
        return {"mediaType": media_type, "digest": str(digest), "size": len(content) if size is None else size}

    def manifest(self, document: dict[str, Any], media_type: str = OCI_MANIFEST) -> Manifest:
        content = json.dumps({"schemaVersion": 2, "mediaType": media_type, **document}).encode()
        found = read_manifest(content, media_type, expected=Digest.of(content, "sha512"))
        self.repository.manifests[found.digest] = found
        return found

    def image(self, *layers: dict[str, Any], subject: Manifest | None = None, **more: Any) -> Manifest:
        attached = {"subject": described(subject), "artifactType": "a/b"} if subject else {}
        return self.manifest({"config": self.config, "layers": list(layers), **attached, **more})

    def index(self, *children: Manifest, subject: Manifest | None = None) -> Manifest:
        attached = {"subject": described(subject), "artifactType": "a/b"} if subject else {}
        return self.manifest({"manifests": [described(child) for child in children], **attached}, OCI_INDEX)

    def images(self, count: int, layers: int, of: str = "") -> list[Manifest]:
        return [
            self.image(*(self.blob(f"{of} {number} {layer}".encode()) for layer in range(layers)))
            for number in range(count)
        ]

    def sign(self, subject: Manifest) -> None:
        """Attach three manifests by their subject: digests of sha512 are too long for cosign's tags."""
        for name in (b"sig", b"att", b"sbom"):
            self.image(self.blob(name + str(subject.digest).encode()), subject=subject)


def described(manifest: Manifest) -> dict[str, Any]:
    return {"mediaType": manifest.descriptor.media_type, "digest": str(manifest.digest), "size": len(manifest.content)}
