"""PullMirror: the mirror's bytes by digest into quarantine, each verified; the vendor's registry is not asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.engine.copying import copy
from byoa.engine.sending import ALONE
from byoa.errors import BuildNotFound, Timeout
from byoa.installs.states import PulledMirror
from byoa.oci.digest import Digest
from byoa.trust.limits import STAGED

if TYPE_CHECKING:
    from byoa.engine.ports import Fate, Offer, Source, Target, Upload
    from byoa.engine.sending import Pace
    from byoa.installs.states import CheckedDeploy
    from byoa.oci.manifest import Descriptor, Manifest


def pull_mirror(checked: CheckedDeploy, mirror: Source, quarantine: Target, pace: Pace = ALONE) -> PulledMirror:
    """Pull the whole artifact from ``mirror``, whatever the quarantine still has of its build.

    Raises what the two ends raise, ``DigestMismatch`` and ``SizeMismatch`` among it, and ``Timeout`` where there was
    no time for all of it.
    """
    if checked.digest is None:
        raise BuildNotFound("The deploy has no mirror to pull.")
    root = mirror.fetch_manifest(Digest.parse(checked.digest))
    done = copy(mirror, _Unbelieved(quarantine), root, limits=STAGED, target_name="quarantine", pace=pace, absent=True)
    if done.pending:
        raise Timeout("The mirror could not be pulled within the step's time.", where="source")
    return PulledMirror(blobs=done.copied, bytes=done.bytes_copied)


class _Unbelieved:
    """A quarantine that is not asked what it has: what an install applies comes from its mirror."""

    def __init__(self, quarantine: Target) -> None:
        self._quarantine = quarantine

    def find_manifest(self, name: str | Digest) -> Digest | None:
        """See ``engine.ports.Target``."""
        del name
        return None

    def has_blob(self, descriptor: Descriptor) -> bool:
        """See ``engine.ports.Target``."""
        del descriptor
        return False

    def offer_blob(self, descriptor: Descriptor, offer: Offer) -> Fate | Upload:
        """See ``engine.ports.Target``."""
        return self._quarantine.offer_blob(descriptor, offer._replace(unasked=True))

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        """See ``engine.ports.Target``."""
        self._quarantine.push_manifest(manifest, tag)
