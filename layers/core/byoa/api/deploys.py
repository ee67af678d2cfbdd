"""Deploys of installs, their plans and approvals, as the API takes and answers them: Nuon's names, and ours beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from byoa.api.documents import moment
from byoa.api.models import OciArtifactRow
from byoa.api.shapes import Shown, Taken
from byoa.builds.messages import BuildId, Failure
from byoa.installs.bounds import length
from byoa.installs.messages import DeployEntry, DeployStatus, ObjectHealth, Operation
from byoa.installs.sets import is_set

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.installs.messages import Deploy

type ResponseType = Literal["approve", "deny", "deny-skip-current", "deny-skip-current-and-dependents"]
"""Nuon's answers that mean something where a workflow is one deploy; the last three are one."""

Note = Annotated[str, StringConstraints(max_length=1000)]
NAMES_LIMIT = 32 * 1024
"""Characters of all names of an approval, as JSON in ASCII: they go with the deploy, whose messages take 256 KiB."""

FEW_LIMIT = 4 * 1024
"""Characters of other lists that go with a deploy: owners, and names that are approved before there is a plan."""


def _bounded(names: list[str]) -> list[str]:
    if length(names) > NAMES_LIMIT:
        raise PydanticCustomError("too_long", "All names together are 32 KiB at most.")
    return names


def _each(names: list[str]) -> list[str]:
    """Before there is a plan nobody knows what a set of it stands for."""
    if any(is_set(each) for each in names):
        raise PydanticCustomError("set", "KIND:COUNT names parts of a plan that was seen: say it with its approval.")
    return _few(names)


def _few(names: list[str]) -> list[str]:
    if length(names) > FEW_LIMIT:
        raise PydanticCustomError("too_long", "All of them together are 4 KiB at most.")
    return names


Names = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=700)]],
    Field(max_length=1000),
    AfterValidator(_bounded),
]
FewNames = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=700)]],
    Field(max_length=100),
    AfterValidator(_each),
]
Owners = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=128)]],
    Field(max_length=20, description="Owners, as plans name them, whose fields are taken where they stand in the way."),
    AfterValidator(_few),
]


class DeployIn(Taken):
    """A deploy to make. An older build than the one that is installed is the way back."""

    build_id: BuildId | None = Field(default=None, description="What to install; without, the newest active build.")
    plan_only: bool = Field(default=False, description="Whether it ends with the plan.")
    approve_all: bool = Field(default=False, description="Whether it waits for nobody, but for what only goes by name.")
    take_over: Owners = Field(default_factory=list)
    names: FewNames = Field(default=[], description="Parts that only go by name, approved before there is a plan.")
    recover: bool = Field(
        default=False, description="Whether what has the component's labels in the cluster is tracked again."
    )
    deploy_dependents: bool = Field(
        default=False,
        description="Whether the components that depend on it follow, directly or through others: each by its newest "
        "active build, when what it depends on went well.",
    )


class TeardownIn(Taken):
    """A teardown to make: everything that is tracked is deleted, but for what only goes by name."""

    plan_only: bool = False
    approve_all: bool = False
    names: FewNames = Field(default=[], description="Parts that only go by name, approved before there is a plan.")


class DriftIn(Taken):
    """A look for drift: nothing to say."""


class ApprovalResponse(Taken):
    """An answer to a plan that waits, as Nuon has it."""

    response_type: ResponseType
    note: Note = ""


class ApprovalIn(ApprovalResponse):
    """The same with what the answer is about."""

    fingerprint: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = Field(
        default=None, description="The plan that was seen: an answer to another one is refused."
    )
    names: Names = Field(
        default=[],
        description="Parts that only go by name, as the plan's `needs` has them. With a fingerprint also `KIND:COUNT`, "
        "as its `sets` have them: all such parts of that kind.",
    )


