"""Values of strangers' objects as people are shown them: short, in printable ASCII, and a Secret's not at all."""

from __future__ import annotations

import json
import re
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from byoa.content.nodes import Hidden, Number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.content.nodes import Node

LONGEST: Final = 200
"""Characters of a value that are shown, and of a line of one; what was left out is told by ``...``."""

HIDDEN: Final = "(hidden)"
"""What stands for a value that is compared and not shown."""

_LINES: Final = 20
_BEFORE: Final = 40
_CUT: Final = "..."
_ODD: Final = re.compile(r"[^ -~]")


def show(node: Node) -> str:
    """``node`` as JSON on one line, cut; no more of it is looked at than is shown."""
    text = ""
    for piece in _pieces(node):
        text += piece
        if len(text) > LONGEST:
            return text[:LONGEST] + _CUT
    return text


def show_both(before: Node, after: Node) -> tuple[str, str]:
    """The two, cut so that what differs is seen: long texts begin shortly before it."""
    if isinstance(before, str) and isinstance(after, str) and max(len(before), len(after)) > LONGEST // 2:
        at = max(0, _shared(before, after) - _BEFORE)
        lead = _CUT if at else ""
        return lead + show(before[at:]), lead + show(after[at:])
    return show(before), show(after)


def show_name(text: str, longest: int = LONGEST) -> str:
    """A name, which has no line ends, with escapes for what isn't printable ASCII."""
    shown = _escaped(text[: longest + 1])
    return shown if len(shown) <= longest else shown[:longest] + _CUT


def show_lines(before: str, after: str) -> tuple[str, ...]:
    """The lines that differ between two texts of several: those of the one begin with ``-``, the other's with ``+``.

    First stands where, as ``@ line 3``. What is before the first and behind the last line that differs is left out.
    """
    old, new = before.split("\n"), after.split("\n")
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    gone, come = old[head : len(old) - tail], new[head : len(new) - tail]
    return (f"@ line {head + 1}", *_marked("-", gone), *_marked("+", come))


def _marked(sign: str, lines: list[str]) -> Iterator[str]:
    yield from (f"{sign} {show_name(line)}" for line in lines[:_LINES])
    if len(lines) > _LINES:
        yield f"{sign} {_CUT} ({len(lines) - _LINES} lines more)"


def _shared[Part](before: str | list[Part], after: str | list[Part]) -> int:
    """How many characters or lines both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))


def _escaped(text: str) -> str:
    return _ODD.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _pieces(node: Node) -> Iterator[str]:
    match node:
        case str():
            yield json.dumps(node[: LONGEST + 1]).replace("\x7f", "\\u007f")
        case Number():
            yield node.text
        case Hidden():
            yield HIDDEN
        case list():
            yield "["
            for number, each in enumerate(node):
                yield ", " if number else ""
                yield from _pieces(each)
            yield "]"
        case dict():
            yield "{"
            for number, (key, each) in enumerate(node.items()):
                yield ", " if number else ""
                yield from _pieces(key)
                yield ": "
                yield from _pieces(each)
            yield "}"
        case _:
            yield {True: "true", False: "false", None: "null"}.get(node, "?")  # type: ignore[arg-type] # the only others
