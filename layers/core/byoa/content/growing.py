"""One document growing from libyaml's events, without recursion, within its budget of nodes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import yaml

from byoa.content.nodes import Anchored, Frame, Number, Other, Plain
from byoa.content.placeholders import is_token
from byoa.content.scalars import NULLS, Scalar, is_true, number_of, resolve
from byoa.errors import DocumentInvalid, DocumentLimit

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping as Table

    from byoa.content.nodes import Mapping, Node


KEPT: Final = frozenset(
    ("apiVersion", "kind", "metadata", "name", "namespace", "generateName", "labels", "annotations", "items", "image",
     "imageName", "package", "reference", "registry", "repository", "tag", "version", "digest")
)  # fmt: skip
"""The keys whose values are kept whatever they are, and so are those that end in ``Image``. Of the rest only mappings
and lists that lead to one of them are kept."""

_OTHER: Final = Other.OTHER
_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = _TAG + "merge"
_STR: Final = _TAG + "str"
_TAGS: Final = {
    _STR: frozenset(Scalar),
    _TAG + "null": {Scalar.NULL},
    _TAG + "bool": {Scalar.BOOL},
    _TAG + "int": {Scalar.INT},
    _TAG + "float": {Scalar.INT, Scalar.FLOAT},
}
_ALL_TEXT: Final = frozenset({"labels", "annotations"})
_NUMERIC: Final = "+-."
_IMAGE: Final = "Image"
_NOTHING: Final[Mapping] = {}


class Builder:
    """Takes a document's events, and has its ``root`` and the number of its ``nodes`` in the end.

    A ``whole`` tree keeps every key and value, where others keep what is asked for.
    """

    def __init__(self, place: str, most: int, most_expanded: int, depth: int, *, whole: bool = False) -> None:
        self._whole = whole
        self.nodes = 0
        self._place = place
        self._most = most
        self._most_expanded = most_expanded
        self._expanded = 0
        self._depth = depth
        self._anchors: dict[str, Anchored] = {}
        self._root: list[Node] = []
        self._frame = Frame(self._root, 0, texts=True)
        self._outer: list[Frame] = []
        self.takers: Table[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._take_scalar,
            yaml.MappingStartEvent: self._start_mapping,
            yaml.SequenceStartEvent: self._start_list,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._take_alias,
        }

    @property
    def root(self) -> Node:
        """The document's node; an empty document's is None."""
        return self._root[0] if self._root else None

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        self.nodes += 1
        if self.nodes > self._most:
            raise self._too_many()
        frame = self._frame
        key = frame.key
        if key is None and frame.keys is not None:
            self._take_key(frame, event)
        elif self._whole or event.tag or event.anchor or frame.texts or not _is_idle(key, event.value):
            self._attach(self._value(event), 0, rich=False)
        else:
            self._attach(_OTHER, 0, rich=False)

    def _value(self, event: yaml.ScalarEvent) -> Node:
        found = self._type(event)
        if found is Scalar.BEYOND:
            raise self._invalid("has a number that JSON cannot hold", "Put it in quotes, or write a finite number.")
        value: Node = event.value if found is Scalar.TEXT else None if found is Scalar.NULL else _OTHER
        if found is Scalar.TEXT and self._whole and event.implicit[0] and is_token(event.value):
            value = Plain(event.value)
        if value is _OTHER and self._whole:
            value = is_true(event.value) if found is Scalar.BOOL else Number(number_of(event.value))
        if event.anchor:
            self._anchors[event.anchor] = Anchored(value, text=event.value)
        return value

    def _type(self, event: yaml.ScalarEvent) -> Scalar:
        """The type in effect: the one that a tag names, Go's for plain scalars, text for the others."""
        if event.tag is None:
            return resolve(event.value) if event.implicit[0] else Scalar.TEXT
        if event.tag not in _TAGS:
            raise self._invalid(
                "has a tag that is none of JSON's types", "Remove the tag; a text needs quotes at most."
            )
        found = resolve(event.value)
        if found not in _TAGS[event.tag]:
            raise self._invalid("has a tag that its value does not fit", "Remove the tag, or mend the value.")
        return Scalar.TEXT if event.tag == _STR else found

    def _take_key(self, frame: Frame, event: yaml.ScalarEvent) -> None:
        key = event.value
        if event.tag is not None or event.anchor is not None:
            self._check_tagged_key(event)
        if key == "<<" and (event.implicit[0] or event.tag == _MERGE):
            frame.merging, frame.key = True, key
            return
        if key in NULLS and event.implicit[0] and event.tag is None:
            raise self._invalid("has a key that is null", "Put the key in quotes.")
        self._name(frame, key)

    def _check_tagged_key(self, event: yaml.ScalarEvent) -> None:
        if event.tag != _MERGE and self._type(event) is Scalar.NULL:
            raise self._invalid("has a key that is null", "Put the key in quotes.")
        if event.anchor:
            self._anchors[event.anchor] = Anchored(event.value, text=event.value)

    def _name(self, frame: Frame, key: str) -> None:
        if frame.keys is None or key in frame.keys:
            raise self._invalid(
                "has a mapping with the same key twice",
                "Keep the one that is meant: readers differ in which they take.",
            )
        frame.key = sys.intern(key) if self._whole else key
        frame.keys.add(frame.key)

    def _start_mapping(self, event: yaml.MappingStartEvent) -> None:
        self._start(event, {}, "map")

    def _start_list(self, event: yaml.SequenceStartEvent) -> None:
        self._start(event, [], "seq")

    def _start(self, event: yaml.CollectionStartEvent, node: dict[str, Any] | list[Any], tag: str) -> None:
        outer = self._frame
        if outer.key is None and outer.keys is not None:
            raise self._invalid(
                "has a key that is no plain text", "Write the key as text; a template needs quotes around it."
            )
        if event.tag is not None and event.tag != _TAG + tag:
            raise self._invalid(
                "has a tag that is none of JSON's types", "Remove the tag; a text needs quotes at most."
            )
        self._outer.append(outer)
        self._check_depth(0)
        frame = self._frame = Frame(node, self.nodes, texts=tag == "map" and outer.key in _ALL_TEXT)
        self.nodes += 1
        if event.anchor:
            frame.anchor = self._anchors[event.anchor] = Anchored(node)

    def _end(self, _: yaml.CollectionEndEvent) -> None:
        frame = self._frame
        self._frame = self._outer.pop()
        node: Node = _OTHER if frame.odd and not self._whole else frame.node
        rich = frame.rich or frame.odd or self._whole
        levels = frame.levels + 1
        if frame.anchor:
            frame.anchor.finish(node, self.nodes - frame.begun, levels, rich=rich)
        elif not rich and frame.keys is not None:
            node = _NOTHING
        self._attach(node, levels, rich=rich)

    def _take_alias(self, event: yaml.AliasEvent) -> None:
        part = self._anchors.get(event.anchor or "")
        if part is None:
            raise self._invalid(
                "has an alias without an anchor before it", "Set the anchor before it, in the same document."
            )
        if not part.done:
            raise self._invalid("has an alias that contains itself", "Write out what is meant.")
        self._expand(part)
        frame = self._frame
        if frame.key is None and frame.keys is not None:
            if part.text is None:
                raise self._invalid(
                    "has a key that is no plain text", "Write the key as text; a template needs quotes around it."
                )
            self._name(frame, part.text)
            return
        self._attach(part.node, part.levels, rich=part.rich)

    def _expand(self, part: Anchored) -> None:
        self._check_depth(part.levels)
        self.nodes += part.nodes
        self._expanded += part.nodes
        if self.nodes > self._most or self._expanded > self._most_expanded:
            raise self._too_many()

    def _attach(self, node: Node, levels: int, *, rich: bool) -> None:
        frame = self._frame
        frame.levels = max(frame.levels, levels)
        if frame.keys is None:
            frame.node.append(node)
            frame.rich = frame.rich or rich
            return
        key, frame.key = frame.key, None
        if frame.merging:
            self._merge(frame, node)
        elif key is not None and (rich or self._whole or key in KEPT or key.endswith(_IMAGE)):
            frame.node[key] = node
            frame.rich = True
        elif frame.merged:
            frame.node.pop(key, None)
        if frame.texts and not (node is None or isinstance(node, str)):
            frame.odd = True

    def _merge(self, frame: Frame, node: Node) -> None:
        """Take over the entries of a mapping, or of several, of which the first one wins."""
        frame.merging, frame.merged = False, True
        for part in reversed(node) if isinstance(node, list) else (node,):
            if not isinstance(part, dict):
                raise self._invalid(
                    "has a merge key whose value is no mapping",
                    "Give << a mapping, an alias of one, or a list of them.",
                )
            frame.node.update(part)
            frame.rich = frame.rich or bool(part)

    def _check_depth(self, levels: int) -> None:
        if len(self._outer) + levels > self._depth:
            raise DocumentLimit(f"{self._place} is nested more than {self._depth} levels deep.")

    def _too_many(self) -> DocumentLimit:
        return DocumentLimit(f"{self._place} has too many values, or the documents up to it have.")

    def _invalid(self, fault: str, remedy: str) -> DocumentInvalid:
        return DocumentInvalid(f"{self._place} {fault}.", remedy=remedy)


def _is_idle(key: str | None, text: str) -> bool:
    """Whether a plain value at ``key`` is of no concern, whatever its type."""
    return text[:1] not in _NUMERIC and (key is None or (key not in KEPT and not key.endswith(_IMAGE)))
