"""What travels between the states of the pipeline, what stands in the ledger, and the events on the bus.

Each state takes the message of the state before and adds to it. A message stays under 200 KiB: content travels through
the quarantine, and so do lists that a vendor can make long (``byoa.builds.lists``); what people only look at is cut.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Json,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from byoa.components.reading import ComponentConfig
from byoa.oci.attached import Kind

CONFIG_CHANGED: Final = "Component Config Changed"
BUILD_STATUS_CHANGED: Final = "Component Build Status Changed"
COMPONENT_DELETED: Final = "Component Deleted"
EVENT_SOURCE: Final = "io.byoa"

LISTED: Final = 100
"""How many namespaces, images and kinds a message lists at most; what is cut still counts in ``resources``."""

LISTED_CHARACTERS: Final = 8 * 1024
"""How long each of these lists is at most, whatever its entries are."""

NAMED: Final = 500
"""How many objects a message names at most."""

NAMED_CHARACTERS: Final = 24 * 1024
"""How long their names and kinds are at most, as JSON has them."""

type Status = Literal["queued", "planning", "building", "active", "error", "superseded"]
ENDED: Final[frozenset[Status]] = frozenset({"active", "error", "superseded"})

type Stage = Literal["unfinished", "active", "error", "superseded"]
"""How a build ended, or that it hasn't."""

OrganisationId = Annotated[str, StringConstraints(pattern=r"^org_[a-z0-9]{12,40}$")]
BuildId = Annotated[str, StringConstraints(pattern=r"^bld[a-z2-7]{23}$")]
ExecutionName = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:[_-][a-z0-9]+)*$", max_length=63)]


class Message(BaseModel):
    """Frozen and exact."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class BuildKey(Message):
    """A build's identity: the config version that it builds. One version has one build."""

    organisation: OrganisationId
    app: Label
    component: Label
    version: Annotated[int, Field(ge=1, le=9_999_999_999)]

    @property
    def key(self) -> BuildKey:
        """This message's identity alone."""
        return BuildKey(organisation=self.organisation, app=self.app, component=self.component, version=self.version)


def build_id_of(key: BuildKey, series: str) -> str:
    """26 characters that start with ``bld``: a build's id, and its mirror's tag.

    The same for the same key in one ``series``, which a table is: repositories outlive it, and in a new one versions
    begin at 1 again.
    """
    name = "\n".join((key.organisation, key.app, key.component, str(key.version), *([series] if series else [])))
    return "bld" + base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()[:23]


class ConfigChanged(BuildKey):
    """The detail of a "Component Config Changed" event. Other producers may add fields; nothing reads them."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class ChangeReceived(ConfigChanged):
    """The change, and the name of the execution that received it."""

    execution: ExecutionName


class ValidReference(BuildKey):
    """What is to be built, from where, for which targets; the reference is allowed.

    ``execution`` has the build: every write of it is held to that name. ``handed_in_ts`` is when the config was
    accepted, ``ends_ts`` when the build's time is over, in milliseconds since 1970-01-01 UTC.
    """

    execution: ExecutionName
    build_id: BuildId
    source_type: Literal["inline", "oci_artifact"]
    reference: str | None
    credentials_ref: str | None
    targets: list[str]
    handed_in_ts: int
    ends_ts: int


class PinnedArtifact(ValidReference):
    """The artifact's top manifest by digest; from here on nothing reads the tag.

    ``source_requests`` is what the build has asked of the source so far; ``manifest`` is the manifest itself, as text,
    where it is small.
    """

    media_type: str
    digest: str
    size: int
    tag: str | None
    source_requests: int = 0
    manifest: str | None = None


class Node(Message):
    """One manifest or blob, as a receipt names it."""

    digest: str
    size: int
    media_type: str


class StoredList(Message):
    """A list of nodes in the quarantine, by the digest of its text, and how many it has."""

    digest: str
    count: int


class Attached(Message):
    """A manifest that is attached to the artifact, and the tag that cosign finds it by, if it is found so."""

    digest: str
    tag: str | None = None


class AttachedTo(Message):
    """A manifest that is attached, to what it is attached, and what its type says that it is.

    ``subject`` is the artifact, a manifest below it, or another one that is attached; messages of before that was told
    have none. ``tag`` is the one that cosign finds it by, if it is found so.
    """

    digest: str
    tag: str | None = None
    subject: str | None = None
    kind: Kind = "other"


class PendingBlob(Node):
    """A blob that is still to be copied, the upload that has a part of it, and how often it was taken up."""

    session: str | None = None
    rounds: int = 0


class StagedArtifact(PinnedArtifact):
    """All of the artifact is in quarantine, every byte verified, unless something is ``pending``.

    ``nodes`` is every manifest and blob, what is attached included; where that is long, ``stored`` says where it is.
    """

    blobs: int
    bytes_staged: int
    nodes: list[Node] = []
    stored: StoredList | None = None
    attachments: list[AttachedTo] = []
    pending: list[PendingBlob] = []


class StageBlobTask(Message):
    """One blob that StageArtifact left to others."""

    artifact: PinnedArtifact
    blob: PendingBlob


class BlobDone(Message):
    """What became of one blob: whether it is there, and if not, how to go on."""

    done: bool
    blob: PendingBlob


class Inspection(Message):
    """What an artifact holds."""

    format: str
    encrypted: bool
    templated: bool
    resources: int
    kinds: dict[str, int]
    namespaces: list[str]
    images: list[str]
    usable_by: dict[str, bool]


class NamedObjects(Message):
    """Objects by their kinds, each as ``NAMESPACE/NAME`` or ``NAME``; ``left_out`` counts those that have no room.

    Where they are kept, what is ``attached`` to the artifact is kept with them; ``None`` is of before that.
    """

    by_kind: dict[str, list[str]]
    left_out: int
    attached: list[AttachedTo] | None = None


class InspectedArtifact(StagedArtifact):
    """The artifact may be mirrored."""

    inspection: Inspection
    objects: NamedObjects | None = None


class MirrorTask(Message):
    """One artifact for one target."""

    artifact: InspectedArtifact
    target: str


class MirrorBlobTask(MirrorTask):
    """One blob that MirrorArtifact left to others."""

    blob: PendingBlob


class Proof(Message):
    """What the target's HEAD said after the write, and when (milliseconds since 1970-01-01 UTC)."""

    digest: str
    at_ts: int


