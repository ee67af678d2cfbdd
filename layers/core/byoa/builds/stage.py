"""StageArtifact and StageBlob: the first hop of a build's bytes, from the vendor's registry into quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.builds.lending import explained
from byoa.builds.lists import carry
from byoa.builds.messages import AttachedTo, BlobDone, Node, StagedArtifact
from byoa.builds.pending import copy_pending, pending
from byoa.builds.pinned import root_of
from byoa.builds.records import entry
from byoa.builds.survey import survey
from byoa.engine.attachments import copy_attachments
from byoa.engine.copying import Copied, copy
from byoa.engine.sending import ALONE, Pace
from byoa.oci.attached import kind_of
from byoa.oci.digest import Digest
from byoa.trust.limits import STAGED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.builds.books import Books
    from byoa.builds.messages import PinnedArtifact, StageBlobTask
    from byoa.builds.ports import Lists
    from byoa.builds.survey import Survey
    from byoa.engine.belonging import Attachment
    from byoa.engine.ports import Quarantine, Repository
    from byoa.oci.manifest import Descriptor


def stage(  # noqa: PLR0913, PLR0917 - both ends, where lists are kept, and how
    pinned: PinnedArtifact,
    source: Repository,
    quarantine: Quarantine,
    lists: Lists,
    books: Books,
    pace: Pace = ALONE,
) -> StagedArtifact:
    """Fetch all of the artifact and what is attached to it into quarantine, every byte verified.

    The two entries at its end are for two steps: inspecting has no way to the ledger, so its start is told here.
    Raises what ``survey``, ``Quota.take``, the two ends and ``Ledger.progress`` raise.
    """
    with (
        explained(pinned.credentials_ref),
        books.account(pinned.key, pinned.reference, source, owed=pinned.source_requests),
    ):
        known = survey(root_of(pinned, source), source, quarantine)
        books.take(pinned.key, pinned.build_id, known.size)
        done = _fetch(known, quarantine, Digest.parse(pinned.digest), pace)
    attachments = [each for each in known.attachments if each.digest not in done.passed_over]
    _tell(pinned, done, len(attachments), books, known.notes)
    nodes, stored = ([], None) if done.pending else carry([_node(each) for each in known.nodes], lists)
    return StagedArtifact(
        **pinned.model_dump(exclude={"source_requests"}),
        blobs=done.copied + done.skipped,
        bytes_staged=done.bytes_copied,
        nodes=nodes,
        stored=stored,
        attachments=[_attached(known, each) for each in attachments],
        source_requests=pinned.source_requests + source.requests,
        pending=pending(done),
    )


def _fetch(known: Survey, quarantine: Quarantine, digest: Digest, pace: Pace) -> Copied:
    """The graph, and when that is whole, what is attached."""
    # Not asked for the root, which is rarely there: who has all of it already is asked for its blobs alone.
    root = known.source.fetch_manifest(digest)
    done = copy(known.source, quarantine, root, limits=STAGED, target_name="quarantine", pace=pace, absent=True)
    if not done.pending:
        more = copy_attachments(
            known.source, quarantine, known.attachments, limits=STAGED, target_name="quarantine", pace=pace
        )
        if more:
            done.add(more)
    return done


def _node(descriptor: Descriptor) -> Node:
    return Node(digest=str(descriptor.digest), size=descriptor.size, media_type=descriptor.media_type)


def _attached(known: Survey, attachment: Attachment) -> AttachedTo:
    return AttachedTo(
        digest=str(attachment.digest),
        tag=attachment.tag,
        subject=str(attachment.subject) if attachment.subject else None,
        kind=kind_of(known.source.fetch_manifest(attachment.digest), attachment.tag),
    )


def _tell(pinned: PinnedArtifact, done: Copied, attached: int, books: Books, notes: Sequence[str]) -> None:
    if done.pending:
        left = len(done.pending)
        text = f"fetching {left} blobs by an invocation each"
        told = [entry("building", text, books.clock.now(), step="stage", blobs=left)]
    else:
        count = done.copied + done.skipped
        text = f"fetched and verified {count} blobs" + (f", {attached} attached manifests" if attached else "")
        text = "; ".join([text, *notes])
        told = [
            entry("building", text, books.clock.now(), step="stage", blobs=count, attached=attached),
            entry("building", "looking for Kubernetes manifests", books.clock.now(), step="inspect"),
        ]
    books.ledger.progress(pinned.key, pinned.execution, told)


def stage_blob(
    task: StageBlobTask, source: Repository, quarantine: Quarantine, books: Books, pace: Pace = ALONE
) -> BlobDone:
    """Fetch one blob into quarantine, or as much of it as there is time for.

    It asks the ledger and tells it nothing: a blob may be tried many times. Raises what ``Ledger.check_running`` and
    the two ends raise.
    """
    artifact = task.artifact
    books.ledger.check_running(artifact.key, artifact.execution)
    with explained(artifact.credentials_ref), books.account(artifact.key, artifact.reference, source):
        return copy_pending(source, quarantine, task.blob, "quarantine", pace)
