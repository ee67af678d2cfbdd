"""Answers registries' challenges: Basic, or a Bearer token for one repository (distribution's token specification).

A token service gets the credentials, so it must be the registry's own: the same host, or one that the registry's traits
name. One wallet serves a whole process: a token is asked for once, and who knows how a host wants to be asked doesn't
ask it again.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlencode

from byoa.adapters.registries.answers import refusal
from byoa.adapters.registries.locations import parse_location
from byoa.errors import AuthFailed, InsecureTransport, RealmRefused, RegistryProtocolError

if TYPE_CHECKING:
    from byoa.adapters.registries.answers import Role
    from byoa.adapters.registries.locations import Location
    from byoa.adapters.registries.transport import Endpoint, Response, Transport
    from byoa.trust.credentials import Credential

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}", re.ASCII)
_TOKEN_BODY_LIMIT: Final = 64 * 1024
_CHALLENGE_LIMIT: Final = 4096
_SHORTEST_SECONDS: Final = 60
"""A token's life where the service doesn't say (token specification, "expires_in")."""

_LONGEST_SECONDS: Final = 3600
"""What is believed of a token's life: a number of any size is one to some services, and asking anew costs little."""

_EARLY_SECONDS: Final = 10
_PARAMETER: Final = (
    r"[\s,]*(?:(?P<scheme>[A-Za-z]+)(?:\s+|\s*\Z))?"
    r'(?:(?P<name>[A-Za-z_]+)\s*=\s*(?:"(?P<quoted>[^"\\]*)"|(?P<bare>[^\s,"]+)))?'
)
"""Compiled when a challenge comes: that takes longer than all else of this module's import."""

type _Challenge = dict[str, dict[str, str]]


class Account(NamedTuple):
    """Who wants what: ``scopes`` at the registry at ``endpoint``, with a credential or without.

    ``token_hosts`` may see the credential beside the registry itself.
    """

    endpoint: Endpoint
    scopes: tuple[str, ...]
    credential: Credential | None
    role: Role
    token_hosts: frozenset[str] = frozenset()


class _Pass(NamedTuple):
    header: str
    until: float


class Wallet:
    """Authorization headers by account. Safe to share between threads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._passes: dict[Account, _Pass] = {}
        self._challenges: dict[Endpoint, _Challenge] = {}
        self._turns: dict[Account, threading.Lock] = {}
        self._lock = threading.Lock()
        self.requests: dict[Account, int] = {}

    def header(self, account: Account) -> str | None:
        """What the account's requests carry: a token is fetched as soon as the host is known to want one.

        Raises what ``answer`` raises.
        """
        found = self._passes.get(account)
        if found and time.monotonic() < found.until:
            return found.header
        challenge = self._challenges.get(account.endpoint)
        if challenge is None or not ("bearer" in challenge or account.credential):
            return None  # nobody asked yet, or what helps one account is nothing that another has
        self._answer(account, challenge, found.header if found else None)
        return self._passes[account].header

    def use_basic(self, account: Account) -> None:
        """Send the credentials unasked, to a registry that is known to want them so."""
        if account.credential:
            self._passes[account] = _Pass(basic(account.credential), float("inf"))

    def answer(self, account: Account, challenges: list[str], refused: str | None) -> None:
        """Take up a 401's WWW-Authenticate headers, which answered the header ``refused``; Bearer goes before Basic.

        Raises ``AuthFailed`` where there is nothing to answer with, and ``RealmRefused`` or ``InsecureTransport``
        where the token service may not have the credentials.
        """
        challenge = _parse_challenges(challenges)
        self._answer(account, challenge, refused)
        self._challenges[account.endpoint] = challenge

    def _answer(self, account: Account, challenge: _Challenge, refused: str | None) -> None:
        with self._lock:
            turn = self._turns.setdefault(account, threading.Lock())
        with turn:
            found = self._passes.get(account)
            if found and found.header != refused and time.monotonic() < found.until:
                return  # another thread was faster
            if "bearer" in challenge:
                self._passes[account] = self._fetch_token(account, challenge["bearer"])
            elif "basic" in challenge and account.credential:
                self.use_basic(account)
            else:
                raise AuthFailed("The registry wants credentials, and there are none for it.")

    def _fetch_token(self, account: Account, parameters: dict[str, str]) -> _Pass:
        realm = _check_realm(parameters.get("realm", ""), account)
        asked = [("service", parameters.get("service", "")), *(("scope", scope) for scope in account.scopes)]
        path = f"{realm.path}{'&' if '?' in realm.path else '?'}{urlencode(asked)}"
        headers = {"Authorization": basic(account.credential)} if account.credential else {}
        self.requests[account] = self.requests.get(account, 0) + 1
        with self._transport.request("GET", realm.endpoint, path, headers) as response:
            if response.status != 200:  # noqa: PLR2004 - the one good answer
                raise refusal(response, account.role, "A token for the repository")
            token, seconds = _read_token(response)
        return _Pass(f"Bearer {token}", time.monotonic() + seconds - _EARLY_SECONDS)


def basic(credential: Credential) -> str:
    """The value of a Basic Authorization header (RFC 7617, in UTF-8)."""
    pair = f"{credential.username}:{credential.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _parse_challenges(values: list[str]) -> _Challenge:
    """Parameters by scheme in lower case, the first challenge of each scheme (RFC 9110, 11.6.1)."""
    found: _Challenge = {}
    parameter = re.compile(_PARAMETER, re.ASCII)
    for value in values[:8]:
        if len(value) > _CHALLENGE_LIMIT:
            raise RegistryProtocolError("The registry's challenge is too long.")
        current: dict[str, str] = {}
        position = 0
        while position < len(value) and (match := parameter.match(value, position)) and match.end() > position:
            position = match.end()
            if match["scheme"]:
                current = {}
                found.setdefault(match["scheme"].lower(), current)
            if match["name"]:
                current.setdefault(match["name"].lower(), match["quoted"] or match["bare"] or "")
    return found


def _check_realm(realm: str, account: Account) -> Location:
    registry = account.endpoint
    location = parse_location(realm, registry)
    if location is None or not realm.startswith(("https://", "http://")):
        raise RealmRefused("The registry names no sound address of a token service.")
    service = location.endpoint
    if service.scheme != "https" and service != registry:
        raise InsecureTransport("The registry's token service is served without TLS.")
    if service.host != registry.host and service.host not in account.token_hosts:
        raise RealmRefused("The registry's token service is on another host, which may not have the credentials.")
    return location


def _read_token(response: Response) -> tuple[str, int]:
    """The token and how many seconds it is good for. The answer goes into no error: it may hold the token."""
    body = response.read(_TOKEN_BODY_LIMIT)
    try:
        document = json.loads(body[:_TOKEN_BODY_LIMIT])
        token = document.get("token") or document.get("access_token")
        seconds = document.get("expires_in") or _SHORTEST_SECONDS
    except (ValueError, AttributeError, RecursionError):
        raise RegistryProtocolError("The registry's token service answers without a token.") from None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise RegistryProtocolError("The registry's token service answers without a sound token.")
    sound = isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > _SHORTEST_SECONDS
    return token, min(seconds, _LONGEST_SECONDS) if sound else _SHORTEST_SECONDS
