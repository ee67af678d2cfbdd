"""What browsers are told to refuse, and what is refused of browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from byoa.web.requests import Request

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing from elsewhere, nothing inline: text of an artifact that became markup could still do nothing."""

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with no-referrer browsers send a form's Origin as null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Strict-Transport-Security": "max-age=31536000",
}


def is_ours(request: Request) -> bool:
    """Whether a form was sent by a page of ours.

    Browsers say so in Sec-Fetch-Site (W3C Fetch Metadata), the few that don't in Origin (RFC 6454, 7), and no page can
    write either. What says neither is refused.
    """
    site = request.header("sec-fetch-site")
    if site:
        return site == "same-origin"
    return bool(request.origin) and request.header("origin") == request.origin
