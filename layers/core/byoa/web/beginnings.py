"""What a browser keeps while somebody signs in with an issuer: what has to come back, and what proves whose it is.

It is in a cookie and nowhere else, so that the dashboard writes nothing: who comes back without it, or with another
``state``, didn't begin here (RFC 9700, 4.7). Nothing in it is secret from the browser that has it.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from byoa.web.requests import Request

COOKIE: Final = "__Host-signing"
ORGANISATION: Final = "__Host-organisation"
SECONDS: Final = 600
"""How long signing in may take: a password, and a second factor."""

_FLAGS: Final = "Path=/; Secure; HttpOnly; SameSite=Lax"  # Lax, as the issuer's page leads back here
_YEAR: Final = 365 * 24 * 3600
_BYTES: Final = 32


class Begun(NamedTuple):
    """One signing in: at which organisation, by which rule, and where to go on."""

    organisation: str
    rule: str
    state: str
    nonce: str
    verifier: str
    following: str

    def is_of(self, state: str) -> bool:
        """Whether what came back is of it."""
        return same(self.state, state)


def same(one: str, other: str) -> bool:
    """Whether two texts are the same; how long it takes tells nothing."""
    return hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogatepass"))


def begin(organisation: str, rule: str, following: str) -> Begun:
    """A new one."""
    state, nonce, verifier = (secrets.token_urlsafe(_BYTES) for _ in range(3))
    return Begun(organisation, rule, state, nonce, verifier, following)


def kept(begun: Begun) -> str:
    """The cookie that keeps it."""
    return f"{COOKIE}={urlencode(begun._asdict())}; Max-Age={SECONDS}; {_FLAGS}"


def begun_in(request: Request) -> Begun | None:
    """What a request came back with, or ``None``."""
    found = dict(parse_qsl(request.cookies.get(COOKIE, ""), keep_blank_values=True, max_num_fields=10))
    return Begun(**found) if found.keys() == set(Begun._fields) else None


def known(organisation: str) -> str:
    """The cookie by which the page offers the organisation's ways to sign in the next time."""
    return f"{ORGANISATION}={organisation}; Max-Age={_YEAR}; {_FLAGS}"


GONE: Final = f"{COOKIE}=; Max-Age=0; {_FLAGS}"
"""The cookie that ends it: what comes back comes back once."""
