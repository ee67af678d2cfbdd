"""A connection to a registry: bytes out, an answer's head and body in, none of it without a bound in time and size."""

from __future__ import annotations

import select
import socket
import threading
import time
from typing import TYPE_CHECKING, Final

from byoa.adapters.registries.deadlines import Watch
from byoa.adapters.registries.dialing import OPEN
from byoa.adapters.registries.http1 import HEAD_LIMIT, Head, read_chunk_size, read_head
from byoa.errors import RegistryProtocolError, ShortRead

if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext, SSLSession, SSLSocket

    from byoa.adapters.registries.deadlines import Allowance
    from byoa.adapters.registries.dialing import Dialer
    from byoa.adapters.registries.proxies import Proxy

_PIECE: Final = 16 * 1024
"""Bytes that are asked for at once where a head is expected."""

_ENOUGH: Final = 256 * 1024
"""Bytes of a body that are worth handing on. Waiting for fewer costs more calls; waiting for the last ones of a full
buffer, which come in small pieces, was measured to cost a quarter of a large blob's time.
"""

_A_WHILE: Final = 1.0
"""Seconds after which a body's bytes are handed on, however few they are: who reads them looks at the clock between."""

_LINE_LIMIT: Final = 4096
"""Bytes of a line of a chunked body's framing: a size needs sixteen, and nobody reads what may stand behind it."""

_INTERIM: Final = 16
"""Answers of status 1xx that may come before the one that counts (RFC 9110, 15.2)."""

_END_OF_HEAD: Final = b"\r\n\r\n"
_BARE_END: Final = b"\n\n"
"""The end of a head whose lines end otherwise than they should: nothing more would come."""

_ALERT: Final = b"\x15\x03"
"""How an answer of TLS begins to who doesn't speak it (RFC 8446, 5.1)."""


class HungUp(ConnectionError):
    """The other side closed the connection before it answered at all."""


class NoHandshake(ConnectionError):
    """The other side doesn't answer to TLS: it is silent, or hangs up."""


