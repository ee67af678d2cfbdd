"""Changes of single fields in a component file, which keep its comments, its order and its layout.

tomlkit knows where what stands, and is believed in nothing: a text that it could take long for is refused before it
gets there, and its answer counts only if tomllib reads from it exactly what was wanted.
"""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from byoa.components.faults import Fault, shown
from byoa.components.paths import parse_path
from byoa.components.positions import pieces
from byoa.components.reading import TEXT_LIMIT, read_document
from byoa.errors import EditRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.components.positions import Location

    type Value = Any
    """What TOML and JSON have in common."""

CHANGE_LIMIT: Final = 100
VALUE_LIMIT: Final = 1000
"""Values in all changes of a call; a form has some dozens."""
BESIDE_LIMIT: Final = 64 * 1024
"""Bytes beside the manifest."""
PIECE_LIMIT: Final = 10_000
"""Keys, values and marks; the largest file of the format has a third of it."""
DOTTED_LIMIT: Final = 100
PARTS_LIMIT: Final = 5
"""Dotted keys and heads, and the parts of each: tomlkit's time grows with the square of both. Measured with 0.15: 800
keys of 30 parts take 27 s, 400 of 5 parts 0.15 s."""

_BOM: Final = "\ufeff"


def form_of(text: str) -> dict[str, Any] | None:
    """What a component file says, field by field, whether or not it is sound; ``None`` for a text that is no TOML.

    It is JSON data: what JSON doesn't have, times and numbers that are none, is told as text.
    """
    document = _read(text)
    return None if isinstance(document, Fault) else {key: _json(value) for key, value in document.items()}


def edit(text: str, changes: Mapping[str, Any]) -> str:
    """Take a component file and ``changes``, values by fields' paths, and return the file with them.

    ``None`` takes a field away. A path is what a fault calls its field; the index after a list's last adds to the list.
    Comments stay, but for those on and in what is taken away. Raises ``EditRefused`` where a path is none or leads
    nowhere, where the text isn't TOML, and where it is of a kind that can't be changed in good time.
    """
    document = _read(text)
    if isinstance(document, Fault):
        raise EditRefused("The file is not valid TOML.", remedy="Mend the file's text first.")
    wanted = _changed(document, changes)
    if _same(document, wanted):
        return text
    _check_simple(text, document)
    edited = _edited(text, document, wanted)
    found = _read(edited)
    if isinstance(found, Fault) or not _same(found, wanted):
        raise EditRefused("The file is laid out in a way that its fields can't be changed in.")
    return edited


def _read(text: str) -> dict[str, Any] | Fault:
    return read_document(text.removeprefix(_BOM))


def _edited(text: str, document: dict[str, Any], wanted: dict[str, Any]) -> str:
    from byoa.components.patching import patch  # noqa: PLC0415 - it brings tomlkit: 33 ms that most requests needn't pay

    bare = text.removeprefix(_BOM)
    windows = "\r\n" in bare
    plain = bare.replace("\r\n", "\n") if windows else bare
    ended = plain if plain.endswith("\n") or not plain else f"{plain}\n"
    try:
        patched = patch(ended, document, wanted)
    except Exception as error:
        raise EditRefused("The file is laid out in a way that its fields can't be changed in.") from error
    if ended != plain:
        patched = patched.removesuffix("\n")
    return text[: len(text) - len(bare)] + (patched.replace("\n", "\r\n") if windows else patched)


def _check_simple(text: str, document: Mapping[str, Any]) -> None:
    """Raise ``EditRefused`` for a text that tomlkit could take long for."""
    manifest = document.get("manifest")
    beside = len(text.encode()) - (len(manifest.encode()) if isinstance(manifest, str) else 0)
    if beside > BESIDE_LIMIT:
        raise EditRefused("The file has more than 64 KiB beside its manifest.")
    dotted, parts = 0, 1
    for count, piece in enumerate(pieces(text), 1):
        if piece == ".":
            parts += 1
            dotted += parts == 2  # noqa: PLR2004 - the first dot of a key
        elif piece in "=[]{},\n":
            parts = 1
        if count > PIECE_LIMIT or dotted > DOTTED_LIMIT or parts > PARTS_LIMIT:
            raise EditRefused("The file has too many keys, or too many parts in its keys.")


def _changed(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The document as it is wanted."""
    if len(changes) > CHANGE_LIMIT or not _few(changes):
        raise EditRefused("These are too many changes at once.", remedy=f"Change at most {CHANGE_LIMIT} fields.")
    wanted: dict[str, Any] = deepcopy(dict(document))
    for path, value in changes.items():
        _put(wanted, parse_path(path), _toml(value, path), path)
    return wanted


def _few(changes: Mapping[str, Any]) -> bool:
    """Whether all values together are few and small."""
    waiting, count, size = list[Any](changes.values()), 0, 0
    while waiting and count <= VALUE_LIMIT and size <= TEXT_LIMIT:
        value = waiting.pop()
        count += 1
        size += len(value) if isinstance(value, str) else 0
        waiting += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return not waiting and count <= VALUE_LIMIT and size <= TEXT_LIMIT


def _toml(value: Value, path: str) -> Value:
    """JSON data without nulls, which TOML doesn't have: in a table, what is null is not there."""
    if isinstance(value, dict):
        return {key: _toml(each, path) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        if None in value:
            raise EditRefused(f"{shown(path)} has an item that is null.", remedy="Leave the item out.")
        return [_toml(each, path) for each in value]
    return value


def _put(document: dict[str, Any], location: Location, value: Value, path: str) -> None:
    """Set one field, and make what it stands in; or take it away."""
    holder: Value = document
    for part, following in pairwise(location):
        inner = _held(holder, part, path)
        if inner is None:
            if value is None:
                return
            inner = [] if isinstance(following, int) else {}
            _set(holder, part, inner)
        holder = inner
    last = location[-1]
    there = _held(holder, last, path)
    if value is not None:
        _set(holder, last, value)
    elif there is not None:
        del holder[last]


def _held(holder: Value, part: str | int, path: str) -> Value:
    """What stands under a key or an index; ``None`` where it could be put. Raises ``EditRefused`` where it couldn't."""
    if isinstance(holder, dict) and isinstance(part, str):
        return holder.get(part)
    if isinstance(holder, list) and isinstance(part, int) and part <= len(holder):
        return holder[part] if part < len(holder) else None
    remedy = "Name a field of a table, or an item of a list, at most the one after its last."
    raise EditRefused(f"{shown(path)} leads to nothing that could be changed.", remedy=remedy)


def _set(holder: Value, part: str | int, value: Value) -> None:
    if isinstance(holder, list) and part == len(holder):
        holder.append(value)
    else:
        holder[part] = value


def _same(one: Value, other: Value) -> bool:
    """Whether two values are one in TOML, where 1, 1.0 and true are three."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) or (one != one and other != other)  # noqa: PLR0124 - numbers that are none


def _json(value: Value) -> Value:
    if isinstance(value, dict):
        return {key: _json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_json(each) for each in value]
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)
    return value if isinstance(value, (str, bool, int)) else str(value)
