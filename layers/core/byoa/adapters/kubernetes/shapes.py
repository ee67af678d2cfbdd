"""What answers of an API server have to look like before anything is read of them.

A cluster is a tenant's: what answers there may be anything. What isn't of the shape that was asked for is as good as no
answer, and what an object is was asked for: a Secret that calls itself something else would be shown in clear.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.errors import ClusterUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.installs.objects import Kind, Object

DEEPEST: Final = 100
"""Levels of an answer: objects have some ten, and whoever compares or masks them goes down level by level."""

_SURROGATES: Final = (b"\\ud", b"\\uD")
_TEXTS: Final = ("name", "namespace", "uid", "resourceVersion")
_MAPPINGS: Final = ("labels", "annotations")


def object_of(kind: Kind, body: Any) -> Object:  # noqa: ANN401 - JSON data
    """An object of ``kind``. Raises ``ClusterUnavailable`` where the answer is none."""
    about = body.get("metadata") if isinstance(body, dict) else None
    if not isinstance(about, dict) or body.get("kind") != kind.kind or not is_sound(about):
        raise _strange()
    found: Object = body
    return found


def items_of(kind: Kind, body: Any) -> Iterator[Object]:  # noqa: ANN401 - JSON data
    """The objects of a list, which don't say what kind they are. Raises ``ClusterUnavailable``."""
    types = {"apiVersion": kind.api_version, "kind": kind.kind}
    for each in mappings(body, "items"):
        yield object_of(kind, {**each, **types})


def mappings(holder: Any, name: str) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON data
    """A list of mappings, which may be missing or null. Raises ``ClusterUnavailable`` for anything else."""
    found = holder.get(name) if isinstance(holder, dict) else None
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise _strange()
    return found


def texts(holder: dict[str, Any], name: str) -> frozenset[str]:
    """A list of texts, which may be missing or null. Raises ``ClusterUnavailable`` for anything else."""
    found = holder.get(name)
    if found is None:
        return frozenset()
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise _strange()
    return frozenset(found)


def is_sound(about: dict[str, Any]) -> bool:
    """Whether metadata are what is read of them: texts, and mappings of texts."""
    found = [about.get(name) or {} for name in _MAPPINGS]
    told = [about.get(name) for name in _TEXTS]
    told += [value for each in found if isinstance(each, dict) for value in each.values()]
    return all(isinstance(each, dict) for each in found) and all(each is None or isinstance(each, str) for each in told)


def can_be_kept(content: bytes, found: Any) -> bool:  # noqa: ANN401 - JSON data
    """Whether ``found``, which ``content`` says, can be written down again, and isn't deeper than it is read."""
    if content.count(b"{") + content.count(b"[") > DEEPEST and _is_deep(found):
        return False
    return not any(each in content for each in _SURROGATES) or _is_unicode(found)


def _is_unicode(found: Any) -> bool:  # noqa: ANN401 - JSON data
    """Whether no text of it has half of a character, which is none in UTF-8."""
    if isinstance(found, dict):
        return all(_is_unicode(each) for pair in found.items() for each in pair)
    if isinstance(found, list):
        return all(map(_is_unicode, found))
    return not isinstance(found, str) or not any("\ud800" <= letter <= "\udfff" for letter in found)


def _is_deep(found: Any) -> bool:  # noqa: ANN401 - JSON data
    level = [found]
    for _ in range(DEEPEST):
        level = [
            each
            for holder in level
            for each in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(each, (dict, list))
        ]
        if not level:
            return False
    return True


def _strange() -> ClusterUnavailable:
    return ClusterUnavailable("The cluster's API answers with something else than was asked for.")
