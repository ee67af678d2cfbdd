"""A TOML text with other values: tomlkit parses it, and of what it parsed only what differs is replaced.

The tree is changed where it lies, entry by entry, because tomlkit's own ways to add and remove put new keys behind the
comments of the next table and drop those comments with the table before. What comes out is held to what was wanted by
``editing``, which alone may call this. tomlkit is known to no other module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import tomlkit
from tomlkit.items import AoT, Array, Comment, Table, Whitespace

from byoa.components.rendering import render_field, render_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tomlkit.items import Item, Key

    type Entry = tuple[Key | None, Item]
    type Body = list[Entry]
    type Value = Any


def patch(text: str, document: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Take a text that ends with its last line, what it says, and what it should; return the text that does.

    Raises whatever tomlkit does where it reads the text in another way than tomllib.
    """
    tree = tomlkit.parse(text)
    _merge([tree.body], document, wanted, top=True)
    return tree.as_string()


def _merge(bodies: Sequence[Body], old: dict[str, Any], new: dict[str, Any], *, top: bool = False) -> None:
    """Make a table say ``new``; it stands in several bodies where its parts stand apart."""
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in new:
            _drop(bodies, key)
        elif key not in old:
            _add(bodies, key, new[key], top=top)
        elif repr(old[key]) != repr(new[key]):
            _change(bodies, key, old[key], new[key], top=top)


def _change(bodies: Sequence[Body], key: str, old: Value, new: Value, *, top: bool) -> None:
    named = [(name, item) for body in bodies for name, item in body if name is not None and name.key == key]
    tables = [(name, item) for name, item in named if isinstance(item, Table)]
    one = named[0][1]
    if len(tables) == len(named) and isinstance(new, dict) and (new.keys() & old.keys() or _are_headed(tables)):
        _merge(_bodies(tables), old, new)
    elif isinstance(one, AoT) and isinstance(new, list) and new and all(isinstance(each, dict) for each in new):
        _change_tables(bodies, key, one, (old, new))
    elif isinstance(one, Array) and isinstance(new, list) and "\n" in one.as_string():
        _change_list(one, old, new)
    elif isinstance(one, (Table, AoT)):
        _drop(bodies, key)
        _add(bodies, key, new, top=top)
    else:
        _replace(bodies, key, one, new)


def _replace(bodies: Sequence[Body], key: str, item: Item, new: Value) -> None:
    """Put another value into the line of the old one, with its key as it is laid out and its comment."""
    made = _made(new)
    trivia = item.trivia
    made.trivia.indent, made.trivia.comment_ws = trivia.indent, trivia.comment_ws
    made.trivia.comment, made.trivia.trail = trivia.comment, trivia.trail
    for body in bodies:
        for index, (name, each) in enumerate(body):
            if name is not None and name.key == key and each is item:
                body[index] = (name, made)


def _change_tables(bodies: Sequence[Body], key: str, tables: AoT, lists: tuple[list[Any], list[Any]]) -> None:
    old, new = lists
    begin, end = _differing(old, new)
    was, now = old[begin : len(old) - end], new[begin : len(new) - end]
    both = min(len(was), len(now))
    for at in range(begin, begin + both):
        _merge([tables.body[at].value.body], old[at], new[at])
    place = begin + both
    for _ in was[both:]:
        _pass_on(_tail(tables.body.pop(place)), bodies, tables, place)
    if now[both:]:
        before = tables.body[place - 1].value.body if place else []
        ending = _end(before)
        rest, before[ending:] = before[ending:], []
        added = _tables(key, now[both:])
        for table in added:
            table.trivia.indent = "\n"
        if not place:
            tables.body[0].trivia.indent, added[0].trivia.indent = "\n", tables.body[0].trivia.indent
        added[-1].value.body.extend(rest)
        tables.body[place:place] = added


def _tables(key: str, rows: list[Any]) -> list[Table]:
    (made,) = (item for _, item in tomlkit.parse(render_field(key, rows)).body if isinstance(item, AoT))
    return made.body


