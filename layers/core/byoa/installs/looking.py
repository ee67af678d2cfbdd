"""One object beside what it is to be: what the cluster itself says would become of it. Nothing is written."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from byoa.errors import ObjectBusy, ObjectInvalid
from byoa.installs.differences import changes_between, differ
from byoa.installs.guards import GUARDED
from byoa.installs.objects import goes_away
from byoa.installs.plans import Step
from byoa.installs.settling import settle
from byoa.installs.sharing import shared

if TYPE_CHECKING:
    from byoa.installs.normalising import Owner, Wanted
    from byoa.installs.objects import Object
    from byoa.installs.ports import Cluster
    from byoa.installs.settling import Settled


def look(one: Wanted, cluster: Cluster, owner: Owner, take_over: frozenset[str]) -> Step:
    """What becomes of one object of ``owner``'s, whose kind and namespace are there.

    Raises ``ObjectBusy`` where it is being deleted, ``ObjectOwned``, and what trying it raises.
    """
    live = cluster.get(one.place)
    if live and goes_away(live):
        raise ObjectBusy("The object is being deleted.")
    theirs = shared(cluster, one, live, owner, take_over) if live else ""
    if theirs:
        return Step(place=one.place, action="unchanged", wanted=one.object, live=live, why=theirs, shared=True)
    try:
        settled = settle(cluster, one, take_over=take_over, dry_run=True)
    except ObjectInvalid as error:
        if live is None or not error.perhaps_immutable:
            raise
        return _recreate(one, cluster, live, error)
    return _step(one, live, settled)


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
    return replace(found, action="change", result=applied.object, changes=changes, left_out=left_out)
