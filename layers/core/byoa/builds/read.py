"""ReadArtifacts: what artifacts in quarantine hold, or how two differ. It reads the quarantine and touches no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.builds.inspect import look_into
from byoa.builds.lookups import OBJECTS, Contents, NamedObject, ObjectDifference, ReadContents
from byoa.builds.pinned import root_of
from byoa.content.difference import Side, compare
from byoa.engine.contents import VerifiedContents
from byoa.errors import EventUntrusted
from byoa.trust.limits import STAGED

if TYPE_CHECKING:
    from byoa.builds.lookups import LookedUp
    from byoa.content.inspection import Report
    from byoa.engine.ports import Source


def read(found: LookedUp, quarantine: Source) -> ReadContents:
    """Look into what was fetched for a lookup.

    Raises what ``inspection.inspect`` and ``difference.compare`` raise; ``EventUntrusted`` where nothing is to be read.
    """
    roots = [root_of(each, quarantine) for each in found.artifacts]
    if found.action == "inspect" and len(roots) == 1:
        contents = _contents(str(roots[0].digest), look_into(quarantine, roots[0]))
        return ReadContents(organisation=found.organisation, action="inspect", contents=contents)
    if found.action == "diff" and len(roots) == 2:  # noqa: PLR2004 - what a difference is between
        parts = VerifiedContents(quarantine)
        before, after = (Side(parts, root, name) for root, name in zip(roots, ("before", "after"), strict=True))
        differing = compare(before, after, STAGED)
        document = {"before": found.artifacts[0].digest, "after": found.artifacts[1].digest, **differing.document()}
        difference = ObjectDifference.model_validate({**document, "differs": differing.differs})
        return ReadContents(organisation=found.organisation, action="diff", difference=difference)
    raise EventUntrusted("There is nothing to read for this lookup.")


def _contents(digest: str, report: Report) -> Contents:
    return Contents(
        digest=digest,
        format=report.format.value,
        encrypted=report.encrypted,
        templated=report.templated,
        resources=len(report.resources),
        objects=[
            NamedObject(api_version=each.api_version, kind=each.kind, namespace=each.namespace, name=each.name)
            for each in report.resources[:OBJECTS]
        ],
        images=[*report.images[:OBJECTS]],
        notes=[*report.notes],
        usable_by=report.usable_by,
        obstacles={name: reason for name, reason in report.obstacles.items() if reason},
    )
