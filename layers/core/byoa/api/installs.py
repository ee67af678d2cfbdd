"""Installs as the API takes and answers them: Nuon's names, and how a cluster is reached, which Nuon doesn't ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, JsonValue, StringConstraints
from pydantic_core import PydanticCustomError

from byoa.api.documents import moment
from byoa.api.shapes import Shown, Taken
from byoa.builds.messages import Label
from byoa.installs.bounds import length
from byoa.installs.messages import ApprovalOption, DeployStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.installs.messages import Install, InstallComponent

type Health = Literal["healthy", "progressing", "degraded", "unhealthy", "unknown", "not-applicable"]
type Drift = Literal["drift-detected", "no-drift", "unknown"]

Server = Annotated[str, StringConstraints(min_length=9, max_length=300)]
PEM_LIMIT = 34 * 1024
"""Characters of certificates as JSON in ASCII: they go with each message of a deploy."""


def _short(text: str) -> str:
    if length(text) > PEM_LIMIT:
        raise PydanticCustomError("too_long", "Certificates are 32 KiB at most, in lines of 64 characters.")
    return text


Pem = Annotated[str, StringConstraints(max_length=32 * 1024), AfterValidator(_short)]
Token = Annotated[str, StringConstraints(pattern=r"^[!-~]+$", max_length=16 * 1024)]
InputName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$")]
Inputs = Annotated[
    dict[InputName, JsonValue],
    Field(max_length=200, description="Values for `{{ .nuon.inputs.inputs.NAME }}` in manifests. They are no secrets."),
]
Follow = Annotated[
    list[Label], Field(max_length=100, description="Components that are deployed as soon as a build of them is active.")
]


class StaticCluster(Taken):
    """A cluster by its server, its authority and a token."""

    kind: Literal["static"]
    server: Server = Field(description="https://HOST[:PORT].")
    ca: Pem | None = Field(default=None, description="Certificates of its authority, PEM; without, public ones.")
    server_name: Annotated[str, StringConstraints(max_length=253)] | None = Field(
        default=None, description="The name in its certificate, where that isn't the host's."
    )
    private: bool = Field(
        default=False,
        description="Whether it may be at a private address that the platform's operator opens.",
    )
    token: Token | None = Field(
        default=None,
        description="What it lets us in with: stored, and never answered. Whatever of the cluster changes wants it.",
    )


class EksCluster(Taken):
    """A cluster of Amazon EKS, by a role of its account that trusts the platform with the organisation's own id."""

    kind: Literal["eks"]
    cluster: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$")]
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$")]
    role_arn: Annotated[
        str, StringConstraints(pattern=r"^arn:[a-z-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}$", max_length=600)
    ]
    private: bool = Field(default=False, description="Whether its endpoint is in a private network, as above.")


class AgentCluster(Taken):
    """A cluster that an agent in it, or beside it, looks after: the platform reaches nothing and holds no login."""

    kind: Literal["agent"]


Cluster = Annotated[StaticCluster | EksCluster | AgentCluster, Field(discriminator="kind")]


class InstallConfig(Taken):
    """Nuon's settings of an install."""

    approval_option: ApprovalOption = Field(
        default="prompt",
        description="Whether plans wait for somebody. What only goes by name waits whatever stands here.",
    )


class InstallIn(Taken):
    """An install to make."""

    name: Label
    cluster: Cluster
    install_config: InstallConfig = InstallConfig()
    inputs: Inputs = Field(default_factory=dict)
    follow: Follow = Field(default_factory=list)
    deploy_dependents: bool = Field(
        default=False,
        description="Whether what depends on a followed component is deployed behind it, and in order.",
    )
    mend: bool = Field(default=False, description="Whether drift is mended that the schedule of a component finds.")


class InstallPatch(Taken):
    """What of an install can be changed. What is left out stays."""

    name: Label | None = None
    cluster: Cluster | None = None
    same_cluster: bool = Field(
        default=False,
        description="The cluster is the one it was, at another address or by another way: its objects are tracked on.",
    )
    install_config: InstallConfig | None = None
    inputs: Inputs | None = Field(default=None, description="All of them: one that isn't here is none any more.")
    follow: Follow | None = None
    deploy_dependents: bool | None = None
    mend: bool | None = None


