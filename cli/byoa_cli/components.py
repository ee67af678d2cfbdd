"""`byoa validate` and `byoa schema`: component files and the rules they follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa_cli.commands import Option, command
from byoa_cli.files import read_components
from byoa_cli.options import AT_API, JSON, PLACE
from byoa_cli.output import FINE, MEND, err, next_step, out, print_json
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from byoa_cli.files import ComponentFile, Components
    from byoa_cli.online import Online


@command(
    PLACE,
    Option("--online", action="store_true", help="Have the platform look at the artifacts that they name as well."),
    *AT_API,
    JSON,
)
def validate(
    place: Path, api: str | None, profile: str | None, org: str | None, *, online: bool, as_json: bool
) -> int:  # fmt: skip
    """Check component files; all faults of all files are told at once.

    With --online the platform looks at the artifacts of sound files as builds would, with the stored credentials that
    they name, through the API that is named or logged in to.

    Examples:
        byoa validate

        byoa validate ./my-app --json

        byoa validate --online

        byoa validate components/app.toml
    """
    from byoa_cli.actions import annotate, summarise_files

    found = read_components(place)
    looked = _look(found, api, profile, org) if online else None
    files = looked.files if looked else found.files
    valid = not any(file.faults for file in files)
    annotate(files)
    summarise_files("byoa validate", files)
    if as_json:
        passed_over = [str(path) for path in found.passed_over]
        components = [file.as_dict() | (looked.found(file) if looked else {}) for file in files]
        print_json({"valid": valid, "components": components, "passed_over": passed_over})
    else:
        if looked:
            looked.tell()
        show_faults(files)
        if found.note:
            err().print(styled(found.note))
        if valid:
            out().print(f"all configs valid ({len(files)})")
    faulty = any(file.faults for file in found.files)
    return MEND if faulty else looked.turn if looked else FINE


def _look(found: Components, api: str | None, profile: str | None, org: str | None) -> Online:
    from byoa_cli.online import look

    return look(found.files, api, profile, org)


def show_faults(files: Sequence[ComponentFile]) -> None:
    """One line per fault, with the next step below."""
    for file in files:
        for fault in file.faults:
            field = f" {fault.field}:" if fault.field else ""
            place = (f"{file.path}:{fault.line}:{fault.column}", "bold red")
            err().print(styled(place, f":{field} {fault.message} ", (f"({fault.code})", "dim")))
            err().print(next_step(fault.remedy))


@command()
def schema() -> int:
    """Print the JSON Schema of component files, for editors.

    Example:
        byoa schema > kubernetes-manifest.schema.json
    """
    from byoa.components.reading import render_schema

    print_json(render_schema())
    return FINE
