"""The top manifest of a pinned artifact: the messages carry it where it is small, so that it is fetched once.

Registries that count pulls count manifests. What comes back from a message is held to the pinned digest like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from byoa.errors import DigestMismatch
from byoa.oci.digest import Digest
from byoa.oci.manifest import read_manifest

if TYPE_CHECKING:
    from byoa.engine.ports import Source
    from byoa.oci.manifest import Manifest

_CARRIED: Final = 16 * 1024
"""Bytes of a manifest that a message carries; JSON in JSON takes up to twice as many. Larger ones are fetched again."""


def carried(manifest: Manifest) -> str | None:
    """The manifest's text for messages; ``None`` where it is too large for that."""
    return manifest.content.decode() if len(manifest.content) <= _CARRIED else None


class Pinned(Protocol):
    """What has an artifact's digest, and its manifest's text where that is small; messages do."""

    @property
    def digest(self) -> str:
        """The top manifest's."""
        ...

    @property
    def media_type(self) -> str:
        """What the registry calls it."""
        ...

    @property
    def manifest(self) -> str | None:
        """Its text."""
        ...


def root_of(pinned: Pinned, source: Source) -> Manifest:
    """The artifact's top manifest, from the message or else from ``source``.

    Raises ``DigestMismatch`` where it is another one than was pinned, and what ``source`` raises.
    """
    digest = Digest.parse(pinned.digest)
    if pinned.manifest is not None:
        return read_manifest(pinned.manifest.encode(), pinned.media_type, expected=digest)
    root = source.fetch_manifest(digest)
    if root.descriptor.media_type != pinned.media_type:
        raise DigestMismatch("The registry calls the pinned manifest by another media type than before.")
    return root
