"""HTTP/1.1 to registries: connections kept and reused, bodies streamed, every size and time bounded.

It follows no redirect, reads no netrc setting, keeps no cookies and decodes nothing: each of those has leaked
credentials or expanded bombs in other clients. It goes through the proxies that it is told of and no others. A blob is
read into a buffer that the caller reuses.
"""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Self

from byoa.adapters.registries.connection import Chunks, Connection, HungUp, Pool
from byoa.adapters.registries.deadlines import PATIENT, Allowance, TooLate
from byoa.adapters.registries.dialing import OPEN
from byoa.adapters.registries.hosts import LONGEST_REST, Host
from byoa.adapters.registries.http1 import write_head
from byoa.adapters.registries.silences import unreachable
from byoa.engine.verifying import pair
from byoa.errors import RegistryProtocolError, ShortRead, Transient

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ssl import SSLContext
    from types import TracebackType

    from byoa.adapters.registries.dialing import Dialer
    from byoa.adapters.registries.endpoints import Endpoint, Location
    from byoa.adapters.registries.http1 import Head
    from byoa.adapters.registries.proxies import Proxies
    from byoa.engine.ports import BlobReader

_CONCURRENCY: Final = 16
"""Requests at once per endpoint, and idle connections kept: more than a registry's own traits allow never come."""

_FEW: Final = 1024
"""Bytes of an answer that nobody wants: what stands below a redirect or beside a status."""

_ONE_PIECE: Final = 64 * 1024
"""Bytes of a body that are sent together with the request's head."""

_STALE: Final = (HungUp, ConnectionResetError, BrokenPipeError)


ENCODED: Final = "The registry answers in an encoding that was not asked for."


type Login = Literal["given", "kept", "none"]
"""What became of a login with a request: it was shown, it wasn't asked for, or there is none."""


class Stream(NamedTuple):
    """A request body of ``size`` bytes that is read while it is sent."""

    content: BlobReader
    size: int


