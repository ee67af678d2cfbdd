"""Signing in with an issuer: where a browser is sent, what a code is exchanged with, and what comes of it.

Sources: OpenID Connect Core 1.0, 3.1 (the authorization code flow), RFC 6749, 4.1, RFC 7636 (PKCE, S256 alone), and
RFC 9700 for what goes wrong. What proves that a code is ours is the verifier, also where a client has a secret.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, StringConstraints

from byoa.errors import IssuerUnusable
from byoa.trust.issuers import DOCUMENT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_TOKEN_LIMIT: Final = 8 * 1024
_SCOPES: Final = {"email": "email", "email_verified": "email", "groups": "groups", "preferred_username": "profile"}
"""What is to be asked for beside ``openid`` so that an ID token has a claim (OpenID Connect Core 1.0, 5.4)."""


class CodeGiven(BaseModel):
    """A code that a browser came back with, and what proves that we began with it. What ExchangeCode takes.

    ``rule`` is the one whose client has a secret; it is empty where there is none. The secret itself travels nowhere.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, hide_input_in_errors=True)

    organisation: Annotated[str, StringConstraints(pattern=r"^org_[a-z0-9]{12,40}$")]
    issuer: Annotated[str, StringConstraints(max_length=255)]
    client_id: Annotated[str, StringConstraints(max_length=255)]
    code: Annotated[str, StringConstraints(min_length=1, max_length=4096)]
    verifier: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43,128}$")]
    redirect_uri: Annotated[str, StringConstraints(max_length=400)]
    rule: Annotated[str, StringConstraints(pattern=r"^(iss[a-z2-7]{23})?$")] = ""

    def form(self) -> dict[str, str]:
        """What the issuer is sent (RFC 6749, 4.1.3; RFC 7636, 4.5)."""
        return {
            "grant_type": "authorization_code",
            "code": self.code,
            "redirect_uri": self.redirect_uri,
            "client_id": self.client_id,
            "code_verifier": self.verifier,
        }


class CodeExchanged(BaseModel):
    """What a code stood for: an ID token, of which nothing is verified; empty where the issuer refused the code."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, hide_input_in_errors=True)

    id_token: str = ""


def read_answer(content: bytes) -> CodeExchanged:
    """The ID token of an answer to a code. Raises ``IssuerUnusable`` for an answer without one."""
    try:
        found: Any = json.loads(content) if len(content) <= DOCUMENT_LIMIT else None
    except (ValueError, RecursionError):
        found = None
    token = found.get("id_token") if isinstance(found, dict) else None
    if not isinstance(token, str) or len(token) > _TOKEN_LIMIT or not _TOKEN.fullmatch(token):
        raise IssuerUnusable(
            "The issuer answers a code with no ID token.", remedy="Have its client be one of OpenID Connect."
        )
    return CodeExchanged(id_token=token)


def check_client(content: bytes) -> None:
    """Raise ``IssuerUnusable`` where an issuer refuses the client and not the code (RFC 6749, 5.2)."""
    try:
        found: Any = json.loads(content) if len(content) <= DOCUMENT_LIMIT else None
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and found.get("error") == "invalid_client":
        raise IssuerUnusable(
            "The issuer doesn't take the client's secret.", remedy="Store the secret that it has now with the rule."
        )


def challenge_of(verifier: str) -> str:
    """What stands for a verifier before it is shown (RFC 7636, 4.2, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def scopes_for(claims: Iterable[str]) -> str:
    """What to ask for so that an ID token says these claims."""
    return " ".join(dict.fromkeys(["openid", *(_SCOPES[claim] for claim in sorted(claims) if claim in _SCOPES)]))


def place_to_sign_in(  # noqa: PLR0913, PLR0917 - parameters of one request
    endpoint: str, client_id: str, redirect_uri: str, scopes: str, state: str, nonce: str, verifier: str
) -> str:
    """Where a browser goes (OpenID Connect Core 1.0, 3.1.2.1); a query that the endpoint has stays (RFC 6749, 3.1)."""
    wanted = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scopes,
        "state": state,
        "nonce": nonce,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(wanted)}"
