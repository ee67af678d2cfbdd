"""Text as the documents that kubectl finds in it: by lines that begin with ``---``, or as JSON objects in a row.

libyaml's own idea of documents differs, and what two readers count differently one of them doesn't see.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.content.placeholders import ENDS, is_placeholders
from byoa.errors import DocumentInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOM: Final = b"\xef\xbb\xbf"
# libyaml reads up such declarations in a time that is the square of their number, before it tells of the document.
_DIRECTIVE: Final = re.compile(rb"^%(?:YAML|TAG)", re.MULTILINE)
_CONTROLS: Final = bytes(code for code in (*range(32), 127) if code not in b"\t\n\r")
_C1: Final = re.compile(rb"\xc2[\x80-\x84\x86-\x9f]|\xef\xbf[\xbe\xbf]")
_FORBIDDEN: Final = re.compile(
    b"[" + re.escape(_CONTROLS) + b"]|" + _C1.pattern + b"|" + b"|".join(end.encode() for end in ENDS)
)
# JSON writes characters outside the basic plane as two escapes; libyaml knows only whole characters.
_SURROGATES: Final = re.compile(rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
# Half a character, as JSON may have it and Go reads it.
_HALF: Final = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_JSON_PART: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|([{}])|[^"{}]++', re.DOTALL)
_BETWEEN_JSON: Final = re.compile(rb"[ \t\r\n]*+(?:---[ \t\r\n]*+)?\{")
_NEXT_JSON: Final = re.compile(rb"\}[ \t\r\n]*+(?:---[ \t\r\n]*+)?\{")
_NO_JSON: Final = re.compile(rb"[^\s,:\[\]0-9eE+.\-truefalsn]")
_JSON: Final = re.compile(rb"\s*+\{(?!\{)")
_EMPTY: Final = re.compile(rb"(?:[ \t\r]*+(?:#[^\n]*+)?\n)*+[ \t\r]*+(?:#[^\n]*+)?")
_STEP: Final = 1 << 20


class Part(NamedTuple):
    """One document's text without its separator, its number from 1, and the line from 1 on which it begins."""

    number: int
    line: int
    text: bytes
    templated: bool
    """Whether its separator's line holds placeholders."""


def split(text: bytes) -> Iterator[Part]:
    """The documents of one file, in order; each is read up only when it is asked for.

    Raises ``DocumentInvalid`` for a separator with text behind it and for ``%YAML`` and ``%TAG``, which kubectl
    refuses, and for what is no UTF-8 text.
    """
    text = text.removeprefix(_BOM)
    is_json = _JSON.match(text) is not None
    number, line, counted = 0, 1, 0
    for behind, start, end in _stretches(text):
        line, counted = line + text.count(b"\n", counted, start), start
        templated = _check_separator(behind, line - 1)
        for at, to in _objects(text, start, end) if is_json else ((start, end),):
            line, counted = line + text.count(b"\n", counted, at), at
            piece = text[at:to]
            if behind is None and _EMPTY.fullmatch(piece):
                continue
            number += 1
            # An end without a document is one that is empty.
            yield Part(
                number, line, _legible(piece if piece.strip() != b"..." else b"", line, is_json=is_json), templated
            )


def _stretches(text: bytes) -> Iterator[tuple[bytes | None, int, int]]:
    """What stands behind each ---, and where the document below it begins and ends; first None for what has no ---."""
    behind, start = None, 0
    at = 0 if text.startswith(b"---") else text.find(b"\n---") + 1
    while at or (behind is None and text.startswith(b"---")):
        yield behind, start, at
        end = text.find(b"\n", at)
        end = len(text) if end < 0 else end
        behind, start = text[at + 3 : end], min(end + 1, len(text))
        at = text.find(b"\n---", end) + 1
    yield behind, start, len(text)


def _check_separator(behind: bytes | None, line: int) -> bool:
    behind = (behind or b"").strip()
    if not behind or behind.startswith(b"#"):
        return False
    if is_placeholders(behind):
        return True
    remedy = "Begin the document on the line below its ---."
    raise DocumentInvalid(f"Line {line} begins with --- and goes on, which kubectl refuses.", remedy=remedy)


def _objects(text: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Where each of several JSON objects in a row begins and ends; all as one where it isn't that."""
    if not _NEXT_JSON.search(text, start, end):
        return [(start, end)]
    found: list[tuple[int, int]] = []
    depth, begin = 0, start
    for part in _JSON_PART.finditer(text, start, end):
        brace = part[1]
        if brace is None:
            if part[0][:1] != b'"' and _NO_JSON.search(part[0]) and part[0].strip() != b"---":
                return [(start, end)]
            continue
        depth += 1 if brace == b"{" else -1
        following = _BETWEEN_JSON.match(text, part.end(), end) if depth == 0 else None
        if following:
            found.append((begin, part.end()))
            begin = following.end() - 1
    return [*found, (begin, end)]


def _legible(piece: bytes, line: int, *, is_json: bool) -> bytes:
    """A document's text without its BOM, with plain newlines as line ends, and one at its end."""
    piece = piece.removeprefix(_BOM)
    _check_encoding(piece, line)
    if b"%" in piece and (directive := _DIRECTIVE.search(piece)):
        remedy = "Drop the line, and write tags out or none."
        raise DocumentInvalid(f"{_place(piece, directive, line)} has a %YAML or %TAG directive.", remedy=remedy)
    if _suspicious(piece) and (fault := _FORBIDDEN.search(piece)):
        remedy = "Save the file as plain UTF-8, and escape control characters."
        raise DocumentInvalid(
            f"{_place(piece, fault, line)} has a character that no YAML file may have.", remedy=remedy
        )
    if b"\r\n" in piece:
        piece = piece.replace(b"\r\n", b"\n")
    if b"\\u" in piece:
        piece = _SURROGATES.sub(_one_escape, piece)
        piece = _HALF.sub(rb"\\ufffd", piece) if is_json else piece
    return piece if piece.endswith(b"\n") else piece + b"\n"


def _suspicious(piece: bytes) -> bool:
    """Whether a character that is forbidden may be there: quick where there is none."""
    if len(piece.translate(None, _CONTROLS)) != len(piece):
        return True
    return not piece.isascii() and any(each in piece for each in (b"\xc2", b"\xef\xbf", b"\xf4\x8f\xbf"))


def _check_encoding(piece: bytes, line: int) -> None:
    if piece.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    for at in range(0, len(piece), _STEP):
        try:
            decoder.decode(piece[at : at + _STEP], final=at + _STEP >= len(piece))
        except UnicodeDecodeError as error:
            # What the decoder kept from the step before comes first in what it read.
            wrong = at + error.start - max(0, len(error.object) - len(piece[at : at + _STEP]))
            fault = f"Line {line + piece.count(b'\n', 0, max(0, wrong))} is not UTF-8."
            raise DocumentInvalid(fault, remedy="Save the file as UTF-8.") from None


def _one_escape(pair: re.Match[bytes]) -> bytes:
    high, low = int(pair[1], 16), int(pair[2], 16)
    return rb"\U%08x" % (0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF))


def _place(text: bytes, found: re.Match[bytes], line: int) -> str:
    return f"Line {line + text.count(b'\n', 0, found.start())}"