class Response:
    """A status, headers, and a body to be read or closed. A body read to its end gives its connection back."""

    def __init__(self, head: Head, connection: Connection, pool: Pool) -> None:
        self._head = head
        self._connection = connection
        self._pool = pool
        self._left = head.length
        self._chunks = Chunks(connection) if head.chunked else None
        self._closed = False
        self.status = head.status
        self.length = head.length
        """Bytes of the body, where the answer's head says so."""
        self.place: Location | None = None
        """Where the answer came from, if redirects led there."""
        self.login: Login = "none"
        """Whether the request showed a login, as whoever sent it says."""

    @property
    def encoded(self) -> bool:
        """Whether it says that it comes in an encoding, which was not asked for.

        Nothing is decoded: bytes that are right are right whatever is said of them, all others break the protocol.
        """
        return any(value.lower() not in ("", "identity") for value in self.headers("Content-Encoding"))

    def header(self, name: str) -> str | None:
        """The header's first value."""
        return self._head.first(name)

    def headers(self, name: str) -> list[str]:
        """All values of a header that may stand several times."""
        return self._head.all(name)

    def readinto(self, buffer: memoryview, /) -> int:
        """The next bytes of a body that may be of any length; 0 at its end. Raises ``ShortRead`` when it breaks off.

        A body of a length that nobody told ends with the connection, wherever that is: the caller knows the digest.
        Raises ``Timeout`` where our own time is over.
        """
        self._connection.lift()
        return self._readinto(buffer)

    def _readinto(self, buffer: memoryview) -> int:
        try:
            if self._chunks:
                return self._chunks.readinto(buffer)
            if self._left is None:
                return self._connection.readinto(buffer)
            wanted = buffer if len(buffer) <= self._left else buffer[: self._left]
            count = self._connection.readinto(wanted) if len(wanted) else 0
        except TooLate as error:
            raise unreachable(error) from error
        except (OSError, RegistryProtocolError) as error:
            raise ShortRead("The connection broke while the registry was sending.") from error
        if count == 0 and len(wanted):
            raise ShortRead("The registry hung up before the end of what it was sending.")
        self._left -= count
        return count

    def read(self, limit: int) -> bytes:
        """The body, at most ``limit`` bytes of it and one more, so that the caller can tell that it is too long.

        Raises ``ShortRead`` when it breaks off, ``RegistryUnavailable`` where it takes longer than an answer may and
        ``Timeout`` where our own time is over.
        """
        if self._left is None:
            return self._read_growing(limit + 1)
        size = min(self._left, limit + 1)
        view, count = memoryview(bytearray(size)), 0
        while count < size and (more := self._readinto(view[count:])):
            count += more
        return bytes(view[:count])

    def _read_growing(self, size: int) -> bytes:
        """Of a length that nobody told: room for all that may come would be more than most of it takes."""
        found, block = bytearray(), memoryview(bytearray(min(size, _ONE_PIECE)))
        while len(found) < size and (count := self._readinto(block[: size - len(found)])):
            found += block[:count]
        return bytes(found)

    def close(self) -> None:
        """Give the connection back if the body was read, else close it: what is left on it is not worth reading."""
        if self._closed:
            return
        self._closed = True
        if not self._head.final and self._ended():
            self._pool.give(self._connection)
        else:
            self._connection.close()

    def _ended(self) -> bool:
        """Whether nothing of the body is left. Of a few bytes, reading costs less than another connection would."""
        if self._chunks:
            return self._chunks.ended
        if self._left is None or self._left > _FEW:
            return False
        try:
            self.read(_FEW)
        except Transient:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Transport:
    """Sends requests, over one pool of connections per endpoint. Safe to share between threads."""

    def __init__(  # noqa: PLR0913 - settings by name
        self,
        *,
        allowance: Allowance = PATIENT,
        longest_rest: float = LONGEST_REST,
        proxies: Proxies | None = None,
        dialer: Dialer = OPEN,
        ca: str | None = None,
        ca_alone: bool = False,
        by_environment: bool = True,
        server_name: str | None = None,
    ) -> None:
        """``allowance`` is how long the other side may take, ``longest_rest`` what is waited if it asks.

        ``dialer`` decides who is connected to; ``ca`` is an authority (PEM) that is trusted here beside the platform's,
        which SSL_CERT_FILE names where it may, ``by_environment``; or ``ca_alone``. A ``server_name`` is what
        certificates have to be for, in place of the endpoint's own.
        """
        self._allowance = allowance
        self._proxies = proxies
        self._dialer = dialer
        self._ca = ca
        self._ca_alone = ca_alone
        self._server_name = server_name
        self._by_environment = by_environment
        self._longest_rest = longest_rest
        self._pools: dict[Endpoint, Pool] = {}
        self._hosts: dict[Endpoint, Host] = {}
        self._lock = threading.Lock()
        self._tls: SSLContext | None = None
        self.plain: frozenset[Endpoint] = frozenset()
        """Who may be spoken to without TLS where a registry leads there."""

    def host(self, endpoint: Endpoint, concurrency: int = _CONCURRENCY) -> Host:
        """The gate that all requests to ``endpoint`` go through; who asks first says how wide it is."""
        with self._lock:
            if endpoint not in self._hosts:
                self._hosts[endpoint] = Host(concurrency, longest=self._longest_rest, left=self._allowance.left)
            return self._hosts[endpoint]

    def request(
        self,
        method: str,
        endpoint: Endpoint,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Stream | None = None,
    ) -> Response:
        """Send one request and return the answer's head; the caller closes it.

        ``path`` is the request target, built from validated parts. Raises ``RegistryUnavailable`` when the endpoint
        can't be reached or doesn't answer, ``EndpointBlocked`` when it may not be connected to, ``Timeout`` when our
        own time is over, ``RegistryProtocolError`` when what it answers is no HTTP, and whatever reading a streamed
        body raises.
        """
        host = self.host(endpoint)
        if isinstance(body, Stream):  # takes no slot while it waits for its own source, which may be the same host
            host.wait()
            return self._request(method, endpoint, path, headers, body)
        with host.turn():
            return self._request(method, endpoint, path, headers, body)

    def _request(
        self, method: str, endpoint: Endpoint, path: str, headers: Mapping[str, str], body: bytes | Stream | None
    ) -> Response:
        pool = self._pool(endpoint)
        connection = pool.take()
        fresh = connection is None
        try:
            connection = connection or self._connect(endpoint, pool)
            return _exchange(connection, pool, method, path, headers, body)
        except _STALE as error:
            # A kept connection that the other side closed meanwhile: the request was never taken up.
            if fresh or isinstance(body, Stream):
                raise unreachable(error, endpoint) from error
        except OSError as error:
            raise unreachable(error, endpoint) from error
        try:
            return _exchange(self._connect(endpoint, pool), pool, method, path, headers, body)
        except OSError as error:
            raise unreachable(error, endpoint) from error

    def close(self) -> None:
        """Close all idle connections; those that are in use are closed when they are given back."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    def _pool(self, endpoint: Endpoint) -> Pool:
        with self._lock:
            return self._pools.setdefault(endpoint, Pool(_CONCURRENCY))

    def _connect(self, endpoint: Endpoint, pool: Pool) -> Connection:
        context = self._context() if endpoint.scheme == "https" else None
        proxy = self._proxies.of(endpoint) if self._proxies else None
        try:
            return Connection(
                (endpoint.host, endpoint.port),
                endpoint.authority,
                self._allowance,
                context=context,
                proxy=proxy,
                dialer=self._dialer,
                server_name=self._server_name,
                session=pool.session,
            )
        except OSError:
            pool.session = None  # who tries again does so without what may have been the reason
            raise

    def _context(self) -> SSLContext:
        from byoa.adapters.registries.tls import make_context  # noqa: PLC0415 - ssl is slow, and not always needed

        with self._lock:
            self._tls = self._tls or make_context(self._ca, alone=self._ca_alone, by_environment=self._by_environment)
            return self._tls


def _exchange(  # noqa: PLR0913, PLR0917 - one request's parts
    connection: Connection,
    pool: Pool,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes | Stream | None,
) -> Response:
    try:
        size = body.size if isinstance(body, Stream) else None if body is None else len(body)
        head = write_head(method, path, connection.authority, {**headers, **connection.shown}, size, connection.prefix)
        whole = _send(connection, head, body)
        answer = connection.head(method)
        answer.final = answer.final or not whole
    except BaseException:
        connection.close()
        raise
    return Response(answer, connection, pool)


def _send(connection: Connection, head: bytes, body: bytes | Stream | None) -> bool:
    """Whether all of it went: a registry that refuses an upload may answer and hang up before its end."""
    connection.begin()
    if not isinstance(body, Stream):
        connection.send(head + body if body else head)
        return True
    if body.size <= _ONE_PIECE:
        connection.send(head + _collect(body.content, body.size))
        return True
    connection.send(head)
    buffers, left = itertools.cycle(pair()), body.size
    while left:
        buffer = next(buffers)[:left]
        count = body.content.readinto(buffer)
        if count == 0:
            break
        left -= count
        try:
            connection.send(buffer[:count])
        except (BrokenPipeError, ConnectionResetError):
            return False
    return True


def _collect(content: BlobReader, size: int) -> bytes:
    """All of a small body, which so goes out with its head; it verifies itself when it is read, empty or not."""
    view, count = memoryview(bytearray(max(1, size))), 0
    while more := content.readinto(view[count:]):
        count += more
        if count >= size:
            break
    return bytes(view[:count])
