"""Copies the graph below a manifest from a Source to a Target: bytes verbatim, children first, the tag last.

A node that the target has is skipped with all that is below it. Nothing is written before the whole graph is known and
within its limits; then come the blobs, several at once, then the manifests from the bottom up.
"""

from __future__ import annotations

import threading
from concurrent.futures import wait
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

from byoa.errors import ByoaError, Corrupt, ManifestAmbiguous, SizeMismatch, TargetIncomplete, Transient, UploadLost
from byoa.graph import PLAIN, GraphLimits, Walk, blobs_of, children_of
from byoa.patience import HASTY, Patience
from byoa.ports import Offer
from byoa.verifying import Mark, Progress, Silence, VerifiedBlob, placed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor, Future

    from byoa.digest import Digest
    from byoa.manifest import Descriptor, Manifest
    from byoa.ports import Source, Target, Upload


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Pace:
    """How a copy works.

    ``workers`` copy blobs beside the calling thread; ``patience`` is for a blob that breaks off, whose download goes on
    or starts anew. When ``out_of_time`` says so, the copy stops and tells what is ``pending``. Blobs of
    ``lasting_from`` bytes and more are uploaded so that another process can go on with them; a graph of
    ``spread_from`` bytes and more is not copied at all but told as pending, for several processes to share.
    """

    workers: Executor | None = None
    patience: Patience = HASTY
    out_of_time: Callable[[], bool] = _never
    lasting_from: int | None = None
    spread_from: int | None = None


ALONE: Final = Pace()
"""One blob after the other, without a second try and without an end."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A blob that is not copied yet, and the upload that has a part of it."""

    descriptor: Descriptor
    session: str | None = None


@dataclass(slots=True)
class Copied:
    """What a copy did: blobs by fate, manifests written, bytes of blobs that crossed, and what is still to do.

    ``lost`` are manifests that the source lists as attached and doesn't have. While anything is pending no manifest is
    written, so that the next try is the same call again.
    """

    digest: Digest
    copied: int = 0
    mounted: int = 0
    skipped: int = 0
    manifests: int = 0
    bytes_copied: int = 0
    pending: list[Pending] = field(default_factory=list)
    lost: list[Digest] = field(default_factory=list)

    def add(self, other: Copied) -> None:
        """Count another copy's deeds as well."""
        self.copied += other.copied
        self.mounted += other.mounted
        self.skipped += other.skipped
        self.manifests += other.manifests
        self.bytes_copied += other.bytes_copied
        self.pending += other.pending
        self.lost += other.lost


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
    for any. When the target refuses a manifest
    because a part is missing that it had said it has, that subtree is pushed once more without asking. Raises what the
    two ends raise, placed at ``source`` or at ``target_name``, and ``GraphLimit`` or ``ContentTooLarge`` before
    anything is written of a graph over ``limits``.
    """
    job = _Copy(source, target, Walk(limits), progress or Silence(), Copied(root.digest), target_name, origin, pace)
    job.lacking = lacking
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
    job = _Copy(source, target, Walk(PLAIN), progress or Silence(), done, target_name, None, pace)
    job.resume(pending)
    return done


class _OutOfTime(Exception):
    """No time is left for the next block."""


class _Stopped(Exception):
    """Another blob of the same copy failed."""


@dataclass(frozen=True, slots=True)
class _Sent:
    descriptor: Descriptor
    fate: Literal["copied", "mounted", "skipped", "pending"]
    session: str | None = None


@dataclass(slots=True)
class _Course:
    """What the next try of a blob begins with: how it is offered, and what of it a target was sent and doesn't show."""

    offer: Offer
    mark: Mark | None = None
    doubted: bool = False

    def reached(self, upload: Upload, verified: VerifiedBlob) -> None:
        """Note how far a try came."""
        self.mark = verified.mark
        self.offer = replace(self.offer, session=upload.session if self.mark else None)

    def after(self, error: ByoaError) -> None:
        """Use nothing of what was left where it is wrong, or where the target has twice not known it.

        Once may be because what was sent before the last break was still arriving.
        """
        lost = isinstance(error, UploadLost)
        if isinstance(error, Corrupt) or (lost and self.doubted):
            self.offer = replace(self.offer, session=None, anew=self.offer.anew or isinstance(error, Corrupt))
        self.doubted = lost


