"""What a registry asks for before it lets somebody in."""

from __future__ import annotations


class Credential:
    """A name and a secret for one registry; the secret shows in no ``repr``."""

    __slots__ = ("password", "username")

    def __init__(self, username: str, password: str) -> None:
        self.username = username
        self.password = password

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Credential) and self._both == other._both

    def __hash__(self) -> int:
        return hash(self._both)

    def __repr__(self) -> str:
        return f"Credential(username={self.username!r})"

    @property
    def _both(self) -> tuple[str, str]:
        return self.username, self.password
