"""What lookups take and answer."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from byoa.api.documents import moment
from byoa.api.shapes import CredentialName, Shown, Taken
from byoa.builds.lookups import Action, Answer, AttachedHere, DifferingObject, Found, NamedObject, Surroundings
from byoa.builds.messages import Failure
from byoa.trust.policy import TARGETS

Text = Annotated[str, StringConstraints(max_length=2048)]
Url = Annotated[Text, Field(description="oci://HOST[:PORT]/REPOSITORY, perhaps with the tag or the digest.")]


class ArtifactIn(Taken):
    """An artifact by its url, and a tag or a digest, in the url or beside it."""

    url: Url
    tag: Text | None = None
    digest: Text | None = None
    credentials_ref: CredentialName | None = Field(default=None, description="The name of stored credentials.")


class PlanIn(ArtifactIn):
    """The same, and where a build of it would be mirrored to."""

    targets: list[Annotated[str, StringConstraints(max_length=63)]] | None = Field(
        default=None, min_length=1, max_length=10, description="Names of targets (GET /v1/policies); left out: all."
    )


class RepositoryIn(Taken):
    """A repository by its url."""

    url: Annotated[Text, Field(description="oci://HOST[:PORT]/REPOSITORY, without a tag.")]
    credentials_ref: CredentialName | None = Field(default=None, description="The name of stored credentials.")


class PairIn(Taken):
    """Two artifacts: what was, and what is."""

    before: ArtifactIn
    after: ArtifactIn


class ResolvedOut(Shown):
    """What a reference means now."""

    reference: str
    digest: str
    media_type: str
    artifact_type: str | None
    size: int = Field(description="Bytes of the manifest, not of what it refers to.")
    resolved_at: str


class InspectedOut(ResolvedOut):
    """What an artifact holds: all objects are counted, the first 1,000 listed; and what is attached to it.

    Signatures are told of where there are any. Nobody has verified them.
    """

    format: str
    encrypted: bool
    templated: bool
    resource_count: int
    resources: list[NamedObject]
    images: list[str]
    notes: list[str]
    usable_by: dict[str, bool]
    obstacles: dict[str, str] = Field(description="Why those that can't use it can't.")
    content_bytes: int = Field(description="Bytes of the artifact in all, without what is attached to it.")
    attached_count: int
    attached: list[AttachedHere] = Field(description="The first 20 manifests that are attached, by what they say.")


class PlannedOut(ResolvedOut):
    """What a build would fetch, with what is attached; ``missing_permissions`` is what the registry refused."""

    bytes: int
    manifests: int
    blobs: dict[str, int] = Field(description="How many there are to ``copy``, and how many are there to ``skip``.")
    attached: int
    missing_permissions: list[str]
    notes: list[str]
    targets: list[str] = Field(description="Where a build would mirror it to.")


class DifferenceOut(Shown):
    """Which Kubernetes objects differ between two artifacts, and where. Values of Secrets are never shown."""

    before: ResolvedOut
    after: ResolvedOut
    differs: bool
    added: int
    removed: int
    changed: int
    same: int
    objects: list[DifferingObject]
    left_out: int
    notes: list[str]


class TagsOut(Shown):
    """A repository's tags, 1,000 at most: versions from the highest on, then all others, by name from the last on."""

    tags: list[str]
    truncated: bool = Field(description="Whether the repository has, or may have, more.")


type Result = DifferenceOut | InspectedOut | PlannedOut | ResolvedOut | TagsOut


class LookupOut(Shown):
    """A lookup that took longer than a request waits: where it is, and then its answer, or why there is none."""

    id: str
    action: Action
    state: Literal["running", "done", "failed"]
    began_at: str
    ended_at: str | None
    result: Result | None
    failure: Failure | None
    links: dict[str, str]


def result_out(answer: Answer) -> Result:
    """An answer as the API tells it."""
    if answer.tags:
        return TagsOut(tags=answer.tags.tags, truncated=answer.tags.truncated)
    first, *more = (_resolved(each) for each in answer.artifacts)
    if answer.difference:
        said = answer.difference.model_dump(exclude={"before", "after"})
        return DifferenceOut(before=first, after=more[0], **said)
    if answer.contents:
        said = answer.contents.model_dump(exclude={"digest", "resources", "objects"})
        listed = {"resource_count": answer.contents.resources, "resources": answer.contents.objects}
        around = answer.around or Surroundings(bytes=0, count=0, attached=[], notes=[])
        said["notes"] += around.notes
        beside = {"content_bytes": around.bytes, "attached_count": around.count, "attached": around.attached}
        return InspectedOut(**first.model_dump(), **listed, **said, **beside)
    if answer.plan:
        said = answer.plan.model_dump(exclude={"blobs_to_copy", "blobs_to_skip"})
        blobs = {"copy": answer.plan.blobs_to_copy, "skip": answer.plan.blobs_to_skip}
        return PlannedOut(**first.model_dump(), blobs=blobs, **said, targets=list(TARGETS))
    return first


def _resolved(found: Found) -> ResolvedOut:
    return ResolvedOut(
        reference=found.reference,
        digest=found.digest,
        media_type=found.media_type,
        artifact_type=found.artifact_type,
        size=found.size,
        resolved_at=moment(found.resolved_at_ts),
    )
