"""The container images that an object names, wherever its kind keeps them.

What runs is at the key ``image`` of containers, under every name that lists of containers go by, in all kinds.
Elsewhere a custom kind's ``image``, ``…Image`` and the like count where their text reads as a reference with a registry
or a tag. What doesn't read as a reference is no image: a policy's pattern, a variable that somebody will fill in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.content.placeholders import SHOWN, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.content.nodes import Mapping, Node

_CONTAINERS: Final = frozenset({"containers", "initContainers", "ephemeralContainers", "steps", "sidecars"})
_CONTAINER: Final = frozenset({"container", "script", "stepTemplate"})
# Kubernetes' own groups keep images in containers alone; other *.k8s.io groups are custom kinds of its subprojects.
_OWN_GROUPS: Final = frozenset(
    ("admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "authentication.k8s.io",
     "authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io",
     "flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io",
     "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "storagemigration.k8s.io")
)  # fmt: skip
# Their images are patterns, or names of what is looked for: nothing that they name runs.
_POLICIES: Final = frozenset(
    ("admissionregistration.k8s.io", "constraints.gatekeeper.sh", "expansion.gatekeeper.sh", "image.toolkit.fluxcd.io",
     "kyverno.io", "mutations.gatekeeper.sh", "policies.kyverno.io", "policy.sigstore.dev", "templates.gatekeeper.sh")
)  # fmt: skip
# Kinds whose images have a key of another name.
_OTHER_KEYS: Final = {"postgresql.cnpg.io": "imageName", "pkg.crossplane.io": "package"}
_ASIDE: Final = frozenset({"annotations", "labels"})

_HOLE: Final = re.escape(SHOWN)
_PART: Final = rf"(?![._-])(?:[a-z0-9._-]|{_HOLE})++"
_REFERENCE: Final = re.compile(
    rf"(?:(?P<host>(?![.-])(?:[A-Za-z0-9.-]|{_HOLE}|\[[0-9a-fA-F:]++\])++(?::(?:[0-9]{{1,5}}+|{_HOLE}))?)/)?"
    rf"(?P<path>{_PART}(?:/{_PART})*+)"
    rf"(?P<tag>:(?![.-])(?:[A-Za-z0-9._-]|{_HOLE})++)?(?P<digest>@(?:[a-z0-9]++:[0-9a-f]{{32,}}+|{_HOLE}))?"
)
_LONGEST: Final = 512
_REGISTRY: Final = re.compile(rf"[.:\[]|{_HOLE}|\Alocalhost\Z")


class Images(NamedTuple):
    """Images, each once, in order; and how many texts stand where images do and are none."""

    found: tuple[str, ...]
    unread: int


def find_images(root: Mapping, api_version: str, kind: str) -> Images:
    """The images in the object ``root``, which has the types given; placeholders are shown as ``{{...}}``."""
    group = api_version.rpartition("/")[0]
    if kind == "CustomResourceDefinition":
        return Images((), 0)
    custom = "." in group and group not in _OWN_GROUPS
    texts = list(_texts(root, _OTHER_KEYS.get(group) if custom else None, custom=custom))
    if group in _POLICIES:
        return Images((), len(texts))
    read = [text for text, bare in texts if reads_as_image(text, bare=bare)]
    return Images(tuple(dict.fromkeys(read)), len(texts) - len(read))


def reads_as_image(text: str, *, bare: bool) -> bool:
    """Whether ``text`` is a reference to an image; one without registry, tag and digest only if ``bare`` ones count."""
    found = _REFERENCE.fullmatch(text) if len(text) <= _LONGEST else None
    if not found:
        return False
    host = found["host"]
    return bare or bool(found["tag"] or found["digest"]) or text == SHOWN or bool(host and _REGISTRY.search(host))


def _texts(root: Mapping, other_key: str | None, *, custom: bool) -> Iterator[tuple[str, bool]]:
    """All texts that stand where an image may, in the document's order, and whether a bare name counts there."""
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, container = stack.pop()
        if isinstance(node, list):
            stack.extend((each, container) for each in reversed(node))
        if not isinstance(node, dict):
            continue
        image = node.get("image")
        text = _text(image, composed=custom)
        if text and (custom or container or isinstance(image, dict)):
            yield text, container and isinstance(image, str)
        if custom:
            yield from _more_texts(node, other_key)
        stack.extend(
            (value, key in _CONTAINER or (key in _CONTAINERS and isinstance(value, list)))
            for key, value in reversed(node.items())
            if key not in _ASIDE
        )


def _more_texts(node: Mapping, other_key: str | None) -> Iterator[tuple[str, bool]]:
    """Texts at other keys than ``image``; those that are none aren't counted."""
    for key, value in node.items():
        if key == other_key or key.endswith("Image"):
            text = _text(value, composed=True)
            if text and reads_as_image(text, bare=False):
                yield text, False


def _text(value: Node, *, composed: bool) -> str | None:
    """The text at ``image``, or the one that its parts make: an image volume's, and in custom kinds all usual ones."""
    if isinstance(value, str):
        return show(value) or None
    if not isinstance(value, dict):
        return None
    reference = value.get("reference")
    if isinstance(reference, str):
        return show(reference)
    return _composed(value) if composed else None


def _composed(parts: Mapping) -> str | None:
    registry, path = parts.get("registry"), parts.get("repository") or parts.get("name")
    if not isinstance(path, str) or not path:
        return None
    text = f"{registry}/{path}" if isinstance(registry, str) and registry else path
    tag, digest = parts.get("tag") or parts.get("version"), parts.get("digest")
    if isinstance(tag, str):
        text += f":{tag}"
    if isinstance(digest, str):
        text += f"@{digest}"
    return show(text)
