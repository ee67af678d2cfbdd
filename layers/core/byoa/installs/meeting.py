"""An object that somebody wrote between its plan and our write: looked at again, and written if that is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.errors import PlanChanged
from byoa.installs.looking import look
from byoa.installs.normalising import Owner, Wanted
from byoa.installs.objects import COMPONENT, INSTALL, mapping, metadata
from byoa.installs.plans import Step, imprint_of

if TYPE_CHECKING:
    from byoa.installs.cluster import Cluster
    from byoa.installs.objects import Object


def meet(step: Step, cluster: Cluster, take_over: frozenset[str]) -> Step:
    """What becomes of the object now, if that still is what the plan says: nothing is, where it is as it should be.

    A status, or a field that the plan says nothing of, makes no difference. Raises ``PlanChanged`` where something
    does, ``ObjectOwned`` where another install was there first, and what looking at it raises.
    """
    wanted = step.wanted or {}
    labels = mapping(wanted, "metadata", "labels")
    now = look(Wanted(step.place, wanted), cluster, Owner(str(labels[INSTALL]), str(labels[COMPONENT])), take_over)
    if now.action == "unchanged":
        the_same = step.action != "change" or now.uid == step.uid
        if now.shared or (the_same and (step.unchecked or not now.left)):  # what is left was to be written
            return now
    elif step.action == "change":
        if now.action == "change" and imprint_of(now) == imprint_of(step):
            return now
    elif now.action == "create" or (now.action == "change" and (step.unchecked or _is_ours(now.live, labels))):
        return now
    raise PlanChanged("Somebody has changed the object since it was planned, so that something else would be done.")


def _is_ours(live: Object | None, labels: dict[str, str]) -> bool:
    """Whether this install made it already: whoever applied the plan before was killed, or an answer was lost."""
    found = metadata(live or {}).get("labels") or {}
    return all(found.get(name) == labels[name] for name in (INSTALL, COMPONENT))
