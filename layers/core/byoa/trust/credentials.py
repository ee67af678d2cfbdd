"""What a registry asks for before it lets somebody in."""

from __future__ import annotations


class Credential:
    """A name and a secret for one registry; neither shows in a ``repr``: to some registries the name is a secret too.

    ``identity_token`` stands in place of a password where a login left one to make tokens of (distribution, "OAuth2
    token"); ``registry_token`` is such a token already.
    """

    __slots__ = ("identity_token", "password", "registry_token", "username")

    def __init__(
        self, username: str, password: str, *, identity_token: str | None = None, registry_token: str | None = None
    ) -> None:
        self.username = username
        self.password = password
        self.identity_token = identity_token
        self.registry_token = registry_token

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Credential) and self._all == other._all

    def __hash__(self) -> int:
        return hash(self._all)

    def __repr__(self) -> str:
        return "Credential(…)"

    @property
    def _all(self) -> tuple[str, str, str | None, str | None]:
        return self.username, self.password, self.identity_token, self.registry_token
