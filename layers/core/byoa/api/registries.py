"""What builds may take from registries, and what registries tell, as the API takes and answers it."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from byoa.api.shapes import Audience, CredentialName, Name, Shown, Taken

ServiceAccount = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}@[a-z0-9.-]{1,128}\.gserviceaccount\.com$")
]
EcrRepository = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*$", max_length=256)
]
HookKind = Literal["github", "dockerhub", "quay", "harbor", "acr", "gar", "generic", "ecr"]


class CredentialsIn(Taken):
    """Credentials to keep. ``value`` is what the kind has beside ``kind`` and ``host``; it is never answered."""

    kind: Literal["basic", "token", "dockerconfigjson", "aws_ecr", "gcp_gar", "azure_acr"]
    host: Annotated[str, StringConstraints(min_length=1, max_length=270)]
    value: dict[str, JsonValue] = Field(description="The kind's other fields; see the page on stored values.")


class NewCredentials(CredentialsIn):
    """The same with the name that configs use."""

    ref: CredentialName


class CredentialsOut(Shown):
    """What is shown of credentials: all but what they say."""

    ref: str
    type: str
    host: str
    options: list[str] = Field(description="Names of what they were stored with beside kind, host and secret.")
    version: str
    updated_at: str | None
    last_used_at: str | None


class TrialIn(Taken):
    """What to try stored credentials with."""

    reference: Annotated[str, StringConstraints(max_length=2048)] | None = Field(
        default=None,
        description="oci://HOST[:PORT]/REPOSITORY with a tag or a digest. Without one the login alone is tried.",
    )


class TriedOut(Shown):
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


class PoliciesIn(Taken):
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


class PoliciesOut(Shown):
    """What the organisation's builds may do. ``version`` is 0 until somebody has set it."""

    references: list[str]
    verification: list[JsonValue]
    targets: list[str]
    version: int
    updated_at: str | None
    updated_by_id: str | None


class HookIn(Taken):
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


class HookOut(Shown):
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
