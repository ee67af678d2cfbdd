"""`byoa apps`: the names that components are under."""

from __future__ import annotations

from byoa_cli.columns import cell, show
from byoa_cli.commands import Group, Option, command
from byoa_cli.options import AT_API, JSON
from byoa_cli.output import FINE, print_json
from byoa_cli.paging import PAGING, part_of
from byoa_cli.reaching import reach_api


@command(*AT_API, Option("--query", "-q", metavar="TEXT", help="Whose names begin with it."), *PAGING, JSON)
def list_apps(
    api: str | None, profile: str | None, org: str | None, query: str | None,
    limit: int | None, offset: int | None, page: int | None, *, every: bool, as_json: bool,
) -> int:  # fmt: skip
    """List the organisation's apps by name. An app is there from its first component on.

    Example:
        byoa apps list
    """
    part = part_of(limit, offset, page, every=every)
    asked = {"q": query} if query else {}
    found = reach_api(api, profile, org).asked_api().listing("apps", query=asked, offset=part.offset, limit=part.limit)
    if as_json:
        print_json({"apps": found.items, "more": found.more})
        return FINE
    names = ("name", "created_at", "created_by_id")
    show(("NAME", "CREATED AT", "BY"), [tuple(cell(each, name) for name in names) for each in found.items], "no apps")
    part.tell_more(more=found.more)
    return FINE


apps = Group("List the organisation's apps.", {"list": list_apps})
