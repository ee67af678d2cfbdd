"""Who may do what at the desk's registry: anybody, holders of a password, or holders of a token made here."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NoReturn, Protocol

from local.registry.control import STALE
from local.registry.ecr import action_of
from local.registry.messages import Request, Response, as_json, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from local.registry.control import ControlPlane
    from local.registry.settings import Settings

type Action = Literal["pull", "push"]
type Wanted = Mapping[str, Action]  # what a request does to which repositories

SERVICE: Final = "byoa-desk"
_SCOPE: Final = re.compile(r"repository:(?P<name>[^:]+):(?P<actions>[a-z,*]+)")


class Gate(Protocol):
    """What stands before every request."""

    def admit(self, request: Request, wanted: Wanted) -> None:
        """Raise ``Refused`` unless the request may do all that is ``wanted``.

        Where nothing is, any holder of credentials is let in: that is the check at ``/v2/``.
        """
        ...


class Anonymous:
    """Lets everybody in."""

    def admit(self, request: Request, wanted: Wanted) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Basic:
    """Asks for a user's name and password (RFC 7617). Pulls may go without where ``anonymous_pull`` is set."""

    username: str
    password: str
    anonymous_pull: bool = False

    def admit(self, request: Request, wanted: Wanted) -> None:
        """Raise ``Refused`` with 401 and a challenge unless the request brings both."""
        given = credentials(request)
        if given is None and self.anonymous_pull and set(wanted.values()) == {"pull"}:
            return
        if given is None or not self.knows(given):
            challenge = ("WWW-Authenticate", 'Basic realm="byoa desk registry"')
            refuse(401, "UNAUTHORIZED", "authentication required", headers=[challenge])

    def knows(self, given: tuple[str, str]) -> bool:
        """Whether these are the user's name and password."""
        expected = f"{self.username}:{self.password}".encode()
        return hmac.compare_digest(":".join(given).encode(), expected)


@dataclass(frozen=True)
class EcrPassword:
    """Asks for the user ``AWS`` and a password of the control plane's, whose holder may do what IAM says."""

    control: ControlPlane

    def admit(self, request: Request, wanted: Wanted) -> None:  # noqa: ARG002 IAM knows more than two actions
        """Raise ``Refused``: 401 without credentials; 403 and no challenge for stale ones, which is ECR's way."""
        given = credentials(request)
        if given is None:
            realm = f'Basic realm="http://{request.host}/",service="ecr.amazonaws.com"'
            refuse(401, "UNAUTHORIZED", "Not Authorized", headers=[("WWW-Authenticate", realm)])
        user, password = given
        action, repository = action_of(request) or (None, "")
        refusal = STALE if user != "AWS" else self.control.refusal(password, action, repository)
        if refusal:
            refuse(403, "DENIED", refusal)


@dataclass(frozen=True)
class _Grant:
    ends: float
    scopes: dict[str, frozenset[str]]


class Bearer:
    """Asks for a token, and gives them out (distribution's token specification)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._basic = Basic(settings.username, settings.password)
        self._grants: dict[str, _Grant] = {}
        self._lock = threading.Lock()

    def admit(self, request: Request, wanted: Wanted) -> None:
        """Raise ``Refused`` with 401 unless the request's token covers all that is ``wanted``."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        grant = self._grants.get(token.strip()) if scheme.lower() == "bearer" else None
        if grant is None or grant.ends <= time.monotonic():
            self._challenge(request, wanted, "invalid_token" if scheme else None)
        if any(action not in grant.scopes.get(name, ()) for name, action in wanted.items()):
            self._challenge(request, wanted, "insufficient_scope")

    def _challenge(self, request: Request, wanted: Wanted, error: str | None) -> NoReturn:
        realm = self._settings.realm or f"http://{request.host}/token"
        parts = [f'realm="{realm}"', f'service="{SERVICE}"']
        actions = {"pull": "pull", "push": "pull,push"}
        scopes = [f"repository:{name}:{actions[action]}" for name, action in wanted.items()]
        if scopes:
            parts.append(f'scope="{" ".join(scopes)}"')
        if error:
            parts.append(f'error="{error}"')
        challenge = ("WWW-Authenticate", "Bearer " + ",".join(parts))
        refuse(401, "UNAUTHORIZED", "authentication required", headers=[challenge])

    def token(self, request: Request) -> Response:
        """Answer ``/token``: everything asked for to the user, pulls to nobody in particular if that is allowed.

        Raises ``Refused`` with 401.
        """
        if request.method not in ("GET", "HEAD"):
            refuse(405, "UNSUPPORTED", "tokens are given for a GET", headers=[("Allow", "GET, HEAD")])
        given = credentials(request)
        if given is not None or not self._settings.anonymous_pull:
            self._basic.admit(request, {})
        allowed = {"pull"} if given is None else {"pull", "push", "delete", "*"}
        token = self._grant({name: actions & allowed for name, actions in _scopes(request).items()})
        issued = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        life = self._settings.expires_in
        return as_json(200, {"token": token, "access_token": token, "expires_in": life, "issued_at": issued})

    def _grant(self, scopes: dict[str, frozenset[str]]) -> str:
        now = time.monotonic()
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._grants = {key: grant for key, grant in self._grants.items() if grant.ends > now}
            self._grants[token] = _Grant(now + self._settings.expires_in, scopes)
        return token


def _scopes(request: Request) -> dict[str, frozenset[str]]:
    """The actions asked for by repository; clients send several scopes, or one with spaces between them."""
    scopes: dict[str, frozenset[str]] = {}
    for text in " ".join(request.query.get("scope", [])).split():
        if found := _SCOPE.fullmatch(text):
            actions = frozenset(found["actions"].split(","))
            scopes[found["name"]] = scopes.get(found["name"], frozenset()) | actions
    return scopes


def credentials(request: Request) -> tuple[str, str] | None:
    """The name and password of Basic authentication, or ``None`` when there are none that can be read."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, separator, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (name, password) if separator else None
