"""What a plan consists of, as JSON data, and packed to be kept: values of Secrets are hidden."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any, Final

from byoa.errors import InternalFault
from byoa.installs.sets import sets_of

if TYPE_CHECKING:
    from byoa.installs.plans import Plan, Step

KEPT: Final = 300 * 1024
"""Characters of a plan as it is kept: an item of the table takes 400 KB. That is some thousands of changed objects."""

_LARGEST: Final = 64 * 1024 * 1024


def document(plan: Plan, fingerprint: str) -> dict[str, Any]:
    """A plan's objects but for the unchanged ones, and all that keeps it from being applied."""
    return {
        "plan": fingerprint,
        "counts": plan.counts,
        "objects": [
            object_document(step)
            for step in plan.steps
            if step.action != "unchanged" or step.warnings or step.left or step.shared
        ],
        "needs": plan.missing(frozenset()),
        "sets": sets_of(plan.by_name),
        "errors": [fault.as_dict() for fault in plan.faults],
    }


def object_document(step: Step) -> dict[str, Any]:
    """What becomes of one object, and where it differs."""
    identity = step.identity
    return {
        "object": str(identity),
        "group": identity.group,
        "api_version": step.place.kind.api_version,
        "kind": identity.kind,
        "resource": step.place.kind.plural,
        "namespace": identity.namespace or None,
        "name": identity.name,
        "action": step.action,
        "unchecked": step.unchecked,
        "why": step.why,
        "needs": step.needs or None,
        "changes": [{**change._asdict(), "lines": [*change.lines]} for change in step.changes],
        "left_out": step.left_out,
        "left_to": [{"owner": owner, "field": field} for owner, field in step.left],
        "taken_from": [{"owner": owner, "field": field} for owner, field in step.taken],
        "warnings": list(step.warnings),
    }


def pack(found: dict[str, Any]) -> str:
    """A document as a text of at most 300 KiB (base64 of zlib of JSON).

    Where that takes it, objects are left out from the end, then those that have faults; ``more`` says how many. What
    has to be approved stays whole, unless it is too long by itself: no answer would have room for it either.
    """
    cut = {**found, "more": 0}
    text = _packed(cut)
    for name in ("objects", "errors", "needs"):
        while len(text) > KEPT and cut.get(name):
            shown = len(cut[name]) * KEPT // (len(text) + KEPT // 8)
            cut["more"] += 0 if name == "needs" else len(cut[name]) - shown
            cut[name] = cut[name][:shown]
            text = _packed(cut)
    return text


def _packed(found: dict[str, Any]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(found, separators=(",", ":")).encode())).decode()


def unpack(text: str, largest: int = _LARGEST) -> dict[str, Any]:
    """What ``pack`` made, of ``largest`` bytes at most. Raises ``InternalFault`` for anything else."""
    try:
        inflater = zlib.decompressobj()
        found = json.loads(inflater.decompress(base64.b64decode(text, validate=True), largest))
    except (ValueError, zlib.error, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InternalFault("The plan that was kept can't be read.")
    return found
