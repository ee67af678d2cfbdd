"""What a step has no time for, it answers as pending; each such blob gets invocations of its own.

The state machine has each pending blob copied by an invocation of its own and then asks again for the whole, which by
then is little. The same way serves an artifact that is too large for one invocation from the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.builds.messages import BlobDone, PendingBlob
from byoa.engine.copying import copy_blob
from byoa.engine.sending import Pace, Pending
from byoa.errors import Timeout
from byoa.oci.digest import Digest
from byoa.oci.manifest import Descriptor

if TYPE_CHECKING:
    from byoa.engine.copying import Copied
    from byoa.engine.ports import Source, Target

LASTING: Final = 16 * 1024 * 1024
"""Bytes from which a blob's upload can be gone on with in another invocation; smaller ones are quicker sent anew."""

ROUNDS: Final = 50
"""How often a blob is taken up again before its build gives up."""

_SESSION: Final = 1024
"""Characters of an upload's name that a message carries; one with a longer name is begun anew."""

_AT_ONCE: Final = 50
"""How many blobs one round hands out; what is cut comes in the next."""


def pending(done: Copied) -> list[PendingBlob]:
    """What ``done`` left, as a message carries it; what is cut comes with the next round."""
    return [
        PendingBlob(
            digest=str(each.descriptor.digest),
            size=each.descriptor.size,
            media_type=each.descriptor.media_type,
            session=_carried(each.session),
        )
        for each in done.pending[:_AT_ONCE]
    ]


def _carried(session: str | None) -> str | None:
    return session if session and len(session) <= _SESSION else None


def copy_pending(source: Source, target: Target, blob: PendingBlob, target_name: str, pace: Pace) -> BlobDone:
    """Copy one blob, or as much of it as there is time for.

    Raises ``Timeout`` for a blob that was taken up again and again, and what the two ends raise.
    """
    if blob.rounds >= ROUNDS:
        raise Timeout("A blob of the artifact takes more invocations than a build may have.").at(target_name)
    descriptor = Descriptor(blob.media_type, Digest.parse(blob.digest), blob.size)
    done = copy_blob(source, target, Pending(descriptor, blob.session), target_name=target_name, pace=pace)
    left = _carried(done.pending[0].session) if done.pending else None
    return BlobDone(done=not done.pending, blob=blob.model_copy(update={"session": left, "rounds": blob.rounds + 1}))
