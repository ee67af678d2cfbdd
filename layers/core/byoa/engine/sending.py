"""Sends one blob from a Source to a Target, patiently and in time: what breaks off is gone on with.

Many blobs of one copy share a ``Sender``, from several threads; when one fails, the others stop.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from byoa.engine.patience import HASTY, Patience
from byoa.engine.verifying import Mark, Progress, VerifiedBlob, placed
from byoa.errors import ByoaError, Corrupt, Transient, UploadLost

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.engine.ports import Offer, Source, Target, Upload
    from byoa.engine.workers import Workers
    from byoa.oci.manifest import Descriptor


def _never() -> bool:
    return False


class Pace(NamedTuple):
    """How a copy works.

    ``workers`` copy blobs beside the calling thread; ``patience`` is for a blob that breaks off, whose download goes on
    or starts anew. When ``out_of_time`` says so, the copy stops and tells what is ``pending``. Blobs of
    ``lasting_from`` bytes and more are uploaded so that another process can go on with them; a graph of
    ``spread_from`` bytes and more is not copied at all but told as pending, for several processes to share.
    """

    workers: Workers | None = None
    patience: Patience = HASTY
    out_of_time: Callable[[], bool] = _never
    lasting_from: int | None = None
    spread_from: int | None = None


ALONE: Final = Pace()
"""One blob after the other, without a second try and without an end."""


class Pending(NamedTuple):
    """A blob that is not copied yet, and the upload that has a part of it."""

    descriptor: Descriptor
    session: str | None = None


class _OutOfTime(Exception):
    """No time is left for the next block."""


class Stopped(Exception):
    """Another blob of the same copy failed."""


class Sent(NamedTuple):
    """What became of one blob; ``session`` is the upload that has a part of a pending one."""

    descriptor: Descriptor
    fate: Literal["copied", "mounted", "skipped", "pending"]
    session: str | None = None


class _Course:
    """What the next try of a blob begins with: how it is offered, and what of it a target was sent and doesn't show."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.mark: Mark | None = None
        self.doubted = False

    def reached(self, upload: Upload, verified: VerifiedBlob) -> None:
        """Note how far a try came."""
        self.mark = verified.mark
        self.offer = self.offer._replace(session=upload.session if self.mark else None)

    def after(self, error: ByoaError) -> None:
        """Use nothing of what was left where it is wrong, or where the target has twice not known it.

        Once may be because what was sent before the last break was still arriving.
        """
        lost = isinstance(error, UploadLost)
        if isinstance(error, Corrupt) or (lost and self.doubted):
            self.offer = self.offer._replace(session=None, anew=self.offer.anew or isinstance(error, Corrupt))
        self.doubted = lost


class Sender:
    """The two ends of a copy, and how it goes."""

    def __init__(self, source: Source, target: Target, progress: Progress, target_name: str, pace: Pace) -> None:
        self.source = source
        self.target = target
        self.progress = progress
        self.target_name = target_name
        self.pace = pace
        self.stopped = threading.Event()

    def send(self, blob: Descriptor, offer: Offer) -> Sent:
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
                if kind is Transient and self.pace.out_of_time():  # whoever goes on has time again
                    return Sent(blob, "pending", course.offer.session)
                if self.stopped.is_set() or not self.pace.patience.again(failed[kind], error):
                    raise
                course.after(error)

    def _try(self, blob: Descriptor, course: _Course) -> Sent:
        if self.stopped.is_set():
            raise Stopped
        if self.pace.out_of_time():
            return Sent(blob, "pending", course.offer.session)
        with placed(self.target_name):
            upload = self.target.offer_blob(blob, course.offer)
        if isinstance(upload, str):
            return Sent(blob, upload)
        try:
            self._fill(upload, blob, course)
        except _OutOfTime:
            return Sent(blob, "pending", upload.session)
        return Sent(blob, "copied")

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
            raise Stopped
        if self.pace.out_of_time():
            raise _OutOfTime
