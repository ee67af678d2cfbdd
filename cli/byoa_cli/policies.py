"""`byoa policies`: which repositories an organisation's builds may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byoa_cli.columns import cell
from byoa_cli.commands import Group, Option, UsageError, command
from byoa_cli.options import AT_API, JSON
from byoa_cli.output import FINE, out, print_json
from byoa_cli.printable import styled
from byoa_cli.reaching import reach_api

if TYPE_CHECKING:
    from collections.abc import Sequence


@command(*AT_API, JSON)
def get_policies(api: str | None, profile: str | None, org: str | None, *, as_json: bool) -> int:
    """Show what the organisation's builds may read, and where artifacts are mirrored to.

    Example:
        byoa policies get
    """
    found = reach_api(api, profile, org).asked_api().ask("GET", "policies").fields()
    if as_json:
        print_json(found)
        return FINE
    _show("builds may read", _references(found))
    _show("mirrored to", _texts(found, "targets"))
    if found.get("version"):
        out().print(styled(f"set {cell(found, 'updated_at')} by {cell(found, 'updated_by_id')}"))
    return FINE


@command(
    Option(
        "references", metavar="REPOSITORY", nargs="*",
        help="HOST/REPOSITORY, HOST/PATH/* for all below it, HOST/* for a whole registry, * for all.",
    ),
    Option("--none", action="store_true", help="Let builds read nothing: they take inline manifests alone."),
    *AT_API,
    JSON,
)  # fmt: skip
def set_policies(
    references: list[str], api: str | None, profile: str | None, org: str | None, *, none: bool, as_json: bool
) -> int:
    """Let the organisation's builds read these repositories and no others, from now on.

    Examples:
        byoa policies set 'ghcr.io/vendor/*' quay.io/vendor/app

        byoa policies set '*'
    """
    if bool(references) == none:
        raise UsageError("name the repositories that builds may read, or give --none")
    asked = reach_api(api, profile, org).asked_api()
    before = asked.ask("GET", "policies")
    now = asked.ask("PUT", "policies", body={"references": references}, match=before.etag).fields()
    if as_json:
        print_json(now)
        return FINE
    was, are = _texts(before.fields(), "references"), _texts(now, "references")
    for sign, colour, texts in (("-", "red", was), ("+", "green", are)):
        for each in texts:
            if (each in was) != (each in are):
                out().print(styled((f"{sign} {each}", colour)))
    _show("builds may read", _references(now))
    return FINE


def _show(label: str, texts: Sequence[str]) -> None:
    for number, each in enumerate(texts):
        out().print(styled((f"{'' if number else label:15}", "dim"), f" {each}"))


def _references(found: dict[str, Any]) -> list[str]:
    said = _texts(found, "references")
    if "*" in said:
        return ["whatever the platform allows"]
    return said or ["nothing: inline manifests alone are built"]


def _texts(found: dict[str, Any], name: str) -> list[str]:
    said = found.get(name)
    return [str(each) for each in said] if isinstance(said, list) else []


policies = Group(
    "See and set which repositories the organisation's builds may read.", {"get": get_policies, "set": set_policies}
)
