"""LookUpArtifact: asks registries on behalf of people, and reads no contents: it may see what vendors lent.

What is to be read is fetched into the organisation's quarantine, as a build's is, and ReadArtifacts reads it there.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.builds.books import accounted
from byoa.builds.lending import explained
from byoa.builds.lookups import TAGS, AttachedHere, FetchPlan, Found, LookedUp, Surroundings, TagList
from byoa.builds.pinned import carried
from byoa.builds.records import milliseconds
from byoa.builds.survey import survey
from byoa.engine.copying import copy
from byoa.engine.mirroring import nodes_of, plan_graph
from byoa.engine.sending import ALONE, Pace
from byoa.errors import AuthFailed, ByoaError, ContentTooLarge, Rejected, Timeout
from byoa.oci.attached import kind_of
from byoa.oci.tags import newest_first
from byoa.oci.tagschema import is_attachment_tag
from byoa.trust.limits import STAGED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.builds.lending import Lender, Lent
    from byoa.builds.lookups import LookUp, Sought
    from byoa.builds.ports import Budget, Clock, Quota
    from byoa.engine.belonging import Attachment
    from byoa.engine.ports import Quarantine, Repository
    from byoa.oci.manifest import Manifest
    from byoa.oci.reference import Reference
    from byoa.trust.policy import Policy

MOST: Final = 100 * 1024 * 1024
"""Bytes of an artifact that are fetched to be looked at: somebody waits, and a build has the time for more."""

MOST_ATTACHED: Final = 20
"""Attached manifests that are told of one by one; all are counted."""

UNKNOWN: Final = "what is attached could not be looked for"

MOST_TAGS: Final = 10_000
"""Tags that are read to find the newest among them: registries list them by name."""


class Means(NamedTuple):
    """What a lookup may use: what is lent and allowed, registries, and where what is to be read is put."""

    lender: Lender
    policy: Policy
    budget: Budget
    clock: Clock
    open_source: Callable[[Reference, Lent | None], Repository]
    open_quarantine: Callable[[], Quarantine]
    quota: Quota
    pace: Pace = ALONE


def look_up(asked: LookUp, means: Means) -> LookedUp:
    """Tell what the references mean, and fetch or plan what the action wants.

    Raises what ``Policy.check_source`` and ``Lender.lend`` raise, ``RegistryThrottled`` where nothing may be asked now,
    what the registries' answers mean, ``ContentTooLarge`` and ``QuotaExceeded`` for what is too much to fetch, and
    ``Timeout`` where there was no time for it. Of two artifacts the error tells which.
    """
    if asked.action == "tags":
        return _list_tags(asked, means)
    names = ("before", "after") if len(asked.artifacts) > 1 else (None,)
    found = []
    for sought, name in zip(asked.artifacts, names, strict=True):
        try:
            found.append(_look_up(asked, sought, means))
        except ByoaError as error:
            error.where = name or error.where
            raise
    return LookedUp(
        organisation=asked.organisation,
        action=asked.action,
        artifacts=[each.found for each in found],
        plan=found[0].plan,
        around=found[0].around,
        reads=asked.action in ("inspect", "diff"),
    )


def _list_tags(asked: LookUp, means: Means) -> LookedUp:
    sought = asked.artifacts[0]
    with _opened(asked, sought, sought.reference("tags"), means) as source:
        listed = source.all_tags(lambda tag: not is_attachment_tag(tag), MOST_TAGS)
    tags = newest_first(listed.names)
    shown = TagList(tags=tags[:TAGS], truncated=listed.truncated or len(tags) > TAGS)
    return LookedUp(organisation=asked.organisation, action="tags", artifacts=[], tags=shown)


@contextmanager
def _opened(asked: LookUp, sought: Sought, reference: Reference, means: Means) -> Iterator[Repository]:
    """The registry's repository, for as long as it is asked."""
    means.policy.check_source(reference, sought.credentials_ref)
    lent = means.lender.lend(sought.credentials_ref, reference) if sought.credentials_ref else None
    source = means.open_source(reference, lent)
    with (
        accounted(means.budget, str(reference.registry), asked.organisation, source),
        explained(sought.credentials_ref),
    ):
        yield source


