"""What the API takes and answers: Nuon's names and shapes, and what BYOA adds to them."""

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from byoa.builds.messages import Failure, HistoryEntry, Inspection, Label, MirroredArtifact, Status
from byoa.installs.messages import InstallId

Id = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Name = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,128}$")]
VarName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
Dependency = Annotated[str, StringConstraints(max_length=63, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
CredentialName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,64}$")]
Audience = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,255}$")]
ServiceAccount = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}@[a-z0-9.-]{1,128}\.gserviceaccount\.com$")
]
EcrRepository = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$", max_length=256)
]
HookKind = Literal["github", "dockerhub", "quay", "harbor", "acr", "gar", "generic", "ecr"]
ClaimName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{1,128}$")]
Pattern = Annotated[str, StringConstraints(pattern=r"^[ -)+-~]*(\*[ -)+-~]*){0,4}$", max_length=255, min_length=1)]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=20)]
Toml = Annotated[str, Field(max_length=256 * 1024, description="A component's file.")]


class _In(BaseModel):
    """What is taken: nothing that isn't known."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class _Out(BaseModel):
    """What is answered."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ProblemBody(_Out):
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


class StatusV2(_Out):
    """Nuon's composite status. Lists leave ``history`` out."""

    status: Status
    status_human_description: str
    created_at_ts: int
    metadata: dict[str, str | int]
    history: list[HistoryEntry]
    history_left_out: int = 0


class Resolved(_Out):
    """What the tag meant when it was built."""

    tag: str | None
    digest: str
    resolved_at: str | None


class OciArtifactRow(_Out):
    """The mirror that installs pull from."""

    repository: str
    tag: str
    digest: str
    artifact_type: str | None = None


class BuildOut(_Out):
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


class AppOut(_Out):
    """An app. Its id is its name."""

    id: str
    org_id: str
    name: str
    created_at: str
    created_by_id: str | None
    links: dict[str, str]


class TagMovedOut(_Out):
    """The tag means something else by now than what the newest build pinned."""

    tag: str
    digest_before: str
    digest_after: str
    noticed_at: str
    hook_id: str | None


class ComponentIn(_In):
    """A component without a config yet."""

    name: Label
    var_name: VarName | None = None
    dependencies: Annotated[list[Dependency], Field(max_length=100)] = []


class ComponentPatch(_In):
    """What of a component can be changed. What is left out stays; its newest config, handed in later, decides again."""

    name: Label | None = None
    var_name: VarName | None = None
    dependencies: Annotated[list[Dependency], Field(max_length=100)] | None = None


class ComponentOut(_Out):
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


class Deleted(_Out):
    """What became of a component's things."""

    deleted: Literal[True]
    stopped_build_id: str | None
    kept: list[str]


class ConfigIn(_In):
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


class Check(_In):
    """A component's file to look at, and what to change in it."""

    toml: Toml
    changes: dict[str, JsonValue] | None = Field(
        default=None,
        description=(
            "Values by fields' paths, as faults name fields: `oci_artifact.tag`, `operation_roles[0].role`, "
            "`labels.'app.kubernetes.io/name'`. null takes a field away; the index after a list's last adds to it."
        ),
    )


class FaultOut(_Out):
    """One thing to mend."""

    code: str
    field: str
    line: int
    column: int
    message: str
    remedy: str


class Checked(_Out):
    """What is wrong with a file, and what it says. Lines and columns are those of the ``toml`` that is answered."""

    valid: bool
    faults: list[FaultOut]
    form: dict[str, Any] | None = Field(
        description="What the file says, field by field, sound or not; null where it isn't TOML at all."
    )
    toml: str = Field(description="The file with the changes; as it was sent where there are none, or it isn't TOML.")


class ConfigOut(_Out):
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


class BuildIn(_In):
    """A build to make: the newest config's, anew."""

    use_latest: bool = True
    git_ref: str | None = Field(
        default=None, description="Nuon's; an artifact has none, so it is refused.", max_length=0
    )


class Queued(_Out):
    """Builds that were queued, and components that have nothing to build."""

    builds: list[BuildOut]
    left_out: list[str]
    next_after: str | None = Field(description="Where to go on with ``after``: a call queues 25 builds at most.")


class ResourceName(_Out):
    """A Kubernetes object, by what identifies it within its API."""

    kind: str
    namespace: str | None
    name: str


class ResourcesOut(_Out):
    """The objects of an artifact, by kind and name."""

    resources: list[ResourceName]
    left_out: int = Field(description="How many more there are.")


