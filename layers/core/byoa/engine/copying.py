"""Copies the graph below a manifest from a Source to a Target: bytes verbatim, children first, the tag last.

A node that the target has is skipped with all that is below it. Nothing is written before the whole graph is known and
within its limits; then come the blobs, several at once, then the manifests from the bottom up.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from byoa.engine.ports import Offer
from byoa.engine.sending import ALONE, Pace, Pending, Sender, Sent, Stopped
from byoa.engine.verifying import Progress, Silence, placed
from byoa.errors import ManifestAmbiguous, SizeMismatch, TargetIncomplete
from byoa.oci.graph import PLAIN, GraphLimits, Walk, blobs_of, children_of
from byoa.oci.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from byoa.engine.ports import Source, Target
    from byoa.engine.workers import Workers
    from byoa.oci.digest import Digest
    from byoa.oci.manifest import Descriptor, Manifest


_ROOM: Final = 16 * 1024 * 1024
"""Bytes of manifests that are kept until they are pushed. What is beyond is fetched once more then: no sound artifact
has so many."""


class Copied:
    """What a copy did: blobs by fate, manifests written, bytes of blobs that crossed, and what is still to do.

    ``lost`` are manifests that the source lists as attached and doesn't have, ``strays`` those that it lists and that
    refer to something else; neither is copied. ``left`` are those of a type that the target doesn't take, ``kept`` are
    signatures' tags of the target that were not moved. While anything is pending no manifest is written, so that the
    next try is the same call again.
    """

    def __init__(self, digest: Digest, *, skipped: int = 0) -> None:
        self.digest = digest
        self.copied = 0
        self.mounted = 0
        self.skipped = skipped
        self.manifests = 0
        self.bytes_copied = 0
        self.pending: list[Pending] = []
        self.lost: list[Digest] = []
        self.strays: list[Digest] = []
        self.left: list[Digest] = []
        self.kept: list[str] = []

    @property
    def passed_over(self) -> frozenset[Digest]:
        """What the source lists as attached and the target doesn't get."""
        return frozenset((*self.lost, *self.strays, *self.left))

    def add(self, other: Copied) -> None:
        """Count another copy's deeds as well."""
        self.copied += other.copied
        self.mounted += other.mounted
        self.skipped += other.skipped
        self.manifests += other.manifests
        self.bytes_copied += other.bytes_copied
        self.pending += other.pending
        self.lost += other.lost
        self.strays += other.strays
        self.left += other.left
        self.kept += other.kept


def copy(  # noqa: PLR0913 - two ends, what goes between them, and settings by name
    source: Source,
    target: Target,
    root: Manifest,
    *,
    tag: str | None = None,
    limits: GraphLimits = PLAIN,
    progress: Progress | None = None,
    target_name: str = "target",
    origin: str | None = None,
    pace: Pace = ALONE,
    absent: bool = False,
    lacking: frozenset[Digest] | None = None,
) -> Copied:
    """Copy ``root``, already fetched from ``source``, and all below it; then ``tag`` names it in ``target``.

    ``origin`` is the source's repository where both are in one registry, for mounts; ``absent`` says that the target
    was asked for the root already and lacks it, ``lacking`` which blobs it was found to lack, so that it isn't asked
    for any. When the target refuses a manifest because a part is missing that it had said it has, that subtree is
    pushed once more without asking. Raises what the two ends raise, placed at ``source`` or at ``target_name``, and
    ``GraphLimit`` or ``ContentTooLarge`` before anything is written of a graph over ``limits``.
    """
    sender = Sender(source, target, progress or Silence(), target_name, pace)
    job = _Copy(sender, Walk(limits), Copied(root.digest), origin, lacking)
    job.run(root, tag, absent=absent)
    return job.done


