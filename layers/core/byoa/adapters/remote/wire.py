"""One API over HTTP, by urllib3: TLS that is verified, no redirects, bounded answers, tries that are bounded."""

from __future__ import annotations

import json
import secrets
import ssl
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from urllib3 import PoolManager, ProxyManager, Retry, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from byoa.adapters.remote.refusals import error_of
from byoa.api.asking import Listing, Reply
from byoa.errors import ApiRefused, ApiUnavailable, ApiUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from urllib3 import BaseHTTPResponse

PAGE: Final = 100
"""Items of a page: the API answers no more at once."""

ANSWER_LIMIT: Final = 16 * 1024 * 1024
"""Bytes of an answer: a page of the longest builds is far below."""

_CONNECT_SECONDS: Final = 10
_ANSWER_SECONDS: Final = 35
"""The gateway gives up after 30."""

_TRIES: Final = 4
"""Further ones, after the first."""

_AT_ONCE: Final = 4
"""Connections that are kept: a command asks a few things at a time."""

_LONGEST_REST: Final = 20
"""Seconds between two tries at most, whatever the API asks for."""

_FIRST_ERROR: Final = 300


class Way(NamedTuple):
    """A proxy on the way to the API: its address, and the value of Proxy-Authorization that it is shown, if any."""

    address: str
    authorization: str | None = None


class _Tries(Retry):
    """Tries again what passes by itself; a write has a key, so that it is done once.

    A request with the key of one that is still being answered is told 409 and when to ask again.
    """

    RETRY_AFTER_STATUS_CODES = frozenset({409, 429, 503})


class Wire:
    """Speaks to the API at ``address``, with the token that is good when a request begins. It shows in no ``repr``."""

    def __init__(
        self, address: str, token: str | Callable[[], str], organisation: str | None = None, proxy: Way | None = None
    ) -> None:
        self._address = address.rstrip("/")
        self._token = token
        self._headers = {"Accept": "application/json", "User-Agent": "byoa"}
        if organisation:
            self._headers["X-Nuon-Org-ID"] = organisation
        self._pool = pool(proxy)

    def __repr__(self) -> str:
        return f"Wire({self._address!r})"

    def _shown(self) -> str:
        return self._token() if callable(self._token) else self._token

    def ask(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        match: str = "",
        once: bool = False,
    ) -> Reply:
        """See ``api.asking.Api``."""
        if not {"", ".", ".."}.isdisjoint(path):
            raise ApiRefused("The organisation has nothing of that name.", problem="not_found")
        bearer = f"Bearer {self._shown()}"
        headers = {**self._headers, "Authorization": bearer, **({"If-Match": match} if match else {})}
        if method != "GET":
            headers["Idempotency-Key"] = secrets.token_hex(16)
        if body is not None:
            headers["Content-Type"] = "application/json"
        place = "/".join([self._address, "v1", *(quote(each, safe="") for each in path)])
        where = f"{place}?{urlencode(query)}" if query else place
        text = json.dumps(body) if body is not None else None
        answer, content = self._send(method, where, headers, text, 0 if once else _TRIES)
        document = _read(content)
        if answer.status >= _FIRST_ERROR:
            raise error_of(answer.status, document)
        if content and document is None:
            raise ApiUnusable("The API's answer is not JSON.")
        return Reply(answer.status, document, _cursor(answer.headers.get("Link", "")), answer.headers.get("ETag", ""))

    def listing(
        self, *path: str, query: Mapping[str, str] | None = None, offset: int = 0, limit: int | None = None
    ) -> Listing:
        """See ``api.asking.Api``."""
        items: list[dict[str, Any]] = []
        place = {"offset": str(offset)} if offset else {}
        while True:
            size = PAGE if limit is None else min(PAGE, limit - len(items))
            reply = self.ask("GET", *path, query={**(query or {}), **place, "limit": str(size)})
            if not isinstance(reply.document, list) or not all(isinstance(each, dict) for each in reply.document):
                raise ApiUnusable("The API's answer is not the list that was asked for.")
            items += reply.document
            if reply.cursor is None or (limit is not None and len(items) >= limit):
                return Listing(items, reply.cursor is not None)
            if reply.cursor == place.get("cursor"):
                raise ApiUnusable("The API's list doesn't get on: a page leads to itself.")
            place = {"cursor": reply.cursor}

    def _send(
        self, method: str, place: str, headers: Mapping[str, str], body: str | None, further: int
    ) -> tuple[BaseHTTPResponse, bytes]:
        try:
            answer, content = send(self._pool, method, place, headers, body, limit=ANSWER_LIMIT, further=further)
        except HTTPError as error:
            raise _failure(error).at(self._address) from error
        if len(content) > ANSWER_LIMIT:
            raise ApiUnusable("The API's answer is over 16 MiB.")
        return answer, content


def send(  # noqa: PLR0913 - a request and its bounds
    connections: PoolManager, method: str, place: str, headers: Mapping[str, str], body: str | None,
    *, limit: int, further: int = _TRIES,
) -> tuple[BaseHTTPResponse, bytes]:  # fmt: skip
    """One request and ``further`` tries; of the answer's body ``limit`` bytes and one more. Raises ``HTTPError``."""
    tries = _Tries(
        total=further,
        allowed_methods=None,
        status_forcelist=(429, 500, 502, 503, 504),
        backoff_factor=0.25,
        backoff_max=_LONGEST_REST,
        backoff_jitter=0.25,
        raise_on_status=False,
        retry_after_max=_LONGEST_REST,
    )
    answer = connections.request(
        method, place, body=body, headers=headers, redirect=False, retries=tries, preload_content=False,
        timeout=Timeout(connect=_CONNECT_SECONDS, read=_ANSWER_SECONDS),
    )  # fmt: skip
    try:
        return answer, answer.read(limit + 1)
    finally:
        answer.release_conn()


def pool(proxy: Way | None) -> PoolManager:
    """Connections with TLS that is verified, through a proxy where there is one."""
    trusted = ssl.create_default_context()
    if proxy is None:
        return PoolManager(1, maxsize=_AT_ONCE, ssl_context=trusted)
    shown = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else None
    return ProxyManager(proxy.address, 1, maxsize=_AT_ONCE, proxy_headers=shown, ssl_context=trusted)


def _read(content: bytes) -> Any:  # noqa: ANN401 - any JSON
    """A body; ``None`` for what isn't JSON."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _cursor(link: str) -> str | None:
    """Where a list goes on: of the header's address the cursor alone counts, so that no answer leads elsewhere."""
    address, _, told = link.partition(">")
    if 'rel="next"' not in told:
        return None
    return next(iter(parse_qs(urlsplit(address.lstrip(" <")).query).get("cursor", [])), None)


_FAILURES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (SSLError, "No TLS that can be trusted comes about with the API."),
    (NameResolutionError, "The API's host name isn't known."),
    (ProxyError, "The proxy on the way to the API is no help."),
    (NewConnectionError, "Nothing takes a connection at the API's address."),
    (ConnectTimeoutError, "The API can't be connected to in time."),
    (ReadTimeoutError, "The API doesn't answer in time."),
)


def _failure(error: HTTPError) -> ApiUnavailable:
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    told = next((cause for kind, cause in _FAILURES if isinstance(reason, kind)), "The API can't be reached.")
    return ApiUnavailable(told)
