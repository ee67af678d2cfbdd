"""Plans, and what came of them, as JSON data: what is kept of a plan, and what commands and the API tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byoa.installs.plans import Plan, Step
    from byoa.installs.record import Outcome


def plan_document(plan: Plan, fingerprint: str) -> dict[str, Any]:
    """A plan: its objects but for the unchanged ones, and all that keeps it from being applied.

    Values of Secrets are hidden in it.
    """
    return {
        "plan": fingerprint,
        "counts": plan.counts,
        "objects": [step_document(step) for step in plan.steps if _is_told(step)],
        "needs": plan.missing(frozenset()),
        "errors": [fault.as_dict() for fault in plan.faults],
    }


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """How a deploy ended."""
    unwell = [each for each in outcome.findings if each.health.state != "healthy"]
    return {
        "status": outcome.status,
        "counts": outcome.plan.counts,
        "objects": [step_document(step) for step in outcome.plan.steps if step.action != "unchanged"],
        "left": [{"object": str(identity), "why": why} for identity, why in outcome.left],
        "health": [
            {"object": str(each.place.identity), "state": each.health.state, "why": each.health.reason}
            for each in unwell
        ],
        "error": None,
    }


def step_document(step: Step) -> dict[str, Any]:
    """What becomes of one object."""
    identity, kind = step.identity, step.place.kind
    return {
        "object": str(identity),
        "group": identity.group,
        "api_version": kind.api_version,
        "kind": identity.kind,
        "resource": kind.plural,
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


def _is_told(step: Step) -> bool:
    return step.action != "unchanged" or bool(step.warnings) or bool(step.left)
