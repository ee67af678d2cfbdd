"""`byoa login`, `logout` and `whoami`: who the command line is to an API."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from byoa.bootstrap import terminal
from byoa_cli.commands import UsageError, command
from byoa_cli.options import API, APP, AT_API, DASHBOARD, JSON, PROFILE
from byoa_cli.output import FINE, MEND, err, out, print_json, print_note
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LIMIT: Final = 16 * 1024


@command(
    API, PROFILE, APP, DASHBOARD, JSON,
    discreet="the token is no argument: it comes from stdin, as in < FILE, or is asked for",
)  # fmt: skip
def login(api: str | None, profile: str | None, app: str | None, dashboard: str | None, *, as_json: bool) -> int:
    """Keep an API and a token for it in a profile; the token comes from stdin or a prompt.

    It is tried first, and nothing is kept where the API refuses it. --app and --dashboard are kept as well, if given.

    Examples:
        byoa login --api https://api.example.com

        byoa login --api https://api.example.com --profile ci --app shop < token.txt
    """
    from byoa_cli.profiles import DEFAULT, Profile, keep_profile, read_profile

    name = profile or DEFAULT
    before = read_profile(name)
    address = api or (before.api if before else None)
    if address is None:
        raise UsageError("--api is wanted: the profile names none yet")
    token = _read_token(address)
    account = _account(address, token)
    org = next(iter(account["org_ids"]), None)
    same = before if before and before.api == address else None
    kept_app = app or (same.app if same and same.org == org else None)
    path = keep_profile(name, Profile(address, token, org, kept_app, dashboard or (same.dashboard if same else None)))
    if os.environ.get("BYOA_TOKEN"):
        print_note("BYOA_TOKEN is set and goes before what was kept")
    if as_json:
        print_json({**_told(account), "api": address, "profile": name, "file": str(path)})
    else:
        out().print(styled(("logged in", "green"), f" to {address} as {account['name']} ({org})"))
        out().print(styled(f"  may {', '.join(account['scopes'])} until {account['expires_at']}; kept in {path}"))
    return FINE


@command(PROFILE, JSON)
def logout(profile: str | None, *, as_json: bool) -> int:
    """Take a profile away; its token stays good until it is revoked or expires.

    Examples:
        byoa logout

        byoa logout --profile ci
    """
    from byoa_cli.profiles import DEFAULT, keep_profile, read_profile

    name = profile or DEFAULT
    before = read_profile(name)
    if before is None:
        err().print(styled(f"there is no profile {name}"))
        return MEND
    keep_profile(name, None)
    token_id = _id_of(before.token or "")
    if as_json:
        print_json({"profile": name, "api": before.api, "token_id": token_id})
        return FINE
    out().print(styled(f"logged out of {before.api}"))
    if token_id:
        err().print(styled(f"the token is good until it is revoked: `byoa tokens revoke {token_id}`"))
    return FINE


@command(*AT_API, JSON)
def whoami(api: str | None, profile: str | None, org: str | None, *, as_json: bool) -> int:
    """Tell which API is spoken to, as whom, and what the token may do.

    Example:
        byoa whoami --json
    """
    from byoa_cli.reaching import seat

    found = seat(api, profile, org)
    if found is None:
        raise UsageError("nothing says which API: log in with `byoa login`, or give --api and BYOA_TOKEN")
    account = _account(found.address, found.token, found.org)
    if as_json:
        print_json({**_told(account), "api": found.address, "source": found.source})
        return FINE
    rows = {
        "api": found.address,
        "token": f"{account['name']} ({account['id']}), from {found.source}",
        "organisation": ", ".join(account["org_ids"]),
        "scopes": ", ".join(account["scopes"]),
        "expires": account["expires_at"],
    }
    for label, value in rows.items():
        out().print(styled((f"{label:12}", "dim"), f" {value}"))
    return FINE


def _read_token(address: str) -> str:
    """The token: all of stdin, or what is typed where nobody sees it. Raises ``UsageError`` for what is none."""
    from byoa_cli.profiles import is_token
    from byoa_cli.secrets import ask_unseen

    if sys.stdin.isatty():
        text = ask_unseen(f"token for {address} (not shown): ")
    else:
        text = sys.stdin.buffer.read(_LIMIT).decode(errors="replace")
    token = text.strip()
    if not is_token(token):
        raise UsageError("what was given is no token" if token else "there is no token on stdin")
    return token


def _account(address: str, token: str | Callable[[], str], org: str | None = None) -> dict[str, Any]:
    """What the API says of the token. Raises ``ApiUnusable`` where it is no API of BYOA's."""
    from byoa.errors import ApiUnusable

    found = terminal.api(address, token, org).ask("GET", "account").fields()
    texts = ("id", "name", "expires_at")
    sound = all(isinstance(found.get(name), str) for name in texts)
    if not sound or not all(_are_texts(found.get(name)) for name in ("org_ids", "scopes")):
        raise ApiUnusable("The API doesn't say whose the token is.")
    return found


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _told(account: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown: never more than is known, so that no answer's echo of a token is printed."""
    return {name: account[name] for name in ("id", "name", "org_ids", "scopes", "installs", "expires_at")}


def _id_of(token: str) -> str | None:
    """The token's id, which stands in it."""
    from byoa.api.tokens import parse_token

    found = parse_token(token)
    return found.id if found else None
