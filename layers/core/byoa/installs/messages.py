"""What is kept of installs and their deploys, and what travels between the states of a deploy.

An install is a cluster that components of one app are applied to. A deploy is one run for one component of it.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from byoa.builds.messages import BuildId, ExecutionName, Failure, Label, Message, OrganisationId

DEPLOY_ASKED: Final = "Install Deploy Requested"
DEPLOY_STATUS_CHANGED: Final = "Install Deploy Status Changed"

type Operation = Literal["apply", "teardown", "drift"]
"""What a deploy is for; ``drift`` only looks, unless the install has what drifted mended."""

type DeployStatus = Literal[
    "pending", "queued", "planning", "pending-approval", "executing",
    "active", "noop", "inactive", "auto-skipped", "drift-detected", "no-drift", "approval-denied", "cancelled", "error",
]  # fmt: skip
"""Nuon's names. A ``pending`` one waits for others; ``inactive`` is what was torn down, ``auto-skipped`` what was only
to be planned or waited for what didn't go well; a deploy that a newer one overtook is ``cancelled``.
"""

ENDED: Final[frozenset[DeployStatus]] = frozenset((
    "active", "noop", "inactive", "auto-skipped", "drift-detected", "no-drift", "approval-denied", "cancelled", "error",
))  # fmt: skip

type ApprovalOption = Literal["prompt", "approve-all"]
"""Whether somebody is asked before a plan is applied. What only goes by name is never approved by ``approve-all``."""

type Decision = Literal["approve", "deny"]

InstallId = Annotated[str, StringConstraints(pattern=r"^inl[a-z2-7]{23}$")]
DeployId = Annotated[str, StringConstraints(pattern=r"^dpl[a-z2-7]{23}$")]

HISTORY: Final = 200
"""Lines of a deploy's history at most."""


class Install(Message):
    """An install as it is kept. Moments are in milliseconds since 1970-01-01 UTC.

    ``access`` says how its cluster is reached and holds no secret (``installs.reaching``); ``follow`` names the
    components that are deployed as soon as a build of them is active, with ``deploy_dependents`` in order and with what
    depends on them; ``mend`` has drift mended that the schedule finds. ``version`` counts its changes.
    """

    organisation: OrganisationId
    app: Label
    id: InstallId
    name: Label
    approval: ApprovalOption = "prompt"
    access: dict[str, Any]
    inputs: dict[str, Any] = {}
    follow: list[Label] = []
    deploy_dependents: bool = False
    mend: bool = False
    created_at_ts: int
    updated_at_ts: int
    created_by: str | None = None
    version: Annotated[int, Field(ge=1)] = 1


class InstallComponent(Message):
    """One component of an install: two axes, how its newest deploy went and how its objects are.

    ``number`` is its newest deploy's; ``build_id`` and ``digest`` are what was applied last. ``objects`` are tracked.
    ``next_drift_ts`` is when drift is looked for by its schedule. ``install_version`` is the install's when it was
    applied: what is approved is approved as the install was then.
    """

    install_id: InstallId
    component: Label
    number: int
    deploy_id: DeployId
    status: DeployStatus
    build_id: BuildId | None = None
    digest: str | None = None
    health: Literal["healthy", "progressing", "degraded", "unhealthy", "unknown", "not-applicable"] = "unknown"
    drift: Literal["drift-detected", "no-drift", "unknown"] = "unknown"
    drift_checked_at_ts: int | None = None
    next_drift_ts: int | None = None
    install_version: int | None = None
    objects: int = 0
    updated_at_ts: int


class DeployKey(Message):
    """A deploy's identity: its number among those of one component of one install."""

    organisation: OrganisationId
    install_id: InstallId
    component: Label
    number: Annotated[int, Field(ge=1, le=9_999_999_999)]

    @property
    def key(self) -> DeployKey:
        """This message's identity alone."""
        return DeployKey(**{name: getattr(self, name) for name in DeployKey.model_fields})


def deploy_id_of(key: DeployKey, series: str) -> str:
    """26 characters that start with ``dpl``; see ``builds.messages.build_id_of``."""
    name = "\n".join((key.organisation, key.install_id, key.component, str(key.number), series))
    return "dpl" + base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()[:23]


class DeployEntry(Message):
    """One line of a deploy's history."""

    status: DeployStatus
    status_human_description: str
    created_at_ts: int
    metadata: dict[str, str | int] = {}


class Answered(Message):
    """What somebody said to a plan: of which fingerprint, and which of its parts were approved by name."""

    decision: Decision
    fingerprint: str
    names: list[str] = []
    note: str = ""
    by: str | None = None
    at_ts: int


class Before(Message):
    """A deploy of the same install that another one waits for."""

    component: Label
    number: Annotated[int, Field(ge=1)]
    id: DeployId


class Dependent(Message):
    """A component that is deployed behind another: which build of it, and behind which components of the same run."""

    component: Label
    build_id: BuildId
    config_version: int
    after: list[Label]


class ObjectHealth(Message):
    """How one object is that was applied."""

    object: str
    state: str
    reason: str = ""


class Deploy(DeployKey):
    """A deploy as the ledger has it. ``status`` to ``history`` is Nuon's composite status.

    ``counts``, ``needs`` and ``fingerprint`` are of its plan; the plan's contents are kept beside it. ``left`` is what
    should be gone and isn't, with reasons. ``plan_only`` ends after the plan. ``cause`` says who wanted it: somebody,
    a build that is followed, the schedule of drift, or somebody who goes back to an older build. To ``recover`` is to
    track again what the component's labels find in the cluster. It begins when all went well that it ``waits_for``;
    ``dependents`` are deployed behind it, each with its id as their ``run``. ``names`` are parts of its plan that were
    approved by name before there was one.
    """

    app: Label
    id: DeployId
    operation: Operation
    plan_only: bool = False
    build_id: BuildId | None = None
    config_version: int | None = None
    status: DeployStatus
    status_human_description: str
    created_at_ts: int
    metadata: dict[str, str | int] = {}
    history: list[DeployEntry]
    left_out: int = 0
    created_by: str | None = None
    cause: Literal["asked", "followed", "schedule", "rollback"] = "asked"
    approve_all: bool = False
    recover: bool = False
    take_over: list[str] = []
    run: DeployId | None = None
    waits_for: list[Before] = []
    dependents: list[Dependent] = []
    names: list[str] = []
    execution: ExecutionName | None = None
    counts: dict[str, int] = {}
    needs: list[str] = []
    fingerprint: str | None = None
    answered: Answered | None = None
    digest: str | None = None
    reference: str | None = None
    health: list[ObjectHealth] = []
    left: list[list[str]] = []
    failure: Failure | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ENDED


class DeployAsked(DeployKey):
    """The detail of an "Install Deploy Requested" event: what the state machine begins with.

    ``operation`` is Nuon's: the plan is made and, where nobody needs to be asked, applied; or it was approved.
    """

    operation: Literal["create-apply-plan", "apply-plan", "create-teardown-plan", "drift"]
    agent: bool = False
    """Whether it waits for the install's own agent, and no execution is to begin."""


class DeployStatusChanged(DeployKey):
    """The detail of an "Install Deploy Status Changed" event."""

    app: Label
    id: DeployId
    operation: Operation
    status: DeployStatus
    status_human_description: str
    changed_at_ts: int
    counts: dict[str, int] = {}
    failure: Failure | None = None
