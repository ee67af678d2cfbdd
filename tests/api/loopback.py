"""The API behind a server on loopback: what people's programs speak to, with API Gateway's part played."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.api.served import Context, Served, event_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

type Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Loopback:
    """``script`` may answer in the API's stead, or lose the answer of ``answer`` (``None`` closes the connection)."""

    served: Served
    address: str = ""
    requests: list[Request] = field(default_factory=list)
    script: Callable[[Request, Callable[[], Answer]], Answer | None] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Answer:
        """What the API says."""
        event = event_of(request.method, request.path, request.headers, request.body.decode() or None)
        with self.lock:
            found: dict[str, Any] = self.served.face(event, Context())  # type: ignore[arg-type]
        headers = {**(found.get("headers") or {})}
        headers.setdefault("Content-Type", "application/json")
        return found["statusCode"], headers, (found.get("body") or "").encode()

    def paths(self, method: str) -> list[str]:
        return [each.path for each in self.requests if each.method == method]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer goes out whole: its parts would wait for each other
    loopback: Loopback

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:
            self.close_connection = True

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
        loopback = self.loopback
        loopback.requests.append(request)

        def honest() -> Answer:
            return loopback.answer(request)

        said = loopback.script(request, honest) if loopback.script else honest()
        if said is None:
            self.close_connection = True
            return
        status, headers, body = said
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server's own

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def listening(served: Served | None = None) -> Iterator[Loopback]:
    """A server on a port of its own, till the block ends."""
    loopback = Loopback(served or Served())
    handler = type("Handler", (_Handler,), {"loopback": loopback})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        loopback.address = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield loopback
        finally:
            server.shutdown()
