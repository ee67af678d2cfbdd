"""What stored credentials may be: one model a kind. Each is good for one host, port included.

A secret's value is the JSON of one of them. What is wrong with it is told by the field's name and by rule; nothing of
its values is, in no error and in no ``repr``.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from byoa.errors import CredentialMalformed
from byoa.oci.ecr import ecr_account, ecr_region
from byoa.oci.reference import Registry
from byoa.trust.credentials import Credential
from byoa.trust.domains import AZURE, GOOGLE, is_of
from byoa.trust.fields import (
    Bearer,
    Certificates,
    Document,
    Host,
    Password,
    RoleArn,
    TokenHost,
    Username,
    fault,
    read_json,
)
from byoa.trust.logins import place_of, stored_login

if TYPE_CHECKING:
    from byoa.oci.reference import Reference

LIMIT: Final = 64 * 1024
"""Bytes of a secret (Secrets Manager quotas)."""

STORE_ANEW: Final = "Store them anew with `byoa credentials set`; its --help shows what each kind needs."

ACR_TOKEN_USER: Final = "00000000-0000-0000-0000-000000000000"  # noqa: S105 - whoever logs in with a refresh token
GCP_KEY_USER: Final = "_json_key"


_OPTIONS: Final = ("username", "client_id", "role_arn", "registry_token", "token_host", "ca")
"""What may be shown as given. Of two kinds of tokens it says which one is stored."""


class Kind(BaseModel, ABC):
    """What all kinds have."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, defer_build=True)

    kind: str
    host: Host = Field(description="The registry that they are for, HOST[:PORT], and no other.")
    token_host: TokenHost | None = Field(
        default=None,
        description="Another host that may see the login to make tokens of it, as a GitLab's own is.",
    )
    ca: Certificates | None = Field(
        default=None, description="The certificates (PEM) of the authority that the host's certificate is of."
    )

    @property
    def options(self) -> tuple[str, ...]:
        """The names of what they have beside kind, host and their one secret; nothing of what that is."""
        return tuple(name for name in _OPTIONS if getattr(self, name, None) is not None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(host={self.host!r})"

    __str__ = __repr__


class Login(Kind):
    """A kind that holds what the registry itself is given."""

    @abstractmethod
    def login(self, reference: Reference) -> Credential:
        """What the registry is given for ``reference``. Raises ``CredentialMalformed`` where there is nothing."""


class Basic(Login):
    """A user's name and password, or a token in a password's place."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "basic", "host": "ghcr.io", "username": "vendor-bot", "password": "ghp_EXAMPLE"},
                {
                    "kind": "basic",
                    "host": "registry.vendor.example:5050",
                    "token_host": "gitlab.vendor.example",
                    "username": "gitlab+deploy-token-7",
                    "password": "gldt-EXAMPLE",
                },
            ]
        }
    )

    kind: Literal["basic"]
    username: Username = Field(description="The name, without a colon.")
    password: Password = Field(description="The password, or the token that the registry takes for one.")

    def login(self, reference: Reference) -> Credential:  # noqa: ARG002 - the same for all of the host
        """The pair."""
        return Credential(self.username, self.password.get_secret_value())


class Token(Login):
    """A token: one that is sent as it is, or one that a token service makes tokens of."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"kind": "token", "host": "registry.vendor.example", "identity_token": "EXAMPLE-refresh-token"},
                {"kind": "token", "host": "registry.vendor.example", "registry_token": "EXAMPLE.bearer.token"},
            ]
        }
    )

    kind: Literal["token"]
    identity_token: Password | None = Field(
        default=None, description="An OAuth 2 refresh token, as `docker login` keeps it under identitytoken."
    )
    registry_token: Bearer | None = Field(default=None, description="A bearer token that the registry takes.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        return _check_one(self, "identity_token", "registry_token")

    def login(self, reference: Reference) -> Credential:  # noqa: ARG002 - the same for all of the host
        """The token."""
        identity, registry = _shown(self.identity_token), _shown(self.registry_token)
        return Credential("", "", identity_token=identity, registry_token=registry)


class DockerConfig(Login):
    """A Docker config file, or what Kubernetes has under ``.dockerconfigjson``: its login for the host is taken."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "dockerconfigjson",
                    "host": "registry.vendor.example",
                    "dockerconfigjson": {"auths": {"registry.vendor.example": {"auth": "cm9ib3Q6RVhBTVBMRQ=="}}},
                }
            ]
        }
    )

    kind: Literal["dockerconfigjson"]
    dockerconfigjson: Document = Field(description="The file, as text or as the object that it is.")

    def login(self, reference: Reference) -> Credential:
        """The one login that the file has for the reference. Raises ``CredentialMalformed``."""
        return stored_login(self._config, reference.registry, reference.repository)

    def check(self) -> None:
        """Raise ``CredentialMalformed`` unless the host's logins in the file, of which there is one, can be used."""
        auths = self._config.get("auths")
        places = [place_of(key) or "" for key in auths] if isinstance(auths, dict) else []
        own = [place.removeprefix(self.host) for place in places if f"{place}/".startswith(f"{self.host}/")]
        for path in own or [""]:
            stored_login(self._config, Registry.parse(self.host), path.removeprefix("/"))

    @property
    def _config(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.dockerconfigjson.get_secret_value())
        return found


class AwsEcr(Kind):
    """A role of another account that may pull from its private ECR."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "aws_ecr",
                    "host": "222222222222.dkr.ecr.us-west-2.amazonaws.com",
                    "role_arn": "arn:aws:iam::222222222222:role/byoa-pull",
                }
            ]
        }
    )

    kind: Literal["aws_ecr"]
    role_arn: RoleArn = Field(description="The role; its trust policy names our role and our ExternalId.")

    @model_validator(mode="after")
    def _names_a_region(self) -> Self:
        host = Registry.parse(self.host)
        if not ecr_account(host.host) or not ecr_region(host.host):
            raise fault("host isn't that of a private ECR: ACCOUNT.dkr.ecr.REGION.amazonaws.com")
        return self

    @property
    def role_account(self) -> str:
        """The account that the role is of."""
        return self.role_arn.split(":")[4]


class GcpGar(Login):
    """The key of a Google service account that may read from Artifact Registry. ``host`` is one of Google's.

    Nothing of the key but itself is read: not its ``token_uri``, which would send us anywhere.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "gcp_gar",
                    "host": "europe-west1-docker.pkg.dev",
                    "key": {
                        "type": "service_account",
                        "project_id": "vendor",
                        "private_key_id": "EXAMPLE",
                        "private_key": "-----BEGIN PRIVATE KEY-----\nEXAMPLE\n-----END PRIVATE KEY-----\n",
                        "client_email": "byoa-pull@vendor.iam.gserviceaccount.com",
                    },
                }
            ]
        }
    )

    kind: Literal["gcp_gar"]
    key: Document = Field(description="The key file in JSON, as text or as the object that it is.")

    @model_validator(mode="after")
    def _is_google_s(self) -> Self:
        return _check_domains(self, GOOGLE, "Google's registries: LOCATION-docker.pkg.dev, gcr.io, LOCATION.gcr.io")

    @model_validator(mode="after")
    def _is_a_key(self) -> Self:
        key = json.loads(self.key.get_secret_value())
        if key.get("type") != "service_account":
            raise fault("key isn't the key file of a service account (its type says what it is)")
        for name in ("private_key", "client_email"):
            if not isinstance(key.get(name), str) or not key[name]:
                raise fault(f"key lacks {name}")
        return self

    def login(self, reference: Reference) -> Credential:  # noqa: ARG002 - the same for all of the host
        """The whole key as a password, which is how Google's registries take it."""
        return Credential(GCP_KEY_USER, self.key.get_secret_value())


