"""YAML and JSON from strangers as trees of plain values, bounded while they are parsed.

Trees grow from libyaml's events. No constructor runs, and neither does PyYAML's composer, whose recursion ends the
process at some ten thousand levels. What nobody asks for is dropped as soon as it is read: of a bundle's megabytes of
schemas little more than the names stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import yaml

from byoa.content.growing import Builder
from byoa.errors import DocumentInvalid, DocumentLimit

if TYPE_CHECKING:
    from byoa.content.nodes import Node

_MIB: Final = 1024 * 1024


class DocumentLimits(NamedTuple):
    """Bounds on the YAML documents of one file, or of several that share one ``Spent``.

    ``text`` and ``document`` are in bytes. ``documents`` counts empty ones too, and objects. ``nodes`` are keys and
    values with what aliases and merge keys expand to, ``expanded`` are those of them that expansion adds; both go for
    each document, and ``all_nodes`` for the sum over all. ``depth`` is of nested mappings and sequences.
    """

    text: int = 64 * _MIB
    document: int = 32 * _MIB
    documents: int = 20_000
    depth: int = 64
    nodes: int = 2_000_000
    expanded: int = 400_000
    all_nodes: int = 4_000_000


class Spent:
    """What the files read so far took of the limits that go for all of them together; starts at nothing."""

    __slots__ = ("documents", "nodes", "objects", "placeholders", "text")

    def __init__(self) -> None:
        self.text = self.documents = self.placeholders = self.nodes = self.objects = 0


def read_tree(  # noqa: PLR0913 - a text, its place, its bounds, and how much of it
    text: bytes, number: int, line: int, limits: DocumentLimits, spent: Spent, *, whole: bool = False
) -> Node:
    """The one document in ``text``, which errors call by its ``number`` and which begins on ``line``.

    A ``whole`` tree has every key and value. Adds its nodes to ``spent``. Raises ``DocumentInvalid`` for what isn't
    YAML, has foreign tags, keys that are no text or stand twice in a mapping, numbers beyond JSON, aliases without an
    anchor before them, or a second document behind its end; ``DocumentLimit`` at the limits.
    """
    place = f"Document {number}"
    if len(text) > limits.document:
        raise DocumentLimit(f"{place} has more than {limits.document} bytes.")
    most = min(limits.nodes, limits.all_nodes - spent.nodes)
    builder = Builder(place, most, limits.expanded, limits.depth, whole=whole)
    try:
        _feed(builder, text, place, line)
    except yaml.MarkedYAMLError as error:
        where = f" at line {error.problem_mark.line + line}" if error.problem_mark else ""
        cause = f"{place} is not valid YAML{where}."
    except (yaml.YAMLError, ValueError, RecursionError):
        cause = f"{place} is not valid YAML."
    else:
        spent.nodes += builder.nodes
        return builder.root
    raise DocumentInvalid(cause, remedy="Mend the YAML there, or what rendered it.")


def _feed(builder: Builder, text: bytes, place: str, line: int) -> None:
    """All events of libyaml to ``builder``, whose refusals are told with their lines."""
    parser = yaml.CSafeLoader(text)
    take = builder.takers
    documents = 0
    try:
        while (event := parser.get_event()) is not None:
            taker = take.get(type(event))
            if taker:
                try:
                    taker(event)
                except DocumentInvalid as error:
                    where = f" at line {event.start_mark.line + line}." if event.start_mark else "."
                    raise DocumentInvalid(error.cause.removesuffix(".") + where, remedy=error.remedy) from None
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    remedy = "Begin each document with a line of ---."
                    raise DocumentInvalid(f"{place} goes on behind its end, where kubectl stops.", remedy=remedy)
    finally:
        parser.dispose()
