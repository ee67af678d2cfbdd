"""Requests to one API server: JSON out and in, bounded, tried again for seconds where that can help.

Who sends them is handed in: this wing knows neither sockets nor TLS.
"""

from __future__ import annotations

import json
import re
import ssl
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from byoa.adapters.kubernetes.shapes import can_be_kept
from byoa.engine.patience import HASTY
from byoa.errors import (
    ByoaError,
    ClusterAccessInvalid,
    ClusterThrottled,
    ClusterUnavailable,
    ClusterUntrusted,
    CredentialMalformed,
    EndpointBlocked,
    Transient,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from byoa.engine.patience import Patience

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of an answer: a page of 500 objects of 100 KB."""

_WARNINGS: Final = 20
_UNKNOWN: Final = 401
_THROTTLED: Final = 429
_INTERNAL: Final = 500
_BROKEN: Final = frozenset((500, 502, 503, 504))
_WARNING: Final = r'299 \S+ "((?:[^"\\]|\\.)*)"'
_LONGEST_REST: Final = 30.0
_DENIED: Final = '" denied the request'


class Response(Protocol):
    """An answer that is under way."""

    status: int

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        ...

    def headers(self, name: str) -> list[str]:
        """All values of a header."""
        ...

    def read(self, limit: int) -> bytes:
        """The body, at most ``limit`` bytes of it and one more."""
        ...

    def close(self) -> None:
        """Have done with it."""
        ...


type Send = Callable[[str, str, Mapping[str, str], bytes | None], Response]
"""Sends a method, a path, headers and a body to the one API server, and gives its answer."""


class Answer(NamedTuple):
    """What an API server says: a status, JSON or nothing, and its warnings."""

    status: int
    body: dict[str, Any] | None
    warnings: tuple[str, ...] = ()

    @property
    def fine(self) -> bool:
        """Whether it did what it was asked for."""
        return 200 <= self.status < 300  # noqa: PLR2004 - RFC 9110, 15.3

    @property
    def message(self) -> str:
        """What its Status says; not for people, because it quotes whole objects."""
        return str((self.body or {}).get("message", ""))

    @property
    def causes(self) -> list[dict[str, Any]]:
        """The causes that its Status names."""
        details = (self.body or {}).get("details")
        causes = details.get("causes") if isinstance(details, dict) else None
        return [each for each in causes if isinstance(each, dict)] if isinstance(causes, list) else []


class Wire:
    """One API server, called by ``authority`` in what people are told, for a ``token``.

    ``renew`` has the next token be another one where one is refused, if it can.
    """

    def __init__(
        self,
        send: Send,
        authority: str,
        token: Callable[[], str],
        patience: Patience = HASTY,
        renew: Callable[[], bool] = lambda: False,
    ) -> None:
        self._send = send
        self._authority = authority
        self._token = token
        self._renew = renew
        self._patience = patience
        self.requests = 0
        """How many were sent."""

    def ask(  # noqa: PLR0913 - a request's parts
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        content_type: str = "application/json",
        accept: str = "application/json",
        once: bool = False,
    ) -> Answer:
        """The answer, whatever its status but those that may pass: these are tried again, unless it is to be ``once``.

        Who isn't known by a token is asked for again with a new one, once.

        Raises ``ClusterUnavailable``, ``ClusterThrottled``, ``ClusterUntrusted`` and ``ClusterAccessInvalid``.
        """
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"Accept": accept, **({} if content is None else {"Content-Type": content_type})}
        tries, renewed = 0, False
        while True:
            tries += 1
            try:
                token = {"Authorization": f"Bearer {self._token()}"}
                answer = self._ask(method, path, headers | token, content)
                if answer.status != _UNKNOWN or renewed or not self._renew():
                    return answer
                renewed = True
            except Transient as error:
                if once or not self._patience.again(tries, error):
                    raise

    def _ask(self, method: str, path: str, headers: dict[str, str], content: bytes | None) -> Answer:
        self.requests += 1
        try:
            response = self._send(method, path, headers, content)
            try:
                answer = self._read(response)
            finally:
                response.close()
        except ByoaError as error:
            raise _translated(error, self._authority) from error
        if _DENIED in answer.message:  # by a webhook, which chooses the status
            return answer
        if answer.status == _THROTTLED:
            raise ClusterThrottled("The cluster's API asks to slow down.", retry_after=_rest(response))
        if answer.status in _BROKEN and _may_pass(answer):
            raise ClusterUnavailable(_why(answer))
        return answer

    def _read(self, response: Response) -> Answer:
        content = response.read(LARGEST)
        if len(content) > LARGEST:
            raise ClusterUnavailable("The cluster's API answers with more than is read.")
        warnings = [re.match(_WARNING, each) for each in response.headers("Warning")[:_WARNINGS]]
        told = tuple(re.sub(r"\\(.)", r"\1", each[1])[:500] for each in warnings if each)
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            body = None
        read = isinstance(body, dict) and can_be_kept(content, body)
        return Answer(response.status, body if read else None, told)


def _translated(error: ByoaError, authority: str) -> ByoaError:
    """What a sender's failure means of a cluster: senders speak of registries."""
    if isinstance(error, ClusterUnavailable):
        return error
    if isinstance(error, EndpointBlocked):
        return ClusterAccessInvalid(
            f"{authority} leads to an address that is not connected to.",
            remedy="Name the cluster's public address, or use an agent inside its network. A private one takes an "
            "install that says so and a platform whose operator has opened it (Reachable).",
        )
    if isinstance(error, CredentialMalformed):
        return ClusterAccessInvalid("The cluster's authority is no certificate in PEM.")
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        vouching = "the given authority vouches for, or where none was given a public one"
        return ClusterUntrusted(f"The certificate of {authority} is not one that {vouching}.")
    found = ClusterUnavailable(f"{authority} can't be reached, hung up, or took too long.")
    found.given_up = error.given_up
    return found


def _may_pass(answer: Answer) -> bool:
    """A failure of the server's own; what it can't read of an apply is 500 as well, without a reason, and stays so."""
    return answer.status != _INTERNAL or answer.body is None or bool(answer.body.get("reason"))


_WEBHOOK: Final = r'failed calling webhook "([a-z0-9.-]{1,253})"'


def _why(answer: Answer) -> str:
    webhook = re.search(_WEBHOOK, answer.message)
    if webhook:
        return f"The webhook {webhook[1]} of the cluster doesn't answer."
    return f"The cluster's API fails on its side (status {answer.status})."


def _rest(response: Response) -> float | None:
    asked = response.header("Retry-After") or ""
    return min(float(asked), _LONGEST_REST) if asked.isdecimal() else None
