"""One object beside what it is to be: what the cluster itself says would become of it. Nothing is written."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from byoa.errors import ByoaError, Fault, ObjectBusy, ObjectInvalid, OfCluster
from byoa.installs.differences import changes_between, differ
from byoa.installs.guards import GUARDED
from byoa.installs.objects import goes_away, version_of
from byoa.installs.plans import Step
from byoa.installs.settling import Settled, settle
from byoa.installs.sharing import shared

if TYPE_CHECKING:
    from byoa.installs.cluster import Cluster
    from byoa.installs.normalising import Owner, Wanted
    from byoa.installs.objects import Object

_LOOKS: Final = 5
"""At an object that others write: what comes of applying it, and what is there, have to be of one state."""


def look(one: Wanted, cluster: Cluster, owner: Owner, take_over: frozenset[str]) -> Step:
    """What becomes of one object of ``owner``'s, whose kind and namespace are there.

    What comes of applying it is all there is to know of a new object; others are looked at as they are. Of those
    nothing that came of it counts before it is known whose they are. Raises ``ObjectBusy`` where it is being deleted,
    ``ObjectOwned``, and what trying it raises.
    """
    looks = 0
    while True:
        tried = _try(one, cluster, take_over)
        if isinstance(tried, Settled) and tried.applied.created:
            return _step(one, None, tried)
        live = cluster.get(one.place)
        if live and goes_away(live):
            raise ObjectBusy("The object is being deleted.")
        theirs = shared(cluster, one, live, owner, take_over) if live else ""
        if theirs:
            return Step(place=one.place, action="unchanged", wanted=one.object, live=live, why=theirs, shared=True)
        if not isinstance(tried, Settled):
            if live and isinstance(tried, ObjectInvalid) and tried.perhaps_immutable:
                return _recreate(one, cluster, live, tried)
            raise tried
        looks += 1
        if looks == _LOOKS or (live and version_of(live) == version_of(tried.applied.object)):
            return _step(one, live, tried)


def _try(one: Wanted, cluster: Cluster, take_over: frozenset[str]) -> Settled | ByoaError:
    """What comes of applying it, or why it is refused. Raises what has nothing to do with the object."""
    try:
        return settle(cluster, one, take_over=take_over, dry_run=True)
    except ByoaError as error:
        if isinstance(error, (OfCluster, Fault)) and not isinstance(error, ObjectBusy):
            raise
        return error


def _recreate(one: Wanted, cluster: Cluster, live: Object, error: ObjectInvalid) -> Step:
    """Whether what is refused of a change would be taken of a new object: then a field can't be changed in place.

    Raises ``error`` where it wouldn't, or where the object is of a kind that is never deleted for that.
    """
    fields = ", ".join(error.fields) or "a field"
    if one.place.kind.type in GUARDED:
        raise ObjectInvalid(
            f"{fields} can't be changed as wanted, and objects of this kind are not recreated.",
            remedy="Give the new state another name, or delete the object yourself when nothing needs it.",
        ) from error
    suffix = hashlib.sha256(one.place.name.encode()).hexdigest()[:8]
    name = f"{one.place.name[:40].rstrip('.-')}-{suffix}"
    trial = {**one.object, "metadata": {**one.object["metadata"], "name": name}}
    try:
        cluster.create(one.place._replace(name=name), trial, dry_run=True)
    except ObjectInvalid:
        raise error from None
    changes, left_out = changes_between(live, {**live, **one.object})
    return Step(
        place=one.place, action="recreate", wanted=one.object, live=live, changes=changes, left_out=left_out,
        needs=str(one.identity), why=f"{fields} can't be changed in place",
    )  # fmt: skip


def _step(one: Wanted, live: Object | None, settled: Settled) -> Step:
    applied = settled.applied
    found = Step(
        place=one.place,
        action="create" if live is None else "unchanged",
        wanted=settled.wanted,
        live=live,
        left=settled.left,
        taken=settled.taken,
        warnings=applied.warnings,
    )
    if live is None or not differ(live, applied.object):
        return found
    changes, left_out = changes_between(live, applied.object)
    return found._replace(action="change", result=applied.object, changes=changes, left_out=left_out)
