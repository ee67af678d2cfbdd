"""YAML and JSON from strangers as trees of plain values, bounded while they are parsed.

Trees grow from libyaml's events. No constructor runs, and neither does PyYAML's composer, whose recursion ends the
process at some ten thousand levels.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import yaml
from yaml.resolver import Resolver

from byoa.errors import DocumentInvalid, DocumentLimit

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

_MIB: Final = 1024 * 1024
_TAG: Final = "tag:yaml.org,2002:"
_STR: Final = _TAG + "str"
_NULL: Final = _TAG + "null"
_INT: Final = _TAG + "int"
_FLOAT: Final = _TAG + "float"
_SCALAR_TAGS: Final = frozenset(_TAG + name for name in ("str", "int", "bool", "null", "float"))
_COLLECTION_TAGS: Final = {yaml.MappingStartEvent: _TAG + "map", yaml.SequenceStartEvent: _TAG + "seq"}
_KEYS_REFUSED: Final = frozenset({_NULL, _TAG + "timestamp"})
# First character to (tag, pattern) pairs, as in PyYAML's safe loader.
_IMPLICIT: Final[dict[str, list[tuple[str, re.Pattern[str]]]]] = Resolver.yaml_implicit_resolvers


class Other(enum.Enum):
    """Stands for a scalar that is neither text nor null: its value is of no concern."""

    OTHER = enum.auto()


type Mapping = dict[str, Node]
type Node = Mapping | list[Node] | str | Other | None


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Bounds on the YAML documents of one file, or of several that share one ``Spent``.

    ``text`` is in bytes, ``document`` in characters. ``documents`` counts empty ones too, ``aliases`` and ``nodes`` go
    for each document, where nodes are keys and values with what aliases expand to; ``all_nodes`` is their sum over all
    documents. ``depth`` is of nested mappings and sequences.
    """

    text: int = 10 * _MIB
    document: int = _MIB
    documents: int = 10_000
    depth: int = 64
    aliases: int = 100
    nodes: int = 100_000
    all_nodes: int = 2_000_000


@dataclass(slots=True)
class Spent:
    """What the files read so far took of the limits that go for all of them together; starts at nothing."""

    text: int = 0
    documents: int = 0
    nodes: int = 0
    objects: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    """One document: its number from 1, its root, and the lines from 0 that it takes up, the last one excluded."""

    number: int
    root: Node
    lines: range


def read_trees(text: bytes, limits: DocumentLimits, spent: Spent) -> Iterator[Tree]:
    """The documents in ``text``, which is UTF-8, ends with a newline and has no ``%TAG`` directive.

    Adds to ``spent``. Raises ``DocumentInvalid`` for what isn't YAML, has foreign tags, keys that are no plain text or
    stand twice in a mapping, numbers beyond JSON, or aliases without an anchor before them in their document;
    ``DocumentLimit`` at the limits and for merge keys, whose expansion doubles with each level.
    """
    number = first_line = first_char = 0
    builder = _Builder(1, limits, spent)
    for event in _events(text):
        if isinstance(event, yaml.DocumentStartEvent):
            number += 1
            spent.documents += 1
            if spent.documents > limits.documents:
                raise DocumentLimit(f"There are more than {limits.documents} documents.")
            builder = _Builder(number, limits, spent)
        elif isinstance(event, yaml.DocumentEndEvent):
            line, char = _position(event)
            if char - first_char > limits.document:
                raise DocumentLimit(f"Document {number} has more than {limits.document} characters.")
            spent.nodes += builder.nodes
            yield Tree(number, builder.root, range(first_line, line))
            first_line, first_char = line, char
        else:
            builder.take(event)


def _events(text: bytes) -> Iterator[yaml.Event]:
    """The events of libyaml; none of PyYAML's exceptions leaves here."""
    number, where = 1, ""
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            yield event
            number += isinstance(event, yaml.DocumentEndEvent)
    except yaml.MarkedYAMLError as error:
        where = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
    except (yaml.YAMLError, ValueError, RecursionError):
        pass
    else:
        return
    raise DocumentInvalid(f"Document {number} is not valid YAML{where}.")


@dataclass(slots=True)
class _Part:
    """A node under construction, or done and anchored: its nodes in all and its levels, with all aliases expanded."""

    node: Node
    nodes: int
    levels: int = 0
    key: str | None = None
    done: bool = False


