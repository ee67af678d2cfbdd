"""`byoa hooks`: where registries tell that something was pushed."""

from __future__ import annotations

from byoa_cli.columns import cell, show
from byoa_cli.commands import Group, Option, UsageError, command
from byoa_cli.options import AT_API, JSON, YES
from byoa_cli.output import FINE, MEND, err, out, print_json, print_line
from byoa_cli.paging import PAGING, part_of
from byoa_cli.printable import styled
from byoa_cli.reaching import reach_api, seat

KINDS = ("github", "dockerhub", "quay", "harbor", "acr", "gar", "generic", "ecr")
OF_KIND = {"gar": ("service_account", "audience"), "ecr": ("account", "region", "repository")}
WANTED = {"gar": ("service_account",), "ecr": ("account", "region")}
HOOK = Option("hook_id", metavar="ID", help="The hook's id (hok…), never its URL.")


@command(
    Option("name", metavar="NAME", help="What it is for, to know it by."),
    Option("--kind", "-k", required=True, choices=KINDS, help="Which registry calls it; generic is for a CI."),
    Option(
        "--action", choices=("note", "build"), default="note",
        help="What is done about a tag that moved: note it (default), or build the component anew too.",
    ),
    Option("--service-account", metavar="EMAIL", help="With gar: the service account of the push subscription."),
    Option("--audience", metavar="TEXT", help="With gar: whom its tokens are for (default: byoa: and the hook's id)."),
    Option("--account", metavar="ID", help="With ecr: the account of the registry."),
    Option("--region", metavar="REGION", help="With ecr: its region."),
    Option("--repository", metavar="NAME", help="With ecr: one of its repositories (default: all)."),
    *AT_API,
    JSON,
)  # fmt: skip
def add_hook(
    name: str, kind: str, action: str, service_account: str | None, audience: str | None, account: str | None,
    region: str | None, repository: str | None, api: str | None, profile: str | None, org: str | None,
    *, as_json: bool,
) -> int:  # fmt: skip
    """Make a hook. Its URL is printed on stdout, its secret on the next line, this once; nothing can show them again.

    A delivery has the components that name the pushed tag looked at; what is built it doesn't choose. For ecr there is
    no URL: what is done about pushes that AWS itself tells of.

    Examples:
        byoa hooks add ghcr --kind github

        byoa hooks add ci --kind generic --action build --json

        byoa hooks add gar --kind gar --service-account byoa@vendor-project.iam.gserviceaccount.com

        byoa hooks add ecr --kind ecr --account 222222222222 --region us-west-2 --action build
    """
    given = {
        "service_account": service_account, "audience": audience,
        "account": account, "region": region, "repository": repository,
    }  # fmt: skip
    more = _of_kind(kind, {name: value for name, value in given.items() if value is not None})
    found = seat(api, profile, org)
    if not found:
        raise UsageError("nothing says which API: log in with `byoa login`, or give --api and BYOA_TOKEN")
    made = found.api().ask("POST", "hooks", body={"name": name, "kind": kind, "action": action, **more}).fields()
    if made.get("path"):
        made["url"] = found.address.rstrip("/") + cell(made, "path")
    if as_json:
        print_json(made)
        return FINE
    err().print(styled(("made", "green"), f" {cell(made, 'id')} ({kind}, {action})"))
    if made.get("audience"):
        err().print(styled(f"the subscription's tokens have to be for the audience {cell(made, 'audience')}"))
    if not made.get("url"):
        return FINE
    both = "URL and the secret are" if made.get("secret") else "URL is"
    err().print(styled(f"this is the only time that the {both} shown:"))
    print_line(cell(made, "url"))
    if made.get("secret"):
        print_line(cell(made, "secret"))
    return FINE


def _of_kind(kind: str, given: dict[str, str]) -> dict[str, str]:
    """What is said for this kind alone. Raises ``UsageError`` for what is another kind's, or is missing."""
    for name in given.keys() - {*OF_KIND.get(kind, ())}:
        owner = next(each for each, names in OF_KIND.items() if name in names)
        raise UsageError(f"--{name.replace('_', '-')} is for --kind {owner}")
    for name in WANTED.get(kind, ()):
        if name not in given:
            raise UsageError(f"--kind {kind} wants --{name.replace('_', '-')}")
    return given


@command(*AT_API, *PAGING, JSON)
def list_hooks(
    api: str | None, profile: str | None, org: str | None,
    limit: int | None, offset: int | None, page: int | None, *, every: bool, as_json: bool,
) -> int:  # fmt: skip
    """List the organisation's hooks: what calls them, what they do, how deliveries are proved. Never their secrets.

    Example:
        byoa hooks list
    """
    part = part_of(limit, offset, page, every=every)
    found = reach_api(api, profile, org).asked_api().listing("hooks", offset=part.offset, limit=part.limit)
    if as_json:
        print_json({"hooks": found.items, "more": found.more})
        return FINE
    names = ("id", "name", "kind", "action", "proof", "created_at")
    rows = [tuple(cell(each, name) for name in names) for each in found.items]
    show(("ID", "NAME", "KIND", "ACTION", "PROOF", "CREATED AT"), rows, "no hooks")
    part.tell_more(more=found.more)
    return FINE


@command(HOOK, *AT_API, YES, JSON)
def delete_hook(
    hook_id: str, api: str | None, profile: str | None, org: str | None, *, yes: bool, as_json: bool
) -> int:
    """Delete a hook: from now on nothing is taken at its URL.

    Example:
        byoa hooks delete hok… --yes
    """
    from byoa_cli.secrets import confirmed

    if "/" in hook_id:
        raise UsageError("this is a URL, which no argument should be; `byoa hooks list` shows its id")
    asked = reach_api(api, profile, org).asked_api()
    if not yes and not confirmed(f"delete {hook_id}?"):
        err().print(styled("nothing was deleted"))
        return MEND
    asked.ask("DELETE", "hooks", hook_id)
    if as_json:
        print_json({"id": hook_id, "deleted": True})
    else:
        out().print(styled(f"deleted {hook_id}"))
    return FINE


hooks = Group(
    "Make, list and delete hooks, where registries tell that something was pushed.",
    {"add": add_hook, "list": list_hooks, "delete": delete_hook},
)