def copy_blob(  # noqa: PLR0913 - two ends, what goes between them, and settings by name
    source: Source,
    target: Target,
    pending: Pending,
    *,
    progress: Progress | None = None,
    target_name: str = "target",
    pace: Pace = ALONE,
) -> Copied:
    """Copy one blob, or what is missing of it; it may be pending again when time runs out."""
    done = Copied(pending.descriptor.digest)
    job = _Copy(Sender(source, target, progress or Silence(), target_name, pace), Walk(PLAIN), done)
    job.resume(pending)
    return done


class _Writes:
    """What is to be written: all blobs, each once, and the manifests, children before parents, not as parsed trees."""

    def __init__(self) -> None:
        self.manifests: list[tuple[Descriptor, bytes | None]] = []
        self.blobs: dict[tuple[Digest, int], Descriptor] = {}
        self._room = _ROOM

    def add(self, manifest: Manifest) -> None:
        """Add ``manifest`` behind those that are there."""
        for blob in blobs_of(manifest):
            self.blobs.setdefault((blob.digest, blob.size), blob)
        kept = len(manifest.content) <= self._room
        self._room -= len(manifest.content) if kept else 0
        self.manifests.append((manifest.descriptor, manifest.content if kept else None))


class _Copy:
    def __init__(
        self,
        sender: Sender,
        walk: Walk,
        done: Copied,
        origin: str | None = None,
        lacking: frozenset[Digest] | None = None,
    ) -> None:
        self.sender = sender
        self.walk = walk
        self.done = done
        self.origin = origin
        self.lacking = lacking
        self.seen: set[Digest] = set()

    def run(self, root: Manifest, tag: str | None, *, absent: bool) -> None:
        """See ``copy``."""
        self.walk.enter(root, 0)
        if not absent and self._finds(tag or root.digest) == root.digest:
            self.done.skipped += len(blobs_of(root))
            return
        writes = _Writes()
        self._gather(root, 0, writes)
        self._blobs(writes.blobs.values())
        for descriptor, content in writes.manifests[:-1]:
            if not self.done.pending:
                self._push(self._read(descriptor, content), None)
        if not self.done.pending:
            self._push(root, tag)

    def _gather(self, manifest: Manifest, depth: int, writes: _Writes, *, unasked: bool = False) -> None:
        """Add what the target lacks below ``manifest`` and then itself: children before parents."""
        for descriptor in children_of(manifest):
            if descriptor.digest in self.seen:
                continue
            self.seen.add(descriptor.digest)
            if unasked or self._finds(descriptor.digest) is None:
                self._gather(self._fetch(descriptor, depth + 1), depth + 1, writes, unasked=unasked)
        writes.add(manifest)

    def _read(self, descriptor: Descriptor, content: bytes | None) -> Manifest:
        """A manifest that was read before, from its bytes if they were kept."""
        if content is not None:
            return read_manifest(content, descriptor.media_type, expected=descriptor.digest)
        with placed("source"):
            return self.sender.source.fetch_manifest(descriptor.digest)

    def _finds(self, name: str | Digest) -> Digest | None:
        with placed(self.sender.target_name):
            return self.sender.target.find_manifest(name)

    def _fetch(self, descriptor: Descriptor, depth: int) -> Manifest:
        with placed("source"):
            child = self.sender.source.fetch_manifest(descriptor.digest)
            _check_as_described(child, descriptor)
            self.walk.enter(child, depth)
        return child

    def _blobs(self, blobs: Iterable[Descriptor], *, unasked: bool = False) -> None:
        """Copy each digest once, the first here and the others by the workers."""
        waiting = [blob for blob in blobs if unasked or blob.digest not in self.seen]
        self.seen.update(blob.digest for blob in waiting)
        if self.lacking is not None and not unasked:
            known = [blob for blob in waiting if blob.digest in self.lacking]
            self.done.skipped += len(waiting) - len(known)
            waiting, unasked = known, True
        if (
            self.sender.pace.spread_from is not None
            and sum(blob.size for blob in waiting) >= self.sender.pace.spread_from
        ):
            left = waiting if unasked else [blob for blob in waiting if not self._has_blob(blob)]
            self.done.pending += [Pending(blob) for blob in left]
            self.done.skipped += len(waiting) - len(left)
        elif self.sender.pace.workers is None or len(waiting) < 2:  # noqa: PLR2004 - one needs no help
            for blob in waiting:
                self.count(self.sender.send(blob, self._offer(blob, unasked=unasked)))
        else:
            self._share(waiting, self.sender.pace.workers, unasked=unasked)

    def _share(self, waiting: list[Descriptor], workers: Workers, *, unasked: bool) -> None:
        first, *rest = waiting
        jobs = [workers.submit(partial(self._help, blob, self._offer(blob, unasked=unasked))) for blob in rest]
        try:
            self.count(self.sender.send(first, self._offer(first, unasked=unasked)))
            for job in jobs:
                self.count(job.result())
        except (KeyboardInterrupt, SystemExit):  # whoever stops us doesn't wait for answers
            self.sender.stopped.set()
            raise
        except BaseException as error:
            self.sender.stopped.set()
            failures = [job.error() for job in jobs if not job.cancel()]  # waits for all that had begun
            if isinstance(error, Stopped):
                raise next(each for each in failures if each and not isinstance(each, Stopped)) from None
            raise

    def _help(self, blob: Descriptor, offer: Offer) -> Sent:
        """Send one blob beside others, which stop when it fails."""
        try:
            return self.sender.send(blob, offer)
        except BaseException:
            self.sender.stopped.set()
            raise

    def _has_blob(self, blob: Descriptor) -> bool:
        with placed(self.sender.target_name):
            return self.sender.target.has_blob(blob)

    def _offer(self, blob: Descriptor, *, unasked: bool) -> Offer:
        lasting = self.sender.pace.lasting_from is not None and blob.size >= self.sender.pace.lasting_from
        return Offer(origin=self.origin, lasting=lasting, unasked=unasked)

    def count(self, sent: Sent) -> None:
        """Take note of what became of a blob."""
        if sent.fate == "pending":
            self.done.pending.append(Pending(sent.descriptor, sent.session))
        elif sent.fate == "copied":
            self.done.copied += 1
            self.done.bytes_copied += sent.descriptor.size
        elif sent.fate == "mounted":
            self.done.mounted += 1
        else:
            self.done.skipped += 1

    def resume(self, pending: Pending) -> None:
        """Copy what is missing of one blob."""
        offer = self._offer(pending.descriptor, unasked=False)
        self.count(self.sender.send(pending.descriptor, offer._replace(session=pending.session)))

    def _push(self, manifest: Manifest, tag: str | None) -> None:
        try:
            self._put(manifest, tag)
        except TargetIncomplete:
            self._again(manifest)
            if not self.done.pending:
                self._put(manifest, tag)

    def _again(self, manifest: Manifest) -> None:
        """Push all below ``manifest`` without asking what is there, nor for a mount."""
        self.seen.clear()
        self.origin = None
        writes = _Writes()
        self.walk = self.walk.again(manifest)
        self._gather(manifest, 0, writes, unasked=True)
        self._blobs(writes.blobs.values(), unasked=True)
        for descriptor, content in writes.manifests[:-1] if not self.done.pending else ():
            self._put(self._read(descriptor, content), None)

    def _put(self, manifest: Manifest, tag: str | None) -> None:
        with placed(self.sender.target_name):
            self.sender.target.push_manifest(manifest, tag)
        self.done.manifests += 1


def _check_as_described(manifest: Manifest, descriptor: Descriptor) -> None:
    if manifest.descriptor.size != descriptor.size:
        raise SizeMismatch("A manifest has another size than its index says.")
    if manifest.descriptor.media_type != descriptor.media_type:
        raise ManifestAmbiguous("A manifest is of another type than its index says.")
