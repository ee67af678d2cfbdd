"""A job of GitHub Actions asks its runner's service for a token that says whose job it is.

Source: GitHub Docs, "OpenID Connect reference", on ``ACTIONS_ID_TOKEN_REQUEST_URL``; what it answers is in
actions/toolkit, ``packages/core/src/oidc-utils.ts``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from urllib3.exceptions import HTTPError

from byoa.adapters.remote.wire import pool, send
from byoa.errors import ApiUnavailable, LoginMissing

if TYPE_CHECKING:
    from byoa.adapters.remote.wire import Way

_LIMIT: Final = 64 * 1024
_OK, _FIRST_ERROR, _FIRST_FAULT, _THROTTLED = 200, 400, 500, 429
_JWT: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+){2}", re.ASCII)
_AGAIN: Final = "Run the job again in a while; GitHub's status page tells of outages."


class GithubJob:
    """Asks at ``address``, with the ``secret`` that the job has for this alone. It shows in no ``repr``."""

    def __init__(self, address: str, secret: str, proxy: Way | None = None) -> None:
        self._address = address
        self._headers = {"Accept": "application/json", "User-Agent": "byoa", "Authorization": f"Bearer {secret}"}
        self._pool = pool(proxy)

    def __repr__(self) -> str:
        return "GithubJob()"

    def token(self, audience: str) -> str:
        """A token (JWT) for ``audience``. Raises ``LoginMissing`` and ``ApiUnavailable``."""
        joint = "&" if "?" in self._address else "?"
        place = f"{self._address}{joint}{urlencode({'audience': audience})}"
        try:
            answer, content = send(self._pool, "GET", place, self._headers, None, limit=_LIMIT)
        except HTTPError as error:
            raise ApiUnavailable("GitHub can't be reached for the job's token.", remedy=_AGAIN) from error
        if answer.status == _THROTTLED or answer.status >= _FIRST_FAULT:
            raise ApiUnavailable(f"GitHub gives the job no token: it answers {answer.status}.", remedy=_AGAIN)
        found = _value(content) if answer.status == _OK and len(content) <= _LIMIT else None
        if found is None:
            raise LoginMissing(
                f"GitHub gives the job no token: it answers {answer.status}"
                + (" and no token that is one." if answer.status < _FIRST_ERROR else "."),
                remedy="Give the job `permissions: id-token: write`, or set BYOA_TOKEN.",
            )
        return found


def _value(content: bytes) -> str | None:
    try:
        document: Any = json.loads(content)
    except (ValueError, RecursionError):
        return None
    value = document.get("value") if isinstance(document, dict) else None
    return value if isinstance(value, str) and _JWT.fullmatch(value) else None
