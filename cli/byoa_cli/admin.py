"""`byoa admin`: what takes AWS credentials, because there is no token yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.bootstrap import terminal
from byoa_cli.commands import Group, Option, command
from byoa_cli.options import JSON, STACKS_ORGANISATION, STACKS_TABLE, whole
from byoa_cli.output import FINE, err, out, print_json
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from byoa.api.ports import Deed

LONGEST_DAYS = 366
_MADE = 201
"""As the API notes a token that it made."""


@command(
    STACKS_ORGANISATION,
    STACKS_TABLE,
    Option("--name", metavar="NAME", default="bootstrap", help="What the token is called (default: bootstrap)."),
    Option(
        "--days", metavar="DAYS", type=whole(1, LONGEST_DAYS), default=30, help="How long it is good (default: 30)."
    ),
    JSON,
)
def bootstrap(org: str, table: str, name: str, days: int, *, as_json: bool) -> int:
    """Make an organisation's first API token: with the scope admin, which makes all others.

    The token is printed once, alone on stdout; what is kept of it is a digest.

    Examples:
        byoa admin bootstrap --org org_0123456789ab --table byoa-Table-1ABC > token.txt

        byoa admin bootstrap --days 1 --json
    """
    from datetime import UTC, datetime

    from byoa.api.tokens import DAY_MS, issue

    now_ts = int(datetime.now(UTC).timestamp() * 1000)
    record, token = issue(org, name, ["admin"], now_ts, now_ts + days * DAY_MS, "aws")
    deed = _note(table, org, record.id, now_ts)
    terminal.tokens(table, org).add(record)
    terminal.journal(table, org).end(deed, _MADE)
    expires = datetime.fromtimestamp(record.expires_at_ts / 1000, UTC)
    if as_json:
        print_json({"id": record.id, "token": token, "expires_at": expires.isoformat()})
        return FINE
    err().print(styled(f"made {record.id} with the scope admin, good until {expires:%Y-%m-%d}; it is shown once:"))
    out().print(styled(token), soft_wrap=True)
    return FINE


def _note(table: str, org: str, token_id: str, now_ts: int) -> Deed:
    """What can't be noted isn't done, here as in the API."""
    from byoa.api.ports import Deed
    from byoa.api.tokens import random_id

    deed = Deed(random_id("adt"), now_ts, "aws", "AWS credentials", "bootstrap", f"/v1/tokens/{token_id}", "")
    terminal.journal(table, org).begin(deed)
    return deed


admin = Group("Set up what takes AWS credentials: an organisation's first API token.", {"bootstrap": bootstrap})
