"""Where a path of Kubernetes' API leads: ``/apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL/NAME/status``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from byoa.installs.objects import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from byoa.installs.objects import Kind


class Way(NamedTuple):
    """A place, without a name for all of its kind there, and the ``part`` of an object that is meant, if not all."""

    place: Place
    part: str = ""


def way_of(path: str, kinds: Iterable[Kind]) -> Way | None:
    """Where it leads; ``None`` where nothing is served."""
    root, *rest = path.strip("/").split("/")
    group, version, *rest = ("", *rest) if root == "api" else rest
    served = {kind.plural: kind for kind in kinds if (kind.group, kind.version) == (group, version)}
    return _way(rest, served)


def _way(rest: Sequence[str], served: dict[str, Kind]) -> Way | None:
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] in served:  # noqa: PLR2004 - namespaces/NAME/PLURAL
        namespace, rest = rest[1], rest[2:]
    plural, name, part, *more = (*rest, "", "", "") if rest else ("", "", "", "")
    kind = served.get(plural)
    if kind is None or any(more) or (namespace and not kind.namespaced):
        return None
    if name and kind.namespaced and not namespace:
        return None
    return Way(Place(kind, namespace, name), part)
