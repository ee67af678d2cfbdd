"""HTTP/1.1 for the desk's registry: one thread for each connection, kept alive, and nothing about registries."""

from __future__ import annotations

import itertools
import re
import socket
import socketserver
import sys
import threading
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qs, unquote, urlsplit

from local.registry.messages import Body, Disconnected, Hangup, Refused, Request, Response, refusal, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A refused upload is read to its end, so that its client sees the refusal and not a reset connection.
_DRAINED: Final = 64 * 1024 * 1024
_HOST: Final = re.compile(r"[A-Za-z0-9.\[\]:-]+")


class Server(ThreadingHTTPServer):
    """A server on ``address`` that hands every request to ``answer`` and tells ``seen`` of every answer."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_port = False  # two desks on one port would share the requests between them

    def __init__(
        self,
        address: tuple[str, int],
        answer: Callable[[Request], Response],
        seen: Callable[[str, str, int], None],
        *,
        verbose: bool = False,
    ) -> None:
        self.answer = answer
        self.seen = seen
        self.verbose = verbose
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server who this host is."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:  # noqa: ANN401 the base class's signature
        """Serve a new connection in a thread of its own, and remember it until it ends."""
        with self._lock:
            self._open.add(cast("socket.socket", request))
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Close a connection and forget it."""
        with self._lock:
            self._open.discard(cast("socket.socket", request))
        super().shutdown_request(request)

    def close(self) -> None:
        """Stop listening and end every connection, also the idle ones that clients keep for later."""
        self.shutdown()
        self.server_close()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # its client was faster

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        """Say nothing of clients that went away; anything else is a defect worth its traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120

    @property
    def _server(self) -> Server:
        return cast("Server", self.server)

    def _serve(self) -> None:
        body: Body | None = None
        try:
            body = self._body()
            response = self._answer(self._request(body))
        except Refused as refused:
            response = refused.response
        except (Disconnected, Hangup):
            self.close_connection = True
            self._server.seen(self.command, urlsplit(self.path).path, 0)
            return
        response.close |= body is None or not self._left_clean(body)
        self._server.seen(self.command, urlsplit(self.path).path, response.status)
        try:
            self._send(response)
        except Hangup:  # in the midst of a body
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 the base class's names

    def _answer(self, request: Request) -> Response:
        try:
            return self._server.answer(request)
        except (Refused, Disconnected, Hangup, ConnectionError, TimeoutError):
            raise
        except Exception as defect:  # noqa: BLE001 whatever it is, the client gets an answer and the desk a traceback
            traceback.print_exc()
            return refusal(500, "UNKNOWN", f"a defect of the registry: {type(defect).__name__}")

    def _request(self, body: Body) -> Request:
        target = urlsplit(self.path)
        address = f"{self._server.server_name}:{self._server.server_port}"
        host = self.headers.get("Host", "")
        return Request(
            method=self.command,
            path=unquote(target.path),
            query=parse_qs(target.query, keep_blank_values=True),
            headers=self.headers,
            body=body,
            host=host if _HOST.fullmatch(host) else address,
        )

    def _body(self) -> Body:
        """The request's body. Raises ``Refused`` when its end cannot be known (RFC 9112, section 6.3)."""
        lengths = self.headers.get_all("Content-Length", [])
        encoding = self.headers.get("Transfer-Encoding")
        if encoding is not None:
            if lengths or encoding.lower() != "chunked":
                refuse(400, "UNSUPPORTED", "a body is either chunked or has a Content-Length")
            return Body(self.rfile, None, before=self._continue)
        length = lengths[0].strip() if lengths else "0"
        if len(set(lengths)) > 1 or not (length.isascii() and length.isdigit()):
            refuse(400, "SIZE_INVALID", "the Content-Length is not a number")
        return Body(self.rfile, int(length), before=self._continue)

    def handle_expect_100(self) -> bool:
        """Wait with ``100 Continue`` until somebody reads the body: a refusal then costs no upload."""
        return True

    def _waits(self) -> bool:
        return self.headers.get("Expect", "").lower() == "100-continue"

    def _continue(self) -> None:
        if self._waits():
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _left_clean(self, body: Body) -> bool:
        """Whether the next request can follow on this connection."""
        if body.ended:
            return True
        try:
            return not self._waits() and body.drain(_DRAINED)
        except Disconnected:
            return False

    def _send(self, response: Response) -> None:
        self.close_connection |= response.close
        body: Iterator[bytes] = iter((response.body,) if isinstance(response.body, bytes) else response.body)
        bare = self.command == "HEAD" or response.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        chunked = self._frame(response)
        first = b"" if bare else next(body, b"")
        if chunked:
            body = itertools.chain((_chunk(first),) if first else (), map(_chunk, body), (b"0\r\n\r\n",))
            first = b""
        # One write for the head and the first block: two small ones would wait for the client's acknowledgement.
        self.wfile.write(self._head(response) + first)
        if not bare:
            for block in body:
                self.wfile.write(block)

    def _frame(self, response: Response) -> bool:
        """Declare where the body ends. Returns whether it is to be chunked."""
        if response.status == HTTPStatus.NO_CONTENT or response.header("Content-Length") is not None:
            return False
        if isinstance(response.body, bytes):
            response.headers.append(("Content-Length", str(len(response.body))))
            return False
        if response.header("Transfer-Encoding") is None:  # a script may send one answer several times
            response.headers.append(("Transfer-Encoding", "chunked"))
        return self.command != "HEAD"

    def _head(self, response: Response) -> bytes:
        try:
            phrase = HTTPStatus(response.status).phrase
        except ValueError:
            phrase = "Scripted"
        lines = [f"HTTP/1.1 {response.status} {phrase}", f"Date: {self.date_time_string()}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        if self.close_connection:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
        """Log to stderr only when asked to."""
        if self._server.verbose:
            super().log_message(format, *args)


def _chunk(block: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(block), block)
