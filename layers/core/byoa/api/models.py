"""What the API takes and answers: Nuon's names and shapes, and what BYOA adds to them."""

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, StringConstraints

from byoa.api.shapes import Shown, Taken
from byoa.builds.messages import Failure, HistoryEntry, Inspection, Label, MirroredArtifact, Status

VarName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
Dependency = Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
Toml = Annotated[str, Field(max_length=256 * 1024, description="A component's file.")]


class ProblemBody(Shown):
    """Every answer that is an error: Nuon's three keys, RFC 9457's members, and a code with its remedy."""

    error: str
    user_error: bool
    description: str
    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    remedy: str
    errors: list[dict[str, str | int]]


class StatusV2(Shown):
    """Nuon's composite status. Lists leave ``history`` out."""

    status: Status
    status_human_description: str
    created_at_ts: int
    metadata: dict[str, str | int]
    history: list[HistoryEntry]
    history_left_out: int = 0


class Resolved(Shown):
    """What the tag meant when it was built."""

    tag: str | None
    digest: str
    resolved_at: str | None


class OciArtifactRow(Shown):
    """The mirror that installs pull from."""

    repository: str
    tag: str
    digest: str
    artifact_type: str | None = None


class BuildOut(Shown):
    """A build."""

    id: str
    org_id: str
    app_id: str
    component_id: str
    component_name: str
    component_config_connection_id: str
    component_config_version: int
    status: Status
    status_description: str
    status_v2: StatusV2
    source_type: str
    reference: str | None
    credentials_ref: str | None
    resolved: Resolved | None
    oci_artifact: OciArtifactRow | None
    inspection: Inspection | None
    mirrors: list[MirroredArtifact]
    failure: Failure | None
    receipt_id: str | None
    created_at: str
    updated_at: str
    created_by_id: str | None


class AppOut(Shown):
    """An app. Its id is its name."""

    id: str
    org_id: str
    name: str
    created_at: str
    created_by_id: str | None
    links: dict[str, str]


class TagMovedOut(Shown):
    """The tag means something else by now than what the newest build pinned."""

    tag: str
    digest_before: str
    digest_after: str
    noticed_at: str
    hook_id: str | None


class ComponentIn(Taken):
    """A component without a config yet."""

    name: Label
    var_name: VarName | None = None
    dependencies: list[Dependency] = Field(default=[], max_length=100)


class ComponentPatch(Taken):
    """What of a component can be changed. What is left out stays; its newest config, handed in later, decides again."""

    name: Label | None = None
    var_name: VarName | None = None
    dependencies: Annotated[list[Dependency], Field(max_length=100)] | None = None


class ComponentOut(Shown):
    """A component. Its id is its name, within its app."""

    id: str
    org_id: str
    app_id: str
    name: str
    var_name: str | None
    resolved_var_name: str
    type: Literal["kubernetes_manifest"]
    status: Status | Literal["pending"]
    status_description: str
    config_versions: int
    dependencies: list[str]
    created_at: str
    updated_at: str
    created_by_id: str | None
    links: dict[str, str]
    latest_build: BuildOut | None
    tag_moved: TagMovedOut | None


class Deleted(Shown):
    """What became of a component's things."""

    deleted: Literal[True]
    stopped_build_id: str | None
    kept: list[str]


class ConfigIn(Taken):
    """A config: its fields, or a component's whole file as ``toml``."""

    toml: Toml | None = None
    namespace: str | None = None
    manifest: str | None = None
    kustomize: dict[str, JsonValue] | None = None
    oci_artifact: dict[str, JsonValue] | None = None
    public_repo: dict[str, JsonValue] | None = None
    connected_repo: dict[str, JsonValue] | None = None
    dependencies: list[str] | None = None
    var_name: str | None = None
    drift_schedule: str | None = None
    build_timeout: str | None = None
    deploy_timeout: str | None = None
    max_auto_retries: int | None = None
    skip_noops: bool | None = None
    auto_approve_on_policies_passing: bool | None = None
    toggleable: bool | None = None
    default_enabled: bool | None = None
    labels: dict[str, str] | None = None
    operation_roles: list[dict[str, JsonValue]] | None = None
    health: dict[str, JsonValue] | None = None
    app_config_id: str | None = Field(default=None, description="Nuon's; taken and not read.")
    references: list[str] | None = Field(default=None, description="Nuon's; taken and not read.")
    checksum: str | None = Field(default=None, description="Nuon's; taken and not read: content decides.")


class Check(Taken):
    """A component's file to look at, and what to change in it."""

    toml: Toml
    changes: dict[str, JsonValue] | None = Field(
        default=None,
        description=(
            "Values by fields' paths, as faults name fields: `oci_artifact.tag`, `operation_roles[0].role`, "
            "`labels.'app.kubernetes.io/name'`. null takes a field away; the index after a list's last adds to it."
        ),
    )


class FaultOut(Shown):
    """One thing to mend."""

    code: str
    field: str
    line: int
    column: int
    message: str
    remedy: str


class Checked(Shown):
    """What is wrong with a file, and what it says. Lines and columns are those of the ``toml`` that is answered."""

    valid: bool
    faults: list[FaultOut]
    form: dict[str, Any] | None = Field(
        description="What the file says, field by field, sound or not; null where it isn't TOML at all."
    )
    toml: str = Field(description="The file with the changes; as it was sent where there are none, or it isn't TOML.")


class ConfigOut(Shown):
    """A config version. Lists leave out what may be long: the manifest and the TOML."""

    id: str
    org_id: str
    app_id: str
    component_id: str
    component_name: str
    type: Literal["kubernetes_manifest"]
    version: int
    build_id: str
    kubernetes_manifest: dict[str, Any]
    component_dependency_ids: list[str]
    references: list[str]
    checksum: str
    build_timeout: str
    deploy_timeout: str
    drift_schedule: str | None
    operation_roles: list[dict[str, Any]]
    labels: dict[str, str]
    toml: str | None
    created_at: str
    created_by_id: str | None


class BuildIn(Taken):
    """A build to make: the newest config's, anew."""

    use_latest: bool = True
    git_ref: str | None = Field(
        default=None, description="Nuon's; an artifact has none, so it is refused.", max_length=0
    )


class Queued(Shown):
    """Builds that were queued, and components that have nothing to build."""

    builds: list[BuildOut]
    left_out: list[str]
    next_after: str | None = Field(description="Where to go on with ``after``: a call queues 25 builds at most.")


class ResourceName(Shown):
    """A Kubernetes object, by what identifies it within its API."""

    kind: str
    namespace: str | None
    name: str


class ResourcesOut(Shown):
    """The objects of an artifact, by kind and name."""

    resources: list[ResourceName]
    left_out: int = Field(description="How many more there are.")


class AttachmentOut(Shown):
    """A manifest that is attached to a build's artifact, and what its type says that it is: that was not verified."""

    digest: str
    tag: str | None = Field(description="The tag that cosign finds it by, where it is found so.")
    subject: str | None = Field(
        description="The manifest that it refers to: the artifact, one below it, or another attachment. Builds of "
        "before that was kept have none."
    )
    kind: Literal["signature", "attestation", "sbom", "other"]


class AttachmentsOut(Shown):
    """What is attached to a build's artifact, subjects before what refers to them."""

    attachments: list[AttachmentOut]


class Receipt(Shown):
    """A build's receipt in its envelope (DSSE), as it was signed."""

    payloadType: str  # noqa: N815 - DSSE's own
    payload: str
    signatures: list[dict[str, str]]


class PublicKey(Shown):
    """The key that receipts are checked with, in PEM."""

    public_key: str
