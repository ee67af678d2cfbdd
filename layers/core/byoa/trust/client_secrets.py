"""The secret that an issuer knows a client of ours by: how it is kept, and how it is shown.

Sources: RFC 6749, 2.3.1 (a client's password), OpenID Connect Core 1.0, 9 (the ways that have names), OpenID Connect
Discovery 1.0, 3 (which of them an issuer takes; where it doesn't say, the first).
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote_plus

from byoa.errors import IssuerUnusable

if TYPE_CHECKING:
    from collections.abc import Sequence

BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"


class Shown(NamedTuple):
    """What a request has more of where a client shows its secret. It shows in no ``repr``."""

    headers: dict[str, str]
    form: dict[str, str]

    def __repr__(self) -> str:
        return "Shown()"


def kept_client_secret(issuer: str, client_id: str, secret: str) -> str:
    """How a client's secret is kept: with the one issuer that it may be shown to."""
    return json.dumps({"issuer": issuer, "client_id": client_id, "secret": secret})


def read_client_secret(text: str, issuer: str, client_id: str) -> str:
    """The secret that was kept for this client. Raises ``IssuerUnusable`` for another's, and for none."""
    if not text:
        raise IssuerUnusable(
            "No secret is kept for the issuer's client.", remedy="Store the client's secret with the rule."
        )
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    whose = (found.get("issuer"), found.get("client_id")) if isinstance(found, dict) else None
    if not isinstance(found, dict) or whose != (issuer, client_id) or not isinstance(found.get("secret"), str):
        raise IssuerUnusable(
            "The secret that is kept is of another client than the rule's.",
            remedy="Store the client's secret with the rule once more.",
        )
    return str(found["secret"])


def shown(client_id: str, secret: str, ways: Sequence[str]) -> Shown:
    """How a client shows its secret to an issuer that takes one of these ``ways``; none means that it didn't say.

    Raises ``IssuerUnusable`` where it takes no password.
    """
    if not ways or BASIC in ways:
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
        return Shown({"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {})
    if POST in ways:
        return Shown({}, {"client_secret": secret})
    raise IssuerUnusable(
        "The issuer takes a client's secret in no way that is known here.",
        remedy="Have its client be one with a password (client_secret_basic, client_secret_post), or with none.",
    )
