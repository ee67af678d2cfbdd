"""`byoa components`: what an app has at the API."""

from __future__ import annotations

from typing import Any

from byoa_cli.columns import cell, coloured, show
from byoa_cli.commands import Group, Option, command
from byoa_cli.options import APP, AT_API, COMPONENT, JSON, YES
from byoa_cli.output import FINE, MEND, err, next_step, out, print_json
from byoa_cli.paging import PAGING, part_of
from byoa_cli.printable import styled
from byoa_cli.reaching import reach_api


@command(*AT_API, APP, Option("--query", "-q", metavar="TEXT", help="Whose names begin with it."), *PAGING, JSON)
def list_components(
    api: str | None, profile: str | None, org: str | None, app: str | None, query: str | None,
    limit: int | None, offset: int | None, page: int | None, *, every: bool, as_json: bool,
) -> int:  # fmt: skip
    """List an app's components by name, each with its newest build.

    Examples:
        byoa components list --app shop

        byoa components list --app shop --all --json
    """
    part = part_of(limit, offset, page, every=every)
    here = reach_api(api, profile, org, app)
    asked = {"q": query} if query else {}
    found = here.asked_api().listing(
        "apps", here.named_app(), "components", query=asked, offset=part.offset, limit=part.limit
    )
    if as_json:
        print_json({"components": found.items, "more": found.more})
        return FINE
    rows = [
        (
            cell(each, "name"),
            cell(each, "status"),
            cell(each, "config_versions"),
            _pinned(each),
            "yes" if each.get("tag_moved") else "",
            cell(each, "updated_at"),
        )
        for each in found.items
    ]
    show(("NAME", "STATUS", "VERSION", "PINNED", "TAG MOVED", "UPDATED AT"), rows, "no components")
    part.tell_more(more=found.more)
    return FINE


@command(COMPONENT, *AT_API, APP, JSON)
def get_component(
    component: str, api: str | None, profile: str | None, org: str | None, app: str | None, *, as_json: bool
) -> int:
    """Show a component with its newest build.

    Example:
        byoa components get web --app shop
    """
    here = reach_api(api, profile, org, app)
    found = here.asked_api().ask("GET", "apps", here.named_app(), "components", component).fields()
    if as_json:
        print_json(found)
        return FINE
    out().print(styled((cell(found, "name"), "bold"), "  ", coloured(cell(found, "status"))))
    build = found.get("latest_build") or {}
    rows = {
        "says": "" if build.get("failure") else cell(found, "status_description"),
        "versions": cell(found, "config_versions"),
        "depends on": ", ".join(map(str, found.get("dependencies") or [])),
        "build": cell(build, "id"),
        "pinned": _pinned(found),
        "tag moved": _moved(found),
        "mirror": ", ".join(cell(each, "reference") for each in build.get("mirrors") or []),
        "updated": cell(found, "updated_at"),
    }
    _show_rows(rows)
    if isinstance(failure := build.get("failure"), dict):
        out().print(styled((cell(failure, "code"), "bold red"), f": {cell(failure, 'cause')}"))
        out().print(next_step(cell(failure, "remedy")))
    return FINE


@command(COMPONENT, *AT_API, APP, YES, JSON)
def delete_component(
    component: str, api: str | None, profile: str | None, org: str | None, app: str | None, *, yes: bool, as_json: bool
) -> int:
    """Delete a component. A build that runs is stopped; configs, builds and receipts are kept.

    Example:
        byoa components delete web --app shop --yes
    """
    from byoa_cli.secrets import confirmed

    here = reach_api(api, profile, org, app)
    place = ("apps", here.named_app(), "components", component)
    here.asked_api().ask("GET", *place)
    if not yes and not confirmed(f"delete the component {component} of {here.named_app()}?"):
        err().print(styled("nothing was deleted"))
        return MEND
    gone = here.asked_api().ask("DELETE", *place, match="*").fields()
    if as_json:
        print_json({"component": component, **gone})
        return FINE
    out().print(styled(f"deleted {component}"))
    if stopped := gone.get("stopped_build_id"):
        out().print(styled(f"stopped its build {stopped}"))
    return FINE


components = Group(
    "Look at an app's components, and delete them.",
    {"list": list_components, "get": get_component, "delete": delete_component},
)


def _show_rows(rows: dict[str, str]) -> None:
    for label, value in rows.items():
        if value:
            out().print(styled((f"  {label:10}", "dim"), f" {value}"))


def _moved(component: dict[str, Any]) -> str:
    moved = component.get("tag_moved")
    if not isinstance(moved, dict):
        return ""
    return f"{cell(moved, 'tag')} means {cell(moved, 'digest_after')} since {cell(moved, 'noticed_at')}"


def _pinned(component: dict[str, Any]) -> str:
    resolved = (component.get("latest_build") or {}).get("resolved")
    return f"{resolved.get('tag') or 'inline'} → {resolved.get('digest')}" if isinstance(resolved, dict) else ""
