"""Objects as they are applied: of the install, in their namespace, without what a cluster writes itself.

``stringData`` becomes ``data``: an API server does the same, but then knows nobody who owns the keys, so that one that
is dropped later would stay (kubernetes#108008).
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.errors import ByoaError, DocumentInvalid, KindUnknown
from byoa.installs.objects import COMPONENT, INSTALL, Place, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from byoa.installs.kinds import Kinds
    from byoa.installs.objects import Identity, Kind, Object

_WRITTEN: Final = frozenset(
    ("creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields",
     "ownerReferences", "resourceVersion", "selfLink", "uid")
)  # fmt: skip
"""Metadata that the cluster writes. An owner in it would be another cluster's object."""


_SECRET: Final = ("", "Secret")


class Owner(NamedTuple):
    """Whose objects these are: an install, a component of its, and the namespace of what names none."""

    install: str
    component: str
    namespace: str = "default"

    @property
    def labels(self) -> dict[str, str]:
        """What proves it."""
        return {INSTALL: self.install, COMPONENT: self.component}


class Wanted(NamedTuple):
    """An object as it is to be, and where."""

    place: Place
    object: Object

    @property
    def identity(self) -> Identity:
        """What it is known by."""
        return self.place.identity


def normalise(objects: Iterable[Object], kinds: Kinds, owner: Owner) -> tuple[list[Wanted], list[ByoaError]]:
    """The objects as they are applied, each once, and what is wrong with the others.

    Faults are ``KindUnknown`` and ``DocumentInvalid``, the latter for what stands twice, for names that are none, for
    labels that are none (a placeholder may be their key) and for texts of Secrets that are none, each at its object.
    """
    found: dict[Identity, Wanted] = {}
    faults: list[ByoaError] = []
    for each in objects:
        kind = kinds.find(str(each["apiVersion"]), str(each["kind"]))
        if kind is None:
            faults.append(_unknown(each))
            continue
        if not isinstance(each["metadata"].get("labels") or {}, dict):
            remedy = "Mend the labels, or the value of the placeholder in them."
            where = f"{kind.kind}/{each['metadata']['name']}"
            faults.append(DocumentInvalid("Its labels are no mapping.", remedy=remedy, where=where))
            continue
        wanted = _normal(each, kind, owner)
        if not _can_stand_in_a_path(wanted.place):
            cause = "Its name or its namespace is none that Kubernetes would take."
            remedy = "Mend it, or the value of the placeholder in it."
            faults.append(DocumentInvalid(cause, remedy=remedy, where=str(wanted.identity)))
            continue
        if wanted.identity in found:
            cause = "The artifact has this object twice: only one of the two could be applied."
            faults.append(DocumentInvalid(cause, remedy="Leave one of them out.", where=str(wanted.identity)))
        if kind.type == _SECRET and not _are_texts(each.get("stringData")):
            cause = "A value of stringData is no text, and as one it could be another than was meant."
            faults.append(DocumentInvalid(cause, remedy="Put it in quotes.", where=str(wanted.identity)))
        found[wanted.identity] = wanted
    return list(found.values()), faults


def _can_stand_in_a_path(place: Place) -> bool:
    """Whether it leads to an object, and to no list of them, nor to what is above it (Kubernetes' path segments)."""
    names = (place.name, place.namespace) if place.kind.namespaced else (place.name,)
    return all(each and each not in {".", ".."} and not {*each} & {"/", "%"} for each in names)


def _unknown(each: Object) -> ByoaError:
    return KindUnknown(
        f"The cluster serves no {each['kind']} of {each['apiVersion']}, and the artifact doesn't define it.",
        where=f"{each['kind']}/{each['metadata']['name']}",
    )


def _normal(each: Object, kind: Kind, owner: Owner) -> Wanted:
    found = {key: value for key, value in each.items() if key != "status"}
    if kind.type == _SECRET:
        found = _with_data(found)
    about = {key: value for key, value in found["metadata"].items() if key not in _WRITTEN and value is not None}
    about["labels"] = {**(about.get("labels") or {}), **owner.labels}
    namespace = str(about.pop("namespace", None) or owner.namespace)
    if kind.namespaced:
        about["namespace"] = namespace
    found["metadata"] = about
    return Wanted(place_of(found, kind), found)


def _are_texts(values: Any) -> bool:  # noqa: ANN401 - any part of an object
    """Whether they are what an API server takes: of a number or a truth nobody knows how it was written."""
    return not isinstance(values, dict) or all(value is None or isinstance(value, str) for value in values.values())


def _with_data(secret: Object) -> Object:
    """The Secret with its ``stringData`` as ``data``, whose keys it takes the place of."""
    texts: Any = secret.get("stringData")
    if not isinstance(secret.get("data") or {}, dict):
        return secret  # which the cluster refuses
    found = {key: value for key, value in secret.items() if key != "stringData"}
    if isinstance(texts, dict):
        coded = {key: base64.b64encode(str(value or "").encode()).decode() for key, value in texts.items()}
        found["data"] = {**(found.get("data") or {}), **coded}
    return found
