"""Two artifacts compared by their objects: which were added, removed and changed, and where.

An object is what has one group, kind, namespace and name, in whatever document, order and version of its group it
stands. Placeholders are compared as the texts that they are. Both artifacts are read whole, within narrower limits than
an inspection's; what is shown is cut (``excerpts``), and of Secrets no value is (``masking``).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from byoa.content.changes import Change, find_changes
from byoa.content.documents import DocumentLimits
from byoa.content.excerpts import show_name
from byoa.content.inspection import inspect
from byoa.content.masking import mask
from byoa.errors import ByoaError, DocumentLimit, MediaTypeUnsupported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.content.inspection import Report
    from byoa.content.nodes import Mapping, Node
    from byoa.content.ports import Contents
    from byoa.oci.graph import GraphLimits
    from byoa.oci.manifest import Manifest

COMPARED: Final = DocumentLimits(
    text=32 * 1024 * 1024, document=16 * 1024 * 1024, nodes=1_000_000, expanded=100_000, all_nodes=1_500_000
)
"""Of each of the two. A node takes up to 150 bytes, and the objects of one artifact are held at once."""

OBJECTS: Final = 1000
"""Objects that are listed; all are counted."""

CHANGES: Final = 200
"""Changes of one object that are listed."""

ALL_CHANGES: Final = 2000

TWINS: Final = 100
"""How often one object may stand in an artifact: each is looked for among the other's."""

CHARACTERS: Final = 512 * 1024
"""Of all that is listed: a quarter of what a function may answer, and more than anybody reads."""

_MIXED: Final = "Objects of the same name stand more than once in one artifact ({}): they were compared in pairs."
_SAME_OBJECTS: Final = "The objects are the same, the bytes aren't: order, comments, style, or files that aren't read."


class Differing(NamedTuple):
    """An object that differs. ``was`` is its version before (``apiVersion``), where that is another one of its group.

    ``left_out`` counts the changes that aren't listed. All texts are printable ASCII.
    """

    op: Literal["added", "removed", "changed"]
    api_version: str
    kind: str
    namespace: str | None
    name: str
    was: str | None = None
    changes: tuple[Change, ...] = ()
    left_out: int = 0


class Difference(NamedTuple):
    """How many objects were added, removed, changed and are the same, and those that differ, by what identifies them.

    ``left_out`` counts the objects that aren't listed; ``notes`` say in sentences what else was met.
    """

    added: int = 0
    removed: int = 0
    changed: int = 0
    same: int = 0
    objects: tuple[Differing, ...] = ()
    left_out: int = 0
    notes: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether any object does."""
        return bool(self.added or self.removed or self.changed)

    def document(self) -> dict[str, Any]:
        """The same as JSON has it."""
        listed = [{**each._asdict(), "changes": [_listed(one) for one in each.changes]} for each in self.objects]
        return {**self._asdict(), "objects": listed, "notes": [*self.notes]}


def _listed(change: Change) -> dict[str, Any]:
    return {**change._asdict(), "lines": [*change.lines]}


class Side(NamedTuple):
    """One of the two: where its parts are read, its top manifest, and what errors call it."""

    contents: Contents
    root: Manifest
    name: str


def compare(before: Side, after: Side, limits: GraphLimits, *, named: bool = False) -> Difference:
    """Read both artifacts and tell how their objects differ; one of the same digest isn't read.

    Raises what ``inspection.inspect`` raises, placed at the side, and ``MediaTypeUnsupported`` for encrypted contents.
    """
    if before.root.digest == after.root.digest:
        return Difference()
    first = Objects()
    old = _read(before, limits, first, named=named)
    second = Objects(first)
    new = _read(after, limits, second, named=named)
    found = compare_objects(first, second)
    same_objects = not found.differs and old.content != new.content
    notes = (*found.notes, *((_SAME_OBJECTS,) if same_objects else ()))
    return found._replace(notes=notes)


def _read(side: Side, limits: GraphLimits, objects: Objects, *, named: bool) -> Report:
    try:
        report = inspect(side.contents, side.root, limits, named=named, documents=COMPARED, keep=objects.keep)
        if report.encrypted:
            raise MediaTypeUnsupported("The contents are encrypted, and can't be compared.")
    except ByoaError as error:
        error.where = f"{side.name}, {error.where}" if error.where else side.name
        raise
    return report


type _Identity = tuple[str, str, str, str]


class Objects:
    """The objects of one artifact by what identifies them, in no order.

    With ``counterpart`` an object that is there as well is kept in neither and counted as ``same``.
    """

    def __init__(self, counterpart: Objects | None = None) -> None:
        self.found: dict[_Identity, list[Mapping]] = {}
        self.same = self.twice = 0
        self._counterpart = counterpart.found if counterpart else {}
        self._seen: Counter[_Identity] = Counter()

    def keep(self, node: Mapping) -> None:
        """Take an object, whose Secret values are hidden from here on."""
        identity = _identity(node)
        self.twice += identity in self._seen
        self._seen[identity] += 1
        if self._seen[identity] > TWINS:
            raise DocumentLimit(f"One object stands more than {TWINS} times in the artifact.")
        masked, there = mask(node), self._counterpart.get(identity, [])
        if masked in there:
            there.remove(masked)
            self.same += 1
        else:
            self.found.setdefault(identity, []).append(masked)


def _identity(node: Mapping) -> _Identity:
    version, metadata = _text(node.get("apiVersion")), node.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    group = version.rpartition("/")[0]
    return group, _text(node.get("kind")), _text(metadata.get("namespace")), _text(metadata.get("name"))


def _text(node: Node) -> str:
    return node if isinstance(node, str) else ""


def compare_objects(before: Objects, after: Objects) -> Difference:
    """How ``after`` differs from ``before``, which may have been its counterpart."""
    telling = _Telling()
    for identity in sorted(before.found.keys() | after.found.keys(), key=_place):
        for old, new in _pairs(before.found.get(identity, []), after.found.get(identity, [])):
            telling.tell(identity, old, new)
    twice = before.twice + after.twice
    notes = (_MIXED.format(twice),) if twice else ()
    return Difference(
        added=telling.counts["added"],
        removed=telling.counts["removed"],
        changed=telling.counts["changed"],
        same=after.same + telling.counts["same"],
        objects=tuple(telling.listed),
        left_out=telling.left_out,
        notes=notes,
    )


def _place(identity: _Identity) -> tuple[str, ...]:
    """Objects are listed by kind, then by where they are."""
    group, kind, namespace, name = identity
    return kind, group, namespace, name


def _pairs(before: list[Mapping], after: list[Mapping]) -> Iterator[tuple[Mapping | None, Mapping | None]]:
    """Each with the other's of its place, in an order that documents' order doesn't decide."""
    if len(before) > 1 or len(after) > 1:
        before, after = sorted(before, key=_canonical), sorted(after, key=_canonical)
    for number in range(max(len(before), len(after))):
        yield (
            before[number] if number < len(before) else None,
            after[number] if number < len(after) else None,
        )


