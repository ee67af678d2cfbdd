"""Applying one object where others own fields of it: which of them are taken, and which are left alone.

What people did by hand is taken back. What a controller set is its own (replicas of an autoscaler, a certificate
authority that is injected): it is left out of what is applied, and said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.errors import FieldConflict, ObjectInvalid

if TYPE_CHECKING:
    from byoa.installs.cluster import Applied, Cluster
    from byoa.installs.normalising import Wanted
    from byoa.installs.objects import Object

_BY_HAND: Final = frozenset(("before-first-apply", "helm", "Helm", "curl", "k9s", "Lens", "Mozilla", "dashboard"))
"""Owners whose fields are taken, beside all of kubectl's: people, and the tool that installed it before.

Who names no owner is called by the first word of their User-Agent (k8s.io/apiserver, managerOrUserAgent).
"""


class Settled(NamedTuple):
    """What came of it, what was applied, and the fields that were taken from others or left to them."""

    applied: Applied
    wanted: Object
    taken: tuple[tuple[str, str], ...] = ()
    left: tuple[tuple[str, str], ...] = ()


def settle(
    cluster: Cluster, wanted: Wanted, *, take_over: frozenset[str] = frozenset(), dry_run: bool = False
) -> Settled:
    """Apply ``wanted``, and where others own fields, take those of ``take_over`` and of people, and leave the rest.

    Raises ``FieldConflict`` where the object can't be applied without what is left, and what ``Cluster.apply`` raises.
    """
    try:
        return Settled(cluster.apply(wanted.place, wanted.object, dry_run=dry_run), wanted.object)
    except FieldConflict as error:
        conflict = error
    taken = tuple(each for each in conflict.conflicts if _is_taken(each[0], take_over))
    left = tuple(each for each in conflict.conflicts if each not in taken)
    rest = _without(wanted.object, left)
    if rest is None:
        raise conflict
    try:
        applied = cluster.apply(wanted.place, rest, force=bool(taken), dry_run=dry_run)
    except ObjectInvalid as error:
        if left:  # what is left to its owner is what the object needs
            raise conflict from error
        raise
    return Settled(applied, rest, taken, left)


def _is_taken(owner: str, take_over: frozenset[str]) -> bool:
    return owner.startswith("kubectl") or owner in _BY_HAND or owner in take_over


def _without(wanted: Object, left: tuple[tuple[str, str], ...]) -> Object | None:
    """The object without fields that are left to others; ``None`` where one can't be left out."""
    from byoa.installs.fields import drop  # noqa: PLC0415 - few objects are owned by two

    rest: Object | None = wanted
    for _, path in left:
        rest = drop(rest, path) if rest is not None else None
    return rest
