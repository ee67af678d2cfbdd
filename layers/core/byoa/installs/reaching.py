"""Ways to a cluster as an install keeps them: what kind each is, and all of it but the secret that it takes.

Whoever names a cluster is a tenant, so where that leads is held to rules (``ClusterAddresses``), as registries are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from byoa.errors import ByoaError, ClusterAccessInvalid
from byoa.installs.access import Access, access_of, place_of_server
from byoa.oci.reference import HTTPS_PORT
from byoa.trust.addresses import is_public
from byoa.trust.fields import Certificates, RoleArn, fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from byoa.trust.addresses import Reachable

_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_UNRESERVED: Final = 1024
"""Ports below are those of other services (RFC 6335), 443 apart."""


def _server(text: str) -> str:
    try:
        place_of_server(text)
    except ByoaError:
        raise fault("isn't https://HOST[:PORT]") from None
    return text


def _host(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise fault("isn't the name of a host")
    return text


class _Way(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True, defer_build=True)

    private: bool = Field(
        default=False,
        description="Whether the cluster may be at a private address, of those that the platform's operator opens.",
    )


class StaticAccess(_Way):
    """A server and its authority; the secret is a token, of a service account as a rule."""

    kind: Literal["static"] = "static"
    server: Annotated[str, AfterValidator(_server)] = Field(description="The API server, https://HOST[:PORT].")
    ca: Certificates | None = Field(default=None, description="Its authority (PEM), which alone is trusted then.")
    server_name: Annotated[str, AfterValidator(_host)] | None = Field(
        default=None, description="What its certificate is for, where that isn't the host."
    )


class EksAccess(_Way):
    """A cluster of EKS, by a role that lets us in with our ExternalId. There is no secret."""

    kind: Literal["eks"] = "eks"
    cluster: str = Field(pattern=r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$", description="The cluster's name in EKS.")
    region: str = Field(pattern=r"^[a-z]{2,3}(-[a-z]{3,12}){1,2}-[0-9]{1,2}$", description="The region it is in.")
    role_arn: RoleArn = Field(
        description="The role; its trust policy names our role and our ExternalId, and the cluster has an access entry."
    )

    @property
    def role_account(self) -> str:
        """The account that the role is of."""
        return self.role_arn.split(":")[4]


type ClusterAccess = Annotated[StaticAccess | EksAccess, Field(discriminator="kind")]
"""How an install reaches its cluster, the secret apart."""


_WHICH: Final = {"static": ("server",), "eks": ("cluster", "region")}
"""What of a way, by its kind, says which cluster it leads to; an agent's says nothing."""


def may_be_another(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a way leads elsewhere than the one ``before``, as far as both say: a new token or role does not."""
    kind = before.get("kind")
    if kind != after.get("kind"):
        return True
    which = _WHICH.get(str(kind), ())
    account = kind == "eks" and str(before["role_arn"]).split(":")[4] != str(after["role_arn"]).split(":")[4]
    return account or any(before.get(each) != after.get(each) for each in which)


def read_cluster_access(found: Mapping[str, Any]) -> ClusterAccess:
    """The way that is written down in ``found``. Raises ``ClusterAccessInvalid`` by the field's name, and no value."""
    try:
        read: ClusterAccess = TypeAdapter(ClusterAccess).validate_python(dict(found))
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"][1:] if isinstance(part, str))
        what = first["msg"] if first["type"] == "credential" else "is missing, or none that can be used"
        raise ClusterAccessInvalid(
            f"{field} {what}." if field else "The kind of access is neither static nor eks.",
            where=field or None,
        ) from None
    return read


def resolve(access: StaticAccess, secret: str) -> Access:
    """The way itself, with its ``secret``. Raises ``ClusterAccessInvalid``."""
    return access_of(access.server, access.ca, secret.strip(), access.server_name)


class StoredLogin:
    """Who is let in by a ``secret`` that is kept, which is read again where it is refused: it may be a new one."""

    def __init__(self, access: StaticAccess, secret: Callable[[], str]) -> None:
        self._access = access
        self._secret = secret
        self._found: Access | None = None

    def access(self) -> Access:
        """The way to the cluster. Raises ``ClusterAccessInvalid``, and what ``secret`` raises."""
        self._found = self._found or resolve(self._access, self._secret())
        return self._found

    def token(self) -> str:
        """The token of now."""
        return self.access().token

    def renew(self) -> bool:
        """Whether there is another token by now."""
        before = self.token()
        self._found = None
        return self.token() != before


def check_foreign(access: ClusterAccess, account: str) -> None:
    """Raise ``ClusterAccessInvalid`` for a role of the platform's own ``account``: none of these is lent."""
    if isinstance(access, EksAccess) and access.role_account == account:
        raise ClusterAccessInvalid(
            "The role is of the platform's own account, whose roles are lent to nobody.",
            remedy="Name a role of the account that the cluster is in.",
        )


class ClusterAddresses(NamedTuple):
    """Which addresses a connection to a tenant's cluster may go to.

    These are public ones, and of those that are not, the ones that the operator opens (``Reachable``), if the install
    says that its cluster is there. Metadata services and link-local addresses never are. Of ports it is 443, and all
    that no other service is known by: API servers are at 6443 and 8443 as well.
    """

    reachable: Reachable
    private: bool = False

    def admits(self, address: str, port: int) -> bool:
        """Whether ``address``, as a resolver gives it, may be connected to at ``port``."""
        if is_public(address):
            return self.admits_port(port)
        return self.private and self.reachable.admits(address, port)

    def admits_port(self, port: int) -> bool:
        """Whether any address may be connected to at ``port``."""
        return port == HTTPS_PORT or port >= _UNRESERVED or self.reachable.admits_port(port)
