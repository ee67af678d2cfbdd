"""Paths of fields as server-side apply names them: ``.spec.template.spec.containers[name="web"].image``.

Source: sigs.k8s.io/structured-merge-diff, fieldpath/element.go.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.installs.objects import Object

_VALUE: Final = r'"(?:[^"\\]|\\.)*"|[^,\]"]+'
_ITEM: Final = re.compile(
    rf"\[(?:(?P<index>[0-9]+)|=(?P<value>{_VALUE})|(?P<keys>\w+=(?:{_VALUE})(?:,\w+=(?:{_VALUE}))*))\]"
)
_KEY: Final = re.compile(rf"(\w+)=({_VALUE})")
_USUAL: Final = {"protocol": "TCP"}
"""What an item is taken to have that doesn't say, as the schemas of Kubernetes' own kinds have it."""


def drop(found: Object, path: str) -> Object | None:
    """A copy of the object without the field at ``path``; ``None`` where the path isn't understood or leads nowhere."""
    copy: Object = deepcopy(found)
    return copy if _drop(copy, path) else None


def _drop(holder: Any, path: str) -> bool:  # noqa: ANN401 - any part of an object
    """Whether it was there. Names aren't quoted in paths and may have dots: those that are there decide."""
    for key, rest in _steps(holder, path):
        if rest and _drop(holder[key], rest):
            return True
        if not rest:
            del holder[key]
            return True
    return False


def _steps(holder: Any, path: str) -> Iterator[tuple[str | int, str]]:  # noqa: ANN401 - the same
    """Where in ``holder`` the path may lead, each with what is left of it."""
    if isinstance(holder, dict):
        for key in sorted(holder, key=len, reverse=True):
            if path.startswith(f".{key}") and path[len(key) + 1 : len(key) + 2] in ("", ".", "["):
                yield key, path[len(key) + 1 :]
    elif isinstance(holder, list) and (item := _ITEM.match(path)):
        number = _number(holder, item)
        if number is not None:
            yield number, path[item.end() :]


def _number(items: list[Any], item: re.Match[str]) -> int | None:
    """Which of ``items`` is named."""
    if item["index"]:
        return int(item["index"]) if int(item["index"]) < len(items) else None
    if item["value"]:
        value = _read(item["value"])
        return items.index(value) if value in items else None
    keys = {name: _read(value) for name, value in _KEY.findall(item["keys"])}
    for number, each in enumerate(items):
        if isinstance(each, dict) and all(each.get(name, _USUAL.get(name)) == keys[name] for name in keys):
            return number
    return None


def _read(value: str) -> Any:  # noqa: ANN401 - JSON data
    try:
        return json.loads(value)
    except ValueError:
        return value
