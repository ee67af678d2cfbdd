"""Kubernetes objects in YAML or JSON from strangers: what they are and which images they run, and nothing else.

No value of an object but its identity and its images leaves this module, so a Secret's data can't reach a log.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from byoa.content.placeholders import ENDS, SHOWN, cover, show
from byoa.content.yamltree import DocumentLimits, Spent, read_trees
from byoa.errors import DocumentInvalid, DocumentLimit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.content.yamltree import Mapping, Node

__all__ = ["DocumentLimits", "Resource", "Spent", "read_resources"]

LIMITS: Final = DocumentLimits()

_BOM: Final = b"\xef\xbb\xbf"
# All control characters but tab and line ends, a carriage return alone, the other line breaks that some YAML readers
# know (NEL, LS, PS), a BOM within the text, and the ends of placeholders' tokens.
_FORBIDDEN: Final = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|"
    + b"|".join(end.encode() for end in ENDS)
)
# libyaml reads up such declarations in a time that is the square of their number, before it tells of the document.
_TAG_DIRECTIVE: Final = re.compile(rb"^%TAG", re.MULTILINE)
# JSON writes characters outside the basic plane as two escapes; libyaml knows only whole characters.
_SURROGATES: Final = re.compile(rb"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")

_API_VERSION: Final = re.compile(r"(?:[a-z0-9][a-z0-9.-]{0,252}/)?[a-z0-9][a-z0-9-]{0,62}")
_KIND: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,62}")
# Kubernetes forbids only "/" and "%" in names of some kinds; what markup or quoting could take up stays out as well.
_NAME: Final = re.compile(r"""[^\x00-\x20\x7f-\U0010ffff"%&'/<>\\`]{1,253}""")
_IMAGE: Final = re.compile(r"[!-~]{1,512}")
_CONTAINERS: Final = frozenset({"containers", "initContainers", "ephemeralContainers"})
_KUSTOMIZE: Final = "kustomize.config.k8s.io/"


@dataclass(frozen=True, slots=True)
class Resource:
    """A Kubernetes object as its document states it.

    ``images`` are those of its containers, each once, in order. In a ``templated`` document some parts are known only
    once ``{{ ... }}`` placeholders are rendered; they are shown as ``{{...}}``. All texts are printable ASCII.
    """

    api_version: str
    kind: str
    namespace: str | None
    name: str
    images: tuple[str, ...]
    templated: bool


def read_resources(text: bytes, limits: DocumentLimits = LIMITS, *, spent: Spent | None = None) -> list[Resource]:
    """The objects in one file's documents, in order; empty documents give none, a v1 ``List`` gives its items.

    Files that belong together are read one by one with the same ``spent``, so that the limits bound their sum. A
    kustomization counts as templated: it stands for objects that are rendered elsewhere. Raises ``DocumentInvalid`` or
    ``DocumentLimit`` at the first fault, whose text names the document by its number from 1.
    """
    spent = spent or Spent()
    spent.text += len(text)
    if spent.text > limits.text:
        raise DocumentLimit(f"There are more than {limits.text} bytes of documents.")
    covered, templated_lines = cover(_legible(text))
    found: list[Resource] = []
    for tree in read_trees(covered, limits, spent):
        first = bisect_left(templated_lines, tree.lines.start)
        templated = first < bisect_left(templated_lines, tree.lines.stop)
        for node, place in _objects(tree.root, f"Document {tree.number}"):
            found.append(_resource(node, place, templated=templated))
            spent.objects += 1
            if spent.objects > limits.documents:
                raise DocumentLimit(f"There are more than {limits.documents} objects.")
    return found


def _legible(text: bytes) -> bytes:
    """``text`` without its BOM, with plain newlines as line ends, and one at its end."""
    text = text.removeprefix(_BOM)
    try:
        text.decode()
    except UnicodeDecodeError:
        raise DocumentInvalid("The text is not UTF-8.", remedy="Save the file as UTF-8.") from None
    if directive := _TAG_DIRECTIVE.search(text):
        raise DocumentInvalid(f"{_line(text, directive)} has a %TAG directive.", remedy="Write tags out, or none.")
    if fault := _FORBIDDEN.search(text):
        remedy = "Save the file as plain UTF-8 with ordinary line ends, and escape control characters."
        raise DocumentInvalid(f"{_line(text, fault)} has a character that no YAML file should have.", remedy=remedy)
    return _SURROGATES.sub(_one_escape, text.replace(b"\r\n", b"\n")) + b"\n"


def _one_escape(pair: re.Match[bytes]) -> bytes:
    high, low = int(pair[1], 16), int(pair[2], 16)
    return rb"\U%08x" % (0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF))


def _line(text: bytes, found: re.Match[bytes]) -> str:
    return f"Line {text.count(b'\n', 0, found.start()) + 1}"


def _objects(root: Node, place: str) -> Iterator[tuple[Mapping, str]]:
    """The object at ``root``, or those in the list at ``root``, each with its place in words."""
    if root is None:
        return
    if not isinstance(root, dict):
        raise DocumentInvalid(f"{place} is not a mapping.")
    if not _is_list(root):
        yield root, place
        return
    items = root.get("items")
    if not isinstance(items, list):
        raise DocumentInvalid(f"{place} is a List without items.")
    for number, item in enumerate(items, start=1):
        inner = f"Item {number} of {place.lower()}"
        if not isinstance(item, dict) or _is_list(item):
            raise DocumentInvalid(f"{inner} is not an object.")
        yield item, inner


def _is_list(node: Mapping) -> bool:
    return (node.get("apiVersion"), node.get("kind")) == ("v1", "List")


def _resource(node: Mapping, place: str, *, templated: bool) -> Resource:
    api_version = _text(node, "apiVersion", _API_VERSION, place)
    kind = _text(node, "kind", _KIND, place)
    metadata = node.get("metadata")
    if metadata is None:
        metadata = {}
    if not isinstance(metadata, dict):
        raise DocumentInvalid(f"{place} has metadata that is not a mapping.")
    if api_version.startswith(_KUSTOMIZE) and metadata.get("name") is None:
        metadata = {**metadata, "name": SHOWN}
        templated = True
    return Resource(
        api_version=api_version,
        kind=kind,
        namespace=_namespace(metadata, place),
        name=_name(metadata, place),
        images=tuple(dict.fromkeys(_images(node, place))),
        templated=templated,
    )


def _name(metadata: Mapping, place: str) -> str:
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


def _images(root: Node, place: str) -> Iterator[str]:
    """The string at ``image`` in every member of every list of containers, however deep: custom kinds embed pods."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack.extend(reversed(node))
        if not isinstance(node, dict):
            continue
        stack.extend(reversed(node.values()))
        for key, value in node.items():
            if key in _CONTAINERS:
                yield from _listed_images(value, place)


def _listed_images(containers: Node, place: str) -> Iterator[str]:
    for container in containers if isinstance(containers, list) else ():
        image = container.get("image") if isinstance(container, dict) else None
        if not isinstance(image, str) or not image:
            continue
        if not _IMAGE.fullmatch(show(image)):
            raise DocumentInvalid(f"{place} has an image that is not a name of at most 512 ASCII characters.")
        yield show(image)
