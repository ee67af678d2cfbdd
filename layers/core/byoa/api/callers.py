"""Who is let in, as the API takes and answers it: tokens, rules on issuers, organisations, and what was done."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from byoa.api.shapes import Audience, Name, Shown, Taken
from byoa.installs.messages import InstallId

ClaimName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:/-]{1,128}$")]
Pattern = Annotated[str, StringConstraints(pattern=r"^[ -)+-~]*(\*[ -)+-~]*){0,4}$", max_length=255, min_length=1)]
Patterns = Annotated[list[Pattern], Field(min_length=1, max_length=20)]
Scopes = Annotated[
    list[Literal["read", "sync", "deploy", "admin", "agent"]],
    Field(min_length=1, max_length=4, description="What it lets do; agent goes alone, and with install_ids."),
]
InstallIds = Annotated[
    list[InstallId], Field(max_length=20, description="Of agent, and of it alone: the installs whose deploys it runs.")
]


class TokenIn(Taken):
    """A token to make."""

    name: Name
    scopes: Scopes
    install_ids: InstallIds = Field(default=[])
    expires_in_days: Annotated[int | None, Field(ge=1, le=366, description="How long it is good (90).")] = None
    expires_at: AwareDatetime | None = Field(
        default=None, description="Until when it is good, in place of days: 366 days from now at most."
    )


class TokenOut(Shown):
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


ClientSecret = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,512}$")]
"""VSCHAR (RFC 6749, appendix A)."""


class IssuerIn(Taken):
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
    install_ids: InstallIds = Field(default=[])
    sign_in: bool = Field(default=False, description="Whether people sign in at the dashboard with it.")
    client_secret: ClientSecret | None = Field(
        default=None, description="The secret of the dashboard's client there, where it has one. It is never answered."
    )


class ClientSecretIn(Taken):
    """The secret that an issuer knows the dashboard's client by from now on. It is never answered."""

    client_secret: ClientSecret


class IssuerOut(Shown):
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


class OrganisationOut(Shown):
    """An organisation, and what a role of its vendors that may pull from their ECR has to trust."""

    id: str
    name: str
    external_id: str = Field(description="The external id that the organisation's builds come with.")
    source_role_arn: str = Field(description="The platform's role that they come as.")
    cluster_role_arn: str = Field(description="The platform's role that deploys come as, where a cluster is of EKS.")


class AgentsInstallOut(Shown):
    """An install whose deploys a token is for."""

    id: str
    app_id: str
    name: str


class AccountOut(Shown):
    """Whose request it is."""

    id: str
    name: str
    org_ids: list[str]
    scopes: list[str]
    expires_at: str
    installs: list[AgentsInstallOut] = Field(description="Those whose deploys it runs, where it is an agent's.")


class DeedOut(Shown):
    """One write: who did what, and how it ended."""

    id: str
    created_at: str
    token_id: str
    token_name: str
    operation: str
    path: str
    source_address: str
    status: int | None
