"""API tokens: what they look like, who one lets in, and what with.

A token is ``byoa_<organisation>_<id>_<secret>``. Its secret has 256 random bits, so that its SHA-256 can be kept
without salt or stretching: nobody guesses it. The organisation stands in it so that its record lies under the
organisation's own key, where no session of another's reaches; who it lets in as, the record says.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from byoa.api.doorkeeping import TokenRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from byoa.api.doorkeeping import Doorkeeper, IssuerRule

type Scope = Literal["read", "sync", "deploy", "admin", "agent"]
SCOPES: Final[tuple[Scope, ...]] = ("read", "sync", "deploy", "admin", "agent")

AGENT: Final = "agent"
"""The scope of who runs the deploys of the installs that its token names, and does nothing else."""

_INCLUDES: Final[dict[str, frozenset[str]]] = {
    "read": frozenset({"read"}),
    "sync": frozenset({"read", "sync"}),
    "deploy": frozenset({"read", "deploy"}),
    "admin": frozenset({"read", "sync", "deploy", "admin", AGENT}),
    AGENT: frozenset({AGENT}),
}
"""What each scope lets its holder do. Who administers could make any of these, so it includes them."""

DAY_MS: Final = 24 * 3600 * 1000
LONGEST_DAYS: Final = 366
DEFAULT_DAYS: Final = 90
SESSION_MS: Final = 12 * 3600 * 1000
"""How long a session lasts: a day's work."""

SESSIONS: Final = 20
"""Sessions of one token, or of one person who signed in: each is a browser, and a script that makes them is a fault."""

USE_NOTED_EVERY_MS: Final = 3600 * 1000
"""How coarse the time of last use is: a write for every request would cost more than the request."""

SESSION: Final = "session of "
"""What names of sessions begin with."""

_TOKEN: Final = re.compile(r"byoa_(org_[a-z0-9]{12,40})_(tok[a-z2-7]{23})_([A-Za-z0-9_-]{43})", re.ASCII)
_ORGANISATION: Final = re.compile(r"org_[a-z0-9]{12,40}", re.ASCII)
_NOBODYS: Final = hashlib.sha256(b"").hexdigest()


class Presented(NamedTuple):
    """A token as somebody sent it. Its secret shows in no ``repr``."""

    organisation: str
    id: str
    secret: str

    def __repr__(self) -> str:
        return f"Presented({self.id})"


def parse_token(text: str) -> Presented | None:
    """The parts of a token, or ``None`` for what is none."""
    found = _TOKEN.fullmatch(text)
    return Presented(found[1], found[2], found[3]) if found else None


def is_organisation(text: str) -> bool:
    """Whether it could be an organisation's id."""
    return _ORGANISATION.fullmatch(text) is not None


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def lets_in(presented: Presented, record: TokenRecord | None, now_ts: int) -> bool:
    """Whether ``record`` is of the token that was presented, and good at ``now_ts``.

    The comparison takes as long whatever is wrong, and whether or not there is a record.
    """
    same = hmac.compare_digest(digest_of(presented.secret), record.digest if record else _NOBODYS)
    if record is None or not same:
        return False
    return record.organisation == presented.organisation and now_ts < record.expires_at_ts


def recognised(doorkeeper: Doorkeeper, text: str, now_ts: int) -> TokenRecord | None:
    """The record of the token that ``text`` is, if it is good at ``now_ts``; of a session, while its own token is."""
    presented = parse_token(text)
    if presented is None:
        return None
    record, parent, rules = doorkeeper.standing(presented.organisation, presented.id)
    if record is None or not lets_in(presented, record, now_ts):
        return None
    if record.parent is None:
        return record
    if record.rules:
        return _by_rules(record, rules)
    return record if parent and now_ts < parent.expires_at_ts else None


def _by_rules(record: TokenRecord, rules: Iterable[IssuerRule]) -> TokenRecord | None:
    """A session of somebody who signed in with an issuer, with what those rules let do that are still there."""
    left = [rule for rule in rules if rule.id in record.rules]
    scopes = scopes_of(left)
    return replace(record, scopes=scopes, installs=installs_of(left)) if scopes else None


def scopes_of(rules: Iterable[IssuerRule]) -> tuple[Scope, ...]:
    """What rules let do together."""
    given = {scope for rule in rules for scope in rule.scopes}
    return tuple(scope for scope in SCOPES if scope in given)


def installs_of(rules: Iterable[IssuerRule]) -> tuple[str, ...]:
    """The installs whose deploys rules let one run together."""
    return tuple(sorted({install for rule in rules for install in rule.installs}))


def allowed(scopes: Sequence[str], wanted: str) -> bool:
    """Whether somebody with ``scopes`` may do what wants one of them; whoever was let in may do what ``any`` may."""
    return wanted == "any" or any(wanted in _INCLUDES.get(each, ()) for each in scopes)


def issue(  # noqa: PLR0913, PLR0917 - whose it is, what for, and for how long
    organisation: str, name: str, scopes: Sequence[str], now_ts: int, expires_at_ts: int, created_by: str,
    installs: Sequence[str] = (),
) -> tuple[TokenRecord, str]:  # fmt: skip
    """A new token: its record, and itself, which is nowhere else. An agent's is for these ``installs`` alone."""
    token_id = random_id("tok")
    secret = secrets.token_urlsafe(32)
    record = TokenRecord(
        organisation=organisation,
        id=token_id,
        name=name,
        scopes=tuple(scope for scope in SCOPES if scope in scopes),
        digest=digest_of(secret),
        issued_at_ts=now_ts,
        expires_at_ts=expires_at_ts,
        created_by=created_by,
        installs=tuple(installs),
    )
    return record, f"byoa_{organisation}_{token_id}_{secret}"


def session_of(caller: TokenRecord, now_ts: int) -> tuple[TokenRecord, str]:
    """A session of a token, for a browser: it may what the token may, for half a day, and as long as the token is good.

    A session of a session is one of the same token. That of an issuer's token ends when that does, and with its rules.
    """
    parent, name = caller.parent or caller.id, caller.name.removeprefix(SESSION)
    expires_at_ts = min(caller.expires_at_ts, now_ts + SESSION_MS) if caller.parent is None else caller.expires_at_ts
    record, token = issue(caller.organisation, SESSION + name[:100], caller.scopes, now_ts, expires_at_ts, caller.id)
    return replace(record, parent=parent, rules=caller.rules, installs=caller.installs), token


def random_id(prefix: str) -> str:
    """26 characters, as Nuon's ids have them: a prefix of three, and 115 random bits."""
    return prefix + base64.b32encode(secrets.token_bytes(15)).decode().lower()[:23]
