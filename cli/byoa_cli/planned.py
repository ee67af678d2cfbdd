"""Plans of installs, and what came of them, as people are shown them: made here, or told by the API, in one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa_cli.differences import show_change
from byoa_cli.output import err, next_step, print_styled
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.content.changes import Change
    from byoa.installs.plans import Plan
    from byoa.installs.record import Outcome

_SIGNS: Final = {
    "create": ("+", "green"), "change": ("~", "yellow"), "recreate": ("±", "red"), "delete": ("-", "red"),
    "keep": ("=", "dim"), "gone": ("=", "dim"), "unchanged": ("=", "dim"),
}  # fmt: skip
_EACH: Final = 20
"""Parts of a kind that are named each."""

_WORDS: Final = {"create": "to create", "change": "to change", "recreate": "to recreate", "delete": "to delete"}


def show_plan(plan: Plan, fingerprint: str) -> None:
    """Print a plan: each object that isn't unchanged, its faults, and what has to be approved."""
    from byoa.installs.contents import document

    nothing = plan.is_noop and not plan.faults
    show_document(document(plan, fingerprint), nothing=nothing)
    if not plan.faults and not plan.is_noop:
        print_styled((fingerprint, "dim"))


def show_document(plan: Mapping[str, Any], *, nothing: bool, flag: str = "--approve") -> None:
    """The same of a plan as JSON data; ``nothing`` is to do, and ``flag`` is what names parts to be approved."""
    for each in plan["objects"]:
        _show_object(each)
    if plan.get("objects_left_out"):
        print_styled((f"... and {plan['objects_left_out']} objects more", "dim"))
    for fault in plan["errors"]:
        _show_fault(fault)
    for part in needed(plan):
        print_styled(("needs approval", "yellow"), f"  {flag} {part}")
    print_styled(summary(plan["counts"], nothing=nothing))


def needed(plan: Mapping[str, Any]) -> list[str]:
    """What has to be approved by name: many of a kind together, as the approval of this plan may name them."""
    from byoa.installs.sets import sets_of

    known = plan.get("sets") or {}
    many = {kind for kind, count in sets_of(plan["needs"]).items() if count > _EACH and kind in known}
    sets = [f"{kind}:{known[kind]}" for kind in sorted(many)]
    return [*sets, *(each for each in plan["needs"] if each.partition("/")[0] not in many)]


def show_outcome(outcome: Outcome) -> None:
    """Print how a deploy ended: what was written, and what isn't as it should be."""
    told = outcome_document(outcome)
    for each in told["objects"]:
        _show_line(each)
    show_rest(told["left"], told["health"])
    print_styled((outcome.status, "bold"), f"  {summary(told['counts'], nothing=outcome.plan.is_noop)}")


def outcome_document(outcome: Outcome) -> dict[str, Any]:
    """How a deploy ended, as JSON data."""
    from byoa.installs.contents import object_document

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


def show_rest(left: list[dict[str, Any]], health: list[dict[str, Any]]) -> None:
    """Print what should be gone and isn't, and what isn't healthy."""
    for each in left:
        print_styled(("left", "yellow"), f"  {each['object']}: {each['why']}")
    for each in health:
        if each["state"] != "healthy":
            reason = each.get("why") or each.get("reason") or ""
            print_styled((str(each["state"]), "yellow"), f"  {each['object']}: {reason}")


def summary(counts: Mapping[str, int], *, nothing: bool) -> str:
    """How much it is, in one line."""
    if nothing:
        return "nothing to do"
    told = [f"{counts[action]} {word}" for action, word in _WORDS.items() if counts.get(action)]
    return ", ".join([*told, f"{counts.get('unchanged', 0)} unchanged"])


def _show_line(each: Mapping[str, Any]) -> None:
    action = str(each["action"])
    sign, style = _SIGNS.get(action, ("?", ""))
    word = "unchecked" if each["unchecked"] else action
    why = f"  {word}: {each['why']}" if each["why"] else f"  {word}"
    print_styled((f"{sign} {each['object']}", style), (why, "dim"))


def _show_object(each: Mapping[str, Any]) -> None:
    _show_line(each)
    for change in each["changes"]:
        show_change(_change(change))
    if each["left_out"]:
        print_styled((f"    ... and {each['left_out']} changes more", "dim"))
    for taken in each["taken_from"]:
        print_styled(f"    {taken['field']}", (f"  taken from {taken['owner']}", "dim"))
    for left in each["left_to"]:
        print_styled(f"    {left['field']}", (f"  left to {left['owner']}", "dim"))
    for warning in each["warnings"]:
        print_styled("    ", ("warning", "yellow"), f" {warning}")


def _change(said: Mapping[str, Any]) -> Change:
    from byoa.content.changes import Change

    return Change(said["path"], said["op"], said.get("before"), said.get("after"), tuple(said.get("lines") or ()))


def _show_fault(fault: Mapping[str, Any]) -> None:
    where = f" ({fault['where']})" if fault.get("where") else ""
    told = f"{where}: {fault.get('cause')}"
    err().print(styled(("error", "bold red"), " ", (str(fault.get("code")), "bold"), told))
    if fault.get("remedy"):
        err().print(next_step(str(fault["remedy"])))
