"""One artifact, with all that belongs to it, from one repository to another; and what that would take."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from byoa.engine.attachments import Notes, copy_attachments, find_attachments, list_again
from byoa.engine.belonging import Attachment, Belonging, fetch
from byoa.engine.copying import Copied, copy
from byoa.engine.sending import ALONE, Pace
from byoa.engine.verifying import placed
from byoa.errors import AuthFailed, PlatformChanged, ReferenceNotFound, TargetForbidden
from byoa.oci.graph import PLAIN, GraphLimits, Walk, blobs_of, children_of
from byoa.oci.platforms import pick, platform_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from byoa.engine.ports import Repository, Source, Target
    from byoa.engine.verifying import Progress
    from byoa.oci.digest import Digest
    from byoa.oci.manifest import Descriptor, Manifest


class Wanted(NamedTuple):
    """What is to be mirrored: the manifest under ``name``, and the ``tag`` that names it in the target.

    ``attachments`` takes along what is attached. ``platform`` (``os/architecture[/variant]``) takes one manifest out of
    an index, which has another digest: ``new_digest`` says that this is wanted.
    """

    name: str | Digest
    tag: str | None = None
    attachments: bool = True
    platform: str | None = None
    new_digest: bool = False


class Mirrored(NamedTuple):
    """What was done, what was found attached, without what only seemed to be, and what else is to be told."""

    copied: Copied
    attachments: tuple[Attachment, ...] = ()
    notes: tuple[str, ...] = ()


def mirror(
    source: Repository,
    target: Repository,
    wanted: Wanted,
    *,
    progress: Progress | None = None,
    pace: Pace = ALONE,
) -> Mirrored:
    """Copy it: blobs, children, the manifest under its tag, then what is attached. What is there is skipped.

    Raises what the two ends raise, placed, and what ``choose`` raises.
    """
    notes = Notes()
    if source.heads_are_free and not wanted.attachments and wanted.platform is None:
        there = _there(source, target, wanted)
        if there:
            return Mirrored(Copied(there))
        root = choose(source, wanted, notes)
    else:
        root, there = _both(source, target, wanted, pace, notes)
    origin = mount_origin(source, target)
    if there == root.digest:
        done = Copied(root.digest, skipped=len(blobs_of(root)))
    else:
        done = copy(source, target, root, tag=wanted.tag, progress=progress, origin=origin, pace=pace, absent=True)
    if not wanted.attachments or done.pending:
        return Mirrored(done, notes=tuple(notes))
    found = find_attachments(source, root, notes=notes)
    more = copy_attachments(source, target, found, progress=progress, origin=origin, pace=pace)
    if more:
        done.add(more)
        if not more.pending and more.manifests + len(more.passed_over) < len(found):  # some were there before
            list_again(source, target, [each for each in found if each.digest not in more.left])
    mine = tuple(each for each in found if each.digest not in (*done.strays, *done.left))
    return Mirrored(done, mine, tuple(notes))


def _there(source: Repository, target: Repository, wanted: Wanted) -> Digest | None:
    """The manifest's digest, where the target has it already: asked for where that is cheaper than fetching."""
    with placed("source"):
        digest = source.find_manifest(wanted.name) or source.fetch_manifest(wanted.name).digest  # which says why not
    with placed("target"):
        return digest if target.find_manifest(wanted.tag or digest) == digest else None


def _both(
    source: Repository, target: Repository, wanted: Wanted, pace: Pace, notes: Notes
) -> tuple[Manifest, Digest | None]:
    """The manifest that is wanted, and what the target has in its place: where there are workers, asked at once."""
    if pace.workers is None or wanted.tag is None:
        root = choose(source, wanted, notes)
        return root, _find(target, wanted.tag or root.digest)
    ahead = pace.workers.submit(partial(_find, target, wanted.tag))
    try:
        root = choose(source, wanted, notes)
    except Exception:
        if not ahead.cancel():
            ahead.error()  # the source's failure is the one to tell; nothing is left running
        raise
    return root, _find(target, wanted.tag) if ahead.cancel() else ahead.result()


def _find(target: Target, name: str | Digest) -> Digest | None:
    with placed("target"):
        return target.find_manifest(name)


def choose(source: Repository, wanted: Wanted, notes: Notes | None = None) -> Manifest:
    """The manifest that is wanted, fetched. That a platform is asked of what has none is told in ``notes``.

    Raises ``PlatformChanged`` when one platform of an index is wanted and its other digest isn't, and
    ``ReferenceNotFound`` when there is no such platform.
    """
    with placed("source"):
        root = source.fetch_manifest(wanted.name)
        if wanted.platform is None or not root.is_index:
            if wanted.platform and notes is not None:
                notes.add("the artifact is no index, so --platform chose nothing: it is mirrored as it is")
            return root
        children = children_of(root)
        child = pick(children, wanted.platform)
        if child is None:
            offered = ", ".join(sorted({platform_of(each) for each in children} - {"", "unknown/unknown"})) or "none"
            raise ReferenceNotFound(
                f"The index has no manifest for the platform; it has {printable(offered)}.",
                remedy="Name one of the platforms that it has, or leave --platform out.",
            )
        if not wanted.new_digest:
            raise PlatformChanged("One platform of an index has another digest than the index.")
        return source.fetch_manifest(child.digest)


def printable(text: str) -> str:
    """``text`` cut to 200 characters, without what a terminal might take for more than letters."""
    return "".join(character for character in text if " " <= character <= "~")[:200]


