"""Where a field stands in a component file: tomllib reads what a file says and not where.

One pass over the text, in linear time: each character is matched once, by patterns that never go back, and no path is
followed deeper than the deepest one that is asked for. The text is taken for TOML that tomllib has read; of any other
text the answers are places in it all the same, and nothing is raised.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

type Location = tuple[str | int, ...]
"""A field's path: keys, and the indices of lists."""

# An open string ends with its line, an open long one with the text. A long one may end in up to five quotes, of which
# two are its own.
_TOKEN: Final = re.compile(
    r"""(?P<skip>[ \t\r]++|\#[^\n]*+)
    |(?P<text>\"{3}(?:[^"\\]++|\\[\s\S]|"(?!""))*+(?:"{3,5})?
             |'{3}(?:[^']++|'(?!''))*+(?:'{3,5})?
             |"(?:[^"\\\n]++|\\.)*+"?
             |'[^'\n]*+'?
             |[A-Za-z0-9_-]++)
    |(?P<mark>[\s\S])""",
    re.VERBOSE | re.ASCII,
)


def pieces(text: str) -> Iterator[str]:
    """Take a TOML text and return keys, values, marks and ends of lines; no white space and no comments."""
    return (found.group() for found in _TOKEN.finditer(text) if found.lastgroup != "skip")


class Position(NamedTuple):
    """A line and a column in it, both counted from 1; the column in characters."""

    line: int
    column: int


def position_at(text: str, offset: int) -> Position:
    """The line and the column of the character at ``offset``."""
    return Position(text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))


def locate(text: str, locations: Sequence[Location]) -> list[Position]:
    """Take a TOML text and fields' paths and return the place of each key, or of the nearest table around it.

    What is nowhere is at the text's beginning.
    """
    wanted = {location[:depth] for location in locations for depth in range(1, len(location) + 1)}
    found = _Scan(wanted).read(text)
    return [position_at(text, _nearest(location, found)) for location in locations]


def _nearest(location: Location, found: dict[Location, int]) -> int:
    paths = (location[:depth] for depth in range(len(location), 0, -1))
    return next((found[path] for path in paths if path in found), 0)


class _Frame:
    """What is being read: the file itself, an inline table or a list."""

    def __init__(self, kind: str, path: Location) -> None:
        self.kind = kind
        self.path = path
        self.value = path
        self.index = 0
        self.clear()

    def clear(self) -> None:
        """A new line, or what follows a comma."""
        self.fresh = True
        self.at_key = self.kind != "list"
        self.header = ""
        self.key: list[tuple[str, int]] = []


class _Scan:
    """Goes through the tokens once and notes where the paths in ``wanted`` are first named."""

    def __init__(self, wanted: set[Location]) -> None:
        self._wanted = wanted
        self._depth = max(map(len, wanted), default=0)
        self._named: dict[Location, int] = {}
        self._implied: dict[Location, int] = {}
        self._lengths: dict[Location, int] = {}
        self._stack = [_Frame("file", ())]

    def read(self, text: str) -> dict[Location, int]:
        """The offsets of the paths that are there."""
        if self._wanted:
            for token in _TOKEN.finditer(text):
                if token.lastgroup != "skip":
                    self._take(token.group(), token.start())
            self._end_line(self._stack[-1])
        return self._implied | self._named

    def _take(self, piece: str, offset: int) -> None:
        frame = self._stack[-1]
        if piece == "\n":
            self._end_line(frame)
            return
        if frame.kind == "list" and frame.fresh and piece not in {"]", ","}:
            frame.value = self._extend(frame.path, frame.index)
            self._note(frame.value, offset, named=True)
            frame.fresh = False
        if piece in {"[", "{"}:
            self._open(frame, piece)
        elif piece in {"]", "}"}:
            self._close(frame)
        elif piece == ",":
            frame.index += 1
            frame.clear()
        elif frame.at_key:
            self._read_key(frame, piece, offset)

    def _end_line(self, frame: _Frame) -> None:
        if frame.kind != "file":
            return
        if frame.header:
            frame.path = self._enter(frame.key, frame.header)
        frame.clear()

    def _open(self, frame: _Frame, piece: str) -> None:
        if frame.kind == "file" and frame.at_key:
            frame.header += piece
        else:
            self._stack.append(_Frame("list" if piece == "[" else "inline", frame.value))

    def _close(self, frame: _Frame) -> None:
        if frame.kind != "file":
            self._stack.pop()

    def _read_key(self, frame: _Frame, piece: str, offset: int) -> None:
        if piece == "=":
            frame.value = self._assign(frame)
            frame.at_key = False
        elif piece != "." and len(frame.key) <= self._depth:
            frame.key.append((_plain(piece), offset))

    def _assign(self, frame: _Frame) -> Location:
        path = frame.path
        for part, offset in frame.key:
            path = self._extend(path, part)
            self._note(path, offset, named=True)
        return path

    def _enter(self, key: Sequence[tuple[str, int]], header: str) -> Location:
        """The path of a ``[table]``, or of the newest element of an ``[[array]]`` of them."""
        path: Location = ()
        for number, (part, offset) in enumerate(key, 1):
            last = number == len(key)
            path = self._extend(path, part)
            self._note(path, offset, named=last)
            if last and header == "[[":
                self._lengths[path] = self._lengths.get(path, 0) + 1
            if path in self._lengths:
                path = self._extend(path, self._lengths[path] - 1)
                self._note(path, offset, named=last)
        return path

    def _extend(self, path: Location, part: str | int) -> Location:
        # One part deeper than what is wanted is never looked at again, so it needs not be right.
        return path if len(path) > self._depth else (*path, part)

    def _note(self, path: Location, offset: int, *, named: bool) -> None:
        if path in self._wanted:
            (self._named if named else self._implied).setdefault(path, offset)


def _plain(token: str) -> str:
    """A key without its quotes."""
    if token[0] == "'":
        return token.strip("'")
    if token[0] != '"' or "\\" not in token:
        return token.strip('"')
    try:
        return str(tomllib.loads(f"key = {token}")["key"])
    except ValueError:
        return token
