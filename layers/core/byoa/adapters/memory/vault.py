"""The store of credentials, and roles of other accounts, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from byoa.errors import AuthFailed, CredentialForbidden
from byoa.trust.credentials import Credential
from byoa.trust.ports import Entry, Kept, Secret
from byoa.trust.secrets import client_secret_name, cluster_secret_name, secret_name, secrets_prefix

if TYPE_CHECKING:
    from datetime import datetime

    from byoa.builds.ports import Clock

RECOVERY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _Held:
    secret: Secret
    kind: str
    host: str
    changed: datetime
    used: datetime | None = None
    gone: datetime | None = None
    options: tuple[str, ...] = ()


@dataclass(slots=True)
class MemoryVault:
    """One organisation's part of ``held``, which several may share. Implements Vault and Safe."""

    organisation: str
    clock: Clock
    held: dict[str, _Held] = field(default_factory=dict, repr=False)

    def read(self, name: str) -> Secret:
        """See ``trust.ports.Vault``."""
        held = self._find(name)
        day = self.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        self.held[secret_name(self.organisation, name)] = replace(held, used=day)
        return held.secret

    def store(self, name: str, kind: str, host: str, text: str, options: tuple[str, ...] = ()) -> Kept:
        """See ``trust.ports.Safe``."""
        path = secret_name(self.organisation, name)
        earlier = self.held.get(path)
        version = f"{earlier.secret.version}+" if earlier else "version"
        used = earlier.used if earlier else None
        self.held[path] = _Held(Secret(text, version), kind, host, self.clock.now(), used, options=options)
        if earlier is None:
            return Kept(version, "nothing")
        return Kept(version, "deleted" if earlier.gone else "another", (earlier.kind, earlier.host))

    def swap(  # noqa: PLR0913, PLR0917 - see the port
        self, name: str, kind: str, host: str, text: str, options: tuple[str, ...], was: str
    ) -> Kept | None:
        """See ``trust.ports.SharedSafe``."""
        held = self.held.get(secret_name(self.organisation, name))
        if was != (held.secret.version if held and not held.gone else ""):
            return None
        return self.store(name, kind, host, text, options)

    def entries(self) -> list[Entry]:
        """See ``trust.ports.Safe``."""
        prefix = secrets_prefix(self.organisation)
        here = [path for path, held in self.held.items() if path.startswith(prefix) and not held.gone]
        return sorted(self.entry(path.removeprefix(prefix)) for path in here)

    def entry(self, name: str) -> Entry:
        """See ``trust.ports.Safe``."""
        held = self._find(name)
        return Entry(name, held.kind, held.host, held.secret.version, held.changed, held.used, held.options)

    def delete(self, name: str) -> datetime:
        """See ``trust.ports.Safe``."""
        gone = self.clock.now() + RECOVERY
        self.held[secret_name(self.organisation, name)] = replace(self._find(name), gone=gone)
        return gone

    def _find(self, name: str) -> _Held:
        held = self.held.get(secret_name(self.organisation, name))
        if held is None or held.gone:
            raise CredentialForbidden("The organisation has no credentials of that name, or they were deleted.")
        return held


@dataclass(slots=True)
class MemoryClusterTokens:
    """One organisation's part of ``held``, texts by their whole names. Implements ClusterTokens."""

    organisation: str
    held: dict[str, str] = field(default_factory=dict, repr=False)

    def store(self, install_id: str, text: str) -> None:
        """See ``trust.ports.ClusterTokens``."""
        self.held[cluster_secret_name(self.organisation, install_id)] = text

    def delete(self, install_id: str) -> None:
        """See ``trust.ports.ClusterTokens``."""
        self.held.pop(cluster_secret_name(self.organisation, install_id), None)


@dataclass(frozen=True, slots=True)
class MemoryClientSecrets:
    """One organisation's part of ``held``, texts by their whole names. Implements ClientSecrets."""

    organisation: str
    held: dict[str, str] = field(default_factory=dict, repr=False)

    def store(self, rule_id: str, text: str) -> None:
        """See ``trust.ports.ClientSecrets``."""
        self.held[client_secret_name(self.organisation, rule_id)] = text

    def delete(self, rule_id: str) -> None:
        """See ``trust.ports.ClientSecrets``."""
        self.held.pop(client_secret_name(self.organisation, rule_id), None)


@dataclass(slots=True)
class MemoryEcrLogin:
    """Roles by ARN, each with the ExternalId that it asks for; ``None`` for one that looks at none."""

    roles: dict[str, str | None] = field(default_factory=dict)

    def password(self, host: str, role_arn: str, external_id: str) -> Credential:
        """See ``trust.ports.EcrLogin``."""
        wanted = self.roles.get(role_arn)
        if role_arn in self.roles and wanted is None:
            raise AuthFailed("The role lets us in whoever asks: it looks at no ExternalId.")
        if wanted != external_id:
            raise AuthFailed("The role doesn't let us in.")
        return Credential("AWS", f"token of {role_arn} for {host}")
