"""A connection to a registry: bytes out, an answer's head and body in, none of it without a bound in time and size."""

from __future__ import annotations

import select
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Final, cast

from byoa.adapters.registries.http1 import HEAD_LIMIT, Head, read_chunk_size, read_head
from byoa.errors import RegistryProtocolError, ShortRead

if TYPE_CHECKING:
    from ssl import SSLContext

_CONNECT_SECONDS: Final = 10.0
_PIECE: Final = 16 * 1024
"""Bytes that are asked for at once where a head is expected."""

_ENOUGH: Final = 256 * 1024
"""Bytes of a body that are worth handing on. Waiting for fewer costs more calls; waiting for the last ones of a full
buffer, which come in small pieces, was measured to cost a quarter of a large blob's time.
"""

_INTERIM: Final = 16
"""Answers of status 1xx that may come before the one that counts (RFC 9110, 15.2)."""

_PATIENT_SECONDS: Final = 60.0
_SLOWEST: Final = 512
"""Bytes a second, over a minute of waiting: who sends less holds the connection rather than using it."""

_END_OF_HEAD: Final = b"\r\n\r\n"


class HungUp(ConnectionError):
    """The other side closed the connection before it answered at all."""


class Connection:
    """One connection, over TLS where there is a context. ``authority`` is what requests name in their Host field."""

    def __init__(
        self, address: tuple[str, int], authority: str, seconds: float, context: SSLContext | None = None
    ) -> None:
        """Connect; ``seconds`` is how long the other side may say nothing. Raises ``OSError``."""
        self.authority = authority
        host, port = address
        # As bytes, which the stubs don't know: a str has Python import its tables of internationalised names.
        place = (cast("str", host.encode("ascii")), port)
        self._socket = socket.create_connection(place, timeout=_CONNECT_SECONDS)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context:
                self._socket = context.wrap_socket(self._socket, server_hostname=host)
            self._socket.settimeout(seconds)
        except BaseException:
            self._socket.close()
            raise
        self._rest = b""
        self._broken: OSError | None = None
        self._waited = 0.0
        self._received = 0

    def send(self, content: bytes | memoryview) -> None:
        """Send all of it. Raises ``OSError``."""
        self._socket.sendall(content)

    def head(self, method: str) -> Head:
        """Read the answer's head, passing over those that only say that one will come.

        Raises ``HungUp``, another ``OSError``, or ``RegistryProtocolError``.
        """
        self._waited, self._received = 0.0, 0
        for _ in range(_INTERIM):
            head = read_head(self._until(_END_OF_HEAD), method)
            if head.status >= 200:  # noqa: PLR2004 - RFC 9110, 15.2
                return head
            if head.status == 101:  # noqa: PLR2004 - RFC 9110, 15.2.2: nobody asked
                break
        raise RegistryProtocolError("The registry sends interim answers and no answer.")

    def line(self) -> bytes:
        """The next line of a chunked body's framing, with its end. Raises ``OSError`` or ``RegistryProtocolError``."""
        return self._until(b"\r\n")

    def readinto(self, view: memoryview) -> int:
        """The next bytes of a body: a quarter of a megabyte, or as many as there is room for, unless it breaks off.

        0 at the connection's end. Raises ``OSError``.
        """
        count = min(len(self._rest), len(view))
        if count:
            view[:count], self._rest = self._rest[:count], self._rest[count:]
        while count < min(len(view), _ENOUGH):
            try:
                more = self._receive(view[count:])
            except OSError as error:
                self._broken = error
                if not count:
                    raise
                break
            if not more:
                break
            count += more
        return count

    def _receive(self, view: memoryview) -> int:
        if self._broken:  # what came before was handed on first
            raise self._broken
        started = time.monotonic()
        count = self._socket.recv_into(view)
        self._watch(started, count)
        return count

    @property
    def dropped(self) -> bool:
        """Whether an idle connection was closed, or has sent what nobody asked for."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(self._rest or poll.poll(0))

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _until(self, mark: bytes) -> bytes:
        content = self._rest
        while (end := content.find(mark)) < 0:
            if len(content) > HEAD_LIMIT:
                raise RegistryProtocolError("The head of the registry's answer is too long.")
            started = time.monotonic()
            piece = self._socket.recv(_PIECE)
            if not piece:
                raise HungUp if not content else ConnectionAbortedError
            self._watch(started, len(piece))
            content += piece
        end += len(mark)
        self._rest = content[end:]
        return content[:end]

    def _watch(self, started: float, count: int) -> None:
        """Give up on who sends so slowly that it could go on for ever, whatever it is that it sends."""
        self._waited += time.monotonic() - started
        self._received += count
        if self._waited > _PATIENT_SECONDS:
            if self._received < _SLOWEST * self._waited:
                raise TimeoutError
            self._waited, self._received = 0.0, 0


class Chunks:
    """A chunked body (RFC 9112, 7.1); what its extensions and trailers say is passed over."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._left = 0
        self._first = True
        self.ended = False

    def readinto(self, view: memoryview) -> int:
        """The next bytes; 0 at the body's end. Raises ``ShortRead``, ``OSError`` or ``RegistryProtocolError``."""
        if not self._left and not self.ended:
            self._begin()
        if self.ended or not len(view):
            return 0
        count = self._connection.readinto(view[: self._left])
        if not count:
            raise ShortRead("The registry hung up before the end of what it was sending.")
        self._left -= count
        return count

    def _begin(self) -> None:
        if not self._first and self._connection.line() != b"\r\n":
            raise RegistryProtocolError("The registry's answer is not chunked as it says.")
        self._first = False
        size = read_chunk_size(self._connection.line())
        if size is None:
            raise RegistryProtocolError("The registry's answer is not chunked as it says.")
        self._left = size
        if size == 0:
            self._pass_trailers()
            self.ended = True

    def _pass_trailers(self) -> None:
        passed = 0
        while (line := self._connection.line()) != b"\r\n":
            passed += len(line)
            if passed > HEAD_LIMIT:
                raise RegistryProtocolError("The trailers of the registry's answer are too long.")


class Pool:
    """Idle connections to one endpoint, at most ``most``; the last one used is the first to be taken."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._idle: list[Connection] = []
        self._lock = threading.Lock()

    def take(self) -> Connection | None:
        """A connection that is still open; ``None`` where there is none."""
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if not connection.dropped:
                    return connection
                connection.close()
        return None

    def give(self, connection: Connection) -> None:
        """Keep it, or close it where enough are kept."""
        with self._lock:
            if len(self._idle) < self._most:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close all that are kept."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def is_tls(error: Exception) -> bool:
    """Whether it is one of TLS: the module is there if any connection has asked for it."""
    module = sys.modules.get("ssl")
    return module is not None and isinstance(error, module.SSLError)
