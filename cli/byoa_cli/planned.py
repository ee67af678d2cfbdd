"""Plans of installs, and what came of them, as people and machines are shown them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.installs.contents import object_document
from byoa_cli.differences import show_change
from byoa_cli.output import out, print_error
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from byoa.installs.plans import Plan, Step
    from byoa.installs.record import Outcome

_SIGNS: Final = {
    "create": ("+", "green"), "change": ("~", "yellow"), "recreate": ("±", "red"), "delete": ("-", "red"),
    "keep": ("=", "dim"), "gone": ("=", "dim"), "unchanged": ("=", "dim"),
}  # fmt: skip


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """How a deploy ended, as JSON data."""
    unwell = [each for each in outcome.findings if each.health.state != "healthy"]
    return {
        "status": outcome.status,
        "counts": outcome.plan.counts,
        "objects": [object_document(step) for step in outcome.plan.steps if step.action != "unchanged"],
        "left": [{"object": str(identity), "why": why} for identity, why in outcome.left],
        "health": [
            {"object": str(each.place.identity), "state": each.health.state, "why": each.health.reason}
            for each in unwell
        ],
        "error": None,
    }


def show_plan(plan: Plan, fingerprint: str) -> None:
    """Print a plan: each object that isn't unchanged, its faults, and what has to be approved."""
    for step in plan.steps:
        if step.action != "unchanged" or step.warnings or step.left or step.shared:
            _show_step(step)
    for fault in plan.faults:
        print_error(fault, as_json=False)
    for part in plan.missing(frozenset()):
        out().print(styled(("needs approval", "yellow"), f"  --approve {part}"))
    out().print(styled(_sum(plan)))
    if not plan.faults and not plan.is_noop:
        out().print(styled((fingerprint, "dim")))


def show_outcome(outcome: Outcome) -> None:
    """Print how a deploy ended: what was written, and what isn't as it should be."""
    for step in outcome.plan.steps:
        if step.action != "unchanged":
            _show_line(step)
    for identity, why in outcome.left:
        out().print(styled(("left", "yellow"), f"  {identity}: {why}"))
    for each in outcome.findings:
        if each.health.state != "healthy":
            out().print(styled((each.health.state, "yellow"), f"  {each.place.identity}: {each.health.reason}"))
    out().print(styled((outcome.status, "bold"), f"  {_sum(outcome.plan)}"))


def _show_line(step: Step) -> None:
    sign, style = _SIGNS[step.action]
    word = "unchecked" if step.unchecked else step.action
    why = f"  {word}: {step.why}" if step.why else f"  {word}"
    out().print(styled((f"{sign} {step.identity}", style), (why, "dim")))


def _show_step(step: Step) -> None:
    _show_line(step)
    for change in step.changes:
        show_change(change)
    if step.left_out:
        out().print(styled((f"    ... and {step.left_out} changes more", "dim")))
    for owner, field in step.taken:
        out().print(styled(f"    {field}", (f"  taken from {owner}", "dim")))
    for owner, field in step.left:
        out().print(styled(f"    {field}", (f"  left to {owner}", "dim")))
    for warning in step.warnings:
        out().print(styled("    ", ("warning", "yellow"), f" {warning}"))


def _sum(plan: Plan) -> str:
    if plan.is_noop and not plan.faults:
        return "nothing to do"
    counts = plan.counts
    words = {"create": "to create", "change": "to change", "recreate": "to recreate", "delete": "to delete"}
    told = [f"{counts[action]} {word}" for action, word in words.items() if counts[action]]
    return ", ".join([*told, f"{counts['unchanged']} unchanged"])
