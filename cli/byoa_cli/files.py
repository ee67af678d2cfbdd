"""The component files of an app, and what is wrong with each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from byoa_cli.printable import visible

if TYPE_CHECKING:
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
        content = path.read_bytes()
        checked = check_config(content)
        first = names.setdefault(checked.name, path) if checked.name else path
        twice = () if first == path else (_twice(first, content),)
        found.append(ComponentFile(path, checked, (*checked.faults, *twice)))
    return found


def _twice(first: Path, content: bytes) -> Fault:
    from byoa.components.positions import locate
    from byoa.components.reading import Fault

    (place,) = locate(content.decode("utf-8-sig"), [("name",)])
    return Fault(
        code="name_duplicate",
        field="name",
        message=f"the component of {visible(first.name)} has the same name",
        remedy="Give each component of an app a name of its own.",
        location=("name",),
        line=place.line,
        column=place.column,
    )
