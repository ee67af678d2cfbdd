"""`byoa credentials`: what builds log in to vendors' registries with. It is stored and tried, and never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from byoa.bootstrap import terminal
from byoa_cli.columns import show
from byoa_cli.commands import Group, Option, UsageError, command
from byoa_cli.invitations import Invitation
from byoa_cli.options import AT_API, JSON, YES
from byoa_cli.output import FINE, MEND, err, out, print_json
from byoa_cli.printable import styled
from byoa_cli.reaching import seat
from byoa_cli.secrets import KIND_NAMES, Given, confirmed, read_secret, renewed

if TYPE_CHECKING:
    from datetime import datetime

    from byoa.builds.messages import Tried
    from byoa.trust.kinds import Stored
    from byoa.trust.ports import Entry, Kept, Safe
    from byoa_cli.reaching import Seat

NAME = Option("name", metavar="NAME", help="The name that credentials_ref in a component's file has.")
TABLE = Option(
    "--table", metavar="NAME", variable="BYOA_TABLE", needed=False,
    help="Without an API, for kind aws_ecr: the stack's table (output TableName).",
)  # fmt: skip
SOURCE_ROLE = Option(
    "--source-role", metavar="ARN", variable="BYOA_SOURCE_ROLE", needed=False,
    help="Without an API, for kind aws_ecr: the role that builds read sources with (output SourceRoleArn).",
)  # fmt: skip
_REPEATS = {
    "nothing": "stored",
    "another": "stored a new version of",
    "deleted": "brought back, with a new value,",
}


@command(
    NAME,
    Option("--kind", "-k", choices=KIND_NAMES, help="What they are (default: what NAME is)."),
    Option("--host", metavar="HOST[:PORT]", help="The one registry that they are for (default: NAME's)."),
    Option("--username", "-u", metavar="NAME", help="For kind basic."),
    Option("--client-id", metavar="ID", help="For kind azure_acr: the application whose secret is read."),
    Option("--role-arn", metavar="ARN", help="For kind aws_ecr: the vendor's role."),
    Option("--registry-token", action="store_true", help="For kind token: it is sent as it is, and makes no tokens."),
    Option("--token-host", metavar="HOST", help="Another host that may see the login to make tokens of it."),
    Option("--ca-file", metavar="FILE", help="The certificates (PEM) of the authority of the registry's own."),
    *AT_API,
    TABLE,
    SOURCE_ROLE,
    JSON,
    discreet="the secret is no argument: it comes from stdin, as in < FILE, or is asked for",
)
def set_credentials(
    name: str, kind: str | None, host: str | None, username: str | None, client_id: str | None, role_arn: str | None,
    token_host: str | None, ca_file: str | None, api: str | None, profile: str | None, org: str | None,
    table: str | None, source_role: str | None, *, registry_token: bool, as_json: bool,
) -> int:  # fmt: skip
    """Store credentials, or a new version of them. The secret comes from stdin or is asked for, and is no argument.

    What is read is the password (basic), the refresh token (token; azure_acr without --client-id), the application's
    secret (azure_acr), Docker's config file (dockerconfigjson) or the service account's key file (gcp_gar). For aws_ecr
    nothing is read, and what the vendor has to write into its account is printed.

    What NAME is stays without --kind and --host. Options that it was stored with are in the secret, which nobody reads:
    those that are missing are named, and nothing is stored. With --kind and --host all is replaced.

    Examples:
        byoa credentials set ghcr --kind basic --host ghcr.io --username vendor-bot < token.txt

        byoa credentials set ghcr --username vendor-bot < new.txt

        byoa credentials set gar --kind gcp_gar --host europe-west1-docker.pkg.dev < key.json

        byoa credentials set ecr --kind aws_ecr --host 222222222222.dkr.ecr.us-west-2.amazonaws.com --role-arn arn:…
    """
    here = _keeping(api, profile, org)
    entry = None if kind and host else renewed(here.safe(), name)
    if entry:
        kind, host = kind or entry.kind, host or entry.host
        registry_token = registry_token or (kind == "token" and "registry_token" in entry.options)
    given = Given(
        kind or "", host or "", username, client_id, role_arn, token_host, ca_file, registry_token=registry_token
    )
    given.check()
    if entry:
        given.check_kept(entry)
    shown = here.invitation(given.host, table, source_role) if given.kind == "aws_ecr" else None
    stored, text = given.stored(read_secret(given))
    if shown:
        shown.check(stored)
    kept = here.safe().store(name, stored.kind, stored.host, text, stored.options)
    _say_kept(name, stored, kept, shown, as_json=as_json)
    return FINE


def _say_kept(name: str, stored: Stored, kept: Kept, shown: Invitation | None, *, as_json: bool) -> None:
    """What became of it; where the name was for something else before, for what."""
    was = kept.was if kept.was not in (None, ("", ""), (stored.kind, stored.host)) else None
    if as_json:
        document: dict[str, Any] = {
            "name": name, "kind": stored.kind, "host": stored.host, "version": kept.version, "before": kept.before,
            "was": {"kind": was[0], "host": was[1]} if was else None,
        }  # fmt: skip
        print_json(document | (shown.as_dict() if shown else {}))
        return
    before = f"; it was {was[0]} for {was[1]}" if was else ""
    what = f"{_REPEATS[kept.before]} {name}: {stored.kind} for {stored.host}, version {kept.version}{before}"
    out().print(styled(what))
    if shown:
        shown.show()


@command(*AT_API, JSON)
def list_credentials(api: str | None, profile: str | None, org: str | None, *, as_json: bool) -> int:
    """List stored credentials: what they are, for which host, when they were last used. Never what they say.

    Example:
        byoa credentials list --org org_0123456789ab
    """
    found = _keeping(api, profile, org).safe().entries()
    if as_json:
        print_json({"credentials": [describe(entry) for entry in found]})
    else:
        rows = [(each.name, each.kind, each.host, _used(each), each.version) for each in found]
        show(("NAME", "KIND", "HOST", "LAST USED", "VERSION"), rows, "no credentials")
    return FINE


@command(NAME, *AT_API, TABLE, SOURCE_ROLE, JSON)
def get_credentials(
    name: str, api: str | None, profile: str | None, org: str | None, table: str | None, source_role: str | None,
    *, as_json: bool,
) -> int:  # fmt: skip
    """Show one of them: all but what it says. For aws_ecr also what the vendor has to write into its account.

    Example:
        byoa credentials get ghcr --org org_0123456789ab
    """
    here = _keeping(api, profile, org)
    entry = here.safe().entry(name)
    known = entry.kind == "aws_ecr" and (here.seat or (table and source_role))
    shown = here.invitation(entry.host, table, source_role) if known else None
    if as_json:
        print_json(describe(entry) | (shown.as_dict() if shown else {}))
        return FINE
    nothing = {"last_used": "never", "options": "none"}
    for label, value in describe(entry).items():
        text = ", ".join(value) if label == "options" else value
        out().print(styled((f"{label.replace('_', ' '):10}", "dim"), f" {text or nothing.get(label, 'unknown')}"))
    if shown:
        shown.show()
    elif entry.kind == "aws_ecr":
        err().print(styled("with BYOA_TABLE and BYOA_SOURCE_ROLE set, the vendor's trust policy is shown as well"))
    return FINE


@command(NAME, *AT_API, YES, JSON)
def delete_credentials(
    name: str, api: str | None, profile: str | None, org: str | None, *, yes: bool, as_json: bool
) -> int:
    """Delete credentials. Builds that name them fail from now on; for a week `set` brings the name back.

    Example:
        byoa credentials delete ghcr --yes
    """
    safe = _keeping(api, profile, org).safe()
    meant = yes or confirmed(f"delete {name}: {_brief(safe.entry(name))}?")
    gone = safe.delete(name) if meant else None
    if as_json:
        print_json({"name": name, "deleted": meant, "gone": gone.isoformat() if gone else None})
    elif not meant:
        err().print(styled("nothing was deleted"))
    else:
        out().print(styled(f"deleted {name}; gone for good {f'on {_day(gone)}' if gone else 'in a week'}"))
    return FINE if meant else MEND


@command(
    NAME,
    Option("reference", metavar="REF", nargs="?", help="An artifact there (oci://…) to look at with them."),
    Option(
        "--function", metavar="NAME", variable="BYOA_TRY_CREDENTIALS", needed=False,
        help="Without an API: the function that tries them (output TryCredentialsFunctionName).",
    ),
    *AT_API,
    JSON,
)  # fmt: skip
def try_credentials(
    name: str, reference: str | None, function: str | None, api: str | None, profile: str | None, org: str | None,
    *, as_json: bool,
) -> int:  # fmt: skip
    """Try stored credentials from where builds would use them, and tell what a build would meet.

    Without REF the registry is asked for nothing but whether the login is good; with one, what it means right now.

    Examples:
        byoa credentials test ghcr

        byoa credentials test ghcr oci://ghcr.io/vendor/app-manifests:v2.3.1
    """
    tried = _keeping(api, profile, org).tried(name, reference, function)
    if as_json:
        print_json(tried.model_dump(mode="json"))
    else:
        _tell(tried)
    return FINE


credentials = Group(
    "Store and try what builds log in to vendors' registries with.",
    {
        "set": set_credentials,
        "list": list_credentials,
        "get": get_credentials,
        "delete": delete_credentials,
        "test": try_credentials,
    },
)


class _Keeping(NamedTuple):
    """Where credentials are kept, and whose they are, as far as that is known."""

    seat: Seat | None
    organisation: str | None

    def safe(self) -> Safe:
        """The store: at an API where one is, else with AWS credentials."""
        return terminal.remote_safe(self.seat.api()) if self.seat else terminal.safe(self.named())

    def invitation(self, host: str, table: str | None, source_role: str | None) -> Invitation:
        """What the vendor of an ECR writes into its account. An API tells whom to trust; without one, options do.

        Raises ``UsageError`` where nothing says it.
        """
        if self.seat:
            told = self.seat.api().ask("GET", "orgs", "current").fields()
            identity, role = str(told.get("external_id", "")), str(told.get("source_role_arn", ""))
            if not identity or not role:
                from byoa.errors import ApiUnusable

                raise ApiUnusable("The API doesn't tell whom a vendor's role is to trust.")
            return Invitation.of(host, identity, role)
        if not table or not source_role:
            raise UsageError(
                "for aws_ecr, --table (or BYOA_TABLE) and --source-role (or BYOA_SOURCE_ROLE) are wanted: "
                "the stack's outputs have them"
            )
        from byoa.trust.external_id import external_id

        return Invitation.of(host, external_id(table, self.named()), source_role)

    def tried(self, name: str, reference: str | None, function: str | None) -> Tried:
        """What a build would meet, as the API tells it, or the stack's ``function``. Raises what that ends with."""
        if self.seat:
            return terminal.remote_tried(self.seat.api(), name, reference)
        if not function:
            raise UsageError("--function (or BYOA_TRY_CREDENTIALS) is wanted: the stack's outputs have it")
        from byoa.builds.messages import Trial

        trial = Trial(organisation=self.named(), name=name, reference=reference)
        return terminal.try_credentials(function, trial)

    def named(self) -> str:
        """The organisation. Raises ``UsageError`` where nothing names it."""
        if not self.organisation:
            raise UsageError("--org is wanted")
        return self.organisation


