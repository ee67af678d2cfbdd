"""`byoa diff`: two artifacts by their objects, straight from registries and layouts, without AWS.

Of a component it is what its build pinned and what its tag means now, which the platform compares: it has the logins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa_cli.commands import Option, UsageError, command
from byoa_cli.options import APP, AT_API, JSON, PLAIN_HTTP, TIMEOUT, TOKEN_HOST
from byoa_cli.output import FAULT, MEND, exit_code, out, print_error, print_json
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from byoa.api.lookups import DifferenceOut
    from byoa.builds.lookups import ChangedPlace, DifferingObject
    from byoa.content.changes import Change
    from byoa.content.difference import Difference, Differing, Side
    from byoa_cli.places import Place
    from byoa_cli.printable import Part

SAME: Final = 0
DIFFERENT: Final = 1
TROUBLE: Final = 2
"""What ``diff`` and ``kubectl diff`` end with; a fault of the network's keeps its own, which is greater as well."""

_FORMS: Final = "oci://HOST/REPOSITORY:TAG or oci-layout:FOLDER[:TAG]"
_BEFORE: Final = Option("before", metavar="REF|COMPONENT", help=f"What was: {_FORMS}; or a component by its name.")
_AFTER: Final = Option("after", metavar="REF", nargs="?", help="What is now, in the same forms; none for a component.")
_SIGNS: Final = {"added": ("+", "green"), "removed": ("-", "red"), "changed": ("~", "yellow")}


@command(_BEFORE, _AFTER, PLAIN_HTTP, TOKEN_HOST, TIMEOUT, *AT_API, APP, JSON)
def diff(
    before: str, after: str | None, plain_http: list[str], token_host: list[str], timeout: float | None,
    api: str | None, profile: str | None, org: str | None, app: str | None, *, as_json: bool,
) -> int:  # fmt: skip
    """Tell which Kubernetes objects differ between two artifacts, and where. Values of Secrets are never shown.

    Order, comments and formats don't matter; {{ placeholders }} are compared as they stand. Of one component it tells
    what its newest good build pinned against what its config means now: the platform looks, through the API. An
    object that names no namespace is compared as one without: a component's own namespace isn't put in.

    Exit codes are diff's: 0 no object differs, 1 some do, 2 something for you to fix (a wrong call too), 3 a fault of
    the platform's or the network's.

    Examples:
        byoa diff oci://ghcr.io/vendor/app-manifests:v2.3.1 oci://ghcr.io/vendor/app-manifests:v2.4.0

        byoa diff oci-layout:./pinned oci://ghcr.io/vendor/app-manifests:stable --json

        byoa diff web --app shop
    """
    from byoa.errors import ByoaError

    found: Difference | DifferenceOut
    try:
        if after is None:
            found, document = _compare_component(before, api, profile, org, app)
        else:
            found, document = _compare(before, after, plain_http, token_host, timeout)
    except ByoaError as error:
        print_error(error, as_json=as_json)
        return TROUBLE if exit_code(error) == MEND else FAULT
    if as_json:
        print_json(document)
    else:
        _show(found, document)
    return DIFFERENT if found.differs else SAME


def _compare_component(
    component: str, api: str | None, profile: str | None, org: str | None, app: str | None
) -> tuple[DifferenceOut, dict[str, Any]]:
    from byoa.components.values import is_component_name

    if not is_component_name(component):
        raise UsageError("two references are wanted, or the name of one component")
    from byoa_cli.pinned import compare_with_now
    from byoa_cli.reaching import reach_api

    since = compare_with_now(reach_api(api, profile, org, app), component)
    return since.difference, since.document()


def _compare(
    before: str, after: str, plain_http: list[str], token_host: list[str], timeout: float | None
) -> tuple[Difference, dict[str, Any]]:
    from byoa.bootstrap import terminal
    from byoa.content.difference import compare
    from byoa.trust.limits import STAGED
    from byoa_cli.places import open_source

    terminal.begin(timeout)
    places = [open_source(ref, plain_http, token_host) for ref in (before, after)]
    old, new = (_side(place, name) for place, name in zip(places, ("before", "after"), strict=True))
    found = compare(old, new, STAGED, named=True)
    ends = {
        side.name: {"reference": place.text, "digest": str(side.root.digest)}
        for side, place in zip((old, new), places, strict=True)
    }
    return found, {**ends, "differs": found.differs, **found.document()}


def _side(place: Place, name: str) -> Side:
    from byoa.content.difference import Side
    from byoa.engine.contents import VerifiedContents
    from byoa.errors import ByoaError

    try:
        root = place.repository.fetch_manifest(place.digest or place.tag or "")
    except ByoaError as error:
        raise error.at(name) from None
    return Side(VerifiedContents(place.repository), root, name)


def _show(found: Difference | DifferenceOut, document: dict[str, Any]) -> None:
    for sign, name in (("---", "before"), ("+++", "after")):
        end = document[name]
        out().print(styled((f"{sign} {end['reference']}", "bold"), (f"  {end['digest']}", "dim")))
    for each in found.objects:
        _show_object(each)
    if found.left_out:
        out().print(styled((f"... and {found.left_out} objects more", "dim")))
    for note in found.notes:
        out().print(styled(("note:", "dim"), f" {note}"))
    out().print(_sum(found, same=document["before"]["digest"] == document["after"]["digest"]))


def _sum(found: Difference | DifferenceOut, *, same: bool) -> str:
    if same:
        return "the same artifact"
    return f"{found.added} added, {found.removed} removed, {found.changed} changed, {found.same} the same"


def _show_object(each: Differing | DifferingObject) -> None:
    sign, style = _SIGNS[each.op]
    where = f"{each.namespace}/" if each.namespace else ""
    version = f"{each.was} → {each.api_version}" if each.was else each.api_version
    out().print(styled((f"{sign} {each.kind} {where}{each.name}", style), (f"  {version}", "dim")))
    for change in each.changes:
        show_change(change)
    if each.left_out:
        out().print(styled((f"    ... and {each.left_out} changes more", "dim")))


def show_change(change: Change | ChangedPlace) -> None:
    """Print where something differs, and what stands there on both sides."""
    moved = ("  in another order", "dim")
    out().print(styled(f"    {change.path}", *([moved] if change.op == "move" else [])))
    for line in change.lines or _sides(change):
        out().print(styled("      ", _coloured(line)))


def _sides(change: Change | ChangedPlace) -> list[str]:
    signed = (("-", change.before), ("+", change.after))
    return [f"{sign} {value}" for sign, value in signed if value is not None]


def _coloured(line: str) -> Part:
    return line, {"-": "red", "+": "green", "@": "cyan"}.get(line[:1], "")
