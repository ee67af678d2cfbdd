"""Lends a step of a build what its organisation stored for a registry: read for this step, and kept no longer.

Credentials are good for the host and port that they were stored for, and for no other, however alike (threats A27, C5).
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from byoa.errors import AuthFailed, CredentialForbidden, CredentialHostMismatch, SecretUnavailable
from byoa.oci.reference import Reference, Registry
from byoa.trust.external_id import external_id
from byoa.trust.kinds import AwsEcr, parse_secret
from byoa.trust.secrets import secret_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.trust.credentials import Credential
    from byoa.trust.kinds import Stored
    from byoa.trust.ports import EcrLogin, Secret, Vault


@dataclass(frozen=True, slots=True)
class Lent:
    """What a registry is given, the other host that may see it, and the authority (PEM) of the registry's certificate.

    ``host`` is the registry's, ``version`` the secret's: that is what a build may record.
    """

    credential: Credential = field(repr=False)
    host: str
    kind: str
    token_host: str | None
    ca: str | None
    version: str
    renew: Callable[[], Credential | None] = field(repr=False)
    """Reads once more, after the registry refused: the newer credential, or ``None`` where there is no newer version.

    Raises what ``Lender.lend`` raises, and ``SecretUnavailable`` where another host may see the newer one, or another
    authority vouches for its registry: this step goes by the ones before.
    """


@dataclass(frozen=True, slots=True)
class Lender:
    """What the builds of one organisation may borrow.

    ``account`` is ours, of which no role is assumed for anybody; ``series`` is what the organisation's ExternalId is
    made with.
    """

    organisation: str
    vault: Vault
    ecr: EcrLogin
    account: str
    series: str

    def lend(self, name: str, reference: Reference | None) -> Lent:
        """The credentials called ``name``, for ``reference``; without one, for whatever host they are of.

        Raises what ``Vault.read`` raises, before anybody is asked for a name that is none; ``CredentialMalformed``,
        ``CredentialHostMismatch``, ``CredentialForbidden`` for a role of our own account, and what
        ``EcrLogin.password`` raises.
        """
        return self._lent(name, reference, self._read(name))

    def _read(self, name: str) -> Secret:
        secret_name(self.organisation, name)
        return self.vault.read(name)

    def _lent(self, name: str, reference: Reference | None, secret: Secret) -> Lent:
        stored = parse_secret(secret.text)
        if reference is not None and stored.host != str(reference.registry):
            raise CredentialHostMismatch("The credentials are for another host or port than the reference names.")
        wanted = reference or Reference(Registry.parse(stored.host), "")

        def renew() -> Credential | None:
            found = self._read(name)
            if found.version == secret.version:
                return None
            newer = self._lent(name, reference, found)
            if (newer.token_host, newer.ca) != (stored.token_host, stored.ca):
                raise _changed()
            return newer.credential

        return Lent(
            credential=self._login(stored, wanted),
            host=stored.host,
            kind=stored.kind,
            token_host=stored.token_host,
            ca=stored.ca,
            version=secret.version,
            renew=renew,
        )

    def _login(self, stored: Stored, reference: Reference) -> Credential:
        if not isinstance(stored, AwsEcr):
            return stored.login(reference)
        if stored.role_account == self.account:
            raise CredentialForbidden(
                "The role of these credentials is of the platform's own account, whose roles are lent to nobody.",
                remedy="Name a role of the vendor's account.",
            )
        identity = external_id(self.series, self.organisation)
        return self.ecr.password(reference.registry.host, stored.role_arn, identity)


def _changed() -> SecretUnavailable:
    """Another try begins with what is stored by then; one with this step's settings would be refused again."""
    error = SecretUnavailable("The credentials were replaced by others, which go another way.")
    error.given_up = True
    return error


@contextmanager
def explained(name: str | None) -> Iterator[None]:
    """A login that is refused is mended where it comes from, or where it is stored, under ``name``."""
    try:
        yield
    except AuthFailed as error:
        if name:
            error.remedy = (
                "See at the registry whether the login is still good and may read this, and mend that there; "
                f"or store another with `byoa credentials set {name}`."
            )
        raise
