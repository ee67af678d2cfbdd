"""HTTP/1.1 to registries: connections kept and reused, bodies streamed, every size and time bounded.

It follows no redirect, reads no proxy or netrc setting, keeps no cookies and decodes nothing: each of those has leaked
credentials or expanded bombs in other clients. The standard library's client is what this needs and no more; a blob is
read into a buffer that the caller reuses.
"""

from __future__ import annotations

import http.client
import itertools
import select
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from byoa.adapters.hosts import LONGEST_REST, Host
from byoa.errors import RegistryProtocolError, RegistryUnavailable, ShortRead
from byoa.verifying import pair

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from byoa.ports import BlobReader

_CONNECT_SECONDS: Final = 10.0
_READ_SECONDS: Final = 30.0
_CONCURRENCY: Final = 16
"""Requests at once per endpoint, and idle connections kept: more than a registry's own traits allow never come."""

_FEW: Final = 1024
"""Bytes of an answer that nobody wants: what stands below a redirect or beside a status."""

_ONE_PIECE: Final = 64 * 1024
"""Bytes of a body that are sent together with the request's head."""

_STALE: Final = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError, ConnectionAbortedError)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect. ``host`` is a name or an address, IPv6 without brackets."""

    scheme: Literal["https", "http"]
    host: str
    port: int

    @property
    def authority(self) -> str:
        """``host``, with the port where it isn't the scheme's own: what goes into the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True, slots=True)
class Stream:
    """A request body of ``size`` bytes that is read while it is sent."""

    content: BlobReader
    size: int


class Response:
    """A status, headers, and a body to be read or closed. A body read to its end gives its connection back."""

    def __init__(self, raw: http.client.HTTPResponse, connection: _Connection, pool: _Pool) -> None:
        self._raw = raw
        self._connection = connection
        self._pool = pool
        self._closed = False
        self.status = raw.status

    def header(self, name: str) -> str | None:
        """The header's first value."""
        return self._raw.headers.get(name)

    def headers(self, name: str) -> list[str]:
        """All values of a header that may stand several times."""
        return self._raw.headers.get_all(name) or []

    def readinto(self, buffer: memoryview, /) -> int:
        """The next bytes of the body; 0 at its end. Raises ``ShortRead`` when it breaks off.

        http.client takes a connection that was closed too early for the end of the body; what is left of the declared
        length tells the two apart.
        """
        try:
            count = self._raw.readinto(buffer)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ShortRead("The connection broke while the registry was sending.") from error
        if count == 0 and len(buffer) and self._raw.length:
            raise ShortRead("The registry hung up before the end of what it was sending.")
        return count

    def read(self, limit: int) -> bytes:
        """The body, at most ``limit`` bytes of it and one more, so that the caller can tell that it is too long."""
        declared = self._raw.length
        size = limit + 1 if declared is None else min(declared, limit + 1)
        view, count = memoryview(bytearray(size)), 0
        while count < size and (more := self.readinto(view[count:])):
            count += more
        return bytes(view[:count])

    def close(self) -> None:
        """Give the connection back if the body was read, else close it: what is left on it is not worth reading."""
        if self._closed:
            return
        self._closed = True
        if not self._raw.will_close and self._ended():
            self._pool.give(self._connection)
        else:
            self._raw.close()
            self._connection.close()

    def _ended(self) -> bool:
        """Whether nothing of the body is left. Of a few bytes, reading costs less than another connection would."""
        left = 0 if self._raw.isclosed() else self._raw.length
        if left is None or left > _FEW:
            return False
        try:
            return len(self._raw.read()) == left
        except (OSError, http.client.HTTPException, ValueError):
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Transport:
    """Sends requests, over one pool of connections per endpoint. Safe to share between threads."""

    def __init__(self, *, read_seconds: float = _READ_SECONDS, longest_rest: float = LONGEST_REST) -> None:
        """``read_seconds`` is how long the other side may say nothing, ``longest_rest`` what is waited if it asks."""
        self._read_seconds = read_seconds
        self._longest_rest = longest_rest
        self._pools: dict[Endpoint, _Pool] = {}
        self._hosts: dict[Endpoint, Host] = {}
        self._lock = threading.Lock()
        self._tls: ssl.SSLContext | None = None

    def host(self, endpoint: Endpoint, concurrency: int = _CONCURRENCY) -> Host:
        """The gate that all requests to ``endpoint`` go through; who asks first says how wide it is."""
        with self._lock:
            if endpoint not in self._hosts:
                self._hosts[endpoint] = Host(concurrency, longest=self._longest_rest)
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
        can't be reached or doesn't answer, ``RegistryProtocolError`` when what it answers is no HTTP or is encoded,
        and whatever reading a streamed body raises.
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
            connection = connection or self._connect(endpoint)
            return _exchange(connection, pool, method, path, headers, body)
        except _STALE as error:
            # A kept connection that the other side closed meanwhile: the request was never taken up.
            if fresh or isinstance(body, Stream):
                raise _unreachable(error) from error
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(error) from error
        try:
            return _exchange(self._connect(endpoint), pool, method, path, headers, body)
        except (OSError, http.client.HTTPException) as error:
            raise _unreachable(error) from error

    def close(self) -> None:
        """Close all idle connections."""
        with self._lock:
            pools = list(self._pools.values())
        for pool in pools:
            pool.close()

    def _pool(self, endpoint: Endpoint) -> _Pool:
        with self._lock:
            return self._pools.setdefault(endpoint, _Pool())

    def _connect(self, endpoint: Endpoint) -> _Connection:
        connection: _Connection
        if endpoint.scheme == "https":
            with self._lock:
                self._tls = self._tls or ssl.create_default_context()
            connection = _TlsConnection(endpoint.host, endpoint.port, timeout=_CONNECT_SECONDS, context=self._tls)
        else:
            connection = _PlainConnection(endpoint.host, endpoint.port, timeout=_CONNECT_SECONDS)
        connection.connect()
        connection.sock.settimeout(self._read_seconds)
        return connection


