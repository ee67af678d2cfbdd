"""TLS to registries: who is trusted, and what is wrong where somebody isn't."""

from __future__ import annotations

import ssl
from typing import Final

_EXPIRED: Final = 10
_NOT_YET: Final = 9
_OTHER_NAME: Final = (62, 64)
_UNKNOWN: Final = (2, 18, 19, 20, 21)
"""OpenSSL's codes (x509_vfy.h): the chain ends at nobody who is trusted."""

_PLAIN: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}
)
"""What OpenSSL makes of an answer that is no TLS at all."""


def make_context() -> ssl.SSLContext:
    """The platform's trust, or that of SSL_CERT_FILE.

    Certificates needn't keep to all of RFC 5280: private authorities leave out key identifiers, and no other client of
    registries asks for them.
    """
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def explain(error: OSError, authority: str) -> tuple[str, str] | None:
    """What is wrong and what to do about it, where ``error`` is one of TLS; ``authority`` is who was spoken to."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrusted(error, authority)
    if not isinstance(error, ssl.SSLError):
        return None
    if error.reason in _PLAIN or isinstance(error, ssl.SSLEOFError):
        return f"{authority} doesn't speak TLS.", unspoken(authority)
    if "CERTIFICATE_REQUIRED" in str(error.reason):
        return f"{authority} wants a certificate of its clients.", "Use a registry that takes a name and a password."
    return (
        f"The TLS handshake with {authority} failed ({error.reason}).",
        "Let its operator see which versions and ciphers it takes; TLS 1.2 and 1.3 are spoken here.",
    )


def unspoken(authority: str) -> str:
    """What to do about a registry that doesn't answer to TLS."""
    return f"Check host and port; for a registry that is meant to be without TLS, add --plain-http {authority}."


def _distrusted(error: ssl.SSLCertVerificationError, authority: str) -> tuple[str, str]:
    if error.verify_code == _EXPIRED:
        return f"The certificate of {authority} has expired.", "Have it renewed, or check this machine's clock."
    if error.verify_code == _NOT_YET:
        return f"The certificate of {authority} is not valid yet.", "Check this machine's clock."
    if error.verify_code in _OTHER_NAME:
        return (
            f"The certificate of {authority} is for another name.",
            "Name the registry as its certificate does, or have it get one for this name.",
        )
    if error.verify_code in _UNKNOWN:
        return (
            f"The certificate of {authority} is by an authority that is not trusted here.",
            "If it is an authority of your own, name the file of its certificate in SSL_CERT_FILE.",
        )
    reason = error.verify_message if error.verify_message.isprintable() else "unknown"
    return f"The certificate of {authority} fails a check: {reason}.", "Have its operator issue it anew."
