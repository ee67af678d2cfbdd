"""`byoa validate` and `byoa schema`: component files and the rules they follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa_cli.commands import command
from byoa_cli.files import read_components
from byoa_cli.options import JSON, PLACE
from byoa_cli.output import FINE, MEND, err, next_step, out, print_json
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from byoa_cli.files import ComponentFile


@command(PLACE, JSON)
def validate(place: Path, *, as_json: bool) -> int:
    """Check component files; all faults of all files are told at once.

    Examples:
        byoa validate

        byoa validate ./my-app --json

        byoa validate components/app.toml
    """
    from byoa_cli.actions import annotate, summarise_files

    found = read_components(place)
    files = found.files
    valid = not any(file.faults for file in files)
    annotate(files)
    summarise_files("byoa validate", files)
    if as_json:
        passed_over = [str(path) for path in found.passed_over]
        print_json({"valid": valid, "components": [file.as_dict() for file in files], "passed_over": passed_over})
    else:
        show_faults(files)
        if found.note:
            err().print(styled(found.note))
        if valid:
            out().print(f"all configs valid ({len(files)})")
    return FINE if valid else MEND


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
