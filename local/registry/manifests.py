"""Manifests as a registry sees them: what they refer to, and what makes them unfit to be stored."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final, Self

IMAGES: Final = frozenset(
    {"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"}
)
INDEXES: Final = frozenset(
    {"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"}
)
# Layers that live elsewhere by intent (image-spec, layer.md, "Non-Distributable Layers").
_FOREIGN: Final = ("application/vnd.oci.image.layer.nondistributable.", "application/vnd.docker.image.rootfs.foreign.")
_HEX_LENGTHS: Final = {"sha256": 64, "sha512": 128}
_HEX: Final = re.compile(r"[0-9a-f]+", re.ASCII)


def is_digest(text: str) -> bool:
    """Whether ``text`` is a sha256 or sha512 digest (image-spec, descriptor.md, "Digests")."""
    algorithm, _, encoded = text.partition(":")
    return len(encoded) == _HEX_LENGTHS.get(algorithm) and _HEX.fullmatch(encoded) is not None


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """The digest of ``content``."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


class ManifestInvalid(ValueError):
    """The bytes are no manifest of the type they were pushed as. The text says why."""


@dataclass(frozen=True)
class Manifest:
    """A stored manifest: its bytes and media type as they were pushed, and what the registry read in them."""

    digest: str
    media_type: str
    content: bytes
    blobs: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    subject: str | None = None
    artifact_type: str | None = None
    annotations: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, digest: str, media_type: str, content: bytes) -> Self:
        """Read a manifest. Raises ``ManifestInvalid`` (image-spec, manifest.md and image-index.md)."""
        document = _document(media_type, content)
        blobs: list[str] = []
        children: list[str] = []
        artifact_type = document.get("artifactType")
        if _bare(media_type) in IMAGES:
            config = _descriptor(document, "config")
            layers = _descriptors(document, "layers")
            blobs = [config["digest"], *(layer["digest"] for layer in layers if not _foreign(layer))]
            # An image without an artifactType is of its config's type (distribution-spec, "Listing Referrers").
            artifact_type = artifact_type or config["mediaType"]
        else:
            children = [child["digest"] for child in _descriptors(document, "manifests")]
        subject = _descriptor(document, "subject")["digest"] if document.get("subject") is not None else None
        annotations = document.get("annotations") or {}
        if not isinstance(annotations, dict) or not isinstance(artifact_type, str | None):
            raise ManifestInvalid("the manifest's annotations or artifactType are of the wrong kind")
        return cls(digest, media_type, content, tuple(blobs), tuple(children), subject, artifact_type, annotations)

    def descriptor(self) -> dict[str, object]:
        """The three fields every descriptor has."""
        return {"mediaType": _bare(self.media_type), "digest": self.digest, "size": len(self.content)}

    def as_referrer(self) -> dict[str, object]:
        """Its entry in a list of referrers (distribution-spec, "Listing Referrers")."""
        entry = self.descriptor()
        if self.artifact_type:
            entry["artifactType"] = self.artifact_type
        if self.annotations:
            entry["annotations"] = self.annotations
        return entry


def _bare(media_type: str) -> str:
    """The media type without its parameters."""
    return media_type.partition(";")[0].strip().lower()


def _document(media_type: str, content: bytes) -> dict[str, Any]:
    bare = _bare(media_type)
    if bare not in IMAGES | INDEXES:
        raise ManifestInvalid(f"manifests of type {media_type!r} are not stored here")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ManifestInvalid(f"the manifest is no JSON: {error}") from None
    if not isinstance(document, dict) or document.get("schemaVersion") != 2:  # noqa: PLR2004 the only version left
        raise ManifestInvalid("the manifest is no JSON object with schemaVersion 2")
    if document.get("mediaType", bare) != bare:
        raise ManifestInvalid("the manifest's mediaType differs from the Content-Type")
    # Read one way by one client and the other way by the next (CVE-2021-41190).
    if "manifests" in document and ("layers" in document or "config" in document):
        raise ManifestInvalid("the manifest is an image and an index at once")
    return document


def _descriptors(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    descriptors = document.get(name)
    if not isinstance(descriptors, list):
        raise ManifestInvalid(f"{name} is no list")
    return [_checked(descriptor, name) for descriptor in descriptors]


def _descriptor(document: dict[str, Any], name: str) -> dict[str, Any]:
    return _checked(document.get(name), name)


def _checked(descriptor: object, name: str) -> dict[str, Any]:
    """``descriptor``, if it has the fields it must have (image-spec, descriptor.md, "Properties")."""
    if not isinstance(descriptor, dict):
        raise ManifestInvalid(f"{name} holds no descriptor")
    texts = all(isinstance(descriptor.get(key), str) for key in ("mediaType", "digest"))
    size = descriptor.get("size")
    if not texts or not isinstance(size, int) or size < 0 or not is_digest(descriptor["digest"]):
        raise ManifestInvalid(f"{name} holds a descriptor without a sound mediaType, digest or size")
    return descriptor


def _foreign(layer: dict[str, Any]) -> bool:
    return bool(layer.get("urls")) or layer["mediaType"].startswith(_FOREIGN)
