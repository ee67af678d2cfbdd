"""`byoa builds`: what was built, how it went, and where it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from byoa.bootstrap import terminal
from byoa.errors import BuildNotFound
from byoa_cli.commands import Group, Option, command
from byoa_cli.options import APP, BUILD, JSON, ORGANISATION, TABLE, whole
from byoa_cli.output import FINE, err, next_step, out, print_json
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.text import Text

    from byoa.builds.messages import Build
    from byoa_cli.printable import Part

_COLOURS = {"active": "green", "error": "red", "superseded": "yellow"}


@command(
    ORGANISATION,
    APP,
    TABLE,
    Option("--component", "-c", metavar="NAME", help="Of this component alone."),
    Option("--limit", "-l", type=whole(1, 1000), default=20, help="At most so many (default: 20)."),
    JSON,
)
def list_builds(org: str, app: str, table: str, component: str | None, limit: int, *, as_json: bool) -> int:
    """List builds, the newest first.

    Example:
        byoa builds list --org org_0123456789ab --app shop --component web
    """
    found = terminal.catalogue(table).builds(org, app, component, limit)
    if as_json:
        print_json({"builds": [describe(build) for build in found]})
        return FINE
    if not found:
        err().print(styled("no builds"))
        return FINE
    for line in _lines(found):
        out().print(line)
    return FINE


def _lines(found: Sequence[Build]) -> Iterator[Text]:
    """A head, and a line for each build: none is cut or broken, so that all of it can be copied."""
    rows = [(*_cells(build), build.reference or "inline") for build in found]
    head = ("ID", "STATUS", "COMPONENT", "VERSION", "CREATED AT (UTC)", "REFERENCE")
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        status = (cells[1], _COLOURS.get(row[1], "blue") if row is not head else "")
        yield styled(f"{cells[0]}  ", status, f"  {'  '.join(cells[2:])}".rstrip())


def _cells(build: Build) -> tuple[str, str, str, str, str]:
    created = _moment(build.history[0].created_at_ts)
    return build.build_id, build.status, build.component, str(build.version), created


@command(BUILD, ORGANISATION, TABLE, JSON)
def get_build(build_id: str, org: str, table: str, *, as_json: bool) -> int:
    """Show one build with its history.

    Example:
        byoa builds get bldabc… --org org_0123456789ab --json
    """
    build = terminal.catalogue(table).build(org, build_id)
    if build is None:
        raise BuildNotFound("The organisation has no build of that id.")
    if as_json:
        print_json(describe(build))
    else:
        _show(build)
    return FINE


builds = Group("Read builds and their history.", {"list": list_builds, "get": get_build})


def describe(build: Build) -> dict[str, Any]:
    """A build as JSON data: its id, what it is of, its composite status with history, and its outcome."""
    return {"id": build.build_id, **build.model_dump(mode="json", exclude={"build_id"})}


def _show(build: Build) -> None:
    named = f"  {build.component} v{build.version}  "
    out().print(styled((build.build_id, "bold"), named, _coloured(build.status)))
    for entry in build.history:
        text = f"  {entry.status_human_description}"
        out().print(styled("  ", (_moment(entry.created_at_ts), "dim"), "  ", _coloured(entry.status), text))
    outcome = build.outcome
    if outcome and outcome.failure:
        out().print(styled((outcome.failure.code, "bold red"), f": {outcome.failure.cause}"))
        out().print(next_step(outcome.failure.remedy))
    for mirror in outcome.mirrors if outcome else []:
        out().print(styled(f"mirror {mirror.target}: {mirror.reference}"))


def _coloured(status: str) -> Part:
    return status, _COLOURS.get(status, "blue")


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
