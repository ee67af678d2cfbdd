"""`byoa issuers`: whose tokens let in to the API beside the organisation's own, as CI's do."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Final

from byoa_cli.columns import cell, show
from byoa_cli.commands import Group, Option, command
from byoa_cli.options import APP, AT_API, JSON, YES
from byoa_cli.output import FINE, MEND, err, out, print_json
from byoa_cli.paging import PAGING, part_of
from byoa_cli.printable import styled
from byoa_cli.reaching import reach_api
from byoa_cli.tokens import FOR, SCOPES, bound

if TYPE_CHECKING:
    from collections.abc import Mapping

KNOWN: Final = {"github": "https://token.actions.githubusercontent.com", "gitlab": "https://gitlab.com"}
"""Issuers that have a short name here."""


def _claim(value: str) -> tuple[str, str]:
    name, equals, pattern = value.partition("=")
    if not equals or not pattern or not re.fullmatch(r"[A-Za-z0-9_.:/-]{1,128}", name):
        raise ArgumentTypeError(f"NAME=PATTERN is wanted, as in repository=OWNER/NAME, not {value}")
    return name, pattern


def _told(rule: Mapping[str, object]) -> str:
    """What a rule wants claims to say, as it is typed."""
    claims = rule.get("claims")
    if not isinstance(claims, dict):
        return ""
    return " ".join(f"{name}={pattern}" for name, said in claims.items() for pattern in said)


@command(*AT_API, *PAGING, JSON)
def list_issuers(
    api: str | None, profile: str | None, org: str | None,
    limit: int | None, offset: int | None, page: int | None, *, every: bool, as_json: bool,
) -> int:  # fmt: skip
    """List the rules on issuers: whose tokens let in, for which audience, what they must say, and what they may do.

    Example:
        byoa issuers list
    """
    part = part_of(limit, offset, page, every=every)
    found = reach_api(api, profile, org).asked_api().listing("issuers", offset=part.offset, limit=part.limit)
    if as_json:
        print_json({"issuers": found.items, "more": found.more})
        return FINE
    rows = [
        (cell(each, "id"), cell(each, "name"), cell(each, "scopes"), cell(each, "install_ids"), cell(each, "issuer"),
         cell(each, "audience"), _told(each))
        for each in found.items
    ]  # fmt: skip
    show(("ID", "NAME", "SCOPES", "INSTALLS", "ISSUER", "AUDIENCE", "CLAIMS"), rows, "no issuers")
    part.tell_more(more=found.more)
    return FINE


@command(
    Option("name", metavar="NAME", help="What the rule is for, to know it by."),
    Option("--issuer", "-i", metavar="URL", required=True, help="github, gitlab, or the issuer to the letter (iss)."),
    Option(
        "--claim", "-c", dest="claims", metavar="NAME=PATTERN", action="append", required=True, type=_claim,
        help="What tokens must say; * is any characters. Of one name that is repeated any will do, of all names one.",
    ),
    Option(
        "--scope", "-s", dest="scopes", action="append", required=True, choices=SCOPES,
        help="What they may do; may be repeated. sync and deploy include read, admin includes all.",
    ),
    FOR,
    Option("--audience", metavar="TEXT", help="Whom tokens are for (default: byoa: and the organisation's id)."),
    Option(
        "--sign-in", action="store_true",
        help="People sign in at the dashboard with it; --audience is the id of the dashboard's client there.",
    ),
    Option("--with-secret", action="store_true", help="The client has a secret: from stdin, or asked for unseen."),
    *AT_API,
    APP,
    JSON,
)  # fmt: skip
def add_issuer(
    name: str, issuer: str, claims: list[tuple[str, str]], scopes: list[str], installs: list[str],
    audience: str | None, api: str | None, profile: str | None, org: str | None, app: str | None,
    *, sign_in: bool, with_secret: bool, as_json: bool,
) -> int:  # fmt: skip
    """Let in whoever has a token of an issuer that says what it must. The issuer is asked for its keys first.

    Examples:
        byoa issuers add main -i github -c repository=vendor/app -c ref=refs/heads/main --scope sync

        byoa issuers add tags -i gitlab -c project_path=vendor/app -c ref_type=tag --scope sync

        byoa issuers add agent -i github -c repository=vendor/acme --scope agent --install acme --app shop

        byoa issuers add Okta -i https://vendor.okta.com -c groups=platform -s sync --sign-in --audience 0oa1example

        byoa issuers add Web -i https://id.example -c groups=ops -s sync --sign-in --audience 1a --with-secret < secret
    """
    wanted: dict[str, list[str]] = {}
    for claim, pattern in claims:
        wanted.setdefault(claim, []).append(pattern)
    here = reach_api(api, profile, org, app)
    said = {"name": name, "issuer": KNOWN.get(issuer, issuer), "claims": wanted, "scopes": scopes}
    body = {**said, **bound(here, scopes, installs)}
    more: dict[str, object] = {"audience": audience} if audience else {}
    if sign_in:
        more["sign_in"] = True
    if with_secret:
        from byoa_cli.secrets import typed_or_piped

        more["client_secret"] = typed_or_piped(f"secret of the client {audience or ''} (not shown): ")
    made = here.asked_api().ask("POST", "issuers", body={**body, **more}).fields()
    if as_json:
        print_json(made)
        return FINE
    out().print(styled(("added", "green"), f" {cell(made, 'id')} ({cell(made, 'scopes')}): {_told(made)}"))
    out().print(styled(f"  tokens of {cell(made, 'issuer')} for {cell(made, 'audience')} let in"))
    if sign_in:
        out().print(styled("  people sign in with it at the dashboard: register its address with /auth/callback there"))
    return FINE


@command(Option("issuer_id", metavar="ID", help="The rule's id (iss…), as the list has it."), *AT_API, JSON)
def store_secret(issuer_id: str, api: str | None, profile: str | None, org: str | None, *, as_json: bool) -> int:
    """Store another secret for the client of a rule that was added with one: from stdin, or asked for unseen.

    Example:
        byoa issuers secret iss… < secret
    """
    from byoa_cli.secrets import typed_or_piped

    body = {"client_secret": typed_or_piped("the client's secret (not shown): ")}
    made = reach_api(api, profile, org).asked_api().ask("PUT", "issuers", issuer_id, "client-secret", body=body)
    if as_json:
        print_json(made.fields())
    else:
        out().print(styled(f"stored the secret of {issuer_id}; the next who signs in is exchanged with it"))
    return FINE


@command(
    Option("issuer_id", metavar="ID", help="The rule's id (iss…), as the list has it."), *AT_API, YES, JSON,
)  # fmt: skip
def delete_issuer(
    issuer_id: str, api: str | None, profile: str | None, org: str | None, *, yes: bool, as_json: bool
) -> int:
    """Delete a rule: from now on nobody is let in by it, whatever tokens are still good.

    Example:
        byoa issuers delete iss… --yes
    """
    from byoa_cli.secrets import confirmed

    asked = reach_api(api, profile, org).asked_api()
    if not yes and not confirmed(f"delete {issuer_id}?"):
        err().print(styled("nothing was deleted"))
        return MEND
    asked.ask("DELETE", "issuers", issuer_id)
    if as_json:
        print_json({"id": issuer_id, "deleted": True})
    else:
        out().print(styled(f"deleted {issuer_id}"))
    return FINE


issuers = Group(
    "Let CI and others in by tokens that they have of an issuer, without a secret.",
    {"list": list_issuers, "add": add_issuer, "secret": store_secret, "delete": delete_issuer},
)
