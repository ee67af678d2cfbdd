"""The two hops of a build's bytes: from the vendor's registry into quarantine, and from there to each target.

An invocation does what it has time for. What is left is ``pending`` in its answer: the state machine has each pending
blob copied by an invocation of its own and then asks again for the whole, which by then is little. The same way serves
an artifact that is too large for one invocation from the start.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from byoa.builds.messages import Attached, BlobDone, MirroredArtifact, Node, PendingBlob, Proof, StagedArtifact
from byoa.builds.pinned import root_of
from byoa.builds.records import entry, milliseconds, mirrored
from byoa.engine.attachments import Attachment, copy_attachments, find_attachments
from byoa.engine.copying import Copied, copy, copy_blob
from byoa.engine.mirroring import nodes_of, plan_graph
from byoa.engine.sending import ALONE, Pace, Pending
from byoa.errors import DigestMismatch, RegistryThrottled, Timeout
from byoa.oci.digest import Digest
from byoa.oci.graph import blobs_of
from byoa.oci.manifest import Descriptor
from byoa.oci.reference import Reference
from byoa.trust.policy import ATTACHED, ROUNDS, STAGED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from byoa.builds.messages import BuildKey, Inspection, MirrorBlobTask, MirrorTask, PinnedArtifact, StageBlobTask
    from byoa.engine.mirroring import Plan
    from byoa.engine.ports import Budget, Clock, Ledger, Quarantine, Repository, Source, Target
    from byoa.oci.manifest import Manifest
    from byoa.oci.reference import Registry

_REST: Final = 5.0
"""Seconds that a registry gets which asks for rest without saying for how long."""

_PENDING: Final = 100
"""How many blobs one round hands out; what is cut comes in the next."""


@dataclass(frozen=True, slots=True)
class Books:
    """Where progress is told, when that is, and what each registry may still be asked."""

    ledger: Ledger
    clock: Clock
    budget: Budget | None = None

    @contextmanager
    def account(
        self, key: BuildKey, reference: str | None, source: Repository, *, owed: int = 0, carried: bool = False
    ) -> Iterator[None]:
        """Ask the source within its budget, and put what was asked on the account, whatever came of it.

        ``carried`` leaves that, if all goes well, to the build's next step, for which it is ``owed``: a write less.
        Raises ``RegistryThrottled`` where nothing may be asked now. What the registry itself asks for, all builds heed.
        """
        host = str(Reference.parse(reference).registry) if reference else None
        if self.budget is None or host is None:
            yield
            return
        self.budget.admit(host, key.organisation)
        before = source.requests - owed
        try:
            yield
        except BaseException as error:
            if isinstance(error, RegistryThrottled):
                self.budget.rest(host, error.retry_after or _REST)
            self.budget.spend(host, key.organisation, source.requests - before)
            raise
        if not carried:
            self.budget.spend(host, key.organisation, source.requests - before)


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
        pending=_pending(done),
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
    return done, tuple(each for each in found if each.digest not in done.lost)


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
        return _blob(source, quarantine, task.blob, "quarantine", pace)


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
    the two ends and ``Ledger.progress`` raise, and ``DigestMismatch`` where the target then says another digest.
    """
    artifact, tag, started = task.artifact, task.artifact.build_id, books.clock.now()
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
            books.ledger.progress(artifact.key, [mirrored(task.target, proof.at_ts)])
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
        pending=_pending(done),
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
    books.ledger.progress(artifact.key, told)


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
    """Copy one blob from quarantine to a target, or as much of it as there is time for."""
    text = f"mirroring a blob of {task.blob.size} bytes to {task.target}"
    told = entry("building", text, books.clock.now(), step="mirror", target=task.target)
    books.ledger.progress(task.artifact.key, [told])
    return _blob(quarantine, target, task.blob, task.target, pace)


def _blob(source: Source, target: Target, blob: PendingBlob, target_name: str, pace: Pace) -> BlobDone:
    """Raises ``Timeout`` for a blob that was taken up again and again."""
    if blob.rounds >= ROUNDS:
        raise Timeout("A blob of the artifact takes more invocations than a build may have.").at(target_name)
    descriptor = Descriptor(blob.media_type, Digest.parse(blob.digest), blob.size)
    done = copy_blob(source, target, Pending(descriptor, blob.session), target_name=target_name, pace=pace)
    left = done.pending[0].session if done.pending else None
    return BlobDone(done=not done.pending, blob=blob.model_copy(update={"session": left, "rounds": blob.rounds + 1}))


def _pending(done: Copied) -> list[PendingBlob]:
    return [
        PendingBlob(
            digest=str(each.descriptor.digest),
            size=each.descriptor.size,
            media_type=each.descriptor.media_type,
            session=each.session,
        )
        for each in done.pending[:_PENDING]
    ]
