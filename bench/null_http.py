"""HTTP/1.1 for the null registry: one connection, kept alive, whose bodies cost next to nothing."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

PIECE: Final = 16 * 1024 * 1024
_HEAD_LIMIT: Final = 64 * 1024
_DROP: Final = socket.MSG_TRUNC | socket.MSG_WAITALL if sys.platform == "linux" else 0
"""On Linux a TCP socket then discards bytes without copying them."""

type Headers = list[tuple[str, str]]


class Gone(Exception):
    """The client closed the connection, or sent what is no HTTP."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request without its body."""

    method: str
    target: str
    headers: dict[str, str]


class Connection:
    """Requests from a socket, and answers into it."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self._rest = b""
        self._scratch = memoryview(bytearray(PIECE))

    def request(self) -> Request | None:
        """The next request; ``None`` when the client is done. Raises ``Gone``."""
        head = self._until(b"\r\n\r\n")
        if not head:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != len(("method", "target", "version")):
            raise Gone
        pairs = (line.partition(":") for line in lines if line)
        return Request(words[0], words[1], {name.strip().lower(): value.strip() for name, _, value in pairs})

    def body(self, request: Request, *, keep: bool = False) -> tuple[int, bytes]:
        """Read the body: how long it was, and its bytes where they are to be kept. Raises ``Gone``."""
        if request.headers.get("expect", "").lower() == "100-continue":
            self.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if request.headers.get("transfer-encoding", "").lower() != "chunked":
            size = int(request.headers.get("content-length", "0"))
            return size, self._take(size, keep=keep)
        total, kept = 0, b""
        while size := int(self._until(b"\r\n").partition(b";")[0], 16):
            kept += self._take(size, keep=keep)
            total += size
            self._until(b"\r\n")
        while self._until(b"\r\n"):
            pass  # trailers
        return total, kept

    def _until(self, mark: bytes) -> bytes:
        """All up to ``mark``, which is dropped; nothing when the client closes before it."""
        while mark not in self._rest:
            more = self.client.recv(4096)
            if not more:
                return b""
            self._rest += more
            if len(self._rest) > _HEAD_LIMIT or not (self._rest[:1].isalnum() or self._rest[:1] == b"\r"):
                self.answer(HTTPStatus.BAD_REQUEST, [("Connection", "close")])  # a TLS handshake, for one
                self._gone()
        found, _, self._rest = self._rest.partition(mark)
        return found

    def _take(self, size: int, *, keep: bool) -> bytes:
        kept, self._rest = self._rest[:size], self._rest[size:]
        missing = size - len(kept)
        while missing and keep:
            more = self.client.recv(min(missing, PIECE))
            kept += more or self._gone()
            missing -= len(more)
        while missing:
            missing -= self.client.recv_into(self._scratch, min(missing, PIECE), _DROP) or len(self._gone())
        return kept if keep else b""

    def _gone(self) -> bytes:
        raise Gone

    def answer(self, status: int, headers: Headers, body: bytes = b"", *, length: int | None = None) -> None:
        """Send a head and a small body; ``length`` declares a body that is not sent here."""
        size = len(body) if length is None else length
        framing = [] if status == HTTPStatus.NO_CONTENT else [("Content-Length", str(size))]
        lines = [f"{name}: {value}" for name, value in [*headers, *framing]]
        head = "\r\n".join([f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *lines, "", ""])
        self.client.sendall(head.encode() + body)