class Refused(ConnectionError):
    """A proxy doesn't connect us; ``status`` is its answer, 0 where it gives none."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Connection:
    """One connection, over TLS where there is a context. ``authority`` is what requests name in their Host field."""

    def __init__(  # noqa: PLR0913 - who is spoken to, and how
        self,
        address: tuple[str, int],
        authority: str,
        allowance: Allowance,
        *,
        context: SSLContext | None = None,
        proxy: Proxy | None = None,
        dialer: Dialer = OPEN,
        server_name: str | None = None,
        session: SSLSession | None = None,
    ) -> None:
        """Connect, through ``proxy`` if there is one; ``allowance`` is how long the other side may take for what.

        A certificate has to be for the host of ``address``, or for ``server_name`` in its place. A ``session`` of
        another connection spares both sides most of TLS's handshake.

        Raises ``OSError``, of which ``NoHandshake`` and ``Refused`` are two, ``RegistryProtocolError``, and
        ``EndpointBlocked`` where ``dialer`` doesn't connect to it.
        """
        self.authority = authority
        asked = proxy is not None and context is None
        self.prefix = f"http://{authority}" if asked else ""
        """What stands before a request's target: a proxy is asked for whole addresses (RFC 9112, 3.2.2)."""
        self.shown = {"Proxy-Authorization": proxy.authorization} if proxy and asked and proxy.authorization else {}
        """Header fields for a proxy that is asked."""
        self._watch = Watch(allowance)
        self._rest = b""
        self._broken: OSError | None = None
        self._secured: SSLSocket | None = None
        """The socket, where its session is new and nobody was given it."""
        self._wait: float | None = None
        """The time that the socket was last given: to set it again is a call of the system's."""
        if proxy:
            self._socket = _reach(proxy, dialer, allowance, self._watch)
        else:
            self._socket = dialer.dial(*address, allowance, self._watch)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context:
                if proxy:
                    self._tunnel(proxy, f"[{address[0]}]" if ":" in address[0] else address[0], address[1])
                self._secure(context, server_name or address[0], allowance.connect, session)
        except BaseException:
            self._socket.close()
            raise

    def _secure(self, context: SSLContext, name: str, seconds: float, session: SSLSession | None) -> None:
        self._socket.settimeout(min(seconds, self._watch.seconds()))
        try:
            asked = name.encode("ascii") if name.isascii() else name  # a str has ssl import all names of the world
            secured = context.wrap_socket(self._socket, server_hostname=asked, session=session)
            self._socket, self._secured = secured, None if secured.session_reused else secured
            self._wait = None
        except (TimeoutError, ConnectionError) as error:
            self._watch.seconds()  # says so if it is our own time that is over
            raise NoHandshake from error

    def _tunnel(self, proxy: Proxy, host: str, port: int) -> None:
        """Have the proxy hand on what is sent (RFC 9110, 9.3.6)."""
        shown = f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
        self.begin()
        self.send(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{shown}\r\n".encode("ascii"))
        head = self.head("CONNECT")
        if not 200 <= head.status < 300 or self._rest:  # noqa: PLR2004 - RFC 9110, 15.3
            raise Refused(head.status)

    def begin(self) -> None:
        """A request goes out: what was waited for before counts no more."""
        self._watch.begin()

    def lift(self) -> None:
        """What comes next is a blob, which may take as long as it needs if it keeps coming."""
        self._watch.lift()

    def send(self, content: bytes | memoryview) -> None:
        """Send all of it. Raises ``OSError``."""
        view = memoryview(content)
        while view:
            view = view[self._timed(self._socket.send, view) :]

    def head(self, method: str) -> Head:
        """Read the answer's head, passing over those that only say that one will come.

        Raises ``HungUp``, another ``OSError``, or ``RegistryProtocolError``.
        """
        self._watch.expect()
        for _ in range(_INTERIM):
            head = read_head(self._until(_END_OF_HEAD, HEAD_LIMIT), method)
            if head.status >= 200:  # noqa: PLR2004 - RFC 9110, 15.2
                self._watch.answered(head.status)
                return head
            if head.status == 101:  # noqa: PLR2004 - RFC 9110, 15.2.2: nobody asked
                break
        raise RegistryProtocolError("The registry sends interim answers and no answer.")

    def line(self) -> bytes:
        """The next line of a chunked body's framing, with its end. Raises ``OSError`` or ``RegistryProtocolError``."""
        return self._until(b"\r\n", _LINE_LIMIT)

    def readinto(self, view: memoryview) -> int:
        """The next bytes of a body: a quarter of a megabyte, or as many as there is room for, or what came in a second.

        0 at the connection's end. Raises ``OSError``.
        """
        started = time.monotonic()
        count = min(len(self._rest), len(view))
        if count:
            view[:count], self._rest = self._rest[:count], self._rest[count:]
        while count < min(len(view), _ENOUGH) and not (count and time.monotonic() - started > _A_WHILE):
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
        return self._timed(self._socket.recv_into, view)

    def _timed[T, R: int | bytes](self, action: Callable[[T], R], what: T) -> R:
        """Do it, for as long as it may take. Raises ``OSError``."""
        seconds = self._watch.seconds()
        if seconds != self._wait:
            self._socket.settimeout(seconds)
            self._wait = seconds
        started = time.monotonic()
        try:
            done = action(what)
        except TimeoutError:
            self._watch.seconds()  # says so if it is not the silence that lasted too long
            raise
        self._watch.took(time.monotonic() - started, done if isinstance(done, int) else len(done))
        return done

    @property
    def dropped(self) -> bool:
        """Whether an idle connection was closed, or has sent what nobody asked for.

        Over TLS that may be deciphered already, and then no longer shows at the socket.
        """
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        deciphered = getattr(self._socket, "pending", int)
        return bool(self._rest or deciphered() or poll.poll(0))

    def new_session(self) -> SSLSession | None:
        """What the next connection to the same place may go on with, once; ``None`` where this one did so itself.

        A session comes behind the handshake (RFC 8446, 4.6.1): it is there when something was read.
        """
        secured, self._secured = self._secured, None
        return secured.session if secured else None

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def _until(self, mark: bytes, limit: int) -> bytes:
        content = self._rest
        while (end := content.find(mark)) < 0 or end > limit:
            if len(content) > limit:
                raise RegistryProtocolError("The head of the registry's answer is too long.")
            if mark is _END_OF_HEAD and _BARE_END in content:
                raise RegistryProtocolError("What the registry answers is not HTTP as it should be.")
            piece = self._timed(self._socket.recv, _PIECE)
            if not piece and content.startswith(_ALERT):
                raise RegistryProtocolError(
                    f"{self.authority} speaks TLS, and was asked without.", remedy="Leave --plain-http out for it."
                )
            if not piece:
                raise HungUp if not content else ConnectionAbortedError
            content += piece
        end += len(mark)
        self._rest = content[end:]
        return content[:end]


def _reach(proxy: Proxy, dialer: Dialer, allowance: Allowance, watch: Watch) -> socket.socket:
    try:
        return dialer.dial(proxy.host, proxy.port, allowance, watch)
    except OSError as error:
        watch.seconds()  # says so if it is our own time that is over
        raise Refused(0) from error


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
        self.session: SSLSession | None = None
        """Of the last connection that shook hands in full and was given back."""

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
            self.session = connection.new_session() or self.session
            if len(self._idle) < self._most:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        """Close all that are kept, and keep none from now on."""
        with self._lock:
            self._most = 0
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