class InstallConfigOut(Shown):
    """Nuon's settings of an install."""

    approval_option: ApprovalOption


class InstallOut(Shown):
    """An install. Lists leave its components' statuses out."""

    id: str
    org_id: str
    app_id: str
    name: str
    install_config: InstallConfigOut
    cluster: dict[str, Any] = Field(description="How its cluster is reached, without the token.")
    inputs: dict[str, Any]
    follow: list[str]
    deploy_dependents: bool
    mend: bool
    component_statuses: dict[str, DeployStatus] | None
    created_at: str
    updated_at: str
    created_by_id: str | None
    links: dict[str, str]


class InstallComponentOut(Shown):
    """A component in an install: how its newest deploy went, and how its objects are."""

    id: str
    install_id: str
    component_id: str
    component_name: str
    status: DeployStatus
    latest_deploy_id: str
    build_id: str | None = Field(description="What was applied last.")
    digest: str | None
    health_status: Health
    drift_status: Drift
    drift_checked_at: str | None
    objects: int = Field(description="How many objects are tracked.")
    updated_at: str
    links: dict[str, str]


class AgentOut(Shown):
    """When an install's agent was heard of last, to the minute; null where none ever was, or not for three months."""

    seen_at: str | None
    token_id: str | None
    token_name: str | None


class DriftedObjectOut(Shown):
    """A component whose objects aren't as they were applied; which, its plan says."""

    target_type: Literal["install_deploy"]
    target_id: str
    install_workflow_id: str
    org_id: str
    install_id: str
    install_component_id: str
    component_name: str
    component_build_id: str | None
    checked_at: str | None
    links: dict[str, str]


def install_out(install: Install, components: Sequence[InstallComponent] | None = None) -> InstallOut:
    """An install, with the statuses of its components where they are given."""
    here = f"/v1/installs/{install.id}"
    return InstallOut(
        id=install.id,
        org_id=install.organisation,
        app_id=install.app,
        name=install.name,
        install_config=InstallConfigOut(approval_option=install.approval),
        cluster=install.access,
        inputs=install.inputs,
        follow=[*install.follow],
        deploy_dependents=install.deploy_dependents,
        mend=install.mend,
        component_statuses=None if components is None else {each.component: each.status for each in components},
        created_at=moment(install.created_at_ts),
        updated_at=moment(install.updated_at_ts),
        created_by_id=install.created_by,
        links={
            "self": here,
            "app": f"/v1/apps/{install.app}",
            "components": f"{here}/components",
            "deploys": f"{here}/deploys",
            "drifted_objects": f"{here}/drifted-objects",
        },
    )


def install_component_out(found: InstallComponent) -> InstallComponentOut:
    """A component in an install."""
    here = _place(found)
    return InstallComponentOut(
        id=found.component,
        install_id=found.install_id,
        component_id=found.component,
        component_name=found.component,
        status=found.status,
        latest_deploy_id=found.deploy_id,
        build_id=found.build_id,
        digest=found.digest,
        health_status=found.health,
        drift_status=found.drift,
        drift_checked_at=_moment(found.drift_checked_at_ts),
        objects=found.objects,
        updated_at=moment(found.updated_at_ts),
        links={"self": here, "deploys": f"{here}/deploys", "latest_deploy": f"{here}/deploys/{found.deploy_id}"},
    )


def drifted_out(organisation: str, found: InstallComponent) -> DriftedObjectOut:
    """A component that drifted."""
    return DriftedObjectOut(
        target_type="install_deploy",
        target_id=found.deploy_id,
        install_workflow_id=found.deploy_id,
        org_id=organisation,
        install_id=found.install_id,
        install_component_id=found.component,
        component_name=found.component,
        component_build_id=found.build_id,
        checked_at=_moment(found.drift_checked_at_ts),
        links={"plan": f"{_place(found)}/deploys/{found.deploy_id}/plan"},
    )


def _place(found: InstallComponent) -> str:
    return f"/v1/installs/{found.install_id}/components/{found.component}"


def _moment(at_ts: int | None) -> str | None:
    return None if at_ts is None else moment(at_ts)