class AzureAcr(Login):
    """An application of Entra ID with a secret, or a refresh token of the registry. ``host`` is one of Azure's."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "azure_acr",
                    "host": "vendor.azurecr.io",
                    "client_id": "11111111-2222-3333-4444-555555555555",
                    "client_secret": "EXAMPLE",
                },
                {"kind": "azure_acr", "host": "vendor.azurecr.io", "refresh_token": "EXAMPLE.refresh.token"},
            ]
        }
    )

    kind: Literal["azure_acr"]
    client_id: Username | None = Field(default=None, description="The application's id.")
    client_secret: Password | None = Field(default=None, description="A secret of the application.")
    refresh_token: Password | None = Field(default=None, description="What `az acr login --expose-token` prints.")

    @model_validator(mode="after")
    def _is_azure_s(self) -> Self:
        return _check_domains(self, AZURE, "Azure's registries: NAME.azurecr.io")

    @model_validator(mode="after")
    def _one(self) -> Self:
        _check_one(self, "client_secret", "refresh_token")
        if (self.client_id is None) != (self.client_secret is None):
            raise fault("client_id and client_secret go together")
        return self

    def login(self, reference: Reference) -> Credential:  # noqa: ARG002 - the same for all of the host
        """The pair, or the token as the password of nobody."""
        if self.refresh_token:
            return Credential(ACR_TOKEN_USER, self.refresh_token.get_secret_value())
        return Credential(self.client_id or "", _shown(self.client_secret) or "")


type Stored = Basic | Token | DockerConfig | AwsEcr | GcpGar | AzureAcr

KINDS: Final[dict[str, type[Stored]]] = {
    "basic": Basic,
    "token": Token,
    "dockerconfigjson": DockerConfig,
    "aws_ecr": AwsEcr,
    "gcp_gar": GcpGar,
    "azure_acr": AzureAcr,
}
"""Every kind by the name that it is stored under."""


def parse_secret(text: str) -> Stored:
    """Take a secret's value and return what it holds. Raises ``CredentialMalformed``, which quotes nothing of it."""
    if len(text.encode(errors="replace")) > LIMIT:
        raise CredentialMalformed("The stored credentials exceed 64 KiB.", remedy=STORE_ANEW)
    try:
        document = read_json(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise CredentialMalformed(
            "The stored credentials aren't a JSON object in which every name stands once.", remedy=STORE_ANEW
        )
    kind = document.get("kind")
    model = KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise CredentialMalformed(f"The stored credentials are none of {', '.join(KINDS)}.", remedy=STORE_ANEW)
    try:
        return model.model_validate(document)
    except ValidationError as error:
        cause = _cause(model, error)
    except RecursionError:
        cause = "they are nested too deeply"
    raise CredentialMalformed(f"The credentials of kind {kind} can't be used: {cause}.", remedy=STORE_ANEW)


def _cause(model: type[Stored], error: ValidationError) -> str:
    """The first fault, by names of ours alone: what else stands in a secret may be the secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden" or field not in ("", *model.model_fields):
        return f"they have a field beside {', '.join(model.model_fields)}"
    if first["type"] == "missing":
        return f"{field} is missing"
    if first["type"] == "credential":
        return f"{field} {first['ctx']['cause']}".lstrip()
    return f"{field} isn't a text that is not empty"


def _check_domains[Model: Kind](model: Model, domains: tuple[str, ...], whose: str) -> Model:
    """What the model holds is good for one operator's services, so that a slip in a host shows it to nobody else."""
    for name in ("host", "token_host"):
        host = getattr(model, name)
        if host is not None and not is_of(Registry.parse(host), domains):
            raise fault(f"{name} isn't one of {whose}")
    return model


def _check_one[Model: Kind](model: Model, *names: str) -> Model:
    if sum(getattr(model, name) is not None for name in names) != 1:
        raise fault(f"one of {' and '.join(names)} is wanted, and one alone")
    return model


def _shown(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
