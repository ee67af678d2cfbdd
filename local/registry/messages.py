"""What goes in and out of the desk's registry: requests, their bodies, answers and refusals."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from email.message import Message

BLOCK: Final = 1024 * 1024
PATH: Final = re.compile(r"/v2/(?P<name>.+)/(?P<kind>blobs/uploads|blobs|manifests|tags|referrers)/(?P<rest>[^/]*)")
_CHUNK_LINE: Final = 4096  # a chunk's size line with its extensions, or a line of the trailer
_TRAILER_LINES: Final = 100


class Disconnected(Exception):
    """The client went away, or sent bytes that are no HTTP: there is nobody to answer."""


class Hangup(Exception):
    """Raised instead of an answer, or by its body half-way: the connection is closed. For scripted registries."""


class Refused(Exception):
    """A refusal, carrying the answer that tells of it (distribution-spec, "Error Codes")."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"{response.status} {response.body!r}")
        self.response = response


@dataclass
class Response:
    """An answer: its status, its headers in order, and its body.

    A body of ``bytes`` gets a ``Content-Length`` unless the headers already have one. Blocks without a declared length
    are sent chunked. ``close`` ends the connection afterwards.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | Iterable[bytes] = b""
    close: bool = False

    def header(self, name: str) -> str | None:
        """The first value of the header ``name`` in any case, or ``None``."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


class Source(Protocol):
    """The readable side of a connection."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes, fewer only at the end."""
        ...

    def readline(self, size: int, /) -> bytes:
        """One line of up to ``size`` bytes."""
        ...


class Body:
    """A request's body, read once and never past its end (RFC 9112, section 6)."""

    def __init__(self, source: Source, length: int | None, *, before: Callable[[], None] = lambda: None) -> None:
        """Take the connection and the declared length, ``None`` if chunked; ``before`` runs ahead of the first read."""
        self.length = length
        self._blocks = self._sized(source, length) if length is not None else self._chunked(source)
        self._before = before
        self._ended = length == 0

    @property
    def ended(self) -> bool:
        """Whether nothing of the body is left on the connection."""
        return self._ended

    def blocks(self) -> Iterator[bytes]:
        """The rest of the body in blocks of at most 1 MiB. Raises ``Disconnected`` when it ends early."""
        if self._ended:
            return
        self._before()
        self._before = lambda: None
        # Not ``yield from``: whoever stops half-way would end the inner iterator, and the rest would be lost.
        while (block := next(self._blocks, None)) is not None:
            yield block
        self._ended = True

    def read(self, limit: int) -> bytes:
        """The whole body. Raises ``Refused`` with 413 when it has more than ``limit`` bytes."""
        if self.length is not None and self.length > limit:
            refuse(413, "SIZE_INVALID", f"the body is larger than {limit} bytes")
        content = bytearray()
        for block in self.blocks():
            content += block
            if len(content) > limit:
                refuse(413, "SIZE_INVALID", f"the body is larger than {limit} bytes")
        return bytes(content)

    def drain(self, limit: int) -> bool:
        """Read and drop what is left, up to about ``limit`` bytes. Returns whether the end was reached."""
        for block in self.blocks():
            limit -= len(block)
            if limit < 0:
                break
        return self._ended

    @staticmethod
    def _sized(source: Source, left: int) -> Iterator[bytes]:
        while left:
            block = source.read(min(BLOCK, left))
            if not block:
                raise Disconnected
            left -= len(block)
            yield block

    @classmethod
    def _chunked(cls, source: Source) -> Iterator[bytes]:
        while size := _chunk_size(source):
            yield from cls._sized(source, size)
            if source.read(2) != b"\r\n":
                raise Disconnected
        for _ in range(_TRAILER_LINES):
            line = source.readline(_CHUNK_LINE)
            if line in (b"\r\n", b"\n"):
                return
            if not line.endswith(b"\n"):
                break
        raise Disconnected


def _chunk_size(source: Source) -> int:
    """The size that opens a chunk, without its extensions (RFC 9112, section 7.1)."""
    digits = source.readline(_CHUNK_LINE).split(b";")[0].strip()
    if not digits or digits.strip(b"0123456789abcdefABCDEF"):
        raise Disconnected
    return int(digits, 16)


@dataclass
class Request:
    """One request: the path without percent-encoding, the query's values by name, and the body still to be read."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: Message[str, str]
    body: Body
    host: str

    def first(self, name: str) -> str | None:
        """The first value of the query's parameter ``name``, or ``None``."""
        values = self.query.get(name)
        return values[0] if values else None


def as_json(status: int, document: object, headers: Iterable[tuple[str, str]] = ()) -> Response:
    """An answer whose body is ``document``. A ``Content-Type`` among ``headers`` replaces ``application/json``."""
    sent = list(headers)
    if not any(name == "Content-Type" for name, _ in sent):
        sent.append(("Content-Type", "application/json"))
    return Response(status, sent, json.dumps(document).encode())


def refusal(
    status: int, code: str, message: str, *, detail: object = None, headers: Iterable[tuple[str, str]] = ()
) -> Response:
    """An answer with one error of the given ``code`` (distribution-spec, "Error Codes")."""
    error: dict[str, object] = {"code": code, "message": message}
    if detail is not None:
        error["detail"] = detail
    return as_json(status, {"errors": [error]}, headers)


def refuse(
    status: int, code: str, message: str, *, detail: object = None, headers: Iterable[tuple[str, str]] = ()
) -> NoReturn:
    """Raise ``Refused`` with such an answer."""
    raise Refused(refusal(status, code, message, detail=detail, headers=headers))
