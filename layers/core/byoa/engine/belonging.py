"""Which of the manifests that a source lists as attached to an artifact are: what their own subjects say counts.

A list that is believed puts a stranger's bill of materials into the target's list of somebody else's artifact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from byoa.engine.verifying import placed
from byoa.errors import ReferenceNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from byoa.engine.ports import Source
    from byoa.oci.digest import Digest
    from byoa.oci.manifest import Manifest


class Attachment(NamedTuple):
    """One manifest that is attached: its digest, and the tag that cosign finds it by, if that is how it was found.

    ``subject`` is what it was found at, ``of_artifact`` whether that is a manifest of the artifact itself; who has it
    from a message has neither. Where it was found makes no other one of it.
    """

    digest: Digest
    tag: str | None = None
    subject: Digest | None = None
    of_artifact: bool = False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attachment) and self[:2] == other[:2]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:2])


class Belonging:
    """Tells what belongs to one artifact, of the ``attachments`` that ``source`` was found to list for it."""

    def __init__(self, source: Source, attachments: Iterable[Attachment]) -> None:
        self._source = source
        self._found: dict[Digest, Attachment] = {}
        self._own: dict[Digest, bool] = {}
        for each in attachments:
            self._found.setdefault(each.digest, each)
            if each.of_artifact and each.subject:
                self._own[each.subject] = True

    def holds(self, attachment: Attachment, manifest: Manifest) -> bool:
        """Whether ``manifest``, fetched for ``attachment``, refers to the artifact or to what belongs to it.

        What is found by a tag may refer to nothing, as cosign's signatures do. Raises what reading the source raises.
        """
        if attachment.subject is None:
            return True  # it was judged when it was found
        if attachment.tag is None:
            return manifest.subject is not None and self._is_own(manifest.subject.digest)
        return self._is_own(attachment.subject) and (manifest.subject is None or self._is_own(manifest.subject.digest))

    def note_lost(self, attachment: Attachment) -> None:
        """Neither end has it: what refers to it goes along, since it can be nobody else's in the target."""
        if attachment.tag is None:
            self._own.setdefault(attachment.digest, True)

    def _is_own(self, digest: Digest) -> bool:
        """Of the artifact's own manifests that is known; all others are asked for, once, and only where it matters."""
        if digest not in self._own:
            self._own[digest] = False  # who refers to itself in a circle refers to nothing
            attachment = self._found.get(digest)
            manifest = fetch(self._source, digest) if attachment else None
            self._own[digest] = bool(attachment and manifest and self.holds(attachment, manifest))
        return self._own[digest]


def fetch(source: Source, digest: Digest) -> Manifest | None:
    """A manifest that a list names; ``None`` where the source has lost it."""
    with placed("source"):
        try:
            return source.fetch_manifest(digest)
        except ReferenceNotFound:
            return None