class _One(NamedTuple):
    """What was found of one reference."""

    found: Found
    plan: FetchPlan | None
    around: Surroundings | None


def _look_up(asked: LookUp, sought: Sought, means: Means) -> _One:
    reference = sought.reference(asked.action)
    plan = around = None
    with _opened(asked, sought, reference, means) as source:
        root = source.fetch_manifest(reference.digest or reference.tag or "")
        if asked.action == "plan":
            plan = _plan(root, source, means.open_quarantine())
        elif asked.action != "resolve":
            _fetch(asked.organisation, root, source, means)
        if asked.action == "inspect":
            around = _around(root, source, means.open_quarantine())
    return _One(_found(reference, root, means.clock), plan, around)


def _found(reference: Reference, root: Manifest, clock: Clock) -> Found:
    return Found(
        reference=str(reference),
        digest=str(root.digest),
        media_type=root.descriptor.media_type,
        size=root.descriptor.size,
        artifact_type=root.kind,
        resolved_at_ts=milliseconds(clock.now()),
        manifest=carried(root),
    )


def _plan(root: Manifest, source: Repository, quarantine: Quarantine) -> FetchPlan:
    """What a build would fetch; that the registry refuses a part of it is told and no error."""
    try:
        known = survey(root, source, quarantine)
    except AuthFailed as error:
        return FetchPlan(missing_permissions=[f"pull: {error.cause}"])
    manifests = [node for node in known.nodes if node.is_manifest]
    blobs = [node for node in known.nodes if not node.is_manifest]
    lacking = [blob for blob in blobs if not quarantine.has_blob(blob)]
    return FetchPlan(
        manifests=len(manifests),
        blobs_to_copy=len(lacking),
        blobs_to_skip=len(blobs) - len(lacking),
        bytes=sum(node.size for node in (*manifests, *lacking)),
        attached=len(known.attachments),
        notes=[*known.notes],
    )


def _around(root: Manifest, source: Repository, quarantine: Quarantine) -> Surroundings:
    """What is attached, by its manifests alone; that it can't be looked for is told and no error."""
    size = sum(node.size for node in nodes_of(quarantine, root))
    try:
        known = survey(root, source, quarantine)
    except Rejected as error:
        return Surroundings(bytes=size, count=0, attached=[], notes=[f"{UNKNOWN}: {error.cause}"])
    listed = known.attachments[:MOST_ATTACHED]
    return Surroundings(
        bytes=size,
        count=len(known.attachments),
        attached=[_attached(each, known.source.fetch_manifest(each.digest)) for each in listed],
        notes=[*known.notes],
    )


def _attached(attachment: Attachment, manifest: Manifest) -> AttachedHere:
    return AttachedHere(
        digest=str(attachment.digest),
        subject=str(attachment.subject) if attachment.subject else None,
        tag=attachment.tag,
        artifact_type=manifest.kind,
        kind=kind_of(manifest, attachment.tag),
    )


def _fetch(organisation: str, root: Manifest, source: Repository, means: Means) -> None:
    """Put the artifact, without what is attached to it, into quarantine; its bytes are of the organisation's day."""
    quarantine = means.open_quarantine()
    plan = plan_graph(source, quarantine, root, None, target_name="quarantine", limits=STAGED)
    if plan.bytes_to_copy > MOST:
        remedy = "Have it built: a build takes the time that it needs, and tells what the artifact holds."
        raise ContentTooLarge(f"The artifact has more than {MOST} bytes to fetch for a lookup.", remedy=remedy)
    if plan.is_done:
        return
    means.quota.take(organisation, str(root.digest), plan.bytes_to_copy)
    lacking = plan.blobs_lacking
    done = copy(source, quarantine, root, limits=STAGED, target_name="quarantine", pace=means.pace, lacking=lacking)
    if done.pending:
        raise Timeout(
            "The artifact could not be fetched in the time of a lookup.", remedy="Ask again, or have it built."
        )
