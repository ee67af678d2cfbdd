"""TLS to registries: who is trusted, and what is wrong where somebody isn't."""

from __future__ import annotations

import ssl
from os import scandir
from os.path import isfile
from typing import Final

from byoa.errors import CredentialMalformed

_EXPIRED: Final = 10
_NOT_YET: Final = 9
_OTHER_NAME: Final = (62, 64)
_UNKNOWN: Final = (2, 18, 19, 20, 21)
"""OpenSSL's codes (x509_vfy.h): the chain ends at nobody who is trusted."""

_PLAIN: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}
)
"""What OpenSSL makes of an answer that is no TLS at all."""


def make_context(ca: str | None = None, *, alone: bool = False, by_environment: bool = True) -> ssl.SSLContext:
    """The platform's trust, or that of SSL_CERT_FILE where it is ``by_environment``, and ``ca`` (PEM) beside it.

    ``alone``, nobody but ``ca`` is trusted.

    Certificates needn't keep to all of RFC 5280: private authorities leave out key identifiers, and no other client of
    registries asks for them. Raises ``CredentialMalformed`` where ``ca`` holds no certificates.
    """
    if alone and ca:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    else:
        context = ssl.create_default_context() if by_environment else _by_platform()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if ca:
        _trust(context, ca)
    return context


def _by_platform() -> ssl.SSLContext:
    """Trust whom OpenSSL was built to trust, whatever the environment says, if there is anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    paths = ssl.get_default_verify_paths()
    file = paths.openssl_cafile if isfile(paths.openssl_cafile) else None  # noqa: PTH113 - pathlib is slow to import
    folder = paths.openssl_capath if _holds_any(paths.openssl_capath) else None
    if file or folder:
        context.load_verify_locations(file, folder)
    else:
        context.load_default_certs()
    return context


def _holds_any(folder: str) -> bool:
    try:
        with scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def _trust(context: ssl.SSLContext, ca: str) -> None:
    # The error may quote the text; asked this way, it ends here and is nobody's context.
    try:
        context.load_verify_locations(cadata=ca)
    except (ssl.SSLError, TypeError, ValueError):  # TypeError: it is not all ASCII
        sound = False
    else:
        sound = True
    if not sound:
        raise CredentialMalformed(
            "The certificate authority that is stored with the credentials is no certificate in PEM.",
            remedy="Store them again with the authority's own certificate (--ca-file).",
        )


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
    return (
        "Check host and port, and that it speaks TLS, as builds need; on a command line a registry that is meant to be "
        f"without it goes by --plain-http {authority}."
    )


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
            (
                "If it is an authority of your own, name the file of its certificate in SSL_CERT_FILE; builds take it "
                "from the credentials that it is stored with (--ca-file)."
            ),
        )
    reason = error.verify_message if error.verify_message.isprintable() else "unknown"
    return f"The certificate of {authority} fails a check: {reason}.", "Have its operator issue it anew."
