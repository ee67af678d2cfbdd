"""What would change of an object: the live one beside the API server's own answer to a dry run, without the noise.

On a second run nothing but what is left out here differs, over all the kinds that were tried on a real API server.
Values of Secrets are compared and never shown (``content.masking``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.content.changes import find_changes
from byoa.content.masking import mask
from byoa.content.nodes import Hidden, Number

if TYPE_CHECKING:
    from byoa.content.changes import Change
    from byoa.content.nodes import Node
    from byoa.installs.objects import Object

CHANGES: Final = 200
"""Changes of one object that are listed; all are counted."""

_NOISE: Final = frozenset(("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid"))


def bare(found: Object) -> Object:
    """An object without its status and what a cluster counts and notes of it."""
    about = {key: value for key, value in found.get("metadata", {}).items() if key not in _NOISE}
    return {**{key: value for key, value in found.items() if key != "status"}, "metadata": about}


def differ(before: Object, after: Object) -> bool:
    """Whether anything but noise does."""
    return bare(before) != bare(after)


def changes_between(before: Object, after: Object) -> tuple[tuple[Change, ...], int]:
    """Where the two differ, as people are shown it, and how many places more there are."""
    listed: list[Change] = []
    count = 0

    def take(change: Change) -> None:
        nonlocal count
        count += 1
        if len(listed) < CHANGES:
            listed.append(change)

    find_changes(masked(before), masked(after), take)
    return tuple(listed), count - len(listed)


def masked(found: Object) -> Node:
    """An object without noise as a tree whose Secret values are hidden."""
    node = _node(bare(found))
    return mask(node) if isinstance(node, dict) else node


def plain(node: Node, *, hidden: str) -> Any:  # noqa: ANN401 - JSON data
    """A tree as JSON data again, with ``hidden`` in place of what is not shown."""
    if isinstance(node, dict):
        return {key: plain(value, hidden=hidden) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(each, hidden=hidden) for each in node]
    if isinstance(node, Hidden):
        return hidden
    return node.text if isinstance(node, Number) else node


def _node(value: Any) -> Node:  # noqa: ANN401 - JSON data
    if isinstance(value, dict):
        return {key: _node(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_node(each) for each in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    return Number(str(value))
