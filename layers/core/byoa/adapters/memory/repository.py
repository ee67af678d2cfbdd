"""A repository in memory: for tests, and for artifacts that are small enough to stay there."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from byoa.content.packing import INLINE_TAG
from byoa.engine.ports import Tags, every
from byoa.engine.verifying import block
from byoa.errors import ReferenceNotFound, TargetConflict, TargetIncomplete
from byoa.oci.digest import Digest
from byoa.oci.graph import blobs_of, children_of, described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.content.packing import Packed
    from byoa.engine.ports import BlobReader, Fate, Offer, Upload
    from byoa.oci.manifest import Descriptor, Manifest


class BytesReader:
    """A BlobReader over bytes."""

    def __init__(self, content: bytes) -> None:
        self._rest = memoryview(content)

    def readinto(self, buffer: memoryview, /) -> int:
        """The next bytes."""
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def read_whole(content: BlobReader) -> bytes:
    """All bytes of a blob that is known to be small."""
    found, buffer = bytearray(), block()
    while count := content.readinto(buffer):
        found += buffer[:count]
    return bytes(found)


@dataclass(frozen=True, slots=True)
class _Slot:
    """An upload into memory: whole or not at all."""

    blobs: dict[Digest, bytes]
    digest: Digest
    held: int = 0
    session: str | None = None

    def reread(self) -> None:
        """Nothing is held."""

    def write(self, content: BlobReader) -> None:
        """See ``engine.ports.Upload``."""
        self.blobs[self.digest] = read_whole(content)


@dataclass(slots=True)
class MemoryRepository:
    """A Source and a Target. With ``immutable`` a tag keeps its first digest."""

    blobs: dict[Digest, bytes] = field(default_factory=dict)
    manifests: dict[Digest, Manifest] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)
    immutable: bool = False

    @property
    def requests(self) -> int:
        """None: memory is no registry."""
        return 0

    @property
    def place(self) -> None:
        """Nowhere that could be mounted from."""

    @property
    def heads_are_free(self) -> bool:
        """No: both read the same."""
        return False

    def check_push(self) -> None:
        """Whoever may write to it may."""

    def all_tags(self, wanted: Callable[[str], bool] = every, most: int | None = None) -> Tags:
        """See ``engine.ports.Repository``."""
        found = tuple(sorted(filter(wanted, self.tags)))
        return Tags(found[:most], truncated=most is not None and len(found) > most)

    @classmethod
    def holding(cls, packed: Packed) -> MemoryRepository:
        """A repository with one packed artifact, under the tag ``inline``."""
        digest = packed.manifest.digest
        return cls(blobs=dict(packed.blobs), manifests={digest: packed.manifest}, tags={INLINE_TAG: digest})

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        """See ``engine.ports.Source``."""
        digest = name if isinstance(name, Digest) else self.tags.get(name)
        if digest is None or digest not in self.manifests:
            raise ReferenceNotFound("The repository has no such manifest.")
        return self.manifests[digest]

    @contextmanager
    def open_blob(self, descriptor: Descriptor, start: int = 0) -> Iterator[BlobReader]:
        """See ``engine.ports.Source``."""
        if descriptor.digest not in self.blobs:
            raise ReferenceNotFound("The repository has no such blob.")
        yield BytesReader(self.blobs[descriptor.digest][start:])

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        """See ``engine.ports.Source``."""
        return tuple(
            described(manifest)
            for manifest in self.manifests.values()
            if manifest.subject and manifest.subject.digest == subject
        )

    def find_manifest(self, name: str | Digest) -> Digest | None:
        """See ``engine.ports.Target``."""
        digest = name if isinstance(name, Digest) else self.tags.get(name)
        return digest if digest in self.manifests else None

    def has_blob(self, descriptor: Descriptor) -> bool:
        """See ``engine.ports.Target``."""
        return descriptor.digest in self.blobs

    def offer_blob(self, descriptor: Descriptor, offer: Offer) -> Fate | Upload:
        """See ``engine.ports.Target``."""
        if not offer.unasked and self.has_blob(descriptor):
            return "skipped"
        return _Slot(self.blobs, descriptor.digest)

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """See ``engine.ports.Target``."""
        missing = [blob for blob in blobs_of(manifest) if blob.digest not in self.blobs]
        missing += [child for child in children_of(manifest) if child.digest not in self.manifests]
        if missing:
            raise TargetIncomplete("The target misses a part of the manifest.")
        if tag and self.immutable and self.tags.get(tag, manifest.digest) != manifest.digest:
            raise TargetConflict("The tag holds another digest and may not move.")
        self.manifests[manifest.digest] = manifest
        if tag:
            self.tags[tag] = manifest.digest
