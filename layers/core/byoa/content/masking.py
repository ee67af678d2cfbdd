"""What of an object may be compared and never shown: the values of Secrets, wherever a Secret stands.

A Secret's own object shows what identifies it and nothing else: readers fold keys (``Data``), tools keep copies of
whole objects in annotations, and a value may stand at a key that Kubernetes drops. Threat D43.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byoa.content.nodes import Hidden

if TYPE_CHECKING:
    from byoa.content.nodes import Mapping, Node

_SHOWN: Final = frozenset({"apiVersion", "kind", "type", "immutable"})
_SHOWN_METADATA: Final = frozenset({"name", "namespace", "labels"})
_VALUES: Final = frozenset({"data", "stringdata"})
# Copies of the object as it was applied before, which tools leave on it; of a List's item it may be another's.
_COPIES: Final = frozenset(
    ("banzaicloud.com/last-applied", "kapp.k14s.io/original", "kubectl.kubernetes.io/last-applied-configuration",
     "objectset.rio.cattle.io/applied")
)  # fmt: skip


def mask(root: Mapping) -> Mapping:
    """The object ``root`` with everything ``Hidden`` that is a Secret's value. What has none is the same tree."""
    if _is_secret(root):
        return _masked_secret(root)
    kind = root.get("kind")
    named = isinstance(kind, str) and kind.endswith(("Secret", "Secrets"))
    masked = _masked(root, named=named)
    return masked if isinstance(masked, dict) else root


def _is_secret(node: Mapping) -> bool:
    return node.get("kind") == "Secret" and node.get("apiVersion", "v1") == "v1"


def _masked_secret(root: Mapping) -> Mapping:
    """A Secret, of whose mappings the keys are shown."""
    found: Mapping = {}
    for key, value in root.items():
        if key == "metadata" and isinstance(value, dict):
            found[key] = {
                name: each if name in _SHOWN_METADATA else _hidden_below(each) for name, each in value.items()
            }
        else:
            found[key] = value if key in _SHOWN else _hidden_below(value)
    return found


def _hidden_below(node: Node) -> Node:
    """The values of a mapping hidden, or all of what is none."""
    return {key: Hidden(value) for key, value in node.items()} if isinstance(node, dict) else Hidden(node)


def _masked(node: Node, *, named: bool) -> Node:
    """``named`` is whether the object is of a custom kind of Secrets, whose templates hold values as Secrets do."""
    if isinstance(node, list):
        items = [_masked(each, named=named) for each in node]
        return node if all(new is old for new, old in zip(items, node, strict=True)) else items
    if not isinstance(node, dict):
        return node
    secret = _is_secret(node)
    found = {key: _masked_value(key, value, secret=secret, named=named) for key, value in node.items()}
    return node if all(found[key] is value for key, value in node.items()) else found


def _masked_value(key: str, value: Node, *, secret: bool, named: bool) -> Node:
    if key in _COPIES:
        return Hidden(value)
    if key.lower() in _VALUES and (secret or (named and isinstance(value, dict))):
        return _hidden_below(value)
    if secret and key == "metadata" and isinstance(value, dict):
        return {name: _hidden_below(each) if name == "annotations" else each for name, each in value.items()}
    return _masked(value, named=named)
