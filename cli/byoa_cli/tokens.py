"""`byoa tokens` and `byoa audit`: who may speak to the API for the organisation, and who did what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from byoa_cli.columns import cell, show
from byoa_cli.commands import Group, Option, UsageError, command
from byoa_cli.described import install_id
from byoa_cli.options import APP, AT_API, JSON, YES, label, whole
from byoa_cli.output import FINE, MEND, err, out, print_json, print_line
from byoa_cli.paging import PAGING, part_of
from byoa_cli.printable import styled
from byoa_cli.reaching import reach_api

if TYPE_CHECKING:
    from byoa.api.asking import Api
    from byoa_cli.reaching import Reached

SCOPES = ("read", "sync", "deploy", "admin", "agent")
FOR = Option(
    "--install", metavar="INSTALL", dest="installs", action="append", default=[], type=label,
    help="With --scope agent, which goes alone: an install (name or id) whose deploys it runs; may be repeated.",
)  # fmt: skip
TOKEN = Option("token_id", metavar="ID", help="The token's id (tok…), or its name if no other has it; never the token.")


@command(*AT_API, *PAGING, JSON)
def list_tokens(
    api: str | None, profile: str | None, org: str | None,
    limit: int | None, offset: int | None, page: int | None, *, every: bool, as_json: bool,
) -> int:  # fmt: skip
    """List the organisation's tokens: what they may do, until when, when they were last used. Never the tokens.

    Example:
        byoa tokens list
    """
    part = part_of(limit, offset, page, every=every)
    found = reach_api(api, profile, org).asked_api().listing("tokens", offset=part.offset, limit=part.limit)
    if as_json:
        print_json({"tokens": found.items, "more": found.more})
        return FINE
    names = ("id", "name", "scopes", "install_ids", "expires_at")
    rows = [(*(cell(each, name) for name in names), cell(each, "last_used_at") or "never") for each in found.items]
    show(("ID", "NAME", "SCOPES", "INSTALLS", "EXPIRES AT", "LAST USED"), rows, "no tokens")
    part.tell_more(more=found.more)
    return FINE


@command(
    Option("name", metavar="NAME", help="What it is for, to know it by."),
    Option(
        "--scope", "-s", dest="scopes", action="append", required=True, choices=SCOPES,
        help="What it may do; may be repeated. sync and deploy include read, admin includes all.",
    ),
    FOR,
    Option("--days", metavar="DAYS", type=whole(1, 366), default=90, help="How long it is good (default: 90)."),
    *AT_API,
    APP,
    JSON,
)  # fmt: skip
def create_token(
    name: str, scopes: list[str], installs: list[str], days: int, api: str | None, profile: str | None,
    org: str | None, app: str | None, *, as_json: bool,
) -> int:  # fmt: skip
    """Make a token. It is printed on stdout, alone, this once; nothing can show it again.

    One of the scope agent runs the deploys of the installs that it is for, and neither sees nor does anything else.

    Examples:
        byoa tokens create github-actions --scope sync --days 30

        byoa tokens create agent-acme --scope agent --install acme --app shop

        byoa tokens create reader --scope read | byoa login --profile reader --api https://api.example.com
    """
    here = reach_api(api, profile, org, app)
    body = {"name": name, "scopes": scopes, "expires_in_days": days, **bound(here, scopes, installs)}
    made = here.asked_api().ask("POST", "tokens", body=body).fields()
    if as_json:
        print_json(made)
        return FINE
    told = f" {cell(made, 'id')} ({cell(made, 'scopes')}), good until {cell(made, 'expires_at')}"
    err().print(styled(("made", "green"), told))
    err().print(styled("this is the only time that the token is shown:"))
    print_line(cell(made, "token"))
    return FINE


def bound(here: Reached, scopes: list[str], installs: list[str]) -> dict[str, list[str]]:
    """The installs that an agent is for, as the API takes them. Raises ``UsageError`` for some without the scope agent.

    And for an agent without any, or one that may do other things as well.
    """
    if "agent" not in scopes:
        if installs:
            raise UsageError("--install belongs to --scope agent")
        return {}
    if {*scopes} != {"agent"}:
        raise UsageError("--scope agent goes alone: whoever may read sees other installs too")
    if not installs:
        raise UsageError("--scope agent wants --install: it runs the deploys of the installs that it names alone")
    return {"install_ids": [install_id(here, each) for each in installs]}


@command(TOKEN, *AT_API, YES, JSON)
def revoke_token(
    token_id: str, api: str | None, profile: str | None, org: str | None, *, yes: bool, as_json: bool
) -> int:
    """Revoke a token: from now on nobody is let in with it.

    Example:
        byoa tokens revoke tok… --yes
    """
    from byoa_cli.secrets import confirmed

    if token_id.startswith("byoa_"):
        raise UsageError("this is a token, which no argument should be; `byoa tokens list` shows its id")
    asked = reach_api(api, profile, org).asked_api()
    named, token_id = token_id, _id_of(asked, token_id)
    if not yes and not confirmed(f"revoke {token_id}{'' if named == token_id else f' ({named})'}?"):
        err().print(styled("nothing was revoked"))
        return MEND
    asked.ask("DELETE", "tokens", token_id)
    if as_json:
        print_json({"id": token_id, "revoked": True})
    else:
        out().print(styled(f"revoked {token_id}"))
    return FINE


def _id_of(asked: Api, named: str) -> str:
    """A token's id by its id or its name. Raises ``ApiRefused`` where none has the name, or several have."""
    from byoa.errors import ApiRefused

    if re.fullmatch(r"tok[a-z2-7]{23}", named):
        return named
    found = [str(each.get("id")) for each in asked.listing("tokens").items if each.get("name") == named]
    if len(found) == 1:
        return found[0]
    cause = f"{len(found)} tokens have that name." if found else "No token has that id or name."
    raise ApiRefused(cause, remedy="Take an id that `byoa tokens list` shows.", problem="not_found")


@command(*AT_API, *PAGING, JSON)
def list_audit(
    api: str | None, profile: str | None, org: str | None,
    limit: int | None, offset: int | None, page: int | None, *, every: bool, as_json: bool,
) -> int:  # fmt: skip
    """List what was written with the organisation's tokens, the newest first: by which, when, from where, how it ended.

    Example:
        byoa audit list --limit 50
    """
    part = part_of(limit, offset, page, every=every)
    found = reach_api(api, profile, org).asked_api().listing("audit", offset=part.offset, limit=part.limit)
    if as_json:
        print_json({"audit": found.items, "more": found.more})
        return FINE
    names = ("created_at", "token_name", "operation", "path", "source_address")
    rows = [(*(cell(each, name) for name in names), cell(each, "status") or "unknown") for each in found.items]
    show(("AT", "TOKEN", "DID", "PATH", "FROM", "ENDED"), rows, "nothing was written")
    part.tell_more(more=found.more)
    return FINE


tokens = Group(
    "Make, list and revoke the organisation's tokens for the API.",
    {"list": list_tokens, "create": create_token, "revoke": revoke_token},
)
audit = Group("See who did what in the organisation.", {"list": list_audit})
