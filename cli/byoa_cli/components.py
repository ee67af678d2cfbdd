"""`byoa validate` and `byoa schema`: component files and the rules they follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from byoa_cli.commands import command
from byoa_cli.options import FOLDER, JSON
from byoa_cli.output import FINE, MEND, err, next_step, out, print_json
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from byoa.components.reading import Checked, Fault


@dataclass(frozen=True, slots=True)
class ComponentFile:
    """A file and what it says, or what is wrong with it."""

    path: Path
    checked: Checked
    faults: tuple[Fault, ...]

    def as_dict(self) -> dict[str, Any]:
        """``{"file", "name", "source_type", "errors"}``."""
        return {
            "file": str(self.path),
            "name": self.checked.name,
            "source_type": self.checked.source_type,
            "errors": [fault.as_dict() for fault in self.faults],
        }


def read_components(folder: Path) -> list[ComponentFile]:
    """All component files of an app: ``components/*.toml`` in ``folder``, or ``*.toml`` in it.

    Raises ``ConfigInvalid`` where there is none.
    """
    from byoa.components.reading import check_config
    from byoa.errors import ConfigInvalid

    inner = folder / "components"
    paths = sorted((inner if inner.is_dir() else folder).glob("*.toml"))
    if not paths:
        raise ConfigInvalid("The folder holds no component file.", remedy="Write one, for example components/app.toml.")
    found: list[ComponentFile] = []
    names: dict[str, Path] = {}
    for path in paths:
        checked = check_config(path.read_bytes())
        first = names.setdefault(checked.name, path) if checked.name else path
        twice = () if first == path else (_twice(first),)
        found.append(ComponentFile(path, checked, (*checked.faults, *twice)))
    return found


def _twice(first: Path) -> Fault:
    from byoa.components.reading import Fault

    return Fault(
        code="name_duplicate",
        field="name",
        message=f"the component of {first.name} has the same name",
        remedy="Give each component of an app a name of its own.",
    )


@command(FOLDER, JSON)
def validate(folder: Path, *, as_json: bool) -> int:
    """Check component files; all faults of all files are told at once.

    Examples:
        byoa validate

        byoa validate ./my-app --json
    """
    files = read_components(folder)
    valid = not any(file.faults for file in files)
    if as_json:
        print_json({"valid": valid, "components": [file.as_dict() for file in files]})
    else:
        show_faults(files)
        if valid:
            out().print(f"all configs valid ({len(files)})")
    return FINE if valid else MEND


def show_faults(files: Sequence[ComponentFile]) -> None:
    """One line per fault, with the next step below."""
    for file in files:
        for fault in file.faults:
            field = f" {fault.field}:" if fault.field else ""
            said = f":{field} {fault.message} "
            err().print(styled((str(file.path), "bold red"), said, (f"({fault.code})", "dim")))
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