@dataclass(slots=True)
class _Copy:
    source: Source
    target: Target
    walk: Walk
    progress: Progress
    done: Copied
    target_name: str
    origin: str | None
    pace: Pace
    lacking: frozenset[Digest] | None = None
    seen: set[Digest] = field(default_factory=set)
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self, root: Manifest, tag: str | None, *, absent: bool) -> None:
        """See ``copy``."""
        self.walk.enter(root, 0)
        if not absent and self._finds(tag or root.digest) == root.digest:
            self.done.skipped += len(blobs_of(root))
            return
        order: list[Manifest] = []
        self._gather(root, 0, order)
        self._blobs(dict.fromkeys(blob for manifest in order for blob in blobs_of(manifest)))
        for manifest in order:
            if not self.done.pending:
                self._push(manifest, tag if manifest is root else None)

    def _gather(self, manifest: Manifest, depth: int, order: list[Manifest], *, unasked: bool = False) -> None:
        """Append what the target lacks below ``manifest`` and then itself: children before parents."""
        for descriptor in children_of(manifest):
            if descriptor.digest in self.seen:
                continue
            self.seen.add(descriptor.digest)
            if unasked or self._finds(descriptor.digest) is None:
                self._gather(self._fetch(descriptor, depth + 1), depth + 1, order, unasked=unasked)
        order.append(manifest)

    def _finds(self, name: str | Digest) -> Digest | None:
        with placed(self.target_name):
            return self.target.find_manifest(name)

    def _fetch(self, descriptor: Descriptor, depth: int) -> Manifest:
        with placed("source"):
            child = self.source.fetch_manifest(descriptor.digest)
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
        if self.pace.spread_from is not None and sum(blob.size for blob in waiting) >= self.pace.spread_from:
            left = waiting if unasked else [blob for blob in waiting if not self._has_blob(blob)]
            self.done.pending += [Pending(blob) for blob in left]
            self.done.skipped += len(waiting) - len(left)
        elif self.pace.workers is None or len(waiting) < 2:  # noqa: PLR2004 - one needs no help
            for blob in waiting:
                self.count(self.send(blob, self._offer(blob, unasked=unasked)))
        else:
            self._share(waiting, self.pace.workers, unasked=unasked)

    def _share(self, waiting: list[Descriptor], workers: Executor, *, unasked: bool) -> None:
        first, *rest = waiting
        futures: list[Future[_Sent]] = [
            workers.submit(self._help, blob, self._offer(blob, unasked=unasked)) for blob in rest
        ]
        try:
            self.count(self.send(first, self._offer(first, unasked=unasked)))
            for future in futures:
                self.count(future.result())
        except BaseException as error:
            self.stopped.set()
            wait([future for future in futures if not future.cancel()])
            if isinstance(error, _Stopped):
                raise _cause(futures) from None
            raise

    def _help(self, blob: Descriptor, offer: Offer) -> _Sent:
        """Send one blob beside others, which stop when it fails."""
        try:
            return self.send(blob, offer)
        except BaseException:
            self.stopped.set()
            raise

    def _has_blob(self, blob: Descriptor) -> bool:
        with placed(self.target_name):
            return self.target.has_blob(blob)

    def _offer(self, blob: Descriptor, *, unasked: bool) -> Offer:
        lasting = self.pace.lasting_from is not None and blob.size >= self.pace.lasting_from
        return Offer(origin=self.origin, lasting=lasting, unasked=unasked)

    def count(self, sent: _Sent) -> None:
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
        self.count(self.send(pending.descriptor, replace(offer, session=pending.session)))

    def send(self, blob: Descriptor, offer: Offer) -> _Sent:
        """Copy one blob, patiently: a try that broke off is gone on with, and bad bytes are asked for anew.

        The two are counted apart: one is the network's trouble, the other the source's.
        """
        course = _Course(offer)
        failed = {Transient: 0, Corrupt: 0}
        while True:
            try:
                return self._try(blob, course)
            except (Transient, Corrupt) as error:
                kind = Corrupt if isinstance(error, Corrupt) else Transient
                failed[kind] += 1
                if self.stopped.is_set() or not self.pace.patience.again(failed[kind], error):
                    raise
                course.after(error)

    def _try(self, blob: Descriptor, course: _Course) -> _Sent:
        if self.stopped.is_set():
            raise _Stopped
        if self.pace.out_of_time():
            return _Sent(blob, "pending", course.offer.session)
        with placed(self.target_name):
            upload = self.target.offer_blob(blob, course.offer)
        if isinstance(upload, str):
            return _Sent(blob, upload)
        try:
            self._fill(upload, blob, course)
        except _OutOfTime:
            return _Sent(blob, "pending", upload.session)
        return _Sent(blob, "copied")

    def _fill(self, upload: Upload, blob: Descriptor, course: _Course) -> None:
        with ExitStack() as stack:
            held = upload.reread() if upload.held else None
            start = upload.held if held else 0
            with placed("source"):
                content = stack.enter_context(self.source.open_blob(blob, start))
            earlier = course.mark if upload.held and not held else None
            verified = VerifiedBlob(content, blob, self.progress, before=self._check, earlier=earlier)
            stack.callback(course.reached, upload, verified)
            if upload.held:
                with placed(self.target_name if held else "source"):
                    verified.account(stack.enter_context(held) if held else content, upload.held)
            with placed(self.target_name):
                upload.write(verified)

    def _check(self) -> None:
        if self.stopped.is_set():
            raise _Stopped
        if self.pace.out_of_time():
            raise _OutOfTime

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
        order: list[Manifest] = []
        self.walk = self.walk.again(manifest)
        self._gather(manifest, 0, order, unasked=True)
        self._blobs(dict.fromkeys(blob for each in order for blob in blobs_of(each)), unasked=True)
        for each in order[:-1] if not self.done.pending else ():
            self._put(each, None)

    def _put(self, manifest: Manifest, tag: str | None) -> None:
        with placed(self.target_name):
            self.target.push_manifest(manifest, tag)
        self.done.manifests += 1


def _cause(futures: Iterable[Future[_Sent]]) -> BaseException:
    """What made the others stop."""
    raised = (future.exception() for future in futures if not future.cancelled())
    return next(error for error in raised if error and not isinstance(error, _Stopped))


def _check_as_described(manifest: Manifest, descriptor: Descriptor) -> None:
    if manifest.descriptor.size != descriptor.size:
        raise SizeMismatch("A manifest has another size than its index says.")
    if manifest.descriptor.media_type != descriptor.media_type:
        raise ManifestAmbiguous("A manifest is of another type than its index says.")
