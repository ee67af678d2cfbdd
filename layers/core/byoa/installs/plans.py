"""What a plan consists of, how much it is, what of it has to be approved, and by what it is known again."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from byoa.installs.differences import bare, masked, plain
from byoa.installs.inventory import EMPTY
from byoa.installs.objects import uid_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.content.changes import Change
    from byoa.errors import ByoaError
    from byoa.installs.inventory import Inventory
    from byoa.installs.objects import Identity, Object, Place

type Action = Literal["create", "change", "recreate", "delete", "unchanged", "keep", "gone"]
"""``keep`` is what isn't wanted any more and stays all the same, ``gone`` what isn't there any more."""

COUNTED: Final = ("create", "change", "recreate", "delete", "unchanged")
WRITES: Final = frozenset(("create", "change", "recreate", "delete"))


class Step(NamedTuple):
    """What becomes of one object.

    ``wanted`` is what is applied, without the fields that are left to others; ``live`` what is there; ``result`` what
    would be, as the cluster says, which an ``unchecked`` object's is not. ``left`` and ``taken`` are pairs of an owner
    and a field; ``why`` says what is unusual, and ``needs`` what has to be approved. What is ``shared`` is another
    install's: it is as it is wanted, and nothing of it is ours to delete. ``imprint`` is ``imprint_of`` the step where
    ``live`` and ``result`` aren't known whole any more.
    """

    place: Place
    action: Action
    wanted: Object | None = None
    live: Object | None = None
    result: Object | None = None
    changes: tuple[Change, ...] = ()
    left_out: int = 0
    left: tuple[tuple[str, str], ...] = ()
    taken: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    why: str = ""
    needs: str = ""
    unchecked: bool = False
    shared: bool = False
    imprint: str = ""

    @property
    def identity(self) -> Identity:
        """Whose step it is."""
        return self.place.identity

    @property
    def uid(self) -> str:
        """The live object's."""
        return uid_of(self.live) if self.live else ""


class Plan(NamedTuple):
    """The steps of a set, in the order of its documents, deletions behind; ``faults`` keep it from being applied.

    ``digest`` is the artifact's, ``inventory`` what was tracked when it was made.
    """

    steps: tuple[Step, ...]
    faults: tuple[ByoaError, ...] = ()
    digest: str = ""
    inventory: Inventory = EMPTY
    needs: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many objects are created, changed, recreated, deleted and unchanged."""
        found = Counter(step.action for step in self.steps)
        return {action: found[action] for action in COUNTED}

    @property
    def is_noop(self) -> bool:
        """Whether nothing would be written, neither to the cluster's objects nor to what is tracked of them."""
        return not any(step.action in WRITES for step in self.steps) and self._tracked == dict(self.inventory.uids)

    @property
    def _tracked(self) -> dict[Identity, str]:
        """What is tracked when all of it is done; of what is kept the UID stays that of our own object."""
        known = self.inventory.uids
        return {
            step.identity: known.get(step.identity, "") if step.action == "keep" or step.shared else step.uid
            for step in self.kept
            if step.action != "delete"
        }

    @property
    def kept(self) -> tuple[Step, ...]:
        """Steps of what is tracked from the first write on: all but what is gone, and what is shared."""
        return tuple(
            step
            for step in self.steps
            if step.action != "gone" and (not step.shared or step.identity in self.inventory.uids)
        )

    def missing(self, approved: frozenset[str]) -> list[str]:
        """What has to be approved and isn't among ``approved``: what is deleted by name is only kept then."""
        recreated = {step.needs for step in self.steps if step.action == "recreate"}
        return sorted({*recreated, *self.needs} - approved)

    @property
    def by_name(self) -> list[str]:
        """All parts that only go by name, those that are kept where nobody names them among them."""
        return [step.needs for step in self.steps if step.needs and step.action in ("recreate", "delete")]

    def as_approved(self, approved: frozenset[str]) -> Plan:
        """The same plan, in which what may only be deleted by name is kept where it isn't ``approved``."""
        steps = tuple(
            step._replace(action="keep", why=f"it goes only if {step.needs} is approved by name; {step.why}")
            if step.action == "delete" and step.needs and step.needs not in approved
            else step
            for step in self.steps
        )
        return self._replace(steps=steps)


def fingerprint(plan: Plan, key: bytes | None, access: Mapping[str, Any] | None = None) -> str:
    """What an approval is bound to: a digest of each object that is written, what is done, and what differs.

    It is of one cluster, where ``access`` says which: where nothing is there yet, a plan is the same for all.
    With a ``key`` it covers values of Secrets too, which nobody without the key can guess from it; without one it
    covers which of them change.
    """
    told = [
        [*step.identity, step.action, step.uid, *_sides(step, hide=key is None)]
        for step in sorted(plan.steps, key=lambda each: each.identity)
        if step.action in WRITES
    ]
    text = json.dumps([plan.digest, told, *([access] if access else [])], sort_keys=True).encode()
    if not key:
        return f"plan-{hashlib.sha256(text).hexdigest()}"
    import hmac  # noqa: PLC0415 - people rarely have a key, and wait for a command line

    return f"plan-{hmac.new(key, text, hashlib.sha256).hexdigest()}"


def imprint_of(step: Step) -> str:
    """What a change is known by again: a digest of what differs, before and after. It says what Secrets hold."""
    text = json.dumps([step.action, step.uid, *_sides(step, hide=False)], sort_keys=True)
    return step.imprint or hashlib.sha256(text.encode()).hexdigest()


def _sides(step: Step, *, hide: bool) -> tuple[Any, Any]:
    """What differs of the object before and after."""
    after = (step.result if step.action == "change" else step.wanted) or {}
    sides = [_shown(each, hide=hide) if each else {} for each in (step.live or {}, after)]
    return _apart(sides[0], sides[1])


def _shown(found: Object, *, hide: bool) -> Any:  # noqa: ANN401 - JSON data
    return plain(masked(found), hidden="***") if hide else bare(found)


def _apart(before: Any, after: Any) -> tuple[Any, Any]:  # noqa: ANN401 - JSON data
    """The two without what is the same in both."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return before, after
    pairs: Mapping[str, tuple[Any, Any]] = {
        key: _apart(before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }
    return {key: pair[0] for key, pair in pairs.items()}, {key: pair[1] for key, pair in pairs.items()}
