"""StageArtifact and StageBlob: the first hop of a build's bytes, from the vendor's registry into quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.builds.messages import Attached, BlobDone, Node, StagedArtifact
from byoa.builds.pending import copy_pending, pending
from byoa.builds.pinned import root_of
from byoa.builds.records import entry
from byoa.engine.attachments import copy_attachments, find_attachments
from byoa.engine.copying import Copied, copy
from byoa.engine.mirroring import nodes_of
from byoa.engine.sending import ALONE, Pace
from byoa.trust.policy import ATTACHED, STAGED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from byoa.builds.books import Books
    from byoa.builds.messages import PinnedArtifact, StageBlobTask
    from byoa.engine.belonging import Attachment
    from byoa.engine.ports import Quarantine, Repository, Source
    from byoa.oci.manifest import Manifest


def stage(
    pinned: PinnedArtifact, source: Repository, quarantine: Quarantine, books: Books, pace: Pace = ALONE
) -> StagedArtifact:
    """Fetch all of the artifact and what is attached to it into quarantine, every byte verified.

    The two entries at its end are for two steps: inspecting has no way to the ledger, so its start is told here.
    Raises what the two ends and ``Ledger.progress`` raise.
    """
    with books.account(pinned.key, pinned.reference, source, owed=pinned.source_requests):
        root = root_of(pinned, source)
        done, attachments = _fetch(source, quarantine, root, pace)
    if not done.pending:
        _tell_staged(pinned, done, len(attachments), books)
    return StagedArtifact(
        **pinned.model_dump(exclude={"source_requests"}),
        blobs=done.copied + done.skipped,
        bytes_staged=done.bytes_copied,
        nodes=[] if done.pending else list(_nodes(quarantine, root, attachments)),
        attachments=[Attached(digest=str(each.digest), tag=each.tag) for each in attachments],
        source_requests=pinned.source_requests + source.requests,
        pending=pending(done),
    )


def _fetch(source: Source, quarantine: Quarantine, root: Manifest, pace: Pace) -> tuple[Copied, tuple[Attachment, ...]]:
    """The graph, and when that is whole, what is attached; without what is listed as attached and is lost."""
    # Not asked for the root, which is rarely there: who has all of it already is asked for its blobs alone.
    done = copy(source, quarantine, root, limits=STAGED, target_name="quarantine", pace=pace, absent=True)
    if done.pending:
        return done, ()
    found = find_attachments(source, root, most=ATTACHED)
    more = copy_attachments(source, quarantine, found, limits=STAGED, target_name="quarantine", pace=pace)
    if more:
        done.add(more)
    return done, tuple(each for each in found if each.digest not in done.passed_over)


def _tell_staged(pinned: PinnedArtifact, done: Copied, attached: int, books: Books) -> None:
    count = done.copied + done.skipped
    text = f"fetched and verified {count} blobs" + (f", {attached} attached manifests" if attached else "")
    staged = entry("building", text, books.clock.now(), step="stage", blobs=count, attached=attached)
    inspecting = entry("building", "looking for Kubernetes manifests", books.clock.now(), step="inspect")
    books.ledger.progress(pinned.key, [staged, inspecting])


def _nodes(quarantine: Source, root: Manifest, attachments: Sequence[Attachment]) -> Iterator[Node]:
    """All that was staged, each digest once."""
    roots = [root, *(quarantine.fetch_manifest(each.digest) for each in attachments)]
    found = {node.digest: node for each in roots for node in nodes_of(quarantine, each)}
    for node in found.values():
        yield Node(digest=str(node.digest), size=node.size, media_type=node.media_type)


def stage_blob(
    task: StageBlobTask, source: Repository, quarantine: Quarantine, books: Books, pace: Pace = ALONE
) -> BlobDone:
    """Fetch one blob into quarantine, or as much of it as there is time for."""
    text = f"fetching a blob of {task.blob.size} bytes"
    books.ledger.progress(task.artifact.key, [entry("building", text, books.clock.now(), step="stage")])
    with books.account(task.artifact.key, task.artifact.reference, source):
        return copy_pending(source, quarantine, task.blob, "quarantine", pace)
