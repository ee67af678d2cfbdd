"""What GitHub Actions is told beside the output: annotations at faulty lines, and tables in the step's summary.

Annotations go to stderr, where the runner reads them as well as on stdout, so that ``--json`` stays one document.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from byoa_cli.output import err
from byoa_cli.printable import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.components.faults import Fault
    from byoa_cli.files import ComponentFile

ROW_LIMIT: Final = 500
"""Rows of a table: GitHub drops a summary of more than 1 MiB."""

_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])", re.ASCII)


def annotate(files: Sequence[ComponentFile]) -> None:
    """Print an annotation for each fault where GitHub Actions runs the command; elsewhere nothing."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    for file in files:
        for fault in file.faults:
            sys.stderr.write(f"{annotation(file.path, fault)}\n")


def annotation(path: Path, fault: Fault) -> str:
    """A fault as a workflow command; the file is named from the workspace, or from here where there is none."""
    place = os.path.relpath(path, os.environ.get("GITHUB_WORKSPACE") or None)
    properties = {"file": place, "line": str(fault.line), "col": str(fault.column), "title": fault.code}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    field = f"{fault.field}: " if fault.field else ""
    return f"::error {told}::{_data(f'{field}{fault.message}\nnext: {fault.remedy}')}"


def _data(text: str) -> str:
    """``text`` as the runner takes it back; a control character that it has no spelling for is shown as its escape."""
    return visible(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def summarise_files(title: str, files: Sequence[ComponentFile]) -> None:
    """What was found in component files, for the step's summary."""
    rows = [_file_row(file) for file in files]
    faults = [
        (f"{file.path}:{fault.line}:{fault.column}", fault.code, fault.message, fault.remedy)
        for file in files
        for fault in file.faults
    ]
    summarise(title, ("Component", "File", "Source", "Result"), rows)
    if faults:
        summarise("", ("Where", "Code", "What", "Next"), faults)


def _file_row(file: ComponentFile) -> tuple[str, ...]:
    count = len(file.faults)
    result = f"{count} fault{'s' * (count > 1)}" if count else "valid"
    return (file.checked.name or "", str(file.path), file.checked.source_type or "", result)


def summarise_builds(title: str, rows: Sequence[Sequence[str]]) -> None:
    """What was handed in and how it went, for the step's summary: rows of five cells."""
    summarise(title, ("Component", "Version", "Status", "Pinned", "What happened"), rows)


def summarise(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Add a table to the file that ``GITHUB_STEP_SUMMARY`` names; one that can't be written is told of."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if not place:
        return
    lines = [f"### {title}", ""] if title else []
    lines += [_row(head), "|" + " --- |" * len(head), *(_row(row) for row in rows[:ROW_LIMIT])]
    if len(rows) > ROW_LIMIT:
        lines += ["", f"and {len(rows) - ROW_LIMIT} more"]
    try:
        with Path(place).open("a", encoding="utf-8") as file:
            file.write("\n".join([*lines, "", ""]))
    except OSError as error:
        err().print(f"note: the step's summary can't be written: {error.strerror}")


def _row(cells: Sequence[str]) -> str:
    return "".join(f"| {markdown(cell)} " for cell in cells) + "|"


def markdown(text: str) -> str:
    """``text`` as Markdown that shows it as it is, on one line."""
    return _PUNCTUATION.sub(r"\\\1", visible(text))
