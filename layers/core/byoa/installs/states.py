"""What travels between the states of a deploy: each takes what was known and answers what it adds.

Objects, inputs and plans lie in the quarantine and travel by digest: they may be large, and Step Functions keeps what a
message carries for 90 days.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, Json, ValidationError, ValidatorFunctionWrapHandler, field_validator

from byoa.builds.messages import BuildId, CaughtError, ExecutionName, Failure, Label, Message
from byoa.installs.messages import DeployId, DeployKey, DeployStatus, ObjectHealth, Operation


class DeployReceived(DeployKey):
    """A deploy that was asked for, and the execution that received it. What else the event says is looked up."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    execution: ExecutionName


class CheckedDeploy(DeployKey):
    """A deploy that this execution has, of a build whose receipt is good.

    ``digest`` and ``reference`` are the mirror's, ``values`` the digest of what ``.nuon`` is in the install; a teardown
    has none of these. ``fingerprint`` is of the plan that was approved, with the ``names`` of its parts. ``begun_ts``
    and ``ends_ts`` bound it (ms since 1970 UTC).
    """

    execution: ExecutionName
    deploy_id: DeployId
    app: Label
    operation: Operation
    plan_only: bool = False
    build_id: BuildId | None = None
    digest: str | None = None
    reference: str | None = None
    values: str | None = None
    namespace: str = "default"
    access: dict[str, Any]
    take_over: list[str] = Field(default_factory=list)
    approve_all: bool = False
    recover: bool = False
    fingerprint: str | None = None
    names: list[str] = Field(default_factory=list)
    drift_schedule: str | None = None
    install_version: int | None = None
    begun_ts: int
    ends_ts: int


class PulledMirror(Message):
    """The mirror is in quarantine: how many blobs and bytes were pulled from there."""

    blobs: int
    bytes: int


class LoadedManifests(Message):
    """The rendered objects, by the digest of their text, and the namespace of those that name none."""

    objects: str
    count: int
    target_namespace: str


class LoadedDeploy(CheckedDeploy):
    """A deploy whose objects are rendered, and the namespace of those that name none; none where all is to go."""

    objects: str | None = None
    target_namespace: str = "default"


type Next = Literal["apply", "look", "record"]
"""Whether the plan is applied, whether only health is looked at, or neither."""


class PlannedInstall(Message):
    """What a plan comes to. ``plan`` and ``contents`` are digests: what is applied, and what people are shown.

    ``status`` is what the deploy ends as where nothing is applied; ``next`` says whether that is so. ``kept`` isn't
    wanted any more and stays, with reasons.
    """

    plan: str
    contents: str
    fingerprint: str
    counts: dict[str, int]
    needs: list[str] = Field(default_factory=list)
    faults: list[Failure] = Field(default_factory=list)
    kept: list[list[str]] = Field(default_factory=list)
    status: DeployStatus
    next: Next


class ApplyTask(CheckedDeploy):
    """A plan to apply, of which so many objects were written already."""

    plan: str
    done: int = 0


class AppliedInstall(Message):
    """How many objects of how many were written, and whether there are more."""

    done: int
    total: int
    pending: bool


class HealthTask(CheckedDeploy):
    """What was planned is to be looked at, once or until it is healthy; ``begun`` and ``stuck`` are what is known."""

    plan: str
    once: bool = False
    looks: int = 0
    begun: float | None = None
    stuck: dict[str, float] = Field(default_factory=dict)


class HealthSeen(Message):
    """How objects are now: those that are not healthy, and of how many.

    ``wait`` is how many seconds to let pass before the next look; ``failure`` is why there is none.
    """

    verdict: Literal["healthy", "progressing", "unhealthy"]
    objects: list[ObjectHealth]
    total: int
    looks: int
    begun: float
    stuck: dict[str, float]
    wait: int = 0
    failure: Failure | None = None


class PruneTask(CheckedDeploy):
    """A plan of which all that is wanted is there."""

    plan: str


class PrunedInstall(Message):
    """How many objects are gone, which should be and aren't, with reasons, and whether there are more to try."""

    gone: int
    left: list[list[str]]
    pending: bool


class DeployEnded(DeployKey):
    """The way a deploy went under one execution, as far as it came, and what stopped it if something did."""

    execution: ExecutionName
    checked: CheckedDeploy | None = None
    planned: PlannedInstall | None = None
    applied: AppliedInstall | None = None
    health: HealthSeen | None = None
    pruned: PrunedInstall | None = None
    failure: CaughtError | None = None


class DeployOutcome(Message):
    """How a deploy ended, or that its plan waits."""

    status: DeployStatus
    failure: Failure | None = None


class _ExecutionInput(Message):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    detail: DeployReceivedDetail


class DeployReceivedDetail(DeployKey):
    """The event that an execution began with."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class StoppedDeploy(Message):
    """The detail of Step Functions' own event about an execution that failed, was stopped, or ran out of time.

    ``input`` is ``None`` where it is about no deploy.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    status: Literal["FAILED", "TIMED_OUT", "ABORTED"]
    name: ExecutionName
    input: Json[_ExecutionInput] | None = None

    @field_validator("input", mode="wrap")
    @classmethod
    def _none_without_a_deploy(cls, value: object, read: ValidatorFunctionWrapHandler) -> _ExecutionInput | None:
        try:
            found: _ExecutionInput | None = read(value)
        except ValidationError:
            return None
        return found


class SweptDeploys(Message):
    """What a sweep did: how many deploys it told of again, ended, or let go of, and how many it could do none with."""

    told: int
    ended: int
    failed: int = 0


class DriftAsked(Message):
    """How many components are looked at for drift now, or mended."""

    asked: int = Field(ge=0)
