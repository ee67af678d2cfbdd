"""Copies the graph below a manifest from a Source to a Target: bytes verbatim, children first, the tag last.

A node that the target has is skipped with all that is below it. Blobs stream through a hash; a target gets the last
bytes of a blob only when all of them hashed to its digest.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from byoa.errors import ByoaError, DigestMismatch, ManifestAmbiguous, ShortRead, SizeMismatch, TargetIncomplete
from byoa.graph import PLAIN, GraphLimits, Walk, blobs_of, children_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.digest import Digest
    from byoa.manifest import Descriptor, Manifest
    from byoa.ports import BlobReader, Source, Target


@dataclass(slots=True)
class Copied:
    """What a copy did: blobs by fate, manifests written, bytes of blobs that crossed."""

    digest: Digest
    copied: int = 0
    mounted: int = 0
    skipped: int = 0
    manifests: int = 0
    bytes_copied: int = 0


class Progress(Protocol):
    """Hears how far a copy is."""

    def advance(self, count: int) -> None:
        """``count`` more bytes have crossed."""
        ...


class Silence:
    """Progress that nobody watches."""

    def advance(self, count: int) -> None:
        """Say nothing."""


class VerifiedBlob:
    """A BlobReader over another that lets the last bytes out only when all of them match the descriptor."""

    def __init__(self, content: BlobReader, descriptor: Descriptor, progress: Progress) -> None:
        self._content = content
        self._descriptor = descriptor
        self._progress = progress
        self._hash = descriptor.digest.hasher()
        self._count = 0

    def readinto(self, buffer: memoryview, /) -> int:
        """Raises ``ShortRead``, ``SizeMismatch`` or ``DigestMismatch`` in place of the last bytes."""
        with _placed("source"):
            return self._checked(buffer)

    def _checked(self, buffer: memoryview) -> int:
        count = self._content.readinto(buffer)
        self._count += count
        if self._count > self._descriptor.size:
            raise SizeMismatch("A blob has more bytes than its descriptor says.")
        if count == 0 and self._count < self._descriptor.size:
            raise ShortRead("A blob ended before the size that its descriptor says.")
        self._hash.update(buffer[:count])
        if self._count == self._descriptor.size:
            self._check_end()
        self._progress.advance(count)
        return count

    def _check_end(self) -> None:
        if self._hash.hexdigest() != self._descriptor.digest.hex:
            raise DigestMismatch("A blob's bytes don't hash to its digest.")
        if self._content.readinto(memoryview(bytearray(1))):
            raise SizeMismatch("A blob has more bytes than its descriptor says.")


def copy(  # noqa: PLR0913 - two ends, what goes between them, and settings by name
    source: Source,
    target: Target,
    root: Manifest,
    *,
    tag: str | None = None,
    limits: GraphLimits = PLAIN,
    progress: Progress | None = None,
    target_name: str = "target",
) -> Copied:
    """Copy ``root``, already fetched from ``source``, and all below it; then ``tag`` names it in ``target``.

    When the target refuses a manifest because a part is missing that it had said it has, that subtree is pushed once
    more without asking. Raises what the two ends raise, placed at ``source`` or at ``target_name``, and ``GraphLimit``
    or ``ContentTooLarge`` before anything over ``limits`` is written.
    """
    job = _Copy(source, target, Walk(limits), progress or Silence(), Copied(root.digest), target_name)
    job.run(root, tag)
    return job.done


@dataclass(slots=True)
class _Copy:
    source: Source
    target: Target
    walk: Walk
    progress: Progress
    done: Copied
    target_name: str
    seen: set[Digest] = field(default_factory=set)
    unasked: bool = False

    def run(self, root: Manifest, tag: str | None) -> None:
        self.walk.enter(root, 0)
        with _placed(self.target_name):
            found = self.target.find_manifest(tag or root.digest)
        if found == root.digest:
            self.done.skipped += len(blobs_of(root))
            return
        try:
            self._below(root, 0)
            self._push(root, tag)
        except TargetIncomplete:
            self.unasked = True
            self.seen.clear()
            self.walk = self.walk.again(root)
            self._below(root, 0)
            self._push(root, tag)

    def _below(self, manifest: Manifest, depth: int) -> None:
        for child in children_of(manifest):
            self._child(child, depth + 1)
        for blob in blobs_of(manifest):
            self._blob(blob)

    def _child(self, descriptor: Descriptor, depth: int) -> None:
        if self._known(descriptor):
            return
        if not self.unasked:
            with _placed(self.target_name):
                if self.target.find_manifest(descriptor.digest):
                    return
        with _placed("source"):
            child = self.source.fetch_manifest(descriptor.digest)
            _check_as_described(child, descriptor)
            self.walk.enter(child, depth)
        self._below(child, depth)
        self._push(child, None)

    def _blob(self, descriptor: Descriptor) -> None:
        if self._known(descriptor):
            return
        with _placed(self.target_name):
            if not self.unasked and self.target.has_blob(descriptor):
                self.done.skipped += 1
                return
        with ExitStack() as stack:
            with _placed("source"):
                content = stack.enter_context(self.source.open_blob(descriptor))
            with _placed(self.target_name):
                self.target.push_blob(descriptor, VerifiedBlob(content, descriptor, self.progress))
        self.done.copied += 1
        self.done.bytes_copied += descriptor.size

    def _push(self, manifest: Manifest, tag: str | None) -> None:
        with _placed(self.target_name):
            self.target.push_manifest(manifest, tag)
        self.done.manifests += 1

    def _known(self, descriptor: Descriptor) -> bool:
        known = descriptor.digest in self.seen
        self.seen.add(descriptor.digest)
        return known


def _check_as_described(manifest: Manifest, descriptor: Descriptor) -> None:
    if manifest.descriptor.size != descriptor.size:
        raise SizeMismatch("A manifest has another size than its index says.")
    if manifest.descriptor.media_type != descriptor.media_type:
        raise ManifestAmbiguous("A manifest is of another type than its index says.")


@contextmanager
def _placed(where: str) -> Iterator[None]:
    """Tell where an error arose; the innermost place stands."""
    try:
        yield
    except ByoaError as error:
        error.at(where)
        raise
