"""Nodes of a document, and collections that are open or anchored while it grows."""

from __future__ import annotations

import enum
from typing import Any


class Other(enum.Enum):
    """Stands for a scalar that is neither text nor null: its value is of no concern."""

    OTHER = enum.auto()


class Number:
    """A number by its value, as JSON writes it; kept in whole trees alone. It is no equal of a text or a truth."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Number({self.text!r})"


class Hidden:
    """A value that may be compared and not shown (``masking``)."""

    __slots__ = ("value",)

    def __init__(self, value: Node) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hidden) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)


class Plain(str):
    """A text that stood without quotes and is one placeholder: what is put in its place may be of another type."""

    __slots__ = ()


class Templated(str):
    """A text with placeholders, as an install reads it.

    ``lines`` are those of its placeholders in their file, from 1; it is ``alone`` if it is one without quotes.
    """

    __slots__ = ("alone", "lines")

    lines: tuple[int, ...]
    alone: bool


type Mapping = dict[str, Node]
type Node = Mapping | list[Node] | str | bool | Number | Hidden | Other | None


class Anchored:
    """An anchored node: its nodes in all and its levels, with all aliases expanded; a scalar's text, for a key."""

    __slots__ = ("done", "levels", "node", "nodes", "rich", "text")

    def __init__(self, node: Node, text: str | None = None) -> None:
        self.node = node
        self.text = text
        self.nodes = 1
        self.levels = 0
        self.rich = False
        self.done = text is not None

    def finish(self, node: Node, nodes: int, levels: int, *, rich: bool) -> None:
        """What a collection has become."""
        self.node, self.nodes, self.levels, self.rich, self.done = node, nodes, levels, rich, True


class Frame:
    """An open collection.

    A mapping has the ``keys`` that stood there and the ``key`` that waits for its value; with ``texts`` all its values
    have to be text, and it is ``odd`` where one isn't. One is ``rich`` that has something that is kept.
    """

    __slots__ = ("anchor", "begun", "key", "keys", "levels", "merged", "merging", "node", "odd", "rich", "texts")

    def __init__(self, node: Any, begun: int, *, texts: bool) -> None:  # noqa: ANN401 - a mapping's or a list's, by keys
        self.node = node
        self.begun = begun
        self.texts = texts
        self.keys: set[str] | None = set() if isinstance(node, dict) else None
        self.key: str | None = None
        self.levels = 0
        self.odd = self.rich = self.merging = self.merged = False
        self.anchor: Anchored | None = None
