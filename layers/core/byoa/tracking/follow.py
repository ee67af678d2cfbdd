"""FollowTags: what was pushed is looked at again, for every component that names it, and a tag that moved is noted.

Who heeds a hook believes nothing of it: whose components these are the table says, and what a tag means the registry,
asked as a build would ask it.
"""

from __future__ import annotations

import hashlib
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.builds.books import accounted
from byoa.builds.records import milliseconds
from byoa.errors import ByoaError, ReferenceNotFound, Transient
from byoa.oci.reference import Reference
from byoa.tracking.messages import EcrPushed, Followed, Moved, RegistryPushed
from byoa.tracking.records import EVERY, PROOFS, ecr_hook_id
from byoa.tracking.records import Place as EcrPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from byoa.builds.lending import Lender, Lent
    from byoa.builds.messages import Build
    from byoa.builds.ports import Budget, Clock
    from byoa.engine.ports import Repository
    from byoa.tracking.google import GoogleTokens
    from byoa.tracking.messages import Notice
    from byoa.tracking.ports import Mentions, Named, Standing, Tracked
    from byoa.tracking.records import HookRecord
    from byoa.trust.allowed import Allowed
    from byoa.trust.policy import Policy

ECR_DOMAIN: Final = {"cn": "amazonaws.com.cn"}
"""The domains of registries by the beginning of a region's name; elsewhere amazonaws.com."""


class Means(NamedTuple):
    """What following tags may use: who names a tag, what stands noted, and registries with what is lent for them.

    ``google`` verifies the tokens of deliveries that have one.
    """

    mentions: Mentions
    tracked: Callable[[str], Tracked]
    google: GoogleTokens
    lender: Callable[[str], Lender]
    policy: Policy
    budget: Budget
    clock: Clock
    open_source: Callable[[str, Reference, Lent | None], Repository]


class _Place(NamedTuple):
    registry: str
    repository: str
    tags: tuple[str, ...]
    organisation: str | None
    hook_id: str | None
    pushed: EcrPlace | None = None

    def noticed_by(self, tracked: Tracked, organisation: str) -> str | None:
        """The hook that noticed it: the one that was called, or the organisation's own for that place in ECR."""
        if self.pushed is None:
            return self.hook_id
        for place in (self.pushed, self.pushed._replace(repository=EVERY)):
            if found := tracked.hook(ecr_hook_id(organisation, place)):
                return found.id
        return None


class _Counts:
    """What was found so far. ``later`` is what another try may mend."""

    def __init__(self) -> None:
        self.components = self.moved = self.failed = 0
        self.later: Transient | None = None


def follow(notice: Notice, means: Means) -> Followed:
    """Look at what was pushed, if the hook's record lets the notice count; one that comes again is heeded once.

    A component whose registry refuses is counted and ends no other's. Raises, when all were looked at, a ``Transient``
    of one of them: what is retried finds what is noted already.
    """
    detail, now_ts = notice.detail, milliseconds(means.clock.now())
    if isinstance(detail, RegistryPushed):
        tracked = means.tracked(detail.organisation)
        if not _holds(detail, tracked.hook(detail.hook_id), means.google, now_ts):
            return Followed(refused=True)
        name = hashlib.sha256(f"{detail.hook_id}.{detail.delivery}".encode()).hexdigest()
        if detail.delivery and not tracked.claim(name, notice.id, now_ts):
            return Followed(repeated=True)
    counts = _Counts()
    place = _place_of(notice)
    for tag in place.tags:
        named = sorted(means.mentions.of(place.registry, place.repository, tag, place.organisation))
        for organisation, components in groupby(named, lambda each: each.organisation):
            _look(organisation, list(components), place, tag, means, counts)
    if counts.later:
        raise counts.later
    return Followed(components=counts.components, moved=counts.moved, failed=counts.failed)