def _pass_on(rest: Body, bodies: Sequence[Body], tables: AoT, place: int) -> None:
    """Leave what follows a table of a list where it was: at the end of the table before, or before all of them."""
    if place:
        tables.body[place - 1].value.body.extend(rest)
        return
    for body in bodies:
        for at in range(len(body) - 1, -1, -1):
            if body[at][1] is tables:
                body[at:at] = rest


def _change_list(items: Array, old: list[Any], new: list[Any]) -> None:
    """Only what differs, so that lines keep their comments."""
    begin, end = _differing(old, new)
    was, now = old[begin : len(old) - end], new[begin : len(new) - end]
    for at, value in enumerate(now):
        if at < len(was):
            items[begin + at] = _made(value)
        else:
            items.insert(begin + at, _made(value))
    for _ in was[len(now) :]:
        del items[begin + len(now)]


def _differing(old: list[Any], new: list[Any]) -> tuple[int, int]:
    """How many items are the same at the beginnings of two lists, and how many of the others at their ends."""
    shorter = min(len(old), len(new))
    begin = next((at for at in range(shorter) if repr(old[at]) != repr(new[at])), shorter)
    rest = shorter - begin
    return begin, next((at for at in range(rest) if repr(old[-1 - at]) != repr(new[-1 - at])), rest)


def _add(bodies: Sequence[Body], key: str, new: Value, *, top: bool) -> None:
    """A new field: a line after the last one before the first table, or at the top of a file a table at its end."""
    body = bodies[-1]
    is_table = isinstance(new, dict) or (isinstance(new, list) and new and all(isinstance(one, dict) for one in new))
    if top and is_table:
        body.extend(tomlkit.parse("\n" * bool(body) + render_field(key, new)).body)
        return
    first = next((at for at, (_, item) in enumerate(body) if _has_head(item)), len(body))
    place = _end(body[:first])
    if top and not place:
        place = next((at for at, (_, item) in enumerate(body) if not isinstance(item, Comment)), len(body))
    body[place:place] = tomlkit.parse(render_line(key, new)).body


def _drop(bodies: Sequence[Body], key: str) -> None:
    """Take a field away, and leave what follows the last line of its tables."""
    for body in bodies:
        for at in range(len(body) - 1, -1, -1):
            name, item = body[at]
            if name is not None and name.key == key:
                body[at : at + 1] = _tail(item)


def _made(value: Value) -> Item:
    return tomlkit.parse(render_line("made", value)).body[0][1]


def _bodies(tables: Sequence[tuple[Key, Table]]) -> list[Body]:
    """Where the fields of a table are, and where new ones go, which is under its own head, the last."""
    for _, table in tables:
        if table.is_super_table():  # it has no head yet, and the comment of another's
            table.trivia.comment_ws = table.trivia.comment = ""
    return [table.value.body for _, table in sorted(tables, key=lambda each: not each[1].is_super_table())]


def _are_headed(tables: Sequence[tuple[Key, Table]]) -> bool:
    """Whether a table is there even if it is empty: dotted keys, and heads of what is in it, are not."""
    return any(not name.is_dotted() and not table.is_super_table() for name, table in tables)


def _has_head(item: Item) -> bool:
    """Whether an entry begins with a table's head: after it, a line belongs to that table."""
    if isinstance(item, AoT):
        return True
    if not isinstance(item, Table):
        return False
    return not item.is_super_table() or any(_has_head(each) for _, each in item.value.body)


def _end(body: Body) -> int:
    """Where the last field of a table ends: what comes after it speaks of the next table."""
    return next((at + 1 for at in range(len(body) - 1, -1, -1) if body[at][0] is not None), 0)


def _tail(item: Item) -> Body:
    """Comments and blank lines after the last field of a table, as one entry: a comment would make a head needed."""
    text = _text_after(item)
    return [(None, Whitespace(text, fixed=True))] if text else []


def _text_after(item: Item) -> str:
    if isinstance(item, AoT):
        return _text_after(item.body[-1])
    if not isinstance(item, Table):
        return ""
    body = item.value.body
    end = _end(body)
    return (_text_after(body[end - 1][1]) if end else "") + "".join(each.as_string() for _, each in body[end:])
