"""What is attached to an artifact: referrers, and what cosign names by tags. Found at the source, copied after it.

A mirror that loses a signature has lost the artifact's worth, so all of it is looked for: below every manifest of the
graph, and below what was found itself. A source may list anything as attached; whether it is, the manifest's own
subject says (``belonging``). A source that doesn't tell what is attached keeps nobody from the artifact: that is noted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.engine.belonging import Attachment, Belonging, fetch
from byoa.engine.copying import Copied, copy
from byoa.engine.sending import ALONE, Pace
from byoa.engine.verifying import placed
from byoa.errors import (
    AuthFailed,
    GraphLimit,
    ReferenceNotFound,
    ReferrersUnknown,
    RegistryProtocolError,
    Rejected,
    TargetForbidden,
)
from byoa.oci.graph import MOST_ATTACHED, PLAIN, GraphLimits, Walk, children_of
from byoa.oci.manifest import ARTIFACT_MANIFEST
from byoa.oci.tagschema import signature_tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from byoa.engine.ports import Quarantine, Repository, Source
    from byoa.engine.verifying import Progress
    from byoa.errors import ByoaError
    from byoa.oci.digest import Digest
    from byoa.oci.manifest import Descriptor, Manifest

_DEEPEST: Final = 8
"""Attached to what is attached and so on: a signature of a bill of materials is two deep."""

_ALONE: Final = "Remove what is outdated of it, or mirror the artifact alone with --no-referrers."


class Notes(dict[str, None]):
    """What is told beside the result, each sentence once."""

    def add(self, text: str) -> None:
        """Note it."""
        self.setdefault(text)


def find_attachments(
    source: Source, root: Manifest, *, most: int = MOST_ATTACHED, notes: Notes | None = None
) -> tuple[Attachment, ...]:
    """All that is attached to ``root`` and to the manifests below it, each once, subjects before their referrers.

    What the source doesn't tell, or lists and nobody knows how to fetch, is told in ``notes``. Raises ``GraphLimit``
    over ``most`` or too deep, and what reading the source raises, placed at ``source``.
    """
    found: dict[Attachment, None] = {}
    notes = Notes() if notes is None else notes
    with placed("source"):
        subjects = [(digest, 0) for digest in dict.fromkeys(_manifests(source, root, Walk(PLAIN), 0))]
        known = {digest for digest, _ in subjects}
        while subjects:
            subject, depth = subjects.pop(0)
            for attachment in _attached_to(source, subject, notes, of_artifact=depth == 0):
                found.setdefault(attachment)
                _check(len(found), most, depth)
                if attachment.digest not in known:
                    known.add(attachment.digest)
                    subjects.append((attachment.digest, depth + 1))
    return tuple(found)


def _check(count: int, most: int, depth: int) -> None:
    if count > most:
        raise GraphLimit(f"More than {most} manifests are attached to the artifact.", remedy=_ALONE)
    if depth >= _DEEPEST:
        raise GraphLimit(f"What is attached has attachments more than {_DEEPEST} deep.", remedy=_ALONE)


def _manifests(source: Source, manifest: Manifest, walk: Walk, depth: int) -> Iterator[Digest]:
    """The digests of ``manifest`` and of all manifests below it."""
    walk.enter(manifest, depth)
    yield manifest.digest
    for child in children_of(manifest):
        if child.is_index:
            yield from _manifests(source, source.fetch_manifest(child.digest), walk, depth + 1)
        else:
            yield child.digest


def _attached_to(source: Source, subject: Digest, notes: Notes, *, of_artifact: bool) -> Iterator[Attachment]:
    for descriptor in _listed(source, subject, notes):
        if descriptor.is_manifest:
            yield Attachment(descriptor.digest, None, subject, of_artifact)
        else:
            notes.add(f"{descriptor.digest} is attached, of a type that isn't known, and was left behind")
    for tag in signature_tags(subject):
        digest = _tagged(source, tag, notes)
        if digest:
            yield Attachment(digest, tag, subject, of_artifact)


def _listed(source: Source, subject: Digest, notes: Notes) -> Sequence[Descriptor]:
    try:
        return source.referrers(subject)
    except ReferrersUnknown as error:
        _note(notes, error)
        return ()


def _tagged(source: Source, tag: str, notes: Notes) -> Digest | None:
    """What cosign's ``tag`` names. Some registries show nobody a tag that isn't there: no reason to keep the rest."""
    try:
        return source.find_manifest(tag)
    except (AuthFailed, RegistryProtocolError, TargetForbidden) as error:
        _note(notes, error)
        return None


def _note(notes: Notes, error: ByoaError) -> None:
    notes.add(f"what is attached could not all be looked for: {error.cause}")


def copy_attachments(  # noqa: PLR0913 - two ends, what goes between them, and settings by name
    source: Source,
    target: Quarantine | Repository,
    attachments: Sequence[Attachment],
    *,
    limits: GraphLimits = PLAIN,
    progress: Progress | None = None,
    target_name: str = "target",
    origin: str | None = None,
    pace: Pace = ALONE,
) -> Copied | None:
    """Copy what ``find_attachments`` found, in its order; ``None`` where there is nothing. What is there is skipped.

    A list may name what the source has lost, or what refers to something else: such digests are told in
    ``Copied.lost`` and ``Copied.strays``, those of an outdated type that the target refuses in ``Copied.left``; the
    rest is copied. A signature's tag that holds other layers in the target stays there (``Copied.kept``); what the
    source has under it is copied by its digest alone.
    """
    total: Copied | None = None
    belonging = Belonging(source, attachments)
    for attachment in attachments:
        total = total or Copied(attachment.digest)
        with placed(target_name):
            found = target.find_manifest(attachment.tag or attachment.digest)
        if found == attachment.digest:
            continue
        manifest = fetch(source, attachment.digest)
        if manifest is None:
            total.lost.append(attachment.digest)
            belonging.note_lost(attachment)
        elif not belonging.holds(attachment, manifest):
            total.strays.append(attachment.digest)
        else:
            tag = attachment.tag
            if tag and found and _would_lose(manifest, target, found, target_name):
                total.kept.append(tag)
                tag = None
            try:
                total.add(
                    copy(
                        source, target, manifest, tag=tag, limits=limits, progress=progress,
                        target_name=target_name, origin=origin, pace=pace, absent=tag == attachment.tag,
                    )
                )  # fmt: skip
            except Rejected as error:
                if not _is_outdated(manifest, error, target_name):
                    raise
                total.left.append(attachment.digest)
    return total


def _is_outdated(manifest: Manifest, error: Rejected, target_name: str) -> bool:
    """Whether the target refused a type that few registries still take, and not us."""
    refused = error.where == target_name and not isinstance(error, TargetForbidden | AuthFailed)
    return refused and manifest.descriptor.media_type == ARTIFACT_MANIFEST


def _would_lose(manifest: Manifest, target: Source, earlier: Digest, target_name: str) -> bool:
    """Whether the ``earlier`` manifest of the target holds what ``manifest`` doesn't: cosign only ever adds."""
    try:
        with placed(target_name):
            there = target.fetch_manifest(earlier)
    except ReferenceNotFound:
        return False
    except Rejected:
        return True  # no manifest that could be read: nobody knows what would be lost
    return not _parts(there) <= _parts(manifest)


def _parts(manifest: Manifest) -> frozenset[Digest]:
    return frozenset(part.digest for part in (*manifest.layers, *manifest.manifests))


def list_again(source: Source, target: Repository, attachments: Sequence[Attachment]) -> None:
    """Push those once more that the target has and doesn't list: a copy that ended between the two left them so."""
    listed: dict[Digest, set[Digest]] = {}
    belonging = Belonging(source, attachments)
    for attachment in attachments:
        subject = attachment.subject
        if subject is None or attachment.tag:
            continue
        if subject not in listed:
            with placed("target"):
                try:
                    listed[subject] = {each.digest for each in target.referrers(subject)}
                except ReferrersUnknown:
                    return  # nobody can tell, here or later
        if attachment.digest not in listed[subject]:
            manifest = fetch(source, attachment.digest)
            if manifest and belonging.holds(attachment, manifest):
                with placed("target"):
                    target.push_manifest(manifest)
