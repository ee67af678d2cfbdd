"""JWTs that are presented: what one says before it is verified, and until when it is good after that.

Sources: RFC 7519, RFC 7515, and RFC 8725 for what goes wrong. Of a header two members are read, ``alg`` and ``kid``;
those that name keys themselves (``jwk``, ``jku``, ``x5c``, ``x5u``) mean nothing here.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.trust.issuers import ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT: Final = 8 * 1024
"""Characters of a token: API Gateway takes 10 KiB of headers in all. GitHub's have two thousand."""

SKEW: Final = 60
"""Seconds that clocks may differ."""

LONGEST: Final = 24 * 3600
"""Seconds that a token may still be good: what is good for longer is no token for one job."""

_JWT: Final = re.compile(r"([A-Za-z0-9_-]{2,4096})\.([A-Za-z0-9_-]{2,8192})\.([A-Za-z0-9_-]{2,2048})", re.ASCII)
_TEXT_LIMIT: Final = 256
_LAST_TIME: Final = 1e11


class Jwt(NamedTuple):
    """A JWT as somebody sent it; nothing of it is verified. It shows in no ``repr``."""

    text: str
    algorithm: str
    kid: str
    issuer: str

    def __repr__(self) -> str:
        return f"Jwt({self.algorithm})"


def parse_jwt(text: str) -> Jwt | None:
    """What the token says of itself; ``None`` for what is none, or asks for what isn't done here."""
    found = _JWT.fullmatch(text) if len(text) <= LIMIT else None
    header, claims = (_object(found[1]), _object(found[2])) if found else (None, None)
    if header is None or claims is None or "crit" in header or "b64" in header:
        return None
    said = (header.get("alg"), header.get("kid"), claims.get("iss"))
    if not all(isinstance(each, str) and 0 < len(each) <= _TEXT_LIMIT for each in said) or said[0] not in ALGORITHMS:
        return None
    return Jwt(text, *map(str, said))


def lasts_until(claims: Mapping[str, Any], now: float) -> float | None:
    """Until when verified claims are good, in seconds since 1970; ``None`` where they aren't at ``now``."""
    ends, begins, made = _time(claims.get("exp")), _time(claims.get("nbf", 0)), _time(claims.get("iat", 0))
    if ends is None or begins is None or made is None:
        return None
    if now >= ends + SKEW or now < max(begins, made) - SKEW or ends - now > LONGEST + SKEW:
        return None
    return ends


def life_of(text: str) -> float | None:
    """For how many seconds a JWT says that it is good, from when it was made; nothing of it is verified."""
    found = _JWT.fullmatch(text) if len(text) <= LIMIT else None
    claims = (_object(found[2]) if found else None) or {}
    ends, made = _time(claims.get("exp")), _time(claims.get("iat"))
    return None if ends is None or made is None or ends <= made else ends - made


def claims_of(text: str) -> dict[str, Any]:
    """What a JWT says; nothing of it is verified. Empty for what is none."""
    found = _JWT.fullmatch(text) if len(text) <= LIMIT else None
    return (_object(found[2]) if found else None) or {}


def _time(value: object) -> float | None:
    """A NumericDate (RFC 7519, 2); ``None`` for what is none, NaN among it."""
    sound = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _LAST_TIME
    return float(value) if sound and isinstance(value, int | float) else None


def _object(part: str) -> dict[str, Any] | None:
    try:
        text = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True).decode()
        found = json.loads(text, object_pairs_hook=_unrepeated)
    except (binascii.Error, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers take one of two equal names each."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found
