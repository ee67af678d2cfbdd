"""The dashboard behind a server on loopback, over the memory adapters, with API Gateway's part played."""

from __future__ import annotations

import base64
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.api.served import Context, event_of
from tests.web.browsing import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

_BODILESS = (204, 304)


class Site(Browser):
    """A dashboard with a world to set up, and its address."""

    address = ""

    def answer(self, event: dict[str, Any]) -> dict[str, Any]:
        """What the gateway's routes lead to."""
        if event["rawPath"].startswith("/v1/"):
            return self.served.face(event, Context())  # type: ignore[arg-type]
        return self.dashboard(event, Context())  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer goes out whole
    site: Site
    lock: threading.Lock

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: value for name, value in self.headers.items() if name.lower() != "cookie"}
        event = event_of(self.command, self.path, headers, body or None)
        event["cookies"] = [each.strip() for each in (self.headers.get("Cookie") or "").split(";") if each.strip()]
        with self.lock:
            found = self.site.answer(event)
        text = found.get("body") or ""
        content = base64.b64decode(text) if found.get("isBase64Encoded") else text.encode()
        self.send_response_only(found["statusCode"])
        for name, value in (found.get("headers") or {}).items():
            self.send_header(name, value)
        for cookie in found.get("cookies") or []:
            self.send_header("Set-Cookie", cookie)
        if found["statusCode"] not in _BODILESS:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if found["statusCode"] not in _BODILESS and self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_POST = do_HEAD = answer  # noqa: N815 - http.server's own

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def listening(site: Site) -> Iterator[Site]:
    """A server on a port of its own, till the block ends. Browsers keep Secure cookies of ``localhost``."""
    handler = type("Handler", (_Handler,), {"site": site, "lock": threading.Lock()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        site.address = f"http://localhost:{server.server_address[1]}"
        try:
            yield site
        finally:
            server.shutdown()