def _canonical(node: Node) -> str:
    """A text that like trees have alike, whatever the order of their keys."""
    if isinstance(node, dict):
        return "{" + ",".join(f"{key!r}:{_canonical(node[key])}" for key in sorted(node)) + "}"
    return "[" + ",".join(map(_canonical, node)) + "]" if isinstance(node, list) else repr(node)


class _Telling:
    """What is told, held to its bounds; what is beyond them is counted."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(("added", "removed", "changed", "same"), 0)
        self.listed: list[Differing] = []
        self.left_out = 0
        self._changes = self._characters = 0

    def tell(self, identity: _Identity, old: Mapping | None, new: Mapping | None) -> None:
        if old == new:
            self.counts["same"] += 1
            return
        op: Literal["added", "removed", "changed"] = "removed" if new is None else "added" if old is None else "changed"
        self.counts[op] += 1
        if len(self.listed) >= OBJECTS or self._characters > CHARACTERS:
            self.left_out += 1
            return
        changes, left_out = self._changes_of(old, new) if op == "changed" else ((), 0)
        one = _described(op, identity, old, new)
        self.listed.append(one._replace(changes=changes, left_out=left_out))
        self._characters += sum(len(each) for each in one[1:6] if isinstance(each, str))

    def _changes_of(self, old: Node, new: Node) -> tuple[tuple[Change, ...], int]:
        listed: list[Change] = []
        count = 0

        def take(change: Change) -> None:
            nonlocal count
            count += 1
            if len(listed) < CHANGES and self._changes < ALL_CHANGES and self._characters <= CHARACTERS:
                listed.append(change)
                self._changes += 1
                self._characters += change.length

        find_changes(old, new, take)
        return tuple(listed), count - len(listed)


def _described(
    op: Literal["added", "removed", "changed"], identity: _Identity, old: Mapping | None, new: Mapping | None
) -> Differing:
    _, kind, namespace, name = identity
    versions = [_text(each.get("apiVersion")) for each in (old, new) if each]
    return Differing(
        op=op,
        api_version=show_name(versions[-1]),
        kind=show_name(kind),
        namespace=show_name(namespace) if namespace else None,
        name=show_name(name, 300),
        was=show_name(versions[0]) if versions[0] != versions[-1] else None,
    )
