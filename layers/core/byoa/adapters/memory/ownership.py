"""Server-side apply in small: who owns which leaves of an object, and what an apply makes of them.

A real API server goes by each kind's schema. Here items of a list are told apart by ``name`` or by their port, and
every other list is one leaf.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from byoa.errors import FieldConflict

if TYPE_CHECKING:
    from byoa.installs.objects import Object

type Path = tuple[str, ...]

_KEYS: Final = ("name", "containerPort", "port", "mountPath", "type")
_COUNTED: Final = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "generation",
    "resourceVersion",
    "deletionTimestamp",
)
_UNOWNED: Final = frozenset({("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")})


class Owned:
    """An object, and the leaves that each manager owns."""

    def __init__(self, found: Object) -> None:
        self.object = found
        self.owners: dict[str, set[Path]] = {}

    def copy(self) -> Owned:
        """Another that nothing is shared with."""
        other = Owned(deepcopy(self.object))
        other.owners = {name: set(paths) for name, paths in self.owners.items()}
        return other

    def apply(self, wanted: Object, manager: str, *, force: bool) -> None:
        """Make it what ``manager`` wants, and take away what that wanted before and nobody else does.

        Raises ``FieldConflict`` where others own leaves that would change, unless forced.
        """
        leaves = {path: value for path, value in leaves_of(wanted).items() if path not in _UNOWNED}
        live = leaves_of(self.object)
        conflicts = [
            (name, shown(path))
            for name, paths in self.owners.items()
            for path in sorted(paths & leaves.keys())
            if name != manager and path in live and live[path] != leaves[path]
        ]
        if conflicts and not force:
            raise FieldConflict("Fields of the object are owned by another.", conflicts=tuple(conflicts))
        for name, path in ((name, path) for name, path in self._changed(manager, leaves, live)):
            self.owners[name].discard(path)
        others = set().union(*(paths for name, paths in self.owners.items() if name != manager))
        for path in (self.owners.get(manager, set()) & live.keys()) - leaves.keys() - others:
            _remove(self.object, path)
        for path, value in leaves.items():
            _put(self.object, path, deepcopy(value))
        self.owners[manager] = set(leaves)

    def update(self, changes: Object, manager: str) -> None:
        """Merge ``changes`` into it (RFC 7396), as an editor or a controller does, who then owns what changed."""
        before = leaves_of(self.object)
        _merge(self.object, changes)
        self._note(before, manager)

    def replace(self, wanted: Object, manager: str) -> None:
        """Make it what ``manager`` sends as a whole; its status, and what the cluster writes of it, stay."""
        about = self.object["metadata"]
        kept = {name: about[name] for name in _COUNTED if name in about}
        before, status = leaves_of(self.object), self.object.get("status")
        self.object = {**deepcopy(wanted), **({"status": status} if status else {})}
        self.object["metadata"] = {**self.object["metadata"], **kept}
        self._note(before, manager)

    def _note(self, before: dict[Path, Any], manager: str) -> None:
        """Who changed a leaf owns it, and nobody owns one that is gone."""
        after = leaves_of(self.object)
        changed = {path for path in after if path not in before or before[path] != after[path]}
        for paths in self.owners.values():
            paths.difference_update(changed, before.keys() - after.keys())
        self.owners.setdefault(manager, set()).update(changed)

    def _changed(self, manager: str, leaves: dict[Path, Any], live: dict[Path, Any]) -> list[tuple[str, Path]]:
        return [
            (name, path)
            for name, paths in self.owners.items()
            for path in paths & leaves.keys()
            if name != manager and live.get(path) != leaves[path]
        ]


def leaves_of(node: Any, path: Path = ()) -> dict[Path, Any]:  # noqa: ANN401 - JSON data
    """Each leaf with its path, in which an item of a keyed list is ``name=web``."""
    items = _items(node)
    if not items:
        return {path: node}
    found: dict[Path, Any] = {}
    for key, value in items.items():
        found |= leaves_of(value, (*path, key))
    return found


def shown(path: Path) -> str:
    """A path as the API names it."""
    return "".join(f"[{_quoted(part)}]" if "=" in part else f".{part}" for part in path)


def _quoted(part: str) -> str:
    key, _, value = part.partition("=")
    return f"{key}={value}" if value.isdecimal() else f'{key}="{value}"'


def _items(node: Any) -> dict[str, Any] | None:  # noqa: ANN401 - JSON data
    if isinstance(node, dict):
        return node
    key = _key(node)
    return {f"{key}={item[key]}": item for item in node} if key else None


def _key(node: Any) -> str | None:  # noqa: ANN401 - JSON data
    """What tells the items of a list apart."""
    if not isinstance(node, list) or not node or not all(isinstance(item, dict) for item in node):
        return None
    keys = (key for key in _KEYS if all(key in item for item in node))
    return next((key for key in keys if len({item[key] for item in node}) == len(node)), None)


def _find(holder: Any, part: str) -> Any:  # noqa: ANN401 - JSON data
    if isinstance(holder, dict):
        return holder.get(part)
    key, _, value = part.partition("=")
    return next((item for item in holder if str(item.get(key)) == value), None) if isinstance(holder, list) else None


def _put(holder: Any, path: Path, value: Any) -> None:  # noqa: ANN401 - JSON data
    for part, following in zip(path, (*path[1:], None), strict=True):
        if following is None:
            if value != {} or not isinstance(_find(holder, part), dict):  # nothing is said of what others put there
                holder[part] = value
            return
        found = _find(holder, part)
        if not isinstance(found, dict | list):
            found = [] if "=" in following and isinstance(holder, dict) else {}
            if isinstance(holder, dict):
                holder[part] = found
            else:  # it is found by its key, whichever of its leaves comes first
                key, _, known = part.partition("=")
                holder.append(found := {key: known})
        holder = found


def _remove(holder: Any, path: Path) -> None:  # noqa: ANN401 - JSON data
    """Take a leaf away, and what is empty without it."""
    part, rest = path[0], path[1:]
    if rest:
        found = _find(holder, part)
        if found is None:
            return
        _remove(found, rest)
        if found:
            return
    if isinstance(holder, dict):
        holder.pop(part, None)
    elif (found := _find(holder, part)) is not None:
        holder.remove(found)


def _merge(holder: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if value is None:
            holder.pop(key, None)
        elif isinstance(value, dict) and isinstance(holder.get(key), dict):
            _merge(holder[key], value)
        else:
            holder[key] = deepcopy(value)
