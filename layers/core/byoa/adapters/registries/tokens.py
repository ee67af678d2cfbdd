"""Asks token services for tokens (distribution's "Token Authentication Specification", and its form for OAuth 2).

A service that gets credentials must be the registry's own (``trust.realms``); who has none may ask anywhere for what
anybody gets.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlencode

from byoa.adapters.registries.accounts import TOKEN, basic, encoded
from byoa.adapters.registries.answers import refusal
from byoa.adapters.registries.locations import parse_location, redirected
from byoa.errors import AuthFailed, InsecureTransport, RealmRefused, RegistryProtocolError
from byoa.oci.reference import HTTPS_PORT, Registry
from byoa.trust.realms import may_see

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.adapters.registries.accounts import Account
    from byoa.adapters.registries.endpoints import Endpoint, Location
    from byoa.adapters.registries.transport import Response, Transport

_BODY_LIMIT: Final = 64 * 1024
_SHORTEST_SECONDS: Final = 60
"""A token's life where the service doesn't say (token specification, "expires_in")."""

_LONGEST_SECONDS: Final = 3600
"""What is believed of a token's life: a number of any size is one to some services, and asking anew costs little."""

_REDIRECTED: Final = (301, 302, 303, 307, 308)
_REDIRECTS: Final = 3


class TokenServices:
    """All of them, and how often they were asked. Safe to share between threads."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._requests: dict[Account, int] = {}
        self._lock = threading.Lock()

    def requests(self, account: Account) -> int:
        """How many requests the account's errand has cost, with whatever credentials."""
        return self._requests.get(account.errand, 0)

    def fetch(self, account: Account, parameters: Mapping[str, str]) -> tuple[str, int]:
        """A token for all scopes, or for the first where all of them are refused: others serve short cuts.

        ``parameters`` are the challenge's; returns the token and the seconds that it is good for. Raises
        ``RealmRefused`` or ``InsecureTransport`` where the token service may not have the credentials, ``AuthFailed``
        or ``TargetForbidden`` where it refuses them, and what any request raises.
        """
        realm = _check_realm(parameters.get("realm", ""), account, self._transport.plain)
        for scopes in dict.fromkeys((account.scopes, account.scopes[:1])):
            with self._ask(account, realm, parameters.get("service"), scopes) as response:
                response.login = "given" if account.credential else "none"
                if response.status in (401, 403) and scopes != account.scopes[:1]:
                    continue
                if response.status == 400 and account.credential:  # noqa: PLR2004 - RFC 6749, 5.2: invalid_grant
                    raise AuthFailed("The registry's token service refuses the login or the repository (status 400).")
                if response.status != 200:  # noqa: PLR2004 - the one good answer
                    raise refusal(response, account.role, "A token for the repository")
                return _read_token(response)
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
                ("refresh_token", encoded(credential.identity_token)),
            ]).encode()  # fmt: skip
        else:
            asked = urlencode([*named, *(("scope", scope) for scope in scopes)])
            place = realm._replace(path=_with_query(realm.path, asked))
            headers = {"Authorization": basic(credential)} if credential else {}
        return self._follow(account, place, headers, form)

    def _follow(self, account: Account, place: Location, headers: dict[str, str], form: bytes | None) -> Response:
        """Send it where redirects lead: what is secret in it goes to no other endpoint than it was meant for."""
        for _ in range(_REDIRECTS + 1):
            with self._lock:
                self._requests[account.errand] = self.requests(account) + 1
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


def _with_query(path: str, asked: str) -> str:
    """The realm's own address with what is asked; a scope in it is none that we need."""
    bare, _, query = path.partition("?")
    kept = [part for part in query.split("&") if part and unquote(part.partition("=")[0]) != "scope"]
    return f"{bare}?{'&'.join([*kept, asked])}"


def _check_realm(realm: str, account: Account, plain: frozenset[Endpoint]) -> Location:
    registry = account.endpoint
    location = parse_location(realm, registry)
    if location is None or not realm.lower().startswith(("https://", "http://")):
        raise RealmRefused("The registry names no sound address of a token service.")
    service = location.endpoint
    if service.scheme != "https" and service != registry and service not in plain:
        remedy = f"If that is meant, add --plain-http {service.authority}." if registry.scheme == "http" else ""
        raise InsecureTransport(f"The token service at {service.authority} is without TLS.", remedy=remedy)
    known = service in plain and service.host == registry.host
    if account.credential and not known and not may_see(_named(service), _named(registry), account.token_hosts):
        raise RealmRefused(
            f"The registry's token service is on another host, {service.authority}, which may not see the login.",
            remedy=f"If that host is the registry's own, add --token-host {service.authority}; for stored credentials, "
            "to `byoa credentials set`.",
        )
    return location


def _named(endpoint: Endpoint) -> Registry:
    return Registry(endpoint.host, None if endpoint.port == HTTPS_PORT else endpoint.port)


def _read_token(response: Response) -> tuple[str, int]:
    """The token and how many seconds it is good for. The answer goes into no error: it may hold the token."""
    body = response.read(_BODY_LIMIT)
    try:
        document = json.loads(body[:_BODY_LIMIT])
        token = document.get("token") or document.get("access_token")
        seconds = document.get("expires_in") or _SHORTEST_SECONDS
    except (ValueError, AttributeError, RecursionError):
        raise RegistryProtocolError("The registry's token service answers without a token.") from None
    if not isinstance(token, str) or not TOKEN.fullmatch(token):
        raise RegistryProtocolError("The registry's token service answers without a sound token.")
    sound = isinstance(seconds, int) and not isinstance(seconds, bool) and seconds > _SHORTEST_SECONDS
    return token, min(seconds, _LONGEST_SECONDS) if sound else _SHORTEST_SECONDS
