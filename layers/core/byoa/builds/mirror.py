"""MirrorArtifact and MirrorBlob: the second hop of a build's bytes, from quarantine to each target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.builds.messages import BlobDone, MirroredArtifact, Proof
from byoa.builds.pending import copy_pending, pending
from byoa.builds.pinned import root_of
from byoa.builds.records import entry, milliseconds, mirrored
from byoa.engine.attachments import copy_attachments
from byoa.engine.belonging import Attachment
from byoa.engine.copying import Copied, copy
from byoa.engine.mirroring import plan_graph
from byoa.engine.sending import ALONE, Pace
from byoa.errors import DigestMismatch, EventUntrusted
from byoa.oci.digest import Digest
from byoa.oci.graph import blobs_of
from byoa.oci.reference import Reference

if TYPE_CHECKING:
    from byoa.builds.books import Books
    from byoa.builds.messages import Inspection, MirrorBlobTask, MirrorTask
    from byoa.builds.ports import Clock
    from byoa.engine.mirroring import Plan
    from byoa.engine.ports import Repository, Source, Target
    from byoa.oci.reference import Registry


def mirror(  # noqa: PLR0913, PLR0917 - both ends, where they are, and how
    task: MirrorTask,
    quarantine: Source,
    target: Repository,
    place: tuple[Registry, str],
    books: Books,
    pace: Pace = ALONE,
) -> MirroredArtifact:
    """Copy from quarantine to one target, under the build's id, and have the target say that it is there.

    ``place`` is the target's registry and repository. What is to be written is told before anything is. Raises what
    the two ends and ``Ledger.progress`` raise, ``DigestMismatch`` where the target then says another digest, and
    ``EventUntrusted`` where the build has no such target.
    """
    artifact, tag, started = task.artifact, task.artifact.build_id, books.clock.now()
    if task.target not in artifact.targets:
        raise EventUntrusted("The message names a target that its build has not.")
    root = root_of(artifact, quarantine)
    plan = plan_graph(quarantine, target, root, tag, target_name=task.target)
    _tell_plan(task, plan, books)
    if plan.is_done:
        done = Copied(root.digest, skipped=len(blobs_of(root)))
    else:
        done = copy(
            quarantine, target, root, tag=tag, target_name=task.target, pace=pace,
            absent=True, lacking=plan.blobs_lacking,
        )  # fmt: skip
    proof = None
    if not done.pending:
        attachments = [Attachment(Digest.parse(each.digest), each.tag) for each in artifact.attachments]
        more = copy_attachments(quarantine, target, attachments, target_name=task.target, pace=pace)
        if more:
            done.add(more)
    if not done.pending:
        proof = _prove(target, tag, root.digest, books.clock)
        if len(artifact.targets) > 1:  # others may still fail; of a single one RecordBuild tells
            books.ledger.progress(artifact.key, artifact.execution, [mirrored(task.target, proof.at_ts)])
    registry, repository = place
    return MirroredArtifact(
        target=task.target,
        reference=str(Reference(registry, repository, tag, root.digest)),
        tag=tag,
        digest=str(root.digest),
        blobs_copied=done.copied,
        blobs_mounted=done.mounted,
        blobs_skipped=done.skipped,
        bytes_copied=done.bytes_copied,
        requests=target.requests,
        seconds=(books.clock.now() - started).total_seconds(),
        proof=proof,
        pending=pending(done),
    )


def _tell_plan(task: MirrorTask, plan: Plan, books: Books) -> None:
    """The first target's entries begin with what the inspection found."""
    artifact, clock = task.artifact, books.clock
    first = task.target == artifact.targets[0]
    told = [entry("building", _describe(artifact.inspection), clock.now(), step="inspect")] if first else []
    blobs, size = len(plan.blobs_lacking), plan.bytes_to_copy
    what = "all is there" if plan.is_done else f"{blobs} blobs to write, {size} bytes in all"
    text = f"mirroring to {task.target}: {what}"
    told.append(entry("building", text, clock.now(), step="mirror", target=task.target, blobs=blobs, bytes=size))
    books.ledger.progress(artifact.key, artifact.execution, told)


def _describe(inspection: Inspection) -> str:
    if inspection.encrypted:
        return f"{inspection.format}: encrypted, contents not validated"
    return f"{inspection.format}: {inspection.resources} Kubernetes resources"


def _prove(target: Target, tag: str, digest: Digest, clock: Clock) -> Proof:
    found = target.find_manifest(tag)
    if found != digest:
        raise DigestMismatch("The target says another digest than the one that was written.")
    return Proof(digest=str(found), at_ts=milliseconds(clock.now()))


def mirror_blob(task: MirrorBlobTask, quarantine: Source, target: Target, books: Books, pace: Pace = ALONE) -> BlobDone:
    """Copy one blob from quarantine to a target, or as much of it as there is time for.

    It asks the ledger and tells it nothing: a blob may be tried many times.
    """
    books.ledger.check_running(task.artifact.key, task.artifact.execution)
    return copy_pending(quarantine, target, task.blob, task.target, pace)
