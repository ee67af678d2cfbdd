"""A repository's ``index.json`` on disk (image-spec, image-layout.md)."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from local.registry.manifests import Manifest, ManifestInvalid, is_digest

if TYPE_CHECKING:
    from pathlib import Path

_REF_NAME: Final = "org.opencontainers.image.ref.name"


def read_index(folder: Path, manifests: dict[str, Manifest], tags: dict[str, str]) -> None:
    """Fill ``manifests`` and ``tags`` with what the layout in ``folder`` names, and with its indexes' children.

    Descriptors whose content is missing or no manifest are passed over: a layout may name both.
    """
    descriptors = _descriptors((folder / "index.json").read_bytes())
    for descriptor in descriptors:
        tag = (descriptor.get("annotations") or {}).get(_REF_NAME)
        if tag is not None:
            tags[tag] = descriptor["digest"]
    while descriptors:
        descriptor = descriptors.pop()
        digest = descriptor["digest"]
        path = folder / "blobs" / digest.replace(":", "/")
        if digest in manifests or not path.is_file():
            continue
        try:
            manifests[digest] = Manifest.parse(digest, descriptor["mediaType"], path.read_bytes())
        except ManifestInvalid:
            continue
        if manifests[digest].children:
            descriptors += _descriptors(manifests[digest].content)
    for tag in [tag for tag, digest in tags.items() if digest not in manifests]:
        del tags[tag]


def write_index(folder: Path, manifests: dict[str, Manifest], tags: dict[str, str]) -> None:
    """Write the layout's ``index.json``: every manifest, once for each of its tags."""
    named: dict[str, list[str]] = {digest: [] for digest in manifests}
    for tag, digest in tags.items():
        named[digest].append(tag)
    descriptors: list[dict[str, object]] = []
    for digest, manifest in manifests.items():
        descriptor: dict[str, object] = manifest.descriptor() | {"mediaType": manifest.media_type}
        descriptors += [descriptor | {"annotations": {_REF_NAME: tag}} for tag in named[digest]] or [descriptor]
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": descriptors}
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    coming = folder / f"index.json.{uuid.uuid4()}"
    coming.write_text(json.dumps(index))
    coming.replace(folder / "index.json")


def _descriptors(index: bytes) -> list[dict[str, Any]]:
    return [entry for entry in json.loads(index).get("manifests") or [] if is_digest(entry["digest"])]
