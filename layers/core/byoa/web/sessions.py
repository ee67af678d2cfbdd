"""The cookie: a session's token (``api.tokens.session_of``), which scripts don't see and no other site can send.

``__Host-`` has browsers take it over TLS alone, for this very host and from nobody else (RFC 6265bis, 4.1.3.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.api.tokens import SESSION_MS

if TYPE_CHECKING:
    from byoa.web.requests import Request

COOKIE: Final = "__Host-session"
_FLAGS: Final = "Path=/; Secure; HttpOnly; SameSite=Lax"


def token_in(request: Request) -> str:
    """The session's token that a request came with, or an empty text."""
    return request.cookies.get(COOKIE, "")


def kept(token: str) -> str:
    """The cookie that keeps a session, for as long as one lasts."""
    return f"{COOKIE}={token}; Max-Age={SESSION_MS // 1000}; {_FLAGS}"


GONE: Final = f"{COOKIE}=; Max-Age=0; {_FLAGS}"
"""The cookie that ends one."""
