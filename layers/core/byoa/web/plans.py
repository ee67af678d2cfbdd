"""A plan as a page shows it: what of it is looked for, and as much of it as a page has room for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.installs.sets import sets_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ACTIONS: Final = ("create", "change", "recreate", "delete", "keep", "gone", "unchanged")
MARKS: Final = {
    "needs": "needs approval by name",
    "unchecked": "unchecked",
    "conflicts": "with fields of others",
    "warnings": "with warnings",
}
SIZE: Final = 50
"""Objects on a page."""

NAMES: Final = 50
"""Parts of a plan that have a box each to be approved by name; more of a kind have one for all of them."""

ROOM: Final = 16_000
"""Characters of changes on a page with several objects; an object whose changes have no room has a page of its own."""


class Sought(NamedTuple):
    """What a filter leaves: an action or a mark, a kind, a part of a name, or one object by its place in the plan."""

    show: str = ""
    kind: str = ""
    text: str = ""
    one: int | None = None
    page: int = 0


class Shown(NamedTuple):
    """An object of a plan, its place in it, and whether its changes stand with it."""

    at: int
    object: Mapping[str, Any]
    whole: bool


class View(NamedTuple):
    """What a page shows of a plan, and of how much."""

    objects: list[Shown]
    found: int
    more: bool
    kinds: list[str]
    marks: Mapping[str, int]


def sought(query: Mapping[str, str]) -> Sought:
    """What a page's address asks for; what it can't mean counts for nothing."""
    show = query.get("show", "")
    return Sought(
        show if show in ACTIONS or show in MARKS else "",
        query.get("kind", "")[:253],
        query.get("q", "").strip()[:253],
        _number(query.get("object", "")),
        _number(query.get("page", "")) or 0,
    )


def view(objects: Sequence[Mapping[str, Any]], wanted: Sought) -> View:
    """The objects that are wanted, in the plan's order."""
    every = list(enumerate(objects))
    found = [(at, each) for at, each in every if _fits(at, each, wanted)]
    first = wanted.page * SIZE
    shown = found[first : first + SIZE]
    room = ROOM if len(shown) > 1 else None
    placed: list[Shown] = []
    for at, each in shown:
        length = sum(_length(change) for change in each["changes"])
        whole = room is None or length <= room
        room = room if room is None or not whole else room - length
        placed.append(Shown(at, each, whole))
    marks = Counter(mark for each in objects for mark in MARKS if marked(each, mark))
    kinds = sorted({str(each["kind"]) for each in objects})
    return View(placed, len(found), len(found) > first + SIZE, kinds, marks)


def marked(each: Mapping[str, Any], mark: str) -> bool:
    """Whether an object has one of the marks."""
    if mark == "conflicts":
        return bool(each["left_to"] or each["taken_from"])
    return bool(each[mark])


def optional(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is deleted only if somebody approves it by name, and kept else; with what goes along."""
    return [
        (each["needs"], each["why"])
        for each in plan["objects"]
        if each["needs"] and each["action"] == "delete" and each["needs"] not in plan["needs"]
    ]


def optional_sets(plan: Mapping[str, Any]) -> dict[str, int]:
    """Kinds of which not all of that has a box, with how much there is."""
    needed, boxes = sets_of(plan["needs"]), sets_of(name for name, _ in optional(plan)[:NAMES])
    return {kind: count for kind, count in plan["sets"].items() if kind not in needed and count > boxes.get(kind, 0)}


def together(plan: Mapping[str, Any]) -> list[str]:
    """All that has to be approved by name, as few names: all of a kind together."""
    needs = plan["needs"]
    kinds = [f"{kind}:{plan['sets'][kind]}" for kind in sets_of(needs) if kind in (plan.get("sets") or {})]
    return [*kinds, *(each for each in needs if "/" not in each)] if kinds else needs


def _fits(at: int, each: Mapping[str, Any], wanted: Sought) -> bool:
    if wanted.one is not None:
        return at == wanted.one
    if wanted.show in ACTIONS and each["action"] != wanted.show:
        return False
    if wanted.show in MARKS and not marked(each, wanted.show):
        return False
    if wanted.kind and each["kind"] != wanted.kind:
        return False
    return wanted.text.lower() in str(each["object"]).lower()


def _length(change: Mapping[str, Any]) -> int:
    """Characters of a change as it is written, with what stands around it."""
    texts = (change["path"], change["before"] or "", change["after"] or "", *change["lines"])
    return 90 + sum(len(each) + len(each) // 8 for each in texts)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else None  # noqa: PLR2004 - of some thousands