class MirroredArtifact(Message):
    """Where one target keeps the artifact: an install pulls ``reference``, which holds the digest.

    While anything is ``pending`` nothing may be pulled, and there is no proof.
    """

    target: str
    reference: str
    tag: str
    digest: str
    blobs_copied: int
    blobs_mounted: int = 0
    blobs_skipped: int
    bytes_copied: int
    requests: int = 0
    seconds: float = 0.0
    proof: Proof | None = None
    pending: list[PendingBlob] = []


class Failure(Message):
    """What a failed build tells its people."""

    code: str
    cause: str
    remedy: str
    where: str | None = None


class CaughtError(Message):
    """What the state machine caught: an error's name, and the function's report as text."""

    error: str
    cause: str


class BuildEnded(BuildKey):
    """The way a build went under one execution: either all of it, or what stopped it."""

    execution: ExecutionName
    artifact: InspectedArtifact | None = None
    mirrors: list[MirroredArtifact] = []
    failure: CaughtError | None = None


class ExecutionInput(Message):
    """What the rule starts the state machine with: the event."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    detail: ConfigChanged


class StoppedExecution(Message):
    """The detail of Step Functions' own event about an execution that failed, was stopped, or ran out of time.

    ``input`` is ``None`` where it is about no build: anybody who may start executions says what is in it, and the event
    leaves out a long one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    status: Literal["FAILED", "TIMED_OUT", "ABORTED"]
    name: ExecutionName
    input: Json[ExecutionInput] | None = None

    @field_validator("input", mode="wrap")
    @classmethod
    def _none_without_a_build(cls, value: object, read: ValidatorFunctionWrapHandler) -> ExecutionInput | None:
        try:
            found: ExecutionInput | None = read(value)
        except ValidationError:
            return None
        return found


class SweepDue(Message):
    """The schedule's event: it is time for a sweep, and nothing in it matters."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class Swept(Message):
    """What a sweep did: how many builds it told of again, how many it ended, and how many it could do neither with."""

    told: int
    ended: int
    failed: int = 0


class RetireTask(Message):
    """An artifact that is mirrored: versions of its component before it needn't keep their tags there."""

    artifact: InspectedArtifact
    target: str


class Retired(Message):
    """How many tags of earlier versions were taken off the artifact."""

    tags: int


class Outcome(Message):
    """How a build ended."""

    status: Literal["active", "error", "superseded"]
    digest: str | None = None
    tag: str | None = None
    inspection: Inspection | None = None
    mirrors: list[MirroredArtifact] = []
    failure: Failure | None = None


class HistoryEntry(Message):
    """One line of a build's history. ``created_at_ts`` is in milliseconds since 1970-01-01 UTC."""

    status: Status
    status_human_description: str
    created_at_ts: int
    metadata: dict[str, str | int] = {}


class ConfigVersion(BuildKey):
    """A config as it was accepted, and the file that says it, as somebody wrote it, where one was handed in."""

    config: ComponentConfig
    fingerprint: str
    created_at_ts: int
    created_by: str | None = None
    text: str | None = None


class Build(BuildKey):
    """A build as the ledger has it. ``status`` to ``history`` is Nuon's composite status.

    ``left_out`` counts lines that a history which is full has no room for. ``build_timeout_ms`` runs from ``begun_ts``.
    ``created_by`` is the id of the token that it was asked for with, if it was one.
    """

    build_id: BuildId
    status: Status
    status_human_description: str
    created_at_ts: int
    metadata: dict[str, str | int] = {}
    history: list[HistoryEntry]
    left_out: int = 0
    source_type: str
    reference: str | None = None
    credentials_ref: str | None = None
    build_timeout_ms: int
    begun_ts: int | None = None
    told_again_ts: int | None = None
    outcome: Outcome | None = None
    created_by: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ENDED

    @property
    def stage(self) -> Stage:
        """How it ended, or that it hasn't."""
        if self.status == "active" or self.status == "error" or self.status == "superseded":  # noqa: PLR1714 - narrowed
            return self.status
        return "unfinished"


class BuildStatusChanged(BuildKey):
    """The detail of a "Component Build Status Changed" event."""

    id: str
    status: Status
    status_human_description: str
    changed_at_ts: int
    outcome: Outcome | None = None


class ComponentDeleted(Message):
    """The detail of a "Component Deleted" event: its builds were stopped, and nothing new is built of it."""

    organisation: OrganisationId
    app: Label
    component: Label
    deleted_at_ts: int


class Trial(Message):
    """Stored credentials to try: against their registry, or against a reference there."""

    organisation: OrganisationId
    name: Annotated[str, StringConstraints(max_length=2048)]
    reference: Annotated[str, StringConstraints(max_length=2048)] | None = None


class Tried(Message):
    """What a step of a build would meet with them.

    ``login`` is ``not asked`` where the registry lets everybody in and so says nothing of it. ``version`` is the
    secret's; what the reference means stands in ``digest``, ``media_type`` and ``size``.
    """

    name: str
    kind: str
    host: str
    version: str
    login: Literal["accepted", "not asked"]
    reference: str | None
    digest: str | None
    media_type: str | None
    size: int | None
