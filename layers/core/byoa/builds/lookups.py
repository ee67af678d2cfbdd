"""What is asked of artifacts in registries without a build, and what is answered: nothing of it is kept.

A lookup goes through two functions, as a build does: LookUpArtifact asks registries, with what vendors lent, and reads
no contents; ReadArtifacts reads contents, and reaches nothing but the quarantine. The answer of the first is the
question of the second where ``reads`` says so. What nobody waits for any more AnswerLookup asks of both, and keeps.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints, model_validator

from byoa.builds.messages import Failure, Message, OrganisationId
from byoa.errors import ReferenceInvalid
from byoa.oci.attached import Kind
from byoa.oci.reference import Reference

type Action = Literal["resolve", "plan", "inspect", "diff", "tags"]

OBJECTS: Final = 1000
"""How many objects and images an answer lists; all objects are counted."""

TAGS: Final = 1000
"""How many tags an answer lists."""

Text = Annotated[str, StringConstraints(max_length=2048)]


class Sought(Message):
    """An artifact: a url, and a tag or a digest, in the url or beside it; or a repository by its url alone."""

    url: Text
    tag: Text | None = None
    digest: Text | None = None
    credentials_ref: Text | None = None

    def reference(self, action: Action) -> Reference:
        """What the action is about. Raises what ``Reference.of`` raises, and ``ReferenceInvalid`` for tags of a tag."""
        if action != "tags":
            return Reference.of(self.url, tag=self.tag, digest=self.digest)
        reference = Reference.parse(self.url)
        if reference.tag or reference.digest or self.tag or self.digest:
            raise ReferenceInvalid(
                "Tags are listed of a repository, and this names a tag or a digest.", remedy="Leave the tag away."
            )
        return reference


class LookUp(Message):
    """What one organisation wants to know of an artifact, or of two: what was, and what is."""

    organisation: OrganisationId
    action: Action
    artifacts: list[Sought] = Field(min_length=1, max_length=2)

    @model_validator(mode="after")
    def _as_many_as_it_takes(self) -> LookUp:
        if (len(self.artifacts) == 2) != (self.action == "diff"):  # noqa: PLR2004 - what a difference is between
            raise ValueError("a difference is between two artifacts, and all else is about one")
        return self


class Found(Message):
    """What a reference means, ``resolved_at_ts`` (ms since 1970 UTC): the top manifest, as text where it is small."""

    reference: str
    digest: str
    media_type: str
    size: int
    artifact_type: str | None
    resolved_at_ts: int
    manifest: str | None = None


class FetchPlan(Message):
    """What a build would fetch, with what is attached: blobs that are in quarantine already it would skip.

    ``bytes`` are those of all manifests and of the blobs to copy, ``missing_permissions`` what the registry refused.
    """

    manifests: int = 0
    blobs_to_copy: int = 0
    blobs_to_skip: int = 0
    bytes: int = 0
    attached: int = 0
    missing_permissions: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)


class TagList(Message):
    """A repository's tags, the newest first (``oci.tags``); ``truncated`` where it has, or may have, more."""

    tags: list[str] = Field(max_length=TAGS)
    truncated: bool


class AttachedHere(Message):
    """A manifest that is attached, what its type says that it is, and to which manifest of the artifact."""

    digest: str
    subject: str | None
    tag: str | None
    artifact_type: str | None
    kind: Kind


class Surroundings(Message):
    """How many bytes an artifact has, and the first of what is ``attached`` to it, nothing of which was verified."""

    bytes: int
    count: int
    attached: list[AttachedHere]
    notes: list[str]


class LookedUp(Message):
    """The answer, or with ``reads`` what ReadArtifacts is to be asked. Where ``tags`` were wanted nothing is found."""

    organisation: OrganisationId
    action: Action
    artifacts: list[Found]
    plan: FetchPlan | None = None
    tags: TagList | None = None
    around: Surroundings | None = None
    reads: bool = False


class NamedObject(Message):
    """A Kubernetes object, by what identifies it."""

    api_version: str
    kind: str
    namespace: str | None
    name: str


class Contents(Message):
    """What an artifact holds. ``resources`` counts the objects, of which the first are listed."""

    digest: str
    format: str
    encrypted: bool
    templated: bool
    resources: int
    objects: list[NamedObject]
    images: list[str]
    notes: list[str]
    usable_by: dict[str, bool]
    obstacles: dict[str, str]


class ChangedPlace(Message):
    """See ``content.changes.Change``."""

    path: str
    op: Literal["add", "remove", "replace", "move"]
    before: str | None
    after: str | None
    lines: list[str]


class DifferingObject(Message):
    """See ``content.difference.Differing``."""

    op: Literal["added", "removed", "changed"]
    api_version: str
    kind: str
    namespace: str | None
    name: str
    was: str | None
    changes: list[ChangedPlace]
    left_out: int


class ObjectDifference(Message):
    """See ``content.difference.Difference``; ``before`` and ``after`` are the digests of the two."""

    before: str
    after: str
    differs: bool
    added: int
    removed: int
    changed: int
    same: int
    objects: list[DifferingObject]
    left_out: int
    notes: list[str]


class ReadContents(Message):
    """What was read: of one artifact what it holds, of two how they differ."""

    organisation: OrganisationId
    action: Literal["inspect", "diff"]
    contents: Contents | None = None
    difference: ObjectDifference | None = None


class Answer(Message):
    """A lookup's whole answer: what the references mean, and what its action is about."""

    action: Action
    artifacts: list[Found]
    plan: FetchPlan | None = None
    tags: TagList | None = None
    around: Surroundings | None = None
    contents: Contents | None = None
    difference: ObjectDifference | None = None


class AwaitedLookup(Message):
    """A lookup whose answer is to be kept under ``id``, which the API made."""

    organisation: OrganisationId
    id: Annotated[str, StringConstraints(pattern=r"^lkp[a-z2-7]{23}$")]
    asked: LookUp

    @model_validator(mode="after")
    def _of_one_organisation(self) -> AwaitedLookup:
        if self.asked.organisation != self.organisation:
            raise ValueError("a lookup's answer is for who asked")
        return self


class LookupEnded(Message):
    """How an awaited lookup ended, and when (ms since 1970 UTC): with an answer or a failure."""

    ended_ts: int
    answer: Answer | None = None
    failure: Failure | None = None
