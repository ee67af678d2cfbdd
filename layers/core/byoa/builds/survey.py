"""What a build will fetch, known before its first blob is: every manifest, what is attached too, and the sums.

The limits of ``trust.policy`` for one artifact hold for each attached one as well; the sums are the build's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from byoa.engine.attachments import Notes, find_attachments
from byoa.engine.belonging import Belonging, fetch
from byoa.engine.mirroring import nodes_of
from byoa.engine.verifying import placed
from byoa.errors import ContentTooLarge, GraphLimit
from byoa.oci.digest import Digest
from byoa.oci.graph import Walk, blobs_of, children_of
from byoa.trust.limits import ATTACHED, STAGED, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from byoa.engine.belonging import Attachment
    from byoa.engine.ports import BlobReader, Quarantine, Source
    from byoa.oci.manifest import Descriptor, Manifest
    from byoa.trust.limits import Sums


class Survey(NamedTuple):
    """A source that has all manifests at hand, what is attached to the artifact, and all nodes, each digest once.

    ``notes`` tell what could not be looked for.
    """

    source: Source
    attachments: tuple[Attachment, ...]
    nodes: tuple[Descriptor, ...]
    notes: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all nodes."""
        return sum(node.size for node in self.nodes)


def survey(root: Manifest, source: Source, quarantine: Quarantine) -> Survey:
    """Look at all below ``root`` and all that is attached, in the quarantine where it is there already.

    Raises ``GraphLimit`` and ``ContentTooLarge`` over a limit, and what the two raise.
    """
    known = _Known(source, quarantine, WHOLE)
    known.add(root)
    _enter(known, root)
    notes = Notes()
    listed = find_attachments(known, root, most=ATTACHED, notes=notes)
    belonging = Belonging(known, listed)
    found = tuple(each for each in listed if _belongs(known, belonging, each))
    roots = [root, *(known.fetch_manifest(each.digest) for each in found)]
    nodes = {node.digest: node for each in roots for node in nodes_of(known, each)}
    return Survey(known, found, tuple(nodes.values()), tuple(notes))


def _belongs(known: _Known, belonging: Belonging, attachment: Attachment) -> bool:
    """Whether what the source lists as attached is there and says so itself: lists outlive what they name, and lie."""
    manifest = fetch(known, attachment.digest)
    if manifest is None:
        belonging.note_lost(attachment)
        return False
    if not belonging.holds(attachment, manifest):
        return False
    _enter(known, manifest)
    return True


def _enter(known: _Known, root: Manifest) -> None:
    """Fetch and count all manifests below ``root``."""
    walk, seen = Walk(STAGED), {root.digest}
    waiting: list[tuple[Manifest, int]] = [(root, 0)]
    with placed("source"):
        while waiting:
            manifest, depth = waiting.pop()
            walk.enter(manifest, depth)
            new = [child.digest for child in children_of(manifest) if child.digest not in seen]
            seen.update(new)
            waiting += [(known.fetch_manifest(digest), depth + 1) for digest in new]


class _Known:
    """A source of which each manifest is fetched once, and held to the build's sums with all that it names."""

    def __init__(self, source: Source, quarantine: Quarantine, sums: Sums) -> None:
        self._source = source
        self._quarantine = quarantine
        self._sums = sums
        self._manifests: dict[Digest, Manifest] = {}
        self._named: dict[Digest, Descriptor] = {}

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        """See ``engine.ports.Source``."""
        if not isinstance(name, Digest):
            return self._source.fetch_manifest(name)
        if name not in self._manifests:
            with placed("quarantine"):
                near = self._quarantine.find_manifest(name)
            with placed("quarantine" if near else "source"):
                self.add((self._quarantine if near else self._source).fetch_manifest(name))
        return self._manifests[name]

    def find_manifest(self, name: str | Digest) -> Digest | None:
        """See ``engine.ports.Source``."""
        return self._source.find_manifest(name)

    def open_blob(self, descriptor: Descriptor, start: int = 0) -> AbstractContextManager[BlobReader]:
        """See ``engine.ports.Source``."""
        return self._source.open_blob(descriptor, start)

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        """See ``engine.ports.Source``."""
        return self._source.referrers(subject)

    def add(self, manifest: Manifest) -> None:
        """Keep a manifest, and count it and what it names. Raises ``GraphLimit`` and ``ContentTooLarge``."""
        self._manifests[manifest.digest] = manifest
        self._named.update((each.digest, each) for each in _named_by(manifest))
        sums = self._sums
        manifests = [each for each in self._named.values() if each.is_manifest]
        if len(manifests) > sums.manifests or len(self._named) > sums.nodes:
            raise GraphLimit(
                f"The artifact and what is attached to it have more than {sums.manifests} manifests, or more than "
                f"{sums.nodes} manifests and blobs."
            )
        if sum(len(each.content) for each in self._manifests.values()) > sums.manifest_bytes:
            raise ContentTooLarge(f"The artifact's manifests are larger than {sums.manifest_bytes} bytes together.")
        if sum(each.size for each in self._named.values()) > sums.content_bytes:
            raise ContentTooLarge(
                f"The artifact and what is attached to it are larger than {sums.content_bytes} bytes together."
            )


def _named_by(manifest: Manifest) -> Iterator[Descriptor]:
    yield manifest.descriptor
    yield from children_of(manifest)
    yield from blobs_of(manifest)
