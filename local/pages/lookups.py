"""What the examples' registry holds: answers of the two functions of lookups that need no registry."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from byoa.builds.lookups import (
    AttachedHere,
    ChangedPlace,
    Contents,
    DifferingObject,
    FetchPlan,
    Found,
    LookedUp,
    NamedObject,
    ObjectDifference,
    ReadContents,
    Surroundings,
    TagList,
)
from byoa.builds.messages import Tried
from byoa.builds.records import milliseconds

if TYPE_CHECKING:
    from byoa.builds.lookups import LookUp, Sought
    from byoa.builds.messages import Trial
    from byoa.builds.ports import Clock

_WEB: Final[dict[str, Any]] = {"api_version": "apps/v1", "kind": "Deployment", "namespace": "vendor", "name": "web"}


class Samples:
    """Every reference means something, whose digest is made of its text. Implements LookupFunctions.

    Every repository has the same tags.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def look_up(self, asked: LookUp) -> LookedUp:
        """See ``builds.ports.LookupFunctions``. Raises what ``Sought.reference`` raises."""
        if asked.action == "tags":
            asked.artifacts[0].reference("tags")
            tags = TagList(tags=["v2.4.0-rc.1", "v2.3.1", "v2.3.0", "latest"], truncated=False)
            return LookedUp(organisation=asked.organisation, action="tags", artifacts=[], tags=tags)
        signature = AttachedHere(
            digest=f"sha256:{hashlib.sha256(b'signature').hexdigest()}",
            subject=None,
            tag="sha256-0123456789ab.sig",
            artifact_type="application/vnd.oci.image.config.v1+json",
            kind="signature",
        )
        around = Surroundings(bytes=48_213, count=1, attached=[signature], notes=[])
        plan = FetchPlan(manifests=3, blobs_to_copy=2, blobs_to_skip=1, bytes=48_213, attached=2)
        return LookedUp(
            organisation=asked.organisation,
            action=asked.action,
            artifacts=[self._found(each) for each in asked.artifacts],
            plan=plan if asked.action == "plan" else None,
            around=around if asked.action == "inspect" else None,
            reads=asked.action in ("inspect", "diff"),
        )

    def read(self, found: LookedUp) -> ReadContents:
        """See ``builds.ports.LookupFunctions``."""
        if found.action == "inspect":
            contents = _contents(found.artifacts[0].digest)
            return ReadContents(organisation=found.organisation, action="inspect", contents=contents)
        difference = _difference(*(each.digest for each in found.artifacts))
        return ReadContents(organisation=found.organisation, action="diff", difference=difference)

    def _found(self, sought: Sought) -> Found:
        reference = sought.reference("resolve")
        sample = f"sha256:{hashlib.sha256(str(reference).encode()).hexdigest()}"
        return Found(
            reference=str(reference),
            digest=str(reference.digest or sample),
            media_type="application/vnd.oci.image.manifest.v1+json",
            size=634,
            artifact_type="application/vnd.cncf.flux.config.v1+json",
            resolved_at_ts=milliseconds(self._clock.now()),
        )


def tried(trial: Trial) -> Tried:
    """What a build would meet with the examples' credentials."""
    digest = f"sha256:{hashlib.sha256((trial.reference or '').encode()).hexdigest()}"
    return Tried(
        name=trial.name,
        kind="basic",
        host="ghcr.io",
        version="example",
        login="accepted",
        reference=trial.reference,
        digest=digest if trial.reference else None,
        media_type="application/vnd.oci.image.manifest.v1+json" if trial.reference else None,
        size=634 if trial.reference else None,
    )


def _contents(digest: str) -> Contents:
    return Contents(
        digest=digest,
        format="flux",
        encrypted=False,
        templated=False,
        resources=1,
        objects=[NamedObject(**_WEB)],
        images=["ghcr.io/vendor/app:2.3.1"],
        notes=[],
        usable_by={"byoa": True, "flux": True, "argo_cd": True},
        obstacles={},
    )


def _difference(before: str, after: str) -> ObjectDifference:
    image = ChangedPlace(
        path="/spec/template/spec/containers/name=app/image",
        op="replace",
        before="ghcr.io/vendor/app:2.3.1",
        after="ghcr.io/vendor/app:2.4.0",
        lines=[],
    )
    changed = DifferingObject(op="changed", **_WEB, was=None, changes=[image], left_out=0)
    differs = before != after
    return ObjectDifference(
        before=before,
        after=after,
        differs=differs,
        added=0,
        removed=0,
        changed=int(differs),
        same=3 - differs,
        objects=[changed] if differs else [],
        left_out=0,
        notes=[],
    )
