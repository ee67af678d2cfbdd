"""A registry that costs next to nothing, so that its client is what is measured.

    python bench/null_registry.py --port 5000 --layer 1073741824     a source: one artifact under every name
    python bench/null_registry.py --port 5001                        a target: keeps manifests, discards blobs

The source serves its layers by sendfile; the target lets the kernel drop what arrives. HTTP/1.1 as it should be, one
thread for each kept-alive connection, an access log on stdout.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Final

from bench.null_content import MANIFEST, Content, Layer, digest_of
from bench.null_http import Connection, Gone

if TYPE_CHECKING:
    from bench.null_http import Headers, Request

_PATH: Final = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs/uploads|blobs)/(?P<reference>[^/?]*)")
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)")


class NullRegistry:
    """Listens on 127.0.0.1 from its making until ``close``."""

    def __init__(self, content: Content, *, port: int = 0, log: int | None = None) -> None:
        self._content = content
        self._log = log
        self._numbers = itertools.count(1)
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and forget what it holds."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._content.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        connection = Connection(client)
        with client:
            try:
                while request := connection.request():
                    status = self._answer(connection, request)
                    self._note(request, status)
                    if request.headers.get("connection", "").lower() == "close":
                        return
            except (Gone, OSError, ValueError):
                return

    def _note(self, request: Request, status: int) -> None:
        if self._log is not None:
            line = f'127.0.0.1 - - [-] "{request.method} {request.target} HTTP/1.1" {status} 0\n'
            os.write(self._log, line.encode())

    def _answer(self, connection: Connection, request: Request) -> int:
        path, _, query = request.target.partition("?")
        found = _PATH.fullmatch(path)
        if found and found["kind"] == "blobs/uploads":
            return self._upload(connection, request, path.rpartition("/")[0], query)
        if found and found["kind"] == "manifests":
            return self._manifest(connection, request, found["name"], found["reference"])
        connection.body(request)
        if found and request.method in ("GET", "HEAD"):
            return self._blob(connection, request, found["reference"])
        return _send(connection, 200 if path == "/v2/" else 404, [], request)

    def _manifest(self, connection: Connection, request: Request, name: str, reference: str) -> int:
        _, body = connection.body(request, keep=True)
        if request.method == "PUT":
            digest = digest_of(body)
            media_type = request.headers.get("content-type", MANIFEST)
            for each in (reference, digest):
                self._content.pushed[name, each] = (media_type, body)
            headers = [("Location", f"/v2/{name}/manifests/{digest}"), ("Docker-Content-Digest", digest)]
            return _send(connection, 201, headers, request)
        found = self._content.manifest(name, reference)
        if found is None:
            return _send(connection, 404, [], request)
        headers = [("Content-Type", found[0]), ("Docker-Content-Digest", digest_of(found[1]))]
        return _send(connection, 200, headers, request, found[1])

    def _blob(self, connection: Connection, request: Request, digest: str) -> int:
        found = self._content.blobs.get(digest)
        headers = [("Content-Type", "application/octet-stream"), ("Docker-Content-Digest", digest)]
        if not isinstance(found, Layer):
            return _send(connection, 404 if found is None else 200, headers, request, found or b"")
        start, end, status = 0, found.size, 200
        if wanted := _RANGE.fullmatch(request.headers.get("range", "")):
            start, status = int(wanted[1]), 206
            end = min(int(wanted[2]) + 1, found.size) if wanted[2] else found.size
            headers.append(("Content-Range", f"bytes {start}-{end - 1}/{found.size}"))
        connection.answer(status, headers, length=end - start)
        if request.method == "GET":
            found.send(connection.client, start, end)
        return status

    def _upload(self, connection: Connection, request: Request, base: str, query: str) -> int:
        size, _ = connection.body(request)
        digest = re.search(r"(?:^|&)digest=([^&]+)", query)
        if digest and request.method in ("PUT", "POST"):
            stored = digest[1].replace("%3A", ":").replace("%3a", ":")
            place = f"{base.removesuffix('/uploads')}/{stored}"
            return _send(connection, 201, [("Location", place), ("Docker-Content-Digest", stored)], request)
        if request.method == "DELETE":
            return _send(connection, 204, [], request)
        number = next(self._numbers)
        headers = [("Location", f"{base}/{number}"), ("Docker-Upload-UUID", str(number)), ("Range", _received(size))]
        return _send(connection, 204 if request.method == "GET" else 202, headers, request)


def _received(size: int) -> str:
    return f"0-{max(size - 1, 0)}"


def _send(connection: Connection, status: int, headers: Headers, request: Request, body: bytes = b"") -> int:
    if request.method == "HEAD":
        connection.answer(status, headers, length=len(body))
    else:
        connection.answer(status, headers, body)
    return status


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--layer", type=int, action="append", default=[], metavar="BYTES", help="may be repeated")
    parser.add_argument("--corrupt", action="store_true", help="serve other bytes than the digests say")
    given = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    content = Content.of_layers(given.layer, corrupt=given.corrupt) if given.layer else Content()
    NullRegistry(content, port=given.port, log=sys.stdout.fileno())
    signal.sigwait((signal.SIGTERM, signal.SIGINT))


if __name__ == "__main__":
    main()