class DeployStatusV2(Shown):
    """Nuon's composite status. Lists leave ``history`` out."""

    status: DeployStatus
    status_human_description: str
    created_at_ts: int
    created_by_id: str | None = Field(description="Who answered or stopped it, else who wanted it.")
    metadata: dict[str, str | int]
    history: list[DeployEntry]
    history_left_out: int = 0


class AnswerOut(Shown):
    """What somebody said to a plan: ``type`` is Nuon's name for it in an answer, ``response_type`` in a request."""

    type: Literal["approve", "deny"]
    response_type: Literal["approve", "deny"]
    note: str
    names: list[str]
    fingerprint: str
    created_at: str
    created_by_id: str | None


class BeforeOut(Shown):
    """A deploy that another one waits for."""

    component_id: str
    deploy_id: str


class DependentOut(Shown):
    """A component that is deployed behind, and the components of the run that it waits for."""

    component_id: str
    build_id: str
    after: list[str]


class LeftOut(Shown):
    """What should be gone and isn't."""

    object: str
    why: str


class DeployOut(Shown):
    """A deploy of one component to one install."""

    id: str
    org_id: str
    app_id: str
    install_id: str
    install_component_id: str
    component_id: str
    component_name: str
    build_id: str | None
    component_config_version: int | None
    install_deploy_type: Literal["apply", "teardown"]
    operation: Operation
    plan_only: bool
    status: DeployStatus
    status_description: str
    status_v2: DeployStatusV2
    workflow_id: str
    install_workflow_id: str
    oci_artifact: OciArtifactRow | None
    outputs: dict[str, Any]
    cause: Literal["asked", "followed", "schedule", "rollback"]
    counts: dict[str, int]
    needs: list[str]
    fingerprint: str | None
    approval: AnswerOut | None
    run_id: str | None = Field(description="The deploy that this one is behind, as one of its dependents.")
    waits_for: list[BeforeOut]
    dependents: list[DependentOut]
    health: list[ObjectHealth]
    left: list[LeftOut]
    failure: Failure | None
    created_at: str
    updated_at: str
    created_by_id: str | None
    links: dict[str, str]


class Asked(Shown):
    """Deploys that were asked for, and components that have nothing to deploy."""

    deploys: list[DeployOut]
    left_out: list[str]
    next_after: str | None = Field(description="Where to go on with ``after``: a call asks for 25 deploys at most.")


class ApprovalOut(Shown):
    """A plan that waits, or waited, for somebody: Nuon's approval of a workflow's step."""

    id: str
    owner_id: str
    owner_type: Literal["install_deploys"]
    org_id: str
    install_id: str
    install_workflow_id: str
    install_workflow_step_id: str
    workflow_step_id: str
    type: Literal["kubernetes_manifest_approval"]
    needs: list[str]
    fingerprint: str | None
    response: AnswerOut | None
    created_at: str
    created_by_id: str | None


class PlanOut(Shown):
    """A plan, object by object, as `byoa install plan` tells it. Values of Secrets are hidden.

    ``objects_left_out`` of its objects are left out because it would be too long; ``counts`` has all.
    """

    deploy_id: str
    fingerprint: str | None
    counts: dict[str, int]
    objects: list[dict[str, Any]]
    objects_left_out: int
    needs: list[str]
    sets: dict[str, int] = Field(description="How many parts of each kind only go by name.")
    errors: list[dict[str, Any]]