class AttachmentOut(_Out):
    """A manifest that is attached to a build's artifact, and what its type says that it is: that was not verified."""

    digest: str
    tag: str | None = Field(description="The tag that cosign finds it by, where it is found so.")
    subject: str | None = Field(
        description="The manifest that it refers to: the artifact, one below it, or another attachment. Builds of "
        "before that was kept have none."
    )
    kind: Literal["signature", "attestation", "sbom", "other"]


class AttachmentsOut(_Out):
    """What is attached to a build's artifact, subjects before what refers to them."""

    attachments: list[AttachmentOut]


class Receipt(_Out):
    """A build's receipt in its envelope (DSSE), as it was signed."""

    payloadType: str  # noqa: N815 - DSSE's own
    payload: str
    signatures: list[dict[str, str]]


class CredentialsIn(_In):
    """Credentials to keep. ``value`` is what the kind has beside ``kind`` and ``host``; it is never answered."""

    kind: Literal["basic", "token", "dockerconfigjson", "aws_ecr", "gcp_gar", "azure_acr"]
    host: Annotated[str, StringConstraints(min_length=1, max_length=270)]
    value: dict[str, JsonValue] = Field(description="The kind's other fields; see the page on stored values.")


class NewCredentials(CredentialsIn):
    """The same with the name that configs use."""

    ref: CredentialName


class CredentialsOut(_Out):
    """What is shown of credentials: all but what they say."""

    ref: str
    type: str
    host: str
    options: list[str] = Field(description="Names of what they were stored with beside kind, host and secret.")
    version: str
    updated_at: str | None
    last_used_at: str | None


class TrialIn(_In):
    """What to try stored credentials with."""

    reference: Annotated[str, StringConstraints(max_length=2048)] | None = Field(
        default=None,
        description="oci://HOST[:PORT]/REPOSITORY with a tag or a digest. Without one the login alone is tried.",
    )


class TriedOut(_Out):
    """What a build would meet with them. ``login`` is ``not asked`` where the registry lets everybody in."""

    ref: str
    type: str
    host: str
    version: str
    login: Literal["accepted", "not asked"]
    reference: str | None
    digest: str | None
    media_type: str | None
    size: int | None = Field(description="Bytes of the manifest.")


class PoliciesIn(_In):
    """What the organisation's builds may do: all of it, every time."""

    references: Annotated[list[Annotated[str, StringConstraints(max_length=300)]], Field(max_length=100)] = Field(
        description=(
            "What builds may read: HOST/REPOSITORY, HOST/PATH/* for all below it, HOST/* for a whole registry, * for "
            "all. Where there is none, builds take inline manifests alone."
        )
    )
    verification: list[JsonValue] = Field(
        default=[], json_schema_extra={"maxItems": 0},
        description="Whose signatures artifacts must have. Signatures aren't verified yet, so that it has to be empty.",
    )  # fmt: skip
    targets: list[str] = Field(
        default=["ecr"], json_schema_extra={"items": {"const": "ecr"}, "minItems": 1, "maxItems": 1},
        description="Where artifacts are mirrored to: the platform's targets, of which there is one.",
    )  # fmt: skip


class PoliciesOut(_Out):
    """What the organisation's builds may do. ``version`` is 0 until somebody has set it."""

    references: list[str]
    verification: list[JsonValue]
    targets: list[str]
    version: int
    updated_at: str | None
    updated_by_id: str | None


Scopes = Annotated[
    list[Literal["read", "sync", "deploy", "admin", "agent"]],
    Field(min_length=1, max_length=4, description="What it lets do; agent goes alone, and with install_ids."),
]
InstallIds = Annotated[
    list[InstallId], Field(max_length=20, description="Of agent, and of it alone: the installs whose deploys it runs.")
]


class TokenIn(_In):
    """A token to make."""

    name: Name
    scopes: Scopes
    install_ids: InstallIds = []
    expires_in_days: Annotated[int | None, Field(ge=1, le=366, description="How long it is good (90).")] = None
    expires_at: AwareDatetime | None = Field(
        default=None, description="Until when it is good, in place of days: 366 days from now at most."
    )


class TokenOut(_Out):
    """What is shown of a token. ``last_used_at`` is told within the hour."""

    id: str
    name: str
    token_type: Literal["byoa", "session"]
    scopes: list[str]
    install_ids: list[str] = Field(description="The installs whose deploys it runs, where it is an agent's.")
    issued_at: str
    expires_at: str
    expired: bool
    last_used_at: str | None
    created_by_id: str


