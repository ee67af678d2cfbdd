"""Who is let in, and what is kept of whoever knocks: read before it is known whose a request is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from byoa.trust.issuers import Key


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is kept of a token: ``digest`` is the SHA-256, in hex, of its secret. Times are in ms since 1970 UTC.

    ``parent`` is the id of the token that it is a session of: without that one it lets nobody in. Of who signed in with
    an issuer ``rules`` are the ids of those that let them in, ``parent`` is one of them, and the session may do what
    those let do that are left. ``installs`` are the ids of those whose deploys it runs, where it is an agent's.
    """

    organisation: str
    id: str
    name: str
    scopes: tuple[str, ...]
    digest: str = field(repr=False)
    issued_at_ts: int
    expires_at_ts: int
    created_by: str
    last_used_ts: int | None = None
    parent: str | None = None
    rules: tuple[str, ...] = ()
    installs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IssuerRule:
    """Whom tokens of an issuer let in: those for ``audience`` whose claims say what a pattern of each name says.

    People sign in with it where it has an ``authorization_endpoint``, which is where they are sent; ``audience`` is
    then the id of the client that the issuer knows us as.
    """

    organisation: str
    id: str
    name: str
    issuer: str
    audience: str
    claims: Mapping[str, tuple[str, ...]]
    scopes: tuple[str, ...]
    created_at_ts: int
    created_by: str
    authorization_endpoint: str = ""
    installs: tuple[str, ...] = ()
    """Whose deploys they run, where they let agents in."""

    confidential: bool = False
    """Whether the client has a secret, which is kept under the rule's id."""

    @property
    def signs_in(self) -> bool:
        """Whether people sign in with it."""
        return bool(self.authorization_endpoint)


class KeptKeys(NamedTuple):
    """An issuer's keys, as they were at ``fetched_ts`` (ms since 1970 UTC)."""

    keys: list[Key]
    fetched_ts: int


class Standing(NamedTuple):
    """What decides whether a token lets in: its record, and what that says has to be there still.

    Of a session that is the record of the token that it is of (``parent``), or the organisation's ``rules``; of any
    other token neither is looked for.
    """

    record: TokenRecord | None
    parent: TokenRecord | None = None
    rules: Sequence[IssuerRule] = ()


class Doorkeeper(Protocol):
    """Finds what is kept of whoever knocks, whichever organisation's it says it is."""

    def find(self, organisation: str, token_id: str) -> TokenRecord | None:
        """The token's record under exactly these two names."""
        ...

    def standing(self, organisation: str, token_id: str) -> Standing:
        """The same with what it leans on, as that is now."""
        ...

    def rules(self, organisation: str) -> list[IssuerRule]:
        """The organisation's rules on JWTs, the oldest first."""
        ...

    def keys(self, organisation: str, issuer: str) -> KeptKeys | None:
        """The keys that are kept for the organisation of an issuer."""
        ...
