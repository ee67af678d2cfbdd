"""Whom a JWT lets in: an organisation is knocked at by its id, and its rules alone are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools import Logger

from byoa.api.doorkeeping import KeptKeys, TokenRecord
from byoa.api.issuers import fits, person_of, subject_of
from byoa.api.tokens import SCOPES, allowed, installs_of, scopes_of
from byoa.errors import ByoaError
from byoa.trust.issuers import key_of
from byoa.trust.jwts import lasts_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from byoa.api.doorkeeping import IssuerRule
    from byoa.api.ports import World
    from byoa.trust.issuers import Key
    from byoa.trust.jwts import Jwt

logger: Final = Logger(service="byoa")

FRESH_MS: Final = 3600 * 1000
"""For how long keys are taken as they are: issuers announce new ones before they use them."""

STALE_MS: Final = 24 * FRESH_MS
"""For how long old ones are better than none, while the issuer doesn't answer."""

QUESTIONS: Final = 1
"""How often an issuer is asked in a minute, whatever strangers present."""

NEW_QUESTIONS: Final = 10
"""How often in a minute for rules that are added."""


def let_in(world: World, jwt: Jwt, organisation: str, now_ts: int) -> TokenRecord | None:
    """Whom a token lets in at ``organisation``, with the scopes of all rules that it fits; ``None`` for nobody.

    Nothing that is wrong with it shows, and what it says counts when its signature is verified.
    """
    rules = [rule for rule in world.doorkeeper.rules(organisation) if rule.issuer == jwt.issuer]
    key = _find_key(world, jwt, organisation, now_ts) if rules else None
    if key is None:
        return None
    claims = world.verifier.verify(jwt, key, sorted({rule.audience for rule in rules}))
    ends = lasts_until(claims, now_ts / 1000) if claims else None
    if claims is None or ends is None or not subject_of(claims):
        return None
    fitting = [rule for rule in rules if fits(rule, claims)]
    return _caller(organisation, fitting, claims, now_ts, int(ends * 1000)) if fitting else None


def _caller(
    organisation: str, fitting: list[IssuerRule], claims: Mapping[str, Any], now_ts: int, ends_ts: int
) -> TokenRecord:
    """Who it is, as a token's record has it: the rule that lets do most in place of the token, and the subject.

    People sign in where one of the rules says so; then the record names all that let them in.
    """
    scopes = scopes_of(fitting)
    strongest = max(fitting, key=lambda rule: sum(allowed(rule.scopes, scope) for scope in SCOPES))
    people = any(rule.signs_in for rule in fitting)
    return TokenRecord(
        organisation=organisation,
        id=strongest.id,
        name=person_of(claims) if people else subject_of(claims),
        scopes=scopes,
        digest="",
        issued_at_ts=now_ts,
        expires_at_ts=ends_ts,
        created_by=strongest.created_by,
        rules=tuple(rule.id for rule in fitting) if people else (),
        installs=installs_of(fitting),
    )


def _find_key(world: World, jwt: Jwt, organisation: str, now_ts: int) -> Key | None:
    """The key that the token names, asked for anew where it isn't known or what is known is old."""
    kept = world.doorkeeper.keys(organisation, jwt.issuer) or KeptKeys([], 0)
    found = key_of(kept.keys, jwt.kid, jwt.algorithm)
    if found and now_ts - kept.fetched_ts < FRESH_MS:
        return found
    issuers = world.issuers(organisation)
    if issuers.may_ask(jwt.issuer, QUESTIONS, now_ts):
        try:
            keys = world.fetch_keys(organisation, jwt.issuer).keys
        except ByoaError as error:
            logger.warning("keys of an issuer not fetched", error=error.as_dict())
        else:
            issuers.keep(jwt.issuer, KeptKeys(keys, now_ts))
            return key_of(keys, jwt.kid, jwt.algorithm)
    return found if now_ts - kept.fetched_ts < STALE_MS else None
