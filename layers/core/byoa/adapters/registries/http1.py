"""The syntax of HTTP/1.1 messages (RFC 9112): a request's head is written, an answer's is read. No I/O.

Reading is strict: where two readers could disagree about the end of a body, there is no answer but an error. The
standard library's client reads heads as mail (email.parser), which costs more than all the rest of a small request.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from byoa.errors import InternalFault, RegistryProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD_LIMIT: Final = 64 * 1024
"""Bytes of an answer's head, and of a chunked body's trailers."""

_FIELDS_LIMIT: Final = 100

_STATUS: Final = re.compile(r"HTTP/(?P<version>1\.[0-9]) (?P<status>[1-5][0-9]{2})(?: [^\r\n\x00]*)?\r\n", re.ASCII)
_FIELD: Final = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\r\n\x00]*)\r\n", re.ASCII)
_FIELDS: Final = re.compile(f"(?:{_FIELD.pattern}){{0,{_FIELDS_LIMIT}}}+\r\n", re.ASCII)
_TARGET: Final = re.compile(r"/[!-~]*", re.ASCII)
_VALUE: Final = re.compile(r"[ -~]*", re.ASCII)
_LENGTH: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n\x00]*)?\r\n")
_BODILESS: Final = (204, 304)
_OURS: Final = "User-Agent: byoa\r\nAccept-Encoding: identity\r\n"


def write_head(  # noqa: PLR0913, PLR0917 - a request's parts
    method: str, target: str, authority: str, fields: Mapping[str, str], size: int | None, prefix: str = ""
) -> bytes:
    """A request's head. ``size`` is its body's, in bytes; ``None`` where it has none.

    ``prefix`` stands before the target where a proxy is asked for it. Raises ``InternalFault`` for what would be read
    as another request than it is meant to be.
    """
    if not _TARGET.fullmatch(target):
        raise InternalFault("A request's target is not one.")
    lines = [f"{method} {prefix}{target} HTTP/1.1\r\nHost: {authority}\r\n", _OURS]
    for name, value in fields.items():
        if not _VALUE.fullmatch(value):
            raise InternalFault(f"The value of the request's {name} is not one line of ASCII.")
        lines.append(f"{name}: {value}\r\n")
    lines.append("\r\n" if size is None else f"Content-Length: {size}\r\n\r\n")
    return "".join(lines).encode("ascii")


class Head:
    """An answer's status and fields, and how its body ends: after ``length`` bytes, by chunks, or with the connection.

    ``length`` is ``None`` for the latter two; ``final`` says that no other answer comes over the connection.
    """

    __slots__ = ("_fields", "chunked", "final", "length", "status")

    def __init__(self, version: str, status: int, fields: dict[str, list[str]], method: str) -> None:
        """Raises ``RegistryProtocolError`` where the body's end is in doubt (section 6.3)."""
        self.status = status
        self._fields = fields
        coding = fields.get("transfer-encoding")
        self.chunked = coding is not None
        if coding is not None and ([each.lower() for each in coding] != ["chunked"] or "content-length" in fields):
            raise RegistryProtocolError("The registry's answer has a body whose end is in doubt.")
        self.length = _length(fields.get("content-length", ()))
        if method == "HEAD" or status in _BODILESS:
            self.length, self.chunked = 0, False
        options = ",".join(fields.get("connection", ())).lower()
        endless = self.length is None and not self.chunked
        self.final = endless or version == "1.0" or "close" in options

    def first(self, name: str) -> str | None:
        """The first value of a field, by its name in any case."""
        values = self._fields.get(name.lower())
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """All values of a field that may stand several times."""
        return self._fields.get(name.lower(), [])


def read_head(content: bytes, method: str) -> Head:
    """Read an answer's head, up to and with its empty line; ``method`` is what it answers.

    Raises ``RegistryProtocolError`` for anything that isn't one.
    """
    text = content.decode("latin-1")
    line = _STATUS.match(text)
    if line is None or not _FIELDS.fullmatch(text, line.end()):
        raise RegistryProtocolError("What the registry answers is not HTTP as it should be.")
    fields: dict[str, list[str]] = {}
    for name, value in _FIELD.findall(text, line.end()):
        fields.setdefault(name.lower(), []).append(value.strip(" \t"))
    return Head(line["version"], int(line["status"]), fields, method)


def read_chunk_size(line: bytes) -> int | None:
    """How many bytes the chunk has that ``line`` begins, 0 for the last one; ``None`` for what is no such line."""
    found = _CHUNK.fullmatch(line)
    return int(found[1], 16) if found else None


def _length(values: list[str] | tuple[str, ...]) -> int | None:
    if not values:
        return None
    if len(set(values)) > 1 or not _LENGTH.fullmatch(values[0]):
        raise RegistryProtocolError("The registry's answer has a length that is none.")
    return int(values[0])
