"""What is kept of whoever knocks: read before it is known whose a request is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.api.ports import IssuerRule, KeptKeys, TokenRecord


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
