"""Answers a registry's challenge: Basic, or a Bearer token for one repository (distribution's token specification).

A token service gets the credentials, so it must be the registry's own: the same host, or one of the few known pairs.
"""

from __future__ import annotations

import base64
import json
import re
import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from byoa.adapters.answers import refusal
from byoa.adapters.locations import parse_location
from byoa.errors import AuthFailed, InsecureTransport, RealmRefused, RegistryProtocolError

if TYPE_CHECKING:
    from byoa.adapters.answers import Role
    from byoa.adapters.locations import Location
    from byoa.adapters.transport import Endpoint, Response, Transport
    from byoa.ports import Credential

_PAIRS: Final = frozenset(
    {
        ("registry-1.docker.io", "auth.docker.io"),
        ("registry.gitlab.com", "gitlab.com"),
    }
)
"""Registries whose tokens come from another host, as their operators document it."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}", re.ASCII)
_TOKEN_BODY_LIMIT: Final = 64 * 1024
_CHALLENGE_LIMIT: Final = 4096
_SHORTEST_SECONDS: Final = 60
"""A token's life where the service doesn't say (token specification, "expires_in")."""

_EARLY_SECONDS: Final = 10
_PARAMETER: Final = re.compile(
    r'[\s,]*(?:(?P<scheme>[A-Za-z]+)(?:\s+|\s*\Z))?(?:(?P<name>[A-Za-z_]+)\s*=\s*(?:"(?P<quoted>[^"\\]*)"|(?P<bare>[^\s,"]+)))?',
    re.ASCII,
)


class Authorization:
    """The Authorization header for one repository of one registry, asked for when the registry asks for it."""

    def __init__(self, transport: Transport, endpoint: Endpoint, scope: str, credential: Credential | None) -> None:
        self._transport = transport
        self._endpoint = endpoint
        self._scope = scope
        self._credential = credential
        self._header: str | None = None
        self._until = float("inf")
        self.requests = 0

    def header(self) -> str | None:
        """What the last challenge led to, as long as it is good."""
        return self._header if time.monotonic() < self._until else None

    def use_basic(self) -> None:
        """Send the credentials unasked, to a registry that is known to want them so."""
        if self._credential:
            self._header, self._until = basic(self._credential), float("inf")

    def answer(self, challenges: list[str], role: Role) -> None:
        """Take up a 401's WWW-Authenticate headers; Bearer goes before Basic.

        Raises ``AuthFailed`` where there is nothing to answer with, and ``RealmRefused`` or ``InsecureTransport``
        where the token service may not have the credentials.
        """
        found = _parse_challenges(challenges)
        if "bearer" in found:
            self._fetch_token(found["bearer"], role)
        elif "basic" in found and self._credential:
            self.use_basic()
        else:
            raise AuthFailed("The registry wants credentials, and there are none for it.")

    def _fetch_token(self, parameters: dict[str, str], role: Role) -> None:
        realm = _check_realm(parameters.get("realm", ""), self._endpoint)
        query = urlencode({"service": parameters.get("service", ""), "scope": self._scope})
        path = f"{realm.path}{'&' if '?' in realm.path else '?'}{query}"
        headers = {"Authorization": basic(self._credential)} if self._credential else {}
        self.requests += 1
        with self._transport.request("GET", realm.endpoint, path, headers) as response:
            if response.status != 200:  # noqa: PLR2004 - the one good answer
                raise refusal(response, role, "A token for the repository")
            token, seconds = _read_token(response)
        self._header, self._until = f"Bearer {token}", time.monotonic() + seconds - _EARLY_SECONDS


def basic(credential: Credential) -> str:
    """The value of a Basic Authorization header (RFC 7617, in UTF-8)."""
    pair = f"{credential.username}:{credential.password}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _parse_challenges(values: list[str]) -> dict[str, dict[str, str]]:
    """Parameters by scheme in lower case, the first challenge of each scheme (RFC 9110, 11.6.1)."""
    found: dict[str, dict[str, str]] = {}
    for value in values[:8]:
        if len(value) > _CHALLENGE_LIMIT:
            raise RegistryProtocolError("The registry's challenge is too long.")
        current: dict[str, str] = {}
        position = 0
        while position < len(value) and (match := _PARAMETER.match(value, position)) and match.end() > position:
            position = match.end()
            if match["scheme"]:
                current = {}
                found.setdefault(match["scheme"].lower(), current)
            if match["name"]:
                current.setdefault(match["name"].lower(), match["quoted"] or match["bare"] or "")
    return found


def _check_realm(realm: str, registry: Endpoint) -> Location:
    location = parse_location(realm, registry)
    if location is None or not realm.startswith(("https://", "http://")):
        raise RealmRefused("The registry names no sound address of a token service.")
    service = location.endpoint
    if service.scheme != "https" and service != registry:
        raise InsecureTransport("The registry's token service is served without TLS.")
    if service.host != registry.host and (registry.host, service.host) not in _PAIRS:
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
    return token, seconds if sound else _SHORTEST_SECONDS