class NewToken(TokenOut):
    """The same with the token itself: here and never again."""

    token: str


class HookIn(_In):
    """A hook to make: where a registry tells that something was pushed, or what is done about pushes to ECR.

    ``gar`` wants ``service_account``, ``ecr`` wants ``account`` and ``region``; other kinds have none of the rest.
    """

    name: Name
    kind: HookKind
    action: Literal["note", "build"] = Field(
        default="note", description="What is done about a tag that moved: note it, or build the component anew too."
    )
    service_account: ServiceAccount | None = Field(
        default=None, description="Of gar: whose tokens count, which is the push subscription's service account."
    )
    audience: Audience | None = Field(
        default=None,
        description="Of gar: whom its tokens are for. Where none is named, byoa: and the hook's id.",
    )
    account: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")] | None = Field(
        default=None, description="Of ecr: the registry's account."
    )
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,4}(-[a-z]{2,12}){1,3}-[0-9]$")] | None = Field(
        default=None, description="Of ecr: its region."
    )
    repository: EcrRepository | None = Field(
        default=None, description="Of ecr: one of its repositories; without it, all of them."
    )


class HookOut(_Out):
    """What is shown of a hook.

    ``proof`` is what its deliveries have beside the secret in the address, ``event`` where there is no address and AWS
    itself tells. What its kind doesn't have is null.
    """

    id: str
    name: str
    kind: HookKind
    action: Literal["note", "build"]
    proof: Literal["signature", "header", "token", "address", "event"]
    service_account: str | None
    audience: str | None
    account: str | None
    region: str | None
    repository: str | None = Field(description="One of ECR's, or * for all.")
    created_at: str
    created_by_id: str


class NewHook(HookOut):
    """The same with its address and its secret: here and never again.

    ``path`` is the address below that of the API that was asked, ``url`` by the name that the request came to; null for
    ``ecr``. ``secret`` is what signs deliveries or stands in their header, for kinds that have one.
    """

    url: str | None
    path: str | None
    secret: str | None


ClientSecret = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,512}$")]
"""VSCHAR (RFC 6749, appendix A)."""


class IssuerIn(_In):
    """A rule on an issuer's tokens. ``claims`` are what they must say; ``*`` stands for any characters."""

    name: Name
    issuer: Annotated[str, StringConstraints(min_length=9, max_length=255)] = Field(
        description="The issuer to the letter, as its tokens have it in iss: an https address."
    )
    audience: Audience | None = Field(
        default=None, description="Whom tokens are for (aud). Where none is named, byoa: and the organisation's id."
    )
    claims: Annotated[dict[ClaimName, Pattern | Patterns], Field(min_length=1, max_length=10)]
    scopes: Scopes
    install_ids: InstallIds = []
    sign_in: bool = Field(default=False, description="Whether people sign in at the dashboard with it.")
    client_secret: ClientSecret | None = Field(
        default=None, description="The secret of the dashboard's client there, where it has one. It is never answered."
    )


class ClientSecretIn(_In):
    """The secret that an issuer knows the dashboard's client by from now on. It is never answered."""

    client_secret: ClientSecret


class IssuerOut(_Out):
    """A rule on an issuer's tokens."""

    id: str
    name: str
    issuer: str
    audience: str
    claims: dict[str, list[str]]
    scopes: list[str]
    install_ids: list[str]
    sign_in: bool
    has_client_secret: bool
    created_at: str
    created_by_id: str


class OrganisationOut(_Out):
    """An organisation, and what a role of its vendors that may pull from their ECR has to trust."""

    id: str
    name: str
    external_id: str = Field(description="The external id that the organisation's builds come with.")
    source_role_arn: str = Field(description="The platform's role that they come as.")
    cluster_role_arn: str = Field(description="The platform's role that deploys come as, where a cluster is of EKS.")


class AgentsInstallOut(_Out):
    """An install whose deploys a token is for."""

    id: str
    app_id: str
    name: str


class AccountOut(_Out):
    """Whose request it is."""

    id: str
    name: str
    org_ids: list[str]
    scopes: list[str]
    expires_at: str
    installs: list[AgentsInstallOut] = Field(description="Those whose deploys it runs, where it is an agent's.")


class DeedOut(_Out):
    """One write: who did what, and how it ended."""

    id: str
    created_at: str
    token_id: str
    token_name: str
    operation: str
    path: str
    source_address: str
    status: int | None


class PublicKey(_Out):
    """The key that receipts are checked with, in PEM."""

    public_key: str
