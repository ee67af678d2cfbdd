"""`byoa builds`: what was built, how it went, and where it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from byoa.errors import BuildNotFound
from byoa_cli.columns import coloured, show
from byoa_cli.commands import Group, Option, command
from byoa_cli.following import follow, verdict
from byoa_cli.histories import moment, print_history, show_outcome
from byoa_cli.options import ANYWHERE, APP, AT_API, BUILD, COMPONENT, JSON, WAIT, WAIT_AT_MOST
from byoa_cli.output import FINE, Interrupted, out, print_json
from byoa_cli.paging import PAGING, part_of
from byoa_cli.printable import styled
from byoa_cli.reaching import reach, reach_api

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.builds.messages import AttachedTo, Build
    from byoa_cli.reaching import Reached

_ALL: Final = 1_000_000
_LOOK_SECONDS: Final = 2.0
"""Between two looks at a history that grows."""


@command(
    *ANYWHERE, APP, Option("--component", "-c", metavar="NAME", help="Of this component alone."), *PAGING, JSON,
)  # fmt: skip
def list_builds(
    api: str | None, profile: str | None, org: str | None, app: str | None, table: str | None, component: str | None,
    limit: int | None, offset: int | None, page: int | None, *, every: bool, as_json: bool,
) -> int:  # fmt: skip
    """List builds, the newest first.

    Examples:
        byoa builds list --app shop --component web

        byoa builds list --app shop --org org_0123456789ab --table byoa-Table-1ABC
    """
    part = part_of(limit, offset, page, every=every)
    here = reach(api, profile, org, table, app)
    last = part.offset + part.limit if part.limit else _ALL
    every_one = here.catalogue.builds(here.organisation, here.named_app(), component, last + 1)
    found, more = every_one[part.offset : last], len(every_one) > last
    if as_json:
        print_json({"builds": [describe(build, whole=False) for build in found], "more": more})
        return FINE
    rows = [
        (
            build.build_id, build.status, build.component, str(build.version),
            moment(build.history[0].created_at_ts), build.reference or "inline",
        )
        for build in found
    ]  # fmt: skip
    show(("ID", "STATUS", "COMPONENT", "VERSION", "CREATED AT (UTC)", "REFERENCE"), rows, "no builds")
    part.tell_more(more=more)
    return FINE


@command(BUILD, *ANYWHERE, JSON)
def get_build(
    build_id: str, api: str | None, profile: str | None, org: str | None, table: str | None, *, as_json: bool
) -> int:
    """Show one build with its history.

    Example:
        byoa builds get bldabc… --json
    """
    here = reach(api, profile, org, table)
    build = _found(here, build_id)
    attached = here.catalogue.attached(here.organisation, build_id) if build.status == "active" else []
    if as_json:
        print_json({**describe(build), "attachments": [each.model_dump(mode="json") for each in attached]})
    else:
        _show(build)
        _show_attached(attached, build.outcome.digest if build.outcome else None)
    return FINE


@command(COMPONENT, *AT_API, APP, WAIT, WAIT_AT_MOST, JSON)
def create_build(
    component: str, api: str | None, profile: str | None, org: str | None, app: str | None, timeout: float,
    *, wait: bool, as_json: bool,
) -> int:  # fmt: skip
    """Build a component's newest config anew: its tag is resolved again.

    Examples:
        byoa builds create web --app shop

        byoa builds create web --app shop --no-wait --json
    """
    here = reach_api(api, profile, org, app)
    place = ("apps", here.named_app(), "components", component, "builds")
    made = here.asked_api().ask("POST", *place, body={"use_latest": True}).fields()
    build = _found(here, str(made.get("id")))
    if not as_json:
        out().print(styled(f"queued {build.build_id} (config version {build.version})"))
    if wait:
        (build,) = follow([build], here.catalogue, timeout, shown=not as_json)
    if as_json:
        print_json(describe(build))
    return verdict([build]) if wait else FINE


@command(BUILD, *AT_API, JSON)
def cancel_build(build_id: str, api: str | None, profile: str | None, org: str | None, *, as_json: bool) -> int:
    """Stop a build that waits or runs.

    Example:
        byoa builds cancel bldabc…
    """
    here = reach_api(api, profile, org)
    build = _found(here, build_id)
    here.asked_api().ask("POST", "apps", build.app, "components", build.component, "builds", build_id, "cancel")
    if as_json:
        print_json(describe(_found(here, build_id)))
    else:
        out().print(styled(f"cancelled {build_id}"))
    return FINE


@command(
    BUILD,
    Option("--follow", "-f", action="store_true", help="Go on until the build has ended; the exit code is as sync's."),
    *ANYWHERE,
    JSON,
)
def show_logs(
    build_id: str, api: str | None, profile: str | None, org: str | None, table: str | None,
    *, follow: bool, as_json: bool,
) -> int:  # fmt: skip
    """Print a build's history, a line for each thing that happened.

    Examples:
        byoa builds logs bldabc…

        byoa builds logs bldabc… --follow
    """
    here = reach(api, profile, org, table)
    build, shown = _found(here, build_id), 0
    try:
        while True:
            shown = shown if as_json else print_history(build.history, shown)
            if build.ended or not follow:
                break
            time.sleep(_LOOK_SECONDS)
            build = _found(here, build_id)
    except KeyboardInterrupt:
        raise Interrupted("the build goes on") from None
    if as_json:
        print_json(describe(build))
    else:
        show_outcome(build)
    return verdict([build]) if follow else FINE


builds = Group(
    "Read builds and their history, make them anew, stop them.",
    {"list": list_builds, "get": get_build, "create": create_build, "cancel": cancel_build, "logs": show_logs},
)


def describe(build: Build, *, whole: bool = True) -> dict[str, Any]:
    """A build as JSON data, as the API tells it; not ``whole`` is without its history."""
    from byoa.api.documents import build_out

    return build_out(build, whole=whole).model_dump(mode="json")


def _show_attached(attached: Sequence[AttachedTo], root: str | None) -> None:
    """What is attached, each below what it refers to; what refers to a part of the artifact names that."""
    known = {each.digest for each in attached}
    below: dict[str | None, list[AttachedTo]] = {}
    for each in attached:
        below.setdefault(each.subject if each.subject in known else None, []).append(each)

    def show(subject: str | None, indent: str) -> None:
        for each in below.pop(subject, []):
            to = "" if subject or each.subject in (None, root) else f", attached to {each.subject}"
            tag = f" ({each.tag})" if each.tag else ""
            out().print(styled(f"{indent}{each.kind} {each.digest}{tag}{to}"))
            show(each.digest, f"{indent}  ")

    if attached:
        out().print(styled("  attached"))
        show(None, "    ")


def _found(here: Reached, build_id: str) -> Build:
    build = here.catalogue.build(here.organisation, build_id)
    if build is None:
        raise BuildNotFound("The organisation has no build of that id.")
    return build


def _show(build: Build) -> None:
    named = f"  {build.component} v{build.version}  "
    out().print(styled((build.build_id, "bold"), named, coloured(build.status)))
    print_history(build.history, 0, indent="  ")
    show_outcome(build)