def _holds(detail: RegistryPushed, hook: HookRecord | None, google: GoogleTokens, now_ts: int) -> bool:
    """Whether the hook is there, and its tokens are Google's if it wants any: the event's own kind isn't asked."""
    return hook is not None and (PROOFS[hook.kind] != "token" or google.prove(hook, detail.token, now_ts))


def _place_of(notice: Notice) -> _Place:
    detail = notice.detail
    if isinstance(detail, EcrPushed):
        domain = ECR_DOMAIN.get(notice.region.partition("-")[0], "amazonaws.com")
        registry = f"{notice.account}.dkr.ecr.{notice.region}.{domain}"
        pushed = EcrPlace(notice.account, notice.region, detail.repository)
        return _Place(registry, detail.repository, (detail.tag,) if detail.tag else (), None, None, pushed)
    tags = tuple(dict.fromkeys(detail.tags))
    return _Place(detail.registry, detail.repository, tags, detail.organisation, detail.hook_id)


def _look(  # noqa: PLR0913, PLR0917 - whose, what, and where it is counted
    organisation: str, components: Sequence[Named], place: _Place, tag: str, means: Means, counts: _Counts
) -> None:
    """Ask once for each of the credentials that the components name, and note of each what it comes to."""
    tracked = means.tracked(organisation)
    allowed, hook_id = tracked.allowed(), place.noticed_by(tracked, organisation)
    found: dict[str | None, str | ByoaError] = {}
    for standing in tracked.standing(components):
        build = standing.build
        reference = Reference.parse(build.reference) if build.reference else None
        if reference is None or reference.digest or _name(reference) != (place.registry, place.repository, tag):
            continue  # a newer config names something else
        counts.components += 1
        if build.credentials_ref not in found:
            found[build.credentials_ref] = _resolved(allowed, organisation, reference, build.credentials_ref, means)
        now = found[build.credentials_ref]
        if isinstance(now, Transient):
            counts.later = now
        elif isinstance(now, ByoaError):
            counts.failed += 1
        else:
            counts.moved += _note(tracked, standing, tag, now, hook_id, means.clock)


def _name(reference: Reference) -> tuple[str, str, str | None]:
    return str(reference.registry), reference.repository, reference.tag


def _resolved(
    allowed: Allowed, organisation: str, reference: Reference, credentials_ref: str | None, means: Means
) -> str | ByoaError:
    """What the tag means now: a digest, or why it isn't told. Both policies are asked first, as a build does."""
    try:
        allowed.check(reference)
        means.policy.check_source(reference, credentials_ref)
        lent = means.lender(organisation).lend(credentials_ref, reference) if credentials_ref else None
        source = means.open_source(organisation, reference, lent)
        with accounted(means.budget, str(reference.registry), organisation, source):
            digest = source.find_manifest(reference.tag or "")
    except ByoaError as error:
        return error
    return str(digest) if digest else ReferenceNotFound("The registry has no such tag any more.")


def _note(  # noqa: PLR0913, PLR0917 - a move
    tracked: Tracked, standing: Standing, tag: str, now: str, hook_id: str | None, clock: Clock
) -> int:
    """Note that the tag moved, once for each hook that noticed it, and that it moved back; 1 for a move that is new."""
    before, was = pinned(standing.build), standing.moved
    if was and was.version != standing.build.version:
        was = None  # of a config before this one
    if before is None or ((was.after, was.hook_id) == (now, hook_id) if was else before == now):
        return 0
    version = standing.build.version
    if now == before:
        tracked.note(standing.build.key, None)
        return 0
    moment = milliseconds(clock.now())
    moved = Moved(version=version, tag=tag, before=before, after=now, at_ts=moment, hook_id=hook_id)
    tracked.note(standing.build.key, moved)
    return 1


def pinned(build: Build) -> str | None:
    """The digest that a build was made of, or is being made of; ``None`` while it hasn't asked."""
    if build.outcome and build.outcome.digest:
        return build.outcome.digest
    told: Iterator[str] = (
        str(line.metadata["digest"]) for line in reversed(build.history) if "digest" in line.metadata
    )
    return next(told, None)