def mount_origin(source: Repository, target: Repository) -> str | None:
    """The source's repository, where the target is another one of the same registry and could mount from it."""
    if source.place is None or target.place is None or source.place[0] != target.place[0]:
        return None
    return source.place[1] if source.place[1] != target.place[1] else None


type Action = Literal["copy", "mount", "skip"]
WRITES: Final = ("copy", "mount")


class Step(NamedTuple):
    """What would become of one node: ``kind`` is "blob" or "manifest", ``size`` its bytes."""

    kind: Literal["blob", "manifest"]
    descriptor: Descriptor
    action: Action


class Plan:
    """What a mirror would do, and what it lacks permission for: ``pull`` at the source, ``push`` at the target."""

    def __init__(self, root: Descriptor, notes: Notes | None = None) -> None:
        self.root = root
        self.notes = Notes() if notes is None else notes
        self.steps: list[Step] = []
        self.missing: list[str] = []

    @property
    def blobs_lacking(self) -> frozenset[Digest]:
        """The blobs that the target was seen to lack."""
        lacking = (step for step in self.steps if step.kind == "blob" and step.action in WRITES)
        return frozenset(step.descriptor.digest for step in lacking)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to write."""
        return not any(step.action in WRITES for step in self.steps)

    @property
    def bytes_to_copy(self) -> int:
        """The size of all that would be sent."""
        return sum(step.descriptor.size for step in self.steps if step.action == "copy")


def plan(source: Repository, target: Repository, wanted: Wanted) -> Plan:
    """Say what ``mirror`` would do, without writing: which nodes would be copied, mounted, skipped.

    A mount is a hope: the registry may decline it and have the blob sent. Permission to write is tried with an upload
    that is begun and given up.
    """
    notes = Notes()
    root = choose(source, wanted, notes)
    planner = _Planner(source, target, mount_origin(source, target), Plan(root.descriptor, notes))
    found = planner.found
    try:
        planner.add(root, wanted.tag)
        if wanted.attachments:
            planner.add_attached(find_attachments(source, root, notes=found.notes))
        if not found.is_done:
            with placed("target"):
                target.check_push()
    except TargetForbidden as error:
        found.missing.append(f"push: {error.cause}")
    except AuthFailed as error:
        found.missing.append(f"pull: {error.cause}")
    return found


def plan_graph(  # noqa: PLR0913 - two ends, what would go between them, and settings by name
    source: Source, target: Target, root: Manifest, tag: str | None, *, target_name: str, limits: GraphLimits = PLAIN
) -> Plan:
    """The same for the graph of ``root`` alone. Raises ``GraphLimit`` or ``ContentTooLarge`` over ``limits``."""
    planner = _Planner(source, target, None, Plan(root.descriptor), target_name, limits)
    planner.add(root, tag)
    return planner.found


class _Planner:
    def __init__(  # noqa: PLR0913, PLR0917 - two ends, what would go between them, and settings
        self,
        source: Source,
        target: Target,
        origin: str | None,
        found: Plan,
        target_name: str = "target",
        limits: GraphLimits = PLAIN,
    ) -> None:
        self.source = source
        self.target = target
        self.origin = origin
        self.found = found
        self.target_name = target_name
        self.limits = limits
        self.walk = Walk(limits)
        self.seen: set[Digest] = set()

    def add(self, manifest: Manifest, tag: str | None) -> None:
        """Add ``manifest`` and what the target lacks below it."""
        self.walk = Walk(self.limits)
        self._add(manifest, tag, 0)

    def add_attached(self, attachments: Sequence[Attachment]) -> None:
        """Add those of ``attachments`` that are the artifact's and that the source has."""
        belonging = Belonging(self.source, attachments)
        for attachment in attachments:
            manifest = fetch(self.source, attachment.digest)
            if manifest and belonging.holds(attachment, manifest):
                self.add(manifest, attachment.tag)

    def _add(self, manifest: Manifest, tag: str | None, depth: int) -> None:
        if manifest.digest in self.seen:
            return
        self.seen.add(manifest.digest)
        self.walk.enter(manifest, depth)
        with placed(self.target_name):
            there = self.target.find_manifest(tag or manifest.digest) == manifest.digest
        if not there:
            for child in children_of(manifest):
                with placed("source"):
                    below = self.source.fetch_manifest(child.digest)
                self._add(below, None, depth + 1)
            for blob in blobs_of(manifest):
                self._add_blob(blob)
        self.found.steps.append(Step("manifest", manifest.descriptor, "skip" if there else "copy"))

    def _add_blob(self, blob: Descriptor) -> None:
        if blob.digest in self.seen:
            return
        self.seen.add(blob.digest)
        with placed(self.target_name):
            there = self.target.has_blob(blob)
        action: Action = "skip" if there else "mount" if self.origin else "copy"
        self.found.steps.append(Step("blob", blob, action))


def nodes_of(source: Source, root: Manifest) -> Iterator[Descriptor]:
    """Every manifest and blob of the graph, each digest once, the root first."""
    seen: set[Digest] = set()
    waiting: deque[Digest] = deque()
    manifest = root
    while True:
        for descriptor in (manifest.descriptor, *blobs_of(manifest)):
            if descriptor.digest not in seen:
                seen.add(descriptor.digest)
                yield descriptor
        waiting += [child.digest for child in children_of(manifest) if child.digest not in seen]
        if not waiting:
            return
        manifest = source.fetch_manifest(waiting.popleft())
