"""Where two trees differ: paths as in JSON Pointer (RFC 6901), but for lists that Kubernetes merges by a key.

An item of those is named by it, as in ``/spec/containers/[name=web]/image``, so that one item more in front doesn't
make all others differ. Keys are Kubernetes' own (``x-kubernetes-patch-merge-key``, ``x-kubernetes-list-map-keys``), and
``name`` where each item has one of its own.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from byoa.content.excerpts import show, show_both, show_lines, show_name
from byoa.content.nodes import Number

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.content.nodes import Mapping, Node

LONGEST_PATH: Final = 500
"""Characters of a path that are shown; of a longer one both ends."""

_PART: Final = 120
_KEYS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "conditions": (("type",),),
    "hostAliases": (("ip",),),
    "ownerReferences": (("uid",),),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "volumeDevices": (("devicePath",),),
    "volumeMounts": (("mountPath",),),
}
_BY_NAME: Final = ("name",)
_DEFAULTS: Final = {"protocol": "TCP"}
_ABSENT: Final = "\0absent"


class Change(NamedTuple):
    """One place where an object differs.

    ``op`` is JSON Patch's word (RFC 6902), with ``move`` for items in another order. ``before`` and ``after`` are
    excerpts; ``None`` where there is none. ``lines`` are those that differ of a text of several.
    """

    path: str
    op: Literal["add", "remove", "replace", "move"]
    before: str | None = None
    after: str | None = None
    lines: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        """Characters of all of it."""
        return len(self.path) + sum(len(each) for each in (self.before or "", self.after or "", *self.lines))


def find_changes(before: Node, after: Node, tell: Callable[[Change], None]) -> None:
    """Tell each place where the two differ, in the order of their keys. Time is linear in their size and depth."""
    _Walk(tell).compare((), before, after)


class _Walk:
    def __init__(self, tell: Callable[[Change], None]) -> None:
        self._tell = tell

    def compare(self, path: tuple[str, ...], before: Node, after: Node) -> None:
        if before == after:
            return
        if isinstance(before, dict) and isinstance(after, dict):
            self._compare_mappings(path, before, after)
        elif isinstance(before, list) and isinstance(after, list):
            self._compare_lists(path, before, after)
        else:
            self._tell(_replaced(_joined(path), before, after))

    def _compare_mappings(self, path: tuple[str, ...], before: Mapping, after: Mapping) -> None:
        for key in sorted(before.keys() | after.keys()):
            self._compare_parts((*path, _escaped(key)), before.get(key, _ABSENT), after.get(key, _ABSENT))

    def _compare_parts(self, path: tuple[str, ...], before: Node, after: Node) -> None:
        if before is _ABSENT:
            self._tell(Change(_joined(path), "add", after=show(after)))
        elif after is _ABSENT:
            self._tell(Change(_joined(path), "remove", before=show(before)))
        else:
            self.compare(path, before, after)

    def _compare_lists(self, path: tuple[str, ...], before: list[Node], after: list[Node]) -> None:
        for fields in (*_KEYS.get(path[-1] if path else "", ()), _BY_NAME):
            old, new = _index(before, fields), _index(after, fields)
            if old is not None and new is not None and (old or new):
                self._compare_keyed(path, old, new)
                return
        self._compare_in_order(path, before, after)

    def _compare_keyed(self, path: tuple[str, ...], before: Mapping, after: Mapping) -> None:
        for name in sorted(before.keys() | after.keys()):
            self._compare_parts((*path, f"[{_escaped(name)}]"), before.get(name, _ABSENT), after.get(name, _ABSENT))
        old: list[Node] = [name for name in before if name in after]
        new: list[Node] = [name for name in after if name in before]
        if old != new:
            self._tell(Change(_joined(path), "move", show(old), show(new)))

    def _compare_in_order(self, path: tuple[str, ...], before: list[Node], after: list[Node]) -> None:
        """Item by item, between what both begin with and what both end with."""
        head = 0
        while head < min(len(before), len(after)) and before[head] == after[head]:
            head += 1
        tail = 0
        while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
            tail += 1
        old, new = before[head : len(before) - tail], after[head : len(after) - tail]
        for number, (one, other) in enumerate(zip_longest(old, new, fillvalue=_ABSENT), start=head):
            self._compare_parts((*path, str(number)), one, other)


def _replaced(path: str, before: Node, after: Node) -> Change:
    shown = show_both(before, after)
    if isinstance(before, str) and isinstance(after, str) and "\n" in before.strip("\n") + after.strip("\n"):
        return Change(path, "replace", *shown, lines=show_lines(before, after))
    return Change(path, "replace", *shown)


def _index(items: list[Node], fields: tuple[str, ...]) -> Mapping | None:
    """The items by their keys, if each has one of its own."""
    found: Mapping = {}
    for item in items:
        if not isinstance(item, dict):
            return None
        values = [item.get(field, _DEFAULTS.get(field)) for field in fields]
        texts = [value.text if isinstance(value, Number) else value for value in values]
        name = ",".join(f"{field}={text}" for field, text in zip(fields, texts, strict=True))
        if name in found or not all(isinstance(text, str) for text in texts):
            return None
        found[name] = item
    return found


def _escaped(key: str) -> str:
    """A key as a part of a path (RFC 6901, section 3)."""
    return show_name(key, _PART).replace("~", "~0").replace("/", "~1")


def _joined(path: tuple[str, ...]) -> str:
    text = "".join(f"/{part}" for part in path)
    half = LONGEST_PATH // 2
    return text if len(text) <= LONGEST_PATH else f"{text[:half]}...{text[-half:]}"
