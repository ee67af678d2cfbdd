"""An artifact's parts for whoever looks inside: read from a Source, let out when they are verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.engine.verifying import Silence, VerifiedBlob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.engine.ports import Source
    from byoa.oci.digest import Digest
    from byoa.oci.manifest import Descriptor, Manifest

_PIECE: Final = 64 * 1024


class VerifiedContents:
    """Manifests and blobs of ``source``, held to their digests."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def fetch_manifest(self, name: Digest) -> Manifest:
        """The manifest under a digest; a Source verifies it. Raises what reading the source raises."""
        return self._source.fetch_manifest(name)

    def read_blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The blob's bytes in pieces of up to 64 KiB: the last of them come only when all are right.

        Raises ``ShortRead``, ``SizeMismatch`` or ``DigestMismatch`` in their place, and what reading the source raises.
        """
        piece = memoryview(bytearray(_PIECE))
        with self._source.open_blob(descriptor) as content:
            verified = VerifiedBlob(content, descriptor, Silence())
            while count := verified.readinto(piece):
                yield bytes(piece[:count])
