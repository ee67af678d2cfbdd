"""What an inspection needs of the world: an artifact's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.oci.digest import Digest
    from byoa.oci.manifest import Descriptor, Manifest


class Contents(Protocol):
    """Manifests and blobs whose bytes are what their digests say."""

    def fetch_manifest(self, name: Digest) -> Manifest:
        """The manifest under a digest. Raises ``ReferenceNotFound`` where there is none."""
        ...

    def read_blob(self, descriptor: Descriptor) -> Iterator[bytes]:
        """The blob's bytes in order, in pieces that fit in memory; the last of them only when all are right.

        Raises ``ReferenceNotFound`` where there is no such blob, and a ``Corrupt`` leaf in place of the last piece of
        one that is wrong.
        """
        ...