class _Joining(http.client.HTTPConnection):
    """Sends a request's head and its small body in one piece, which http.client does in two."""

    _held: list[bytes] | None = None

    def send_whole(self, body: bytes | None) -> None:
        """End the headers and send all that there is."""
        self._held = []
        try:
            self.endheaders(body or None)
            whole = b"".join(self._held)
        finally:
            self._held = None
        self.send(whole)

    def send(self, data: Any) -> None:  # noqa: ANN401 - whatever http.client takes
        """Send, or keep for ``send_whole``."""
        if self._held is None:
            super().send(data)
        else:
            self._held.append(data)


class _PlainConnection(_Joining):
    pass


class _TlsConnection(_Joining, http.client.HTTPSConnection):
    pass


type _Connection = _Joining


class _Pool:
    """Idle connections to one endpoint, the last one used first."""

    def __init__(self) -> None:
        self._idle: list[_Connection] = []
        self._lock = threading.Lock()

    def take(self) -> _Connection | None:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if not _dropped(connection):
                    return connection
                connection.close()
        return None

    def give(self, connection: _Connection) -> None:
        with self._lock:
            if len(self._idle) < _CONCURRENCY:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _dropped(connection: _Connection) -> bool:
    """An idle connection that has something to read has been closed, or was never in step."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _exchange(  # noqa: PLR0913, PLR0917 - one request's parts
    connection: _Connection,
    pool: _Pool,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes | Stream | None,
) -> Response:
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        connection.putheader("Accept-Encoding", "identity")
        for name, value in headers.items():
            connection.putheader(name, value)
        whole = _send_body(connection, method, body)
        raw = connection.getresponse()
        raw.will_close = raw.will_close or not whole
    except BaseException:
        connection.close()
        raise
    response = Response(raw, connection, pool)
    if response.header("Content-Encoding") not in (None, "identity"):
        response.close()
        raise RegistryProtocolError("The registry answers in an encoding that was not asked for.")
    return response


def _send_body(connection: _Connection, method: str, body: bytes | Stream | None) -> bool:
    """Whether all of it went: a registry that refuses an upload may answer and hang up before its end."""
    if body is None and method in ("GET", "HEAD"):
        connection.endheaders()
        return True
    size = body.size if isinstance(body, Stream) else len(body or b"")
    connection.putheader("Content-Length", str(size))
    if not isinstance(body, Stream):
        connection.send_whole(body)
        return True
    if size <= _ONE_PIECE:
        connection.send_whole(_collect(body.content, size))
        return True
    connection.endheaders()
    buffers, left = itertools.cycle(pair()), size
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


def _unreachable(error: Exception) -> RegistryUnavailable | RegistryProtocolError:
    """Say what went wrong without a word of the other side's."""
    if isinstance(error, ssl.SSLError):
        return RegistryUnavailable("The registry's TLS certificate or handshake is not acceptable.")
    if isinstance(error, TimeoutError):
        return RegistryUnavailable("The registry did not answer in time.")
    if isinstance(error, socket.gaierror):
        return RegistryUnavailable("The registry's name does not resolve.")
    if isinstance(error, OSError):
        return RegistryUnavailable("The registry can't be reached, or hung up.")
    return RegistryProtocolError("What the registry answers is not HTTP as it should be.")
