"""Google's tokens on what Pub/Sub sends: what one says, and whether it was signed.

Source: Google Cloud, "Authentication for push subscriptions" (claims) and "OpenID Connect" (issuer, keys). Who takes
deliveries reads what a token says and can't verify it: that takes Google's keys. Who follows tags believes neither, and
verifies (``docs/decisions/0024``). A token is for an audience that is no address: it travels to where it is verified.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.errors import ByoaError
from byoa.tracking.refusals import Refused
from byoa.trust.issuers import key_of
from byoa.trust.jwts import SKEW, claims_of, lasts_until, parse_jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from byoa.tracking.records import HookRecord
    from byoa.trust.issuers import Key
    from byoa.trust.jwts import Jwt
    from byoa.trust.ports import Verifier

GOOGLE: Final = "https://accounts.google.com"
_ISSUERS: Final = (GOOGLE, "accounts.google.com")
"""Google names itself in both ways; its keys are found by the first."""

FRESH_MS: Final = 3600 * 1000
STALE_MS: Final = 24 * FRESH_MS
PAUSE_MS: Final = 60 * 1000
"""For how long keys are taken as they are, are better than none, and nobody asks again for one that isn't there."""


def check_token(record: HookRecord, headers: Mapping[str, str], now_ts: int) -> str:
    """The token that a delivery has, if it says what the hook wants. Raises ``Refused``.

    Its time is looked at from one side alone, so that who sends an old one is told; the rest is the verifier's.
    """
    kind, _, text = headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not text.strip():
        raise Refused("token_missing")
    jwt = parse_jwt(text.strip())
    claims = claims_of(jwt.text) if jwt else {}
    ends = claims.get("exp")
    if jwt is None or not _is_for(record, jwt, claims) or not isinstance(ends, int | float):
        raise Refused("token_wrong")
    if now_ts / 1000 >= ends + SKEW:
        raise Refused("token_wrong")
    return jwt.text


def _is_for(record: HookRecord, jwt: Jwt, claims: Mapping[str, Any]) -> bool:
    """Whether a token says that it is Google's, of the hook's service account, and for the hook's audience."""
    return (
        jwt.issuer in _ISSUERS
        and record.service_account is not None
        and claims.get("email") == record.service_account
        and claims.get("email_verified") is True
        and record.audience is not None
        and claims.get("aud") == record.audience
    )


class GoogleTokens:
    """Verifies them, with keys that ``fetch`` gets of an issuer and that are kept in this process."""

    def __init__(self, fetch: Callable[[str], Sequence[Key]], verifier: Verifier) -> None:
        self._fetch = fetch
        self._verifier = verifier
        self._keys: Sequence[Key] = ()
        self._fetched_ts = self._asked_ts = -STALE_MS

    def prove(self, record: HookRecord, token: str | None, now_ts: int) -> bool:
        """Whether the token is Google's for this hook, and good now. Raises what fetching keys raises, without any."""
        jwt = parse_jwt(token or "")
        if jwt is None or not _is_for(record, jwt, claims_of(jwt.text)):
            return False
        key = self._find(jwt, now_ts)
        claims = self._verifier.verify(jwt, key, [str(record.audience)]) if key else None
        return claims is not None and _is_for(record, jwt, claims) and lasts_until(claims, now_ts / 1000) is not None

    def _find(self, jwt: Jwt, now_ts: int) -> Key | None:
        """The key that a token names, asked for anew where it isn't known or what is known is old."""
        found = key_of(self._keys, jwt.kid, jwt.algorithm)
        if found and now_ts - self._fetched_ts < FRESH_MS:
            return found
        if now_ts - self._asked_ts >= PAUSE_MS:
            self._asked_ts = now_ts
            self._renew(now_ts)
            return key_of(self._keys, jwt.kid, jwt.algorithm)
        return found

    def _renew(self, now_ts: int) -> None:
        try:
            self._keys = self._fetch(GOOGLE)
        except ByoaError:
            if now_ts - self._fetched_ts >= STALE_MS:
                self._keys, self._asked_ts = (), -STALE_MS
                raise
        else:
            self._fetched_ts = now_ts
