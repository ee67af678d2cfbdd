"""Paths of fields as server-side apply names them: ``.spec.template.spec.containers[name="web"].image``.

Source: sigs.k8s.io/structured-merge-diff, fieldpath/element.go.
"""

from __future__ import annotations

import json
import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from byoa.installs.objects import Object

_VALUE: Final = r'"(?:[^"\\]|\\.)*"|[^,\]"]+'
_PART: Final = re.compile(
    rf"\.(?P<name>[^.\[\]]+(?:\.[^.\[\]]*/[^.\[\]]+)?)|\[(?P<keys>\w+=(?:{_VALUE})(?:,\w+=(?:{_VALUE}))*)\]"
    rf"|\[=(?P<value>{_VALUE})\]|\[(?P<index>[0-9]+)\]"
)
_KEY: Final = re.compile(rf"(\w+)=({_VALUE})")


def drop(found: Object, path: str) -> Object | None:
    """A copy of the object without the field at ``path``; ``None`` where the path isn't understood or leads nowhere."""
    copy: Object = deepcopy(found)
    at, parts = 0, []
    while at < len(path):
        part = _PART.match(path, at)
        if part is None:
            return None
        parts.append(part)
        at = part.end()
    return copy if parts and _drop(copy, parts) else None


def _drop(holder: Any, parts: list[re.Match[str]]) -> bool:  # noqa: ANN401 - any part of an object
    key = _key(holder, parts[0])
    if key is None:
        return False
    if len(parts) > 1:
        return _drop(holder[key], parts[1:])
    del holder[key]
    return True


def _key(holder: Any, part: re.Match[str]) -> str | int | None:  # noqa: ANN401 - the same
    """Where in ``holder`` the part leads."""
    if isinstance(holder, dict):
        return part["name"] if part["name"] in holder else None
    if not isinstance(holder, list):
        return None
    if part["index"]:
        return int(part["index"]) if int(part["index"]) < len(holder) else None
    if part["value"]:
        value = _read(part["value"])
        return holder.index(value) if value in holder else None
    keys = {name: _read(value) for name, value in _KEY.findall(part["keys"] or "")}
    for number, item in enumerate(holder):
        if keys and isinstance(item, dict) and all(item.get(name, _USUAL.get(name)) == keys[name] for name in keys):
            return number
    return None


_USUAL: Final = {"protocol": "TCP"}


def _read(value: str) -> Any:  # noqa: ANN401 - JSON data
    try:
        return json.loads(value)
    except ValueError:
        return value
