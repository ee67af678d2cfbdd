"""Which references a build may read, where its artifact goes, and under which names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from byoa.errors import ByoaError, CredentialForbidden, InternalFault, ReferenceInvalid, TenantForbidden
from byoa.oci.ecr import ecr_account
from byoa.oci.reference import Registry
from byoa.trust.addresses import Reachable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from byoa.oci.reference import Reference

TARGETS: Final = ("ecr",)
"""The names of the targets that there are."""

_REPOSITORY_LIMIT: Final = 256
"""Characters of an ECR repository's name (ECR API, CreateRepository)."""


class Component(Protocol):
    """What has a component's full name; a build's key does."""

    @property
    def organisation(self) -> str:
        """``org_…``."""
        ...

    @property
    def app(self) -> str:
        """The app that the component is of."""
        ...

    @property
    def component(self) -> str:
        """Its name in the app."""
        ...


@dataclass(frozen=True, slots=True)
class Policy:
    """The platform's rules for one stack.

    ``account`` is the AWS account that mirrors live in, ``own_hosts`` further registries of ours (``name_hosts``),
    ``targets`` the names of the targets that every artifact is mirrored to, ``prefix`` the first part of their
    repositories' names, ``reachable`` where sources may be.
    """

    account: str
    prefix: str
    targets: tuple[str, ...] = TARGETS
    own_hosts: frozenset[str] = field(default_factory=frozenset)
    reachable: Reachable = field(default_factory=Reachable)

    def check_source(self, reference: Reference, credentials_ref: str | None) -> None:
        """Refuse what a vendor may not have us fetch.

        Raises ``TenantForbidden`` for our own registries, and for what may be one, where our role could read what is
        another organisation's, ``CredentialForbidden`` for another account's ECR without credentials, because ours are
        never lent, and what ``Reachable.check`` raises.
        """
        host = str(reference.registry)
        account = ecr_account(reference.registry.host)
        if host in self.own_hosts or account in (self.account, ""):
            raise TenantForbidden("The reference leads to the registry that this platform mirrors to.")
        if account is not None and not credentials_ref:
            raise CredentialForbidden(
                "A private ECR registry is only read with credentials of the vendor's own.",
                remedy="Name them under credentials_ref.",
            )
        self.reachable.check(reference.registry)

    def repository_for(self, key: Component) -> str:
        """``<prefix>/<organisation>/<app>/<component>``. Raises ``ReferenceInvalid`` over 256 characters."""
        name = f"{self.prefix}/{key.organisation}/{key.app}/{key.component}"
        if len(name) > _REPOSITORY_LIMIT:
            raise ReferenceInvalid(
                "The names of organisation, app and component are too long for a repository of an ECR registry.",
                remedy="Shorten the app's or the component's name.",
            )
        return name


def name_hosts(texts: Iterable[str]) -> frozenset[str]:
    """Each ``HOST[:PORT]`` by the one name that references have it under.

    Raises ``InternalFault`` for one that is none: no reference would ever be found to lead there.
    """
    try:
        return frozenset(str(Registry.parse(text)) for text in texts)
    except ByoaError as error:
        raise InternalFault(
            "A host of the setting OwnHosts is no HOST[:PORT].",
            remedy="Write for example mirror.example.com:8443, with commas between.",
        ) from error
