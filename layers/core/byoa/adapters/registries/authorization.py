"""Answers registries' challenges: Basic, or a Bearer token for one repository (distribution's token specification).

A token service that gets credentials must be the registry's own (``trust.realms``); who has none may ask anywhere for
what anybody gets. One wallet serves a whole process: a token is asked for once, and who knows how a host wants to be
asked doesn't ask it again.
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
from byoa.adapters.registries.fields import read_challenges
from byoa.adapters.registries.locations import parse_location, redirected
from byoa.adapters.registries.traits import DOCKER_HUB
from byoa.errors import AuthFailed, InsecureTransport, RealmRefused, RegistryProtocolError
from byoa.trust.realms import may_see

if TYPE_CHECKING:
    from byoa.adapters.registries.answers import Role
    from byoa.adapters.registries.endpoints import Endpoint, Location
    from byoa.adapters.registries.fields import Challenge
    from byoa.adapters.registries.transport import Response, Transport
    from byoa.trust.credentials import Credential

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}", re.ASCII)
_TOKEN_BODY_LIMIT: Final = 64 * 1024
_CHALLENGE_LIMIT: Final = 4096
_SHORTEST_SECONDS: Final = 60
"""A token's life where the service doesn't say (token specification, "expires_in")."""

_LONGEST_SECONDS: Final = 3600
"""What is believed of a token's life: a number of any size is one to some services, and asking anew costs little."""

_EARLY_SECONDS: Final = 10
_REDIRECTED: Final = (301, 302, 303, 307, 308)
_REDIRECTS: Final = 3


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
        self._challenges: dict[Endpoint, Challenge] = {}
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

    def _answer(self, account: Account, challenge: Challenge, refused: str | None) -> None:
        with self._lock:
            turn = self._turns.setdefault(account, threading.Lock())
        with turn:
            found = self._passes.get(account)
            if found and found.header != refused and time.monotonic() < found.until:
                return  # another thread was faster
            self._passes[account] = self._pass(account, challenge)

    def _pass(self, account: Account, challenge: Challenge) -> _Pass:
        credential = account.credential
        if "bearer" in challenge and credential and credential.registry_token:
            return _Pass(f"Bearer {credential.registry_token}", float("inf"))
        if "bearer" in challenge:
            return self._fetch_token(account, challenge["bearer"])
        if "basic" not in challenge:
            raise AuthFailed(
                "The registry wants credentials in a way that isn't known here.",
                remedy="Use a registry that asks for Basic credentials or for a Bearer token.",
            )
        login = f"Log in, for example with `docker login {_login_host(account.endpoint)}`."
        if credential is None:
            raise AuthFailed("The registry wants credentials, and there are none for it.", remedy=login)
        if credential.identity_token and not credential.password:
            raise AuthFailed("The registry wants a name and a password, and the login is a token.", remedy=login)
        return _Pass(basic(credential), float("inf"))

    def _fetch_token(self, account: Account, parameters: dict[str, str]) -> _Pass:
        """A token for all scopes, or for the first where all of them are refused: others serve short cuts."""
        realm = _check_realm(parameters.get("realm", ""), account, self._transport.plain)
        for scopes in dict.fromkeys((account.scopes, account.scopes[:1])):
            with self._ask(account, realm, parameters.get("service"), scopes) as response:
                if response.status in (401, 403) and scopes != account.scopes[:1]:
                    continue
                if response.status != 200:  # noqa: PLR2004 - the one good answer
                    raise refusal(response, account.role, "A token for the repository")
                token, seconds = _read_token(response)
                return _Pass(f"Bearer {token}", time.monotonic() + seconds - _EARLY_SECONDS)
        raise AuthFailed("The registry's token service gives no token.")

    def _ask(self, account: Account, realm: Location, service: str | None, scopes: tuple[str, ...]) -> Response:
        """One question to a token service, wherever it is, with what it may see of a login."""
        credential, named = account.credential, [("service", service)] if service else []
        headers: dict[str, str] = {}
        form = None
        place = realm
        if credential and credential.identity_token:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            form = urlencode([
                ("grant_type", "refresh_token"), *named, ("scope", " ".join(scopes)), ("client_id", "byoa"),
                ("refresh_token", credential.identity_token),
            ]).encode()  # fmt: skip
        else:
            asked = urlencode([*named, *(("scope", scope) for scope in scopes)])
            place = realm._replace(path=f"{realm.path}{'&' if '?' in realm.path else '?'}{asked}")
            headers = {"Authorization": basic(credential)} if credential else {}
        return self._follow(account, place, headers, form)

    def _follow(self, account: Account, place: Location, headers: dict[str, str], form: bytes | None) -> Response:
        """Send it where redirects lead: what is secret in it goes to no other endpoint than it was meant for."""
        for _ in range(_REDIRECTS + 1):
            self.requests[account] = self.requests.get(account, 0) + 1
            response = self._transport.request("POST" if form else "GET", place.endpoint, place.path, headers, form)
            if response.status not in _REDIRECTED:
                return response
            with response:
                following = redirected(response.header("Location"), place, {account.endpoint, *self._transport.plain})
            if following.endpoint != place.endpoint:
                headers = {}
                if form:
                    raise RealmRefused(f"The token service sends the login on to {following.endpoint.authority}.")
            place = following
        raise RealmRefused("The registry's token service redirects more than a few times.")


def _login_host(endpoint: Endpoint) -> str:
    return "docker.io" if endpoint.host == DOCKER_HUB.address else endpoint.authority


def basic(credential: Credential) -> str:
    """The value of a Basic Authorization header (RFC 7617, in UTF-8)."""
    pair = f"{credential.username}:{credential.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _parse_challenges(values: list[str]) -> Challenge:
    """Parameters by scheme, the first challenge of each scheme in all fields (RFC 9110, 11.6.1)."""
    found: Challenge = {}
    for value in values[:8]:
        if len(value) > _CHALLENGE_LIMIT:
            raise RegistryProtocolError("The registry's challenge is too long.")
        found = {**read_challenges(value), **found}
    return found


def _check_realm(realm: str, account: Account, plain: frozenset[Endpoint]) -> Location:
    registry = account.endpoint
    location = parse_location(realm, registry)
    if location is None or not realm.lower().startswith(("https://", "http://")):
        raise RealmRefused("The registry names no sound address of a token service.")
    service = location.endpoint
    if service.scheme != "https" and service != registry and service not in plain:
        remedy = f"If that is meant, add --plain-http {service.authority}." if registry.scheme == "http" else ""
        raise InsecureTransport(f"The token service at {service.authority} is without TLS.", remedy=remedy)
    if account.credential and not may_see(service.host, registry.host, account.token_hosts):
        raise RealmRefused(
            f"The registry's token service is on another host, {service.host}, which may not see the login.",
            remedy=f"If that host is the registry's own, add --token-host {service.host}.",
        )
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
