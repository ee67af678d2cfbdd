"""Which references a build may read, where its artifact goes, and under which names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from byoa.errors import ByoaError, CredentialForbidden, InternalFault, ReferenceInvalid, TenantForbidden
from byoa.oci.ecr import ecr_account
from byoa.oci.graph import GraphLimits
from byoa.oci.reference import Registry
from byoa.trust.addresses import Reachable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from byoa.oci.reference import Reference

_MEBIBYTE: Final = 1024 * 1024

STAGED: Final = GraphLimits(layers=10, manifests=50, depth=2, blob=100 * _MEBIBYTE, manifest_bytes=16 * _MEBIBYTE)
"""What a vendor's artifact may consist of: Argo CD's limit of layers, Flux's of unpacked size.

A manifest of ten layers has some 3 KiB; the bytes of all of them leave room for four of the largest that the spec
knows, and are little beside a function's memory.
"""

ATTACHED: Final = 50
"""How many manifests may be attached to an artifact; each has its place in a message and in the receipt."""


class Sums(NamedTuple):
    """What one build may fetch in all: its artifact, what is attached to it, and all below these.

    ``nodes`` counts manifests and blobs; ``content_bytes`` are those of both.
    """

    manifests: int
    nodes: int
    manifest_bytes: int
    content_bytes: int


WHOLE: Final = Sums(manifests=100, nodes=500, manifest_bytes=8 * _MEBIBYTE, content_bytes=1024 * _MEBIBYTE)
"""A receipt names each node with up to half a kilobyte and must fit into an item of 400 KB. All manifests are held in
memory at once, where a text may take four times its bytes.
"""

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