def deploy_out(deploy: Deploy, *, whole: bool = True) -> DeployOut:
    """A deploy; not ``whole`` is without its history and its objects' health."""
    return DeployOut(
        id=deploy.id,
        org_id=deploy.organisation,
        app_id=deploy.app,
        install_id=deploy.install_id,
        install_component_id=deploy.component,
        component_id=deploy.component,
        component_name=deploy.component,
        build_id=deploy.build_id,
        component_config_version=deploy.config_version,
        install_deploy_type="teardown" if deploy.operation == "teardown" else "apply",
        operation=deploy.operation,
        plan_only=deploy.plan_only or deploy.operation == "drift",
        status=deploy.status,
        status_description=deploy.status_human_description,
        status_v2=DeployStatusV2(
            status=deploy.status,
            status_human_description=deploy.status_human_description,
            created_at_ts=deploy.history[-1].created_at_ts,
            created_by_id=_by(deploy),
            metadata=deploy.metadata,
            history=deploy.history if whole else [],
            history_left_out=deploy.left_out,
        ),
        workflow_id=deploy.id,
        install_workflow_id=deploy.id,
        oci_artifact=_artifact(deploy),
        outputs={},
        cause=deploy.cause,
        counts=deploy.counts,
        needs=deploy.needs,
        fingerprint=deploy.fingerprint,
        approval=_answer(deploy),
        run_id=deploy.run,
        waits_for=[BeforeOut(component_id=each.component, deploy_id=each.id) for each in deploy.waits_for],
        dependents=[
            DependentOut(component_id=each.component, build_id=each.build_id, after=list(each.after))
            for each in (deploy.dependents if whole else ())
        ],
        health=deploy.health if whole else [],
        left=[LeftOut(object=each[0], why=each[1]) for each in deploy.left],
        failure=deploy.failure,
        created_at=moment(deploy.history[0].created_at_ts),
        updated_at=moment(deploy.history[-1].created_at_ts),
        created_by_id=deploy.created_by,
        links=_links(deploy),
    )


def approval_out(deploy: Deploy) -> ApprovalOut:
    """A deploy's approval, which has the deploy's id."""
    return ApprovalOut(
        id=deploy.id,
        owner_id=deploy.id,
        owner_type="install_deploys",
        org_id=deploy.organisation,
        install_id=deploy.install_id,
        install_workflow_id=deploy.id,
        install_workflow_step_id=deploy.component,
        workflow_step_id=deploy.component,
        type="kubernetes_manifest_approval",
        needs=deploy.needs,
        fingerprint=deploy.fingerprint,
        response=_answer(deploy),
        created_at=moment(deploy.history[0].created_at_ts),
        created_by_id=deploy.created_by,
    )


def plan_out(deploy: Deploy, contents: Mapping[str, Any]) -> PlanOut:
    """A deploy's plan, of what was kept of it (``installs.contents.document``)."""
    return PlanOut(
        deploy_id=deploy.id,
        fingerprint=contents.get("plan"),
        counts=contents.get("counts") or {},
        objects=list(contents.get("objects") or []),
        objects_left_out=int(contents.get("more") or 0),
        needs=list(contents.get("needs") or []),
        sets=dict(contents.get("sets") or {}),
        errors=list(contents.get("errors") or []),
    )


def _by(deploy: Deploy) -> str | None:
    """Who brought it to the status that it has."""
    said = deploy.metadata.get("answered_by") or deploy.metadata.get("stopped_by")
    return str(said) if said else deploy.created_by


def _artifact(deploy: Deploy) -> OciArtifactRow | None:
    """The mirror that is installed from."""
    if not deploy.reference or not deploy.digest:
        return None
    place = deploy.reference.removeprefix("oci://").partition("@")[0]
    tag = deploy.build_id or ""
    return OciArtifactRow(repository=place.removesuffix(f":{tag}"), tag=tag, digest=deploy.digest)


def _answer(deploy: Deploy) -> AnswerOut | None:
    answered = deploy.answered
    if answered is None:
        return None
    return AnswerOut(
        type=answered.decision,
        response_type=answered.decision,
        note=answered.note,
        names=answered.names,
        fingerprint=answered.fingerprint,
        created_at=moment(answered.at_ts),
        created_by_id=answered.by,
    )


def _links(deploy: Deploy) -> dict[str, str]:
    install = f"/v1/installs/{deploy.install_id}"
    here = f"{install}/components/{deploy.component}/deploys/{deploy.id}"
    build = f"/v1/apps/{deploy.app}/components/{deploy.component}/builds/{deploy.build_id}"
    return {"self": here, "install": install, "plan": f"{here}/plan", **({"build": build} if deploy.build_id else {})}