class _Builder:
    """Grows one document from its events, without recursion."""

    def __init__(self, number: int, limits: DocumentLimits, spent: Spent) -> None:
        self._place = f"Document {number}"
        self._limits = limits
        self._most_nodes = min(limits.nodes, limits.all_nodes - spent.nodes)
        self._open: list[_Part] = []
        self._anchors: dict[str, _Part] = {}
        self._aliases = 0
        self.root: Node = None
        self.nodes = 0

    def take(self, event: yaml.Event) -> None:
        """Add what ``event`` brings; those of the stream bring nothing."""
        if isinstance(event, yaml.ScalarEvent):
            self._take_scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._start(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._take_alias(event.anchor or "")

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        tag = self._scalar_tag(event)
        value: Node = event.value if tag == _STR else None if tag == _NULL else Other.OTHER
        if event.anchor:
            self._anchors[event.anchor] = _Part(value, nodes=1, done=True)
        self._count(1)
        if self._awaits_key():
            self._take_key(event.value, tag)
        else:
            self._attach(value, levels=0)

    def _take_key(self, key: str, tag: str) -> None:
        parent = self._open[-1]
        # Quoted as well: some readers merge by the text alone.
        if key == "<<":
            raise DocumentLimit(f"{self._place} uses a merge key.")
        if tag in _KEYS_REFUSED:
            raise self._invalid("has a key that is null or a date")
        if isinstance(parent.node, dict) and key in parent.node:
            raise self._invalid("has a mapping with the same key twice")
        parent.key = key

    def _start(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        if self._awaits_key():
            raise self._invalid("has a key that is no plain text")
        if event.tag not in (None, _COLLECTION_TAGS[type(event)]):
            raise self._invalid("has a tag that is none of JSON's types")
        self._check_depth(1)
        part = _Part({} if isinstance(event, yaml.MappingStartEvent) else [], nodes=-self.nodes)
        self._count(1)
        if event.anchor:
            self._anchors[event.anchor] = part
        self._open.append(part)

    def _end(self) -> None:
        part = self._open.pop()
        part.nodes += self.nodes
        part.levels += 1
        part.done = True
        self._attach(part.node, part.levels)

    def _take_alias(self, name: str) -> None:
        self._aliases += 1
        if self._aliases > self._limits.aliases:
            raise DocumentLimit(f"{self._place} has more than {self._limits.aliases} aliases.")
        if self._awaits_key():
            raise self._invalid("has an alias as a key")
        part = self._anchors.get(name)
        if part is None:
            raise self._invalid("has an alias without an anchor before it")
        if not part.done:
            raise self._invalid("has an alias that contains itself")
        self._check_depth(part.levels)
        self._count(part.nodes)
        self._attach(part.node, part.levels)

    def _attach(self, node: Node, levels: int) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.levels = max(parent.levels, levels)
        if isinstance(parent.node, list):
            parent.node.append(node)
        elif isinstance(parent.node, dict) and parent.key is not None:
            parent.node[parent.key] = node
            parent.key = None

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].node, dict) and self._open[-1].key is None

    def _check_depth(self, levels: int) -> None:
        if len(self._open) + levels > self._limits.depth:
            raise DocumentLimit(f"{self._place} is nested more than {self._limits.depth} levels deep.")

    def _count(self, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > self._most_nodes:
            raise DocumentLimit(f"{self._place} has too many values, or the documents up to it have.")

    def _scalar_tag(self, event: yaml.ScalarEvent) -> str:
        """The tag in effect: that of the YAML 1.1 types for plain scalars, text for the others."""
        plain: bool = event.implicit[0]
        if event.tag is None and not plain:
            return _STR
        found = _resolved(event.value)
        if found == _FLOAT and event.value[-1] in "fFnN":
            raise self._invalid("has a number that JSON cannot hold")
        if event.tag is None:
            return found
        if event.tag not in _SCALAR_TAGS:
            raise self._invalid("has a tag that is none of JSON's types")
        if event.tag not in (_STR, found) and (event.tag, found) != (_FLOAT, _INT):
            raise self._invalid("has a tag that its value does not fit")
        return event.tag

    def _invalid(self, fault: str) -> DocumentInvalid:
        return DocumentInvalid(f"{self._place} {fault}.")


def _resolved(text: str) -> str:
    """The tag of a plain scalar by the YAML 1.1 types."""
    for tag, pattern in _IMPLICIT.get(text[:1], ()):
        if pattern.match(text):
            return tag
    return _STR


def _position(event: yaml.Event) -> tuple[int, int]:
    """The line and the character, both from 0, where ``event`` ends."""
    mark = event.end_mark
    return (mark.line, mark.index) if mark else (0, 0)
