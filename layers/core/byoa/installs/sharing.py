"""Objects that another install, or another component, has applied: shared, taken by name, or refused.

All that we apply has one field manager, so nothing in the cluster keeps the second of two from undoing what the first
one wants. The labels that prove whose an object is say so instead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from byoa.errors import FieldConflict, ObjectInvalid, ObjectOwned
from byoa.installs.differences import differ
from byoa.installs.kinds import DEFINITION, NAMESPACE
from byoa.installs.objects import COMPONENT, INSTALL, metadata

if TYPE_CHECKING:
    from byoa.installs.cluster import Cluster
    from byoa.installs.normalising import Owner, Wanted
    from byoa.installs.objects import Object

SHARED: Final = frozenset({NAMESPACE, DEFINITION})
"""Kinds that several installs in one cluster bring along, each the same object."""

_ASKING: Final = "byoa-asks"
"""A field manager that never writes: what it would add to an object is what the object lacks."""

_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"


def shared(cluster: Cluster, wanted: Wanted, live: Object, owner: Owner, take_over: frozenset[str]) -> str:
    """Why an object is left to who has it, and need not be written; empty for our own, nobody's, and those taken over.

    Raises ``ObjectOwned`` for those of others that can't be shared, and what asking the cluster raises.
    """
    whose = _whose(live, owner)
    if not whose or str(wanted.identity) in take_over:
        return ""
    if wanted.place.kind.type not in SHARED:
        raise ObjectOwned(f"It belongs to {whose}.")
    if not _is_satisfied(cluster, wanted, live):
        raise ObjectOwned(f"It belongs to {whose}, and isn't as this artifact has it.")
    return f"it belongs to {whose}, and is as this artifact has it"


def _whose(live: Object, owner: Owner) -> str:
    """The install that an object's labels name, and its component, where they are others than ours."""
    labels = metadata(live).get("labels") or {}
    install, component = labels.get(INSTALL), labels.get(COMPONENT)
    if install is None or owner.labels.items() <= labels.items():
        return ""
    what = [f"install {_shown(install)}"] if install != owner.install else []
    what += [f"component {_shown(component)}"] if component is not None else []
    return ", ".join(what) or "another component"


def _is_satisfied(cluster: Cluster, wanted: Wanted, live: Object) -> bool:
    """Whether all that is wanted is there already, the labels of who brings it apart."""
    about = wanted.object["metadata"]
    labels = {name: value for name, value in about["labels"].items() if name not in (INSTALL, COMPONENT)}
    asked = {**wanted.object, "metadata": {**about, "labels": labels}}
    try:
        found = cluster.apply(wanted.place, asked, dry_run=True, manager=_ASKING).object
    except (FieldConflict, ObjectInvalid):
        return False
    return not differ(live, found)


def _shown(value: object) -> str:
    """A label's value, if it is one that an API server would take."""
    return value if isinstance(value, str) and re.fullmatch(_LABEL, value) else "of another name"
