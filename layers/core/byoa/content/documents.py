"""Kubernetes objects in YAML or JSON from strangers: what they are and which images they run, and nothing else.

No value of an object but its identity and its images leaves this module, so a Secret's data can't reach a log. What is
taken is what kubectl takes: ``splitting`` finds documents as it does and ``scalars`` types.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.content.images import find_images
from byoa.content.nodes import Plain, Templated
from byoa.content.placeholders import SHOWN, cover, show
from byoa.content.splitting import split
from byoa.content.yamltree import DocumentLimits, Spent, read_tree
from byoa.errors import DocumentInvalid, DocumentLimit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.content.nodes import Mapping, Node
    from byoa.content.placeholders import Covered

__all__ = ["DocumentLimits", "Resource", "Spent", "read_resources"]

LIMITS: Final = DocumentLimits()

_NONE: Final = ""
_TYPE: Final = frozenset({"apiVersion", "kind"})

_API_VERSION: Final = re.compile(r"(?:[a-z0-9][a-z0-9.-]{0,252}/)?[a-z0-9][a-z0-9-]{0,62}")
_KIND: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")
# Kubernetes forbids only "/" and "%" in names of some kinds; what markup or quoting could take up ("&'<>\`) stays out
# as well. Said by what is taken: a set of all that isn't takes longer to compile than most sets of documents to read.
_NAME: Final = re.compile(r"[!#$(-.0-;=?-\[\]-_a-~]{1,253}")
_KUSTOMIZE: Final = "kustomize.config.k8s.io/"
# They have a template language of their own in the same braces, so only Nuon's own placeholders wait for an install.
_TEMPLATING: Final = frozenset(
    ("argoproj.io", "external-secrets.io", "grafana.integreatly.org", "kyverno.io", "loki.grafana.com",
     "monitoring.coreos.com", "operator.victoriametrics.com", "policies.kyverno.io")
)  # fmt: skip


class Resource(NamedTuple):
    """A Kubernetes object as its document states it.

    ``images`` are those that it runs, each once, in order; ``unread`` counts the texts that stand where images do and
    are none. In a ``templated`` document some parts are known only once ``{{ ... }}`` placeholders are rendered; they
    are shown as ``{{...}}``. All texts are printable ASCII.
    """

    api_version: str
    kind: str
    namespace: str | None
    name: str
    images: tuple[str, ...]
    templated: bool
    unread: int = 0


type Keep = Callable[[Mapping], None]
"""Takes an object whole, as a tree that nothing else holds but its own aliases."""


def read_resources(
    text: bytes,
    limits: DocumentLimits = LIMITS,
    *,
    spent: Spent | None = None,
    keep: Keep | None = None,
    exact: bool = False,
) -> list[Resource]:
    """The objects in one file's documents, in order; empty documents give none, lists of objects give their items.

    With ``keep`` each is also given whole, values and all, with its placeholders as they stand; those on lines of their
    own are a list at ``{{...}}``. ``exact``, they stay in the texts that they are in, which are ``Templated``, and a
    document that is no YAML with them is none.

    Files that belong together are read one by one with the same ``spent``, so that the limits bound their sum. Raises
    ``DocumentInvalid`` or ``DocumentLimit`` at the first fault, whose text names the document by its number from 1.
    """
    spent = spent or Spent()
    spent.text += len(text)
    if spent.text > limits.text:
        raise DocumentLimit(f"There are more than {limits.text} bytes of documents.")
    found: list[Resource] = []
    waiting = False  # whether placeholders stood where no object was: they are the next one's
    lines: list[str] = []
    for part in split(text):
        spent.documents += 1
        if spent.documents > limits.documents:
            raise DocumentLimit(f"There are more than {limits.documents} documents.")
        covered = cover(part.text, spent.placeholders, exact=exact)
        spent.placeholders += covered.placeholders
        root = read_tree(covered.text, part.number, part.line, limits, spent, whole=keep is not None)
        templated = waiting or part.templated or covered.placeholders > 0
        waiting = root is None and templated
        lines = [*lines, *covered.dropped()] if keep and not exact else lines
        for node, place in _objects(root, f"Document {part.number}"):
            found.append(_resource(node, place, templated=templated, nuon=covered.nuon))
            if keep:
                keep(_exact(node, covered, part.line) if exact else _whole(node, covered, lines))
            spent.objects += 1
            if spent.objects > limits.documents:
                raise DocumentLimit(f"There are more than {limits.documents} objects.")
        lines = lines if waiting else []
    return found


def _whole(node: Mapping, covered: Covered, lines: list[str]) -> Mapping:
    """The object with the placeholders of its text, and at ``{{...}}`` the ``lines`` that held nothing else."""
    if covered.placeholders:
        node = _uncovered(node, covered)  # type: ignore[assignment] # a mapping's is one
    return {**node, SHOWN: [*lines]} if lines else node


def _exact(node: Mapping, covered: Covered, line: int) -> Mapping:
    """The object with its placeholders where they stand; ``line`` is the first one of its document."""
    if not covered.placeholders:
        return node

    def walk(node: Node) -> Node:
        if isinstance(node, str):
            return text(node)
        if isinstance(node, list):
            return [walk(each) for each in node]
        if not isinstance(node, dict):
            return node
        found: Mapping = {text(key): walk(value) for key, value in node.items()}
        if len(found) < len(node):
            raise DocumentInvalid("A mapping has the same placeholder as a key twice.")
        return found

    def text(covering: str) -> str:
        lines = covered.lines_of(covering)
        if not lines:
            return covering
        found = Templated(covered.uncover(covering))
        found.lines = tuple(line - 1 + each for each in lines)
        found.alone = isinstance(covering, Plain)
        return found

    return walk(node)  # type: ignore[return-value] # a mapping's is one


def _uncovered(node: Node, covered: Covered) -> Node:
    if isinstance(node, str):
        return covered.uncover(node)
    if isinstance(node, list):
        return [_uncovered(each, covered) for each in node]
    if not isinstance(node, dict):
        return node
    found: Mapping = {}
    for key, value in node.items():
        name = covered.uncover(key)
        while name in found:  # two keys may be the same placeholder
            name += "'"
        found[name] = _uncovered(value, covered)
    return found


def _objects(root: Node, place: str) -> Iterator[tuple[Mapping, str]]:
    """The object at ``root``, or those in the list at ``root``, each with its place in words."""
    if root is None:
        return
    if not isinstance(root, dict):
        raise DocumentInvalid(f"{place} is not a mapping.")
    if "items" not in root and root.get("kind") != "List":
        yield root, place
        return
    items = root.get("items", _NONE)
    if items is None:
        return
    if not isinstance(items, list):
        raise DocumentInvalid(f"{place} is a List without items.")
    for number, item in enumerate(items, start=1):
        inner = f"Item {number} of {place.lower()}"
        if not isinstance(item, dict) or "items" in item:
            raise DocumentInvalid(f"{inner} is not an object.")
        yield {**_inherited(root), **item} if item.keys().isdisjoint(_TYPE) else item, inner


def _inherited(root: Mapping) -> Mapping:
    """The types that the items of a typed list may leave out: a ``ConfigMapList`` holds what is ``ConfigMap``."""
    kind = root.get("kind")
    if not isinstance(kind, str) or not kind.endswith("List") or kind == "List":
        return {}
    return {"apiVersion": root.get("apiVersion"), "kind": kind.removesuffix("List")}


def _resource(node: Mapping, place: str, *, templated: bool, nuon: bool) -> Resource:
    api_version = _text(node, "apiVersion", _API_VERSION, place)
    kind = _text(node, "kind", _KIND, place)
    if api_version.startswith(_KUSTOMIZE):
        raise DocumentInvalid(
            f"{place} is a kustomization, which is not rendered here.",
            remedy="Push the output of `kustomize build` instead.",
        )
    metadata = _metadata(node, place)
    namespace, name = _namespace(metadata, place), _name(metadata, place)
    images = find_images(node, api_version, kind)
    own = api_version.partition("/")[0] in _TEMPLATING
    return Resource(
        api_version=api_version,
        kind=kind,
        namespace=namespace,
        name=name,
        images=images.found,
        templated=templated and (not own or nuon or SHOWN in f"{namespace}/{name}"),
        unread=images.unread,
    )


def _metadata(node: Mapping, place: str) -> Mapping:
    metadata = node.get("metadata")
    if metadata is None:
        return {}
    if not isinstance(metadata, dict):
        raise DocumentInvalid(f"{place} has metadata that is not a mapping.")
    for key in ("labels", "annotations"):
        if not _is_all_text(metadata.get(key)):
            raise DocumentInvalid(f"{place} has {key} that are not all strings.", remedy="Put the values in quotes.")
    return metadata


def _is_all_text(node: Node) -> bool:
    if not isinstance(node, dict):
        return node is None
    return all(value is None or isinstance(value, str) for value in node.values())


def _name(metadata: Mapping, place: str) -> str:
    if metadata.get("generateName") is not None and not isinstance(metadata["generateName"], str):
        raise DocumentInvalid(
            f"{place} has a metadata.generateName that is not a string.", remedy="Put the value in quotes."
        )
    if metadata.get("name") is None and metadata.get("generateName"):
        raise DocumentInvalid(
            f"{place} has metadata.generateName and no metadata.name.",
            remedy="Give it a metadata.name: objects with generated names are new ones each time they are applied.",
        )
    return _text(metadata, "name", _NAME, place, within="metadata.")


def _namespace(metadata: Mapping, place: str) -> str | None:
    if metadata.get("namespace") in (None, ""):
        return None
    return _text(metadata, "namespace", _NAME, place, within="metadata.")


def _text(holder: Mapping, key: str, allowed: re.Pattern[str], place: str, within: str = "") -> str:
    """The string at ``key``, as it is shown."""
    value = holder.get(key)
    if value is None:
        raise DocumentInvalid(f"{place} has no {within}{key}.")
    if not isinstance(value, str):
        raise DocumentInvalid(f"{place} has a {within}{key} that is not a string.", remedy="Put the value in quotes.")
    if not allowed.fullmatch(show(value)):
        raise DocumentInvalid(f"{place} has a {within}{key} that Kubernetes would not take.")
    return show(value)
