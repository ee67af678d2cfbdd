"""Small artifacts of every shape, made from a seed, and what of them is in a registry of the desk."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from byoa.oci.digest import Digest
from byoa.oci.graph import blobs_of
from byoa.oci.manifest import EMPTY_JSON, OCI_INDEX, OCI_MANIFEST, Manifest, read_manifest
from byoa.oci.tagschema import referrers_tag, signature_tags
from local.registry.manifests import Manifest as Stored
from local.registry.store import MemoryBlob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.registry import Registry

SHAPES: Final = ("plain", "layers", "index", "nested", "signed", "attested", "sha512")
LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
EMPTY: Final = b"{}"


@dataclass
class Artifact:
    """A root, all manifests with what is attached to them, blobs by digest, and tags of attachments."""

    root: Manifest
    manifests: list[Manifest] = field(default_factory=list)
    blobs: dict[Digest, bytes] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)

    @property
    def bare(self) -> Artifact:
        """The root with all below it, and nothing attached."""
        graph, by_digest = [self.root], {manifest.digest: manifest for manifest in self.manifests}
        for manifest in graph:
            graph += [by_digest[child.digest] for child in manifest.manifests]
        wanted = {blob.digest for manifest in graph for blob in blobs_of(manifest)}
        blobs = {digest: content for digest, content in self.blobs.items() if digest in wanted}
        return Artifact(self.root, graph, blobs)

    @property
    def referrers(self) -> list[Manifest]:
        """What is attached by its subject."""
        return [manifest for manifest in self.manifests if manifest.subject]


class Maker:
    """Makes artifacts from one seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._manifests: list[Manifest] = []
        self._blobs: dict[Digest, bytes] = {}

    def make(self, shape: str) -> Artifact:
        """One artifact of a shape."""
        self._manifests, self._blobs = [], {}
        tags: dict[str, Digest] = {}
        root = getattr(self, f"_{shape}")()
        if shape in ("signed", "attested"):
            attached = self.image(1, subject=root)
            if shape == "attested":
                self.image(1, subject=attached)
                tags[signature_tags(root.digest)[0]] = self.image(1).digest
        return Artifact(root, self._manifests, self._blobs, tags)

    def image(
        self, layers: int = 1, *, sizes: Sequence[int] = (), subject: Manifest | None = None, algorithm: str = "sha256"
    ) -> Manifest:
        """A manifest with that many layers of up to 3 KB, or with layers of the sizes given."""
        sizes = sizes or [self._random.randrange(3000) for _ in range(layers)]
        contents = [self._random.randbytes(size) for size in sizes]
        document: dict[str, object] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": "application/vnd.example.made.v1",
            "config": self._keep(EMPTY_JSON, EMPTY, "sha256"),
            "layers": [self._keep(LAYER, content, algorithm) for content in contents],
        }
        if subject:
            document["subject"] = described(subject)
        return self._add(document, OCI_MANIFEST)

    def index(self, *children: Manifest) -> Manifest:
        """An index of manifests."""
        listed = [described(child) for child in children]
        return self._add({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}, OCI_INDEX)

    def artifact(self, root: Manifest) -> Artifact:
        """What was made so far, under one root."""
        return Artifact(root, self._manifests, self._blobs)

    def _plain(self) -> Manifest:
        return self.image(1)

    def _layers(self) -> Manifest:
        return self.image(sizes=(0, 1, *(self._random.randrange(3000) for _ in range(3))))

    def _index(self) -> Manifest:
        return self.index(self.image(1), self.image(2))

    def _nested(self) -> Manifest:
        return self.index(self._index(), self.image(1))

    def _signed(self) -> Manifest:
        return self.image(1)

    def _attested(self) -> Manifest:
        return self._index()

    def _sha512(self) -> Manifest:
        return self.image(2, algorithm="sha512")

    def _keep(self, media_type: str, content: bytes, algorithm: str) -> dict[str, object]:
        digest = Digest.of(content, algorithm)
        self._blobs[digest] = content
        return {"mediaType": media_type, "digest": str(digest), "size": len(content)}

    def _add(self, document: dict[str, object], media_type: str) -> Manifest:
        made = read_manifest(json.dumps(document).encode(), media_type)
        self._manifests.append(made)
        return made


def described(manifest: Manifest) -> dict[str, object]:
    """The descriptor of a manifest as it stands in JSON."""
    descriptor = manifest.descriptor
    return {"mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size}


def put(registry: Registry, name: str, artifact: Artifact, tag: str) -> None:
    """Have a registry hold an artifact, without a request."""
    repository = registry.store.make(name)
    if not registry.settings.referrers:
        artifact = listed(artifact)
    for digest, content in artifact.blobs.items():
        repository.add_blob(str(digest), MemoryBlob(content))
    tags = {**{digest: name for name, digest in artifact.tags.items()}, artifact.root.digest: tag}
    for manifest in artifact.manifests:
        stored = Stored.parse(str(manifest.digest), manifest.descriptor.media_type, manifest.content)
        repository.add_manifest(stored, [tags[manifest.digest]] if manifest.digest in tags else [])


def listed(artifact: Artifact) -> Artifact:
    """The same, with the lists of the referrers tag schema: what a registry without the API has."""
    lists: dict[str, Manifest] = {}
    for subject in {each.subject.digest: each.subject for each in artifact.referrers if each.subject}:
        entries = [each for each in artifact.referrers if each.subject and each.subject.digest == subject]
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [_entry(each) for each in entries]}
        lists[referrers_tag(subject)] = read_manifest(json.dumps(document, separators=(",", ":")).encode(), OCI_INDEX)
    tags = {**artifact.tags, **{tag: each.digest for tag, each in lists.items()}}
    return Artifact(artifact.root, [*artifact.manifests, *lists.values()], artifact.blobs, tags)


def _entry(manifest: Manifest) -> dict[str, object]:
    kind = {"artifactType": manifest.kind} if manifest.kind else {}
    return {**described(manifest), **kind}


def wrong_bytes(registry: Registry, name: str) -> list[str]:
    """The digests in a repository whose bytes hash to something else."""
    repository = registry.store.make(name)
    contents = {digest: manifest.content for digest, manifest in repository.manifests.items()}
    return [
        digest for digest, content in {**blobs_in(registry, name), **contents}.items() if not _hashes(digest, content)
    ]


def _hashes(digest: str, content: bytes) -> bool:
    return Digest.parse(digest).matches(content)


def blobs_in(registry: Registry, name: str) -> dict[str, bytes]:
    """All blobs of a repository in memory, manifests among them."""
    held = registry.store.make(name)._blobs
    return {digest: b"".join(blob.blocks(0, blob.size)) for digest, blob in list(held.items())}


def lacking(registry: Registry, name: str, artifact: Artifact, tag: str) -> list[str]:
    """What of an artifact, its attachments and its tag is not in a repository as it should be."""
    repository = registry.store.make(name)
    if not registry.settings.referrers:
        artifact = listed(artifact)
    missing = [f"blob {digest}" for digest in artifact.blobs if repository.blob(str(digest)) is None]
    missing += [
        f"manifest {each.digest}" for each in artifact.manifests if str(each.digest) not in repository.manifests
    ]
    tags = {**artifact.tags, tag: artifact.root.digest}
    return missing + [f"tag {name}" for name, digest in tags.items() if repository.tags.get(name) != str(digest)]
