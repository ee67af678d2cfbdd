"""Issuers of JWTs: how one is named, where its keys are, and which of them count.

Sources: OpenID Connect Discovery 1.0, 3 and 4 (where keys are), RFC 7517 (keys), RFC 7518 (algorithms), RFC 8725 (what
goes wrong). An issuer is known by its address to the letter: two that differ in a slash are two.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, StringConstraints

from byoa.errors import ByoaError, IssuerUnusable
from byoa.oci.reference import Registry

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

type Key = dict[str, str]
"""The public members of a JSON Web Key."""

ALGORITHMS: Final[dict[str, tuple[str, str]]] = {
    "RS256": ("RSA", ""), "RS384": ("RSA", ""), "RS512": ("RSA", ""),
    "PS256": ("RSA", ""), "PS384": ("RSA", ""), "PS512": ("RSA", ""),
    "ES256": ("EC", "P-256"), "ES384": ("EC", "P-384"), "ES512": ("EC", "P-521"), "EdDSA": ("OKP", "Ed25519"),
}  # fmt: skip
"""What a signature may be made with, and the kind and the curve of its key. Whatever uses a shared secret is not here:
a public key would be that secret for everybody.
"""

DOCUMENT_LIMIT: Final = 64 * 1024
"""Bytes of what an issuer answers: Microsoft's keys, with certificates, take 20 KiB."""

KEYS_LIMIT: Final = 40

_SHORTEST_MODULUS, _LONGEST_MODULUS, _LONGEST_EXPONENT = 2048 // 8, 8192 // 8, 4
"""Bytes: RFC 7518, 3.3 has the first; with larger ones a stranger's token would cost us time."""

_SIGNING: Final = "verify"
_ADDRESS: Final = re.compile(r"https://([a-z0-9.:\[\]-]{1,253})((?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?)", re.ASCII)
_ADDRESS_LIMIT: Final = 255
_NUMBER: Final = re.compile(r"[A-Za-z0-9_-]{1,1400}", re.ASCII)
_KID_LIMIT: Final = 256
_PLACE: Final = re.compile(r"(https?)://([A-Za-z0-9.:\[\]-]{1,253})/[!$-;=?-Z_a-z~%&]{0,700}", re.ASCII)
"""An address of an endpoint: printable, without what stands behind a #."""


class KeysWanted(BaseModel):
    """Whose keys are wanted, and for which organisation. What FetchKeys takes."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    organisation: Annotated[str, StringConstraints(pattern=r"^org_[a-z0-9]{12,40}$")]
    issuer: Annotated[str, StringConstraints(max_length=_ADDRESS_LIMIT)]


class KeysFound(BaseModel):
    """The keys that an issuer signs with now, and where people sign in, if anywhere. What FetchKeys answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    keys: list[dict[str, str]]
    authorization_endpoint: str = ""


class Issuer(NamedTuple):
    """An issuer's host with its port, and the path below it, without a slash at the end."""

    registry: Registry
    path: str

    @property
    def discovery(self) -> str:
        """The path of the document that says where its keys are."""
        return f"{self.path}/.well-known/openid-configuration"


def parse_issuer(text: str) -> Issuer:
    """The parts of an issuer's address. Raises ``IssuerUnusable`` for what is no https address of a host and a path."""
    found = _ADDRESS.fullmatch(text)
    if found is None or len(text) > _ADDRESS_LIMIT:
        raise IssuerUnusable("The issuer is no address as https://HOST/PATH.")
    try:
        return Issuer(Registry.parse(found[1]), found[2].rstrip("/"))
    except ByoaError:
        raise IssuerUnusable("The issuer's host is none.") from None


class Discovered(NamedTuple):
    """Where an issuer has what: its keys, and empty where it has none of these, where people and codes go."""

    keys: str
    authorization: str
    token: str
    ways: tuple[str, ...] = ()
    """How a client may show there who it is; none where the issuer doesn't say."""


def read_discovery(content: bytes, issuer: str, plain: Container[str] = ()) -> Discovered:
    """What the document of ``issuer`` says. Hosts of ``plain`` may be without TLS.

    Raises ``IssuerUnusable`` for another's document, and for one without a sound address of its keys.
    """
    document = _document(content)
    if document.get("issuer") != issuer:
        raise IssuerUnusable("The issuer's document is another issuer's.", remedy="Write the issuer as its tokens do.")
    names = ("jwks_uri", "authorization_endpoint", "token_endpoint")
    said = document.get("token_endpoint_auth_methods_supported")
    ways = tuple(each for each in said if isinstance(each, str)) if isinstance(said, list) else ()
    keys, authorization, token = (_place(document.get(name), plain) for name in names)
    found = Discovered(keys, authorization, token, ways)
    if not found.keys:
        raise IssuerUnusable("The issuer's document names no https address of its keys.")
    return found


def _place(said: object, plain: Container[str]) -> str:
    """An address that may be asked; an empty text for what is none."""
    found = _PLACE.fullmatch(said) if isinstance(said, str) else None
    return found[0] if found and (found[1] == "https" or found[2] in plain) else ""


def read_keys(content: bytes) -> list[Key]:
    """The keys of a key set that sign with what is allowed; the rest is passed over. Raises ``IssuerUnusable``."""
    found = _document(content).get("keys")
    sound = [key for each in found if (key := _sound(each))] if isinstance(found, list) else []
    if not sound:
        raise IssuerUnusable("The issuer has no key that signatures are verified with here.")
    return sound[:KEYS_LIMIT]


def key_of(keys: Sequence[Key], kid: str, algorithm: str) -> Key | None:
    """The key that a token names, if it is one for the token's algorithm."""
    kind = ALGORITHMS.get(algorithm)
    for key in keys:
        if key["kid"] == kid and (key["kty"], key.get("crv", "")) == kind and key.get("alg", algorithm) == algorithm:
            return key
    return None


def _document(content: bytes) -> dict[str, Any]:
    if len(content) > DOCUMENT_LIMIT:
        raise IssuerUnusable("What the issuer answers is over 64 KiB.")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise IssuerUnusable("What the issuer answers is no JSON object.")
    return found


def _sound(said: object) -> Key | None:
    """The members that count of a key, all public; ``None`` for what isn't used here."""
    if not isinstance(said, dict) or said.get("use", "sig") != "sig":
        return None
    names = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}.get(str(said.get("kty")), ())
    key = {name: said[name] for name in ("kty", "kid", "alg", *names) if name in said}
    if not names or not {"kid", *names} <= key.keys() or not all(isinstance(value, str) for value in key.values()):
        return None
    operations = said.get("key_ops", [_SIGNING])
    known = (key["kty"], key.get("crv", "")) in ALGORITHMS.values() and key.get("alg", "RS256") in ALGORITHMS
    if not known or len(key["kid"]) > _KID_LIMIT or not isinstance(operations, list) or _SIGNING not in operations:
        return None
    numbers = {name: _number(key[name]) for name in ("n", "e", "x", "y") if name in key}
    if not all(numbers.values()) or (key["kty"] == "RSA" and not _bounded(numbers["n"], numbers["e"])):
        return None
    return key


def _number(text: str) -> bytes:
    """A number's bytes; empty for what is none."""
    if not _NUMBER.fullmatch(text):
        return b""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).lstrip(b"\0")
    except (binascii.Error, ValueError):
        return b""


def _bounded(modulus: bytes, exponent: bytes) -> bool:
    return _SHORTEST_MODULUS <= len(modulus) <= _LONGEST_MODULUS and len(exponent) <= _LONGEST_EXPONENT
