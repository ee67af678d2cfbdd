"""What is asked of the store of credentials, of AWS for a vendor's ECR, and of who verifies signatures.

Implemented under ``adapters/``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Any

    from byoa.trust.credentials import Credential
    from byoa.trust.issuers import Key
    from byoa.trust.jwts import Jwt


@dataclass(frozen=True, slots=True)
class Secret:
    """A stored text (``trust.kinds`` reads it), which shows in no ``repr``, and the id of its version."""

    text: str = field(repr=False)
    version: str


class Vault(Protocol):
    """The stored credentials of one organisation, for its builds: reading alone."""

    def read(self, name: str) -> Secret:
        """The current version. ``name`` is what follows the organisation's path.

        Raises ``TenantForbidden`` and ``ReferenceInvalid`` for a name that is none, before anybody is asked;
        ``CredentialForbidden`` where there is no such secret, where it was deleted and where it may not be read,
        ``CredentialMalformed`` for one that is no text, and ``SecretUnavailable`` for what passes by itself.
        """
        ...


class Entry(NamedTuple):
    """What is shown of stored credentials.

    ``kind`` and ``host`` are what they were stored as; ``used`` is the day of the last reading, which the store tells
    hours later, ``None`` for never. ``options`` are the names of what they were stored with beside these.
    """

    name: str
    kind: str
    host: str
    version: str
    changed: datetime | None
    used: datetime | None
    options: tuple[str, ...] = ()


class Kept(NamedTuple):
    """What became of credentials that were stored: their version, and what was there before."""

    version: str
    before: str
    """``nothing``, ``another`` version, or one that was ``deleted`` and not yet gone."""

    was: tuple[str, str] | None = None
    """The kind and the host of what was there before."""


class Safe(Protocol):
    """The same for people: everything but reading. Each call raises what ``Vault.read`` raises for a bad name.

    And ``PlatformForbidden`` for a caller who may not, ``StoreThrottled`` for what passes by itself.
    """

    def store(self, name: str, kind: str, host: str, text: str, options: tuple[str, ...] = ()) -> Kept:
        """Keep ``text`` as the current version; what was current is then the previous one.

        ``options`` are names alone, which whoever may list secrets sees.
        """
        ...

    def entries(self) -> list[Entry]:
        """All that are there and not deleted, by name."""
        ...

    def entry(self, name: str) -> Entry:
        """One of them. Raises ``CredentialForbidden`` where there is none, and where it was deleted."""
        ...

    def delete(self, name: str) -> datetime | None:
        """Let nobody read them from now on; they can be brought back until the moment that is returned, if it is known.

        Raises ``CredentialForbidden`` where there are none.
        """
        ...


class ClusterTokens(Protocol):
    """What one organisation's installs show to their clusters, for people: written, and never read.

    Raises ``TenantForbidden`` for what is no install's id, ``PlatformForbidden`` and ``StoreThrottled`` as ``Safe``.
    """

    def store(self, install_id: str, text: str) -> None:
        """Keep ``text`` in place of what there was."""
        ...

    def delete(self, install_id: str) -> None:
        """Forget it for good, if there is one."""
        ...


class ClientSecrets(Protocol):
    """What an organisation's clients show to issuers that people sign in with, for people: written, and never read.

    Raises ``TenantForbidden`` for what is no rule's id, ``PlatformForbidden`` and ``StoreThrottled`` as ``Safe``.
    """

    def store(self, rule_id: str, text: str) -> None:
        """Keep ``text`` in place of what there was."""
        ...

    def delete(self, rule_id: str) -> None:
        """Forget it for good, if there is one."""
        ...


class SharedSafe(Safe, Protocol):
    """The same for whoever changes it beside others."""

    def swap(  # noqa: PLR0913, PLR0917 - what is stored, and in place of what
        self, name: str, kind: str, host: str, text: str, options: tuple[str, ...], was: str
    ) -> Kept | None:
        """``store`` while the current version is ``was``, or while there is none where it is empty; else ``None``."""
        ...


class EcrLogin(Protocol):
    """Private ECR registries of other accounts, by roles that their owners let us assume."""

    def password(self, host: str, role_arn: str, external_id: str) -> Credential:
        """What lets the role into the registry at ``host``, for twelve hours at most, to pull alone.

        Raises ``AuthFailed`` where the role doesn't let us in with ``external_id``, where it would with any, and
        where it may not log in to ECR; ``SecretUnavailable`` for what passes by itself.
        """
        ...


class Verifier(Protocol):
    """Verifies the signatures of JWTs."""

    def verify(self, jwt: Jwt, key: Key, audiences: Sequence[str]) -> dict[str, Any] | None:
        """The claims of a token that ``key`` signed for one of ``audiences``; ``None`` for every other token.

        Issuer, audience and that it expires are looked at; times are the caller's to judge.
        """
        ...