def _keeping(api: str | None, profile: str | None, org: str | None) -> _Keeping:
    """Where they are; nobody is asked yet. Raises ``UsageError`` where nothing says it."""
    found = seat(api, profile, org)
    if not found and not org:
        raise UsageError("log in to an API (`byoa login`), or with AWS credentials give --org")
    return _Keeping(found, found.org if found else org)


def describe(entry: Entry) -> dict[str, Any]:
    """What is shown of stored credentials, as JSON data."""
    return {
        "name": entry.name,
        "kind": entry.kind,
        "host": entry.host,
        "options": list(entry.options),
        "version": entry.version,
        "changed": entry.changed.isoformat() if entry.changed else None,
        "last_used": _day(entry.used) if entry.used else None,
    }


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


def _used(entry: Entry) -> str:
    return _day(entry.used) if entry.used else "never"


def _brief(entry: Entry) -> str:
    return f"{entry.kind} for {entry.host}, last used {_used(entry)}"


def _tell(tried: Tried) -> None:
    out().print(styled(("readable", "green"), f" {tried.name}: {tried.kind}, version {tried.version}"))
    if tried.login == "accepted":
        out().print(styled(("accepted", "green"), f" by {tried.host}"))
    else:
        rest = "whether they are good shows nowhere" if tried.digest else "try them with a REF"
        out().print(styled(("not asked", "yellow"), f": {tried.host} lets everybody in; {rest}"))
    if tried.digest:
        out().print(styled(f"{tried.reference} → {tried.digest} ({tried.media_type}, {tried.size} bytes)"))
