"""What is attached to an artifact: referrers, and what cosign names by tags. Found at the source, copied after it.

A mirror that loses a signature has lost the artifact's worth, so all of it is looked for: below every manifest of the
graph, and below what was found itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from byoa.engine.copying import Copied, copy
from byoa.engine.sending import ALONE, Pace
from byoa.engine.verifying import placed
from byoa.errors import GraphLimit, ReferenceNotFound
from byoa.oci.graph import PLAIN, GraphLimits, children_of
from byoa.oci.tagschema import signature_tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from byoa.engine.ports import Repository, Source, Target
    from byoa.engine.verifying import Progress
    from byoa.oci.digest import Digest
    from byoa.oci.manifest import Manifest


class Attachment(NamedTuple):
    """One manifest that is attached: its digest, and the tag that cosign finds it by, or the subject that lists it.

    What lists it makes no other one of it.
    """

    digest: Digest
    tag: str | None = None
    subject: Digest | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attachment) and self[:2] == other[:2]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:2])


def find_attachments(source: Source, root: Manifest, *, most: int | None = None) -> tuple[Attachment, ...]:
    """All that is attached to ``root`` and to the manifests below it, each once, subjects before their referrers.

    Raises ``GraphLimit`` over ``most``, and what reading the source raises, placed at ``source``.
    """
    found: dict[Attachment, None] = {}
    with placed("source"):
        subjects = list(_manifests(source, root))
        known = set(subjects)
        while subjects:
            subject = subjects.pop(0)
            for attachment in _attached_to(source, subject):
                found.setdefault(attachment)
                if most is not None and len(found) > most:
                    raise GraphLimit(f"More than {most} manifests are attached to the artifact.")
                if attachment.digest not in known:
                    known.add(attachment.digest)
                    subjects.append(attachment.digest)
    return tuple(found)


def _manifests(source: Source, manifest: Manifest) -> Iterator[Digest]:
    """The digests of ``manifest`` and of all manifests below it."""
    yield manifest.digest
    for child in children_of(manifest):
        if child.is_index:
            yield from _manifests(source, source.fetch_manifest(child.digest))
        else:
            yield child.digest


def _attached_to(source: Source, subject: Digest) -> Iterator[Attachment]:
    for descriptor in source.referrers(subject):
        if descriptor.is_manifest:
            yield Attachment(descriptor.digest, subject=subject)
    for tag in signature_tags(subject):
        digest = source.find_manifest(tag)
        if digest:
            yield Attachment(digest, tag)


def copy_attachments(  # noqa: PLR0913 - two ends, what goes between them, and settings by name
    source: Source,
    target: Target,
    attachments: Sequence[Attachment],
    *,
    limits: GraphLimits = PLAIN,
    progress: Progress | None = None,
    target_name: str = "target",
    origin: str | None = None,
    pace: Pace = ALONE,
) -> Copied | None:
    """Copy what ``find_attachments`` found, in its order; ``None`` where there is nothing. What is there is skipped.

    A list may name what the source has lost: such a digest is told in ``Copied.lost`` and the rest is copied.
    """
    total: Copied | None = None
    for attachment in attachments:
        total = total or Copied(attachment.digest)
        with placed(target_name):
            found = target.find_manifest(attachment.tag or attachment.digest)
        if found == attachment.digest:
            continue
        manifest = _fetch(source, attachment.digest)
        if manifest is None:
            total.lost.append(attachment.digest)
            continue
        total.add(
            copy(
                source, target, manifest, tag=attachment.tag, limits=limits, progress=progress,
                target_name=target_name, origin=origin, pace=pace, absent=True,
            )
        )  # fmt: skip
    return total


def list_again(source: Source, target: Repository, attachments: Sequence[Attachment]) -> None:
    """Push those once more that the target has and doesn't list: a copy that ended between the two left them so."""
    listed: dict[Digest, set[Digest]] = {}
    for attachment in attachments:
        subject = attachment.subject
        if subject and subject not in listed:
            with placed("target"):
                listed[subject] = {each.digest for each in target.referrers(subject)}
        if subject and attachment.digest not in listed[subject]:
            manifest = _fetch(source, attachment.digest)
            if manifest:
                with placed("target"):
                    target.push_manifest(manifest)


def _fetch(source: Source, digest: Digest) -> Manifest | None:
    with placed("source"):
        try:
            return source.fetch_manifest(digest)
        except ReferenceNotFound:
            return None
