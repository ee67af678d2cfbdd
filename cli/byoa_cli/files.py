"""The component files of an app, and what is wrong with each."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from byoa_cli.printable import visible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from byoa.components.reading import Checked, Fault

# In a folder that isn't components/, other tools' files end in .toml as well: pyproject, samconfig, an app's own.
_COMPONENT: Final = re.compile(
    rb"""^#:schema \S*type=|^[ \t]*(?:type[ \t]*=[ \t]*["'][a-z_]+["']|manifest[ \t]*=|oci_artifact[ \t.]*[=.u]"""
    rb"""|namespace[ \t]*=|\[(?:oci_artifact|kustomize)\])""",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class ComponentFile:
    """A file and what it says, or what is wrong with it."""

    path: Path
    checked: Checked
    faults: tuple[Fault, ...]
    content: bytes = b""

    @property
    def text(self) -> str | None:
        """What is in it, as it is, where that says all: of a file that names another the platform has the content."""
        from byoa.components.reading import check_config

        said = self.checked.config
        return self.content.decode("utf-8-sig") if said and check_config(self.content).config == said else None

    def with_faults(self, faults: Iterable[Fault]) -> ComponentFile:
        """It with further faults, each at the line of its field."""
        placed = (_placed(fault, self.content) for fault in faults)
        return replace(self, faults=(*self.faults, *placed))

    def as_dict(self) -> dict[str, Any]:
        """``{"file", "name", "source_type", "errors"}``."""
        return {
            "file": str(self.path),
            "name": self.checked.name,
            "source_type": self.checked.source_type,
            "errors": [fault.as_dict() for fault in self.faults],
        }


@dataclass(frozen=True, slots=True)
class Components:
    """An app's component files: ours, and those of Nuon's other types, which are passed over."""

    files: tuple[ComponentFile, ...]
    passed_over: tuple[Path, ...]
    top: Path
    """The app's folder."""

    @property
    def note(self) -> str | None:
        """What was passed over, in a line."""
        count = len(self.passed_over)
        if not count:
            return None
        return f"{count} component{'s' * (count > 1)} of other types {'are' if count > 1 else 'is'} Nuon's: passed over"


def read_components(place: Path) -> Components:
    """All component files of an app: ``components/*.toml`` in a folder, what looks like them in it, or one file.

    Names that begin with a dot and folders are passed over; what can't be read is a fault of its file. Raises
    ``ConfigInvalid`` where there is none.
    """
    top, paths = _find(place)
    found: list[ComponentFile] = []
    passed_over: list[Path] = []
    names: dict[str, Path] = {}
    for path in paths:
        content = _read(path)
        file = _check(path, top, content)
        if [fault.code for fault in file.faults] == ["type_unsupported"]:
            passed_over.append(path)
            continue
        first = names.setdefault(file.checked.name, path) if file.checked.name else path
        twice = () if first == path or isinstance(content, str) else (_twice(first, content),)
        found.append(replace(file, faults=(*file.faults, *twice)))
    return Components(tuple(found), tuple(passed_over), top)


def _find(place: Path) -> tuple[Path, list[Path]]:
    """The app's folder, and the files to read."""
    from byoa.errors import ConfigInvalid

    if not place.is_dir():
        folder = place.absolute().parent
        return (folder.parent if folder.name == "components" else folder), [place]
    inner = place / "components"
    try:
        if inner.is_dir():
            paths, top = _listed(inner), place
        elif place.resolve().name == "components":
            paths, top = _listed(place), place.resolve().parent
        else:
            paths, top = [path for path in _listed(place) if _looks_like_one(path)], place
    except OSError as error:
        raise ConfigInvalid(f"The folder can't be read: {error.strerror}.", remedy="Name the app's folder.") from None
    if not paths:
        cause = "The folder components/ holds no component file." if inner.is_dir() else "There is no components/ here."
        raise ConfigInvalid(cause, remedy="Name the app's folder, or write one there, for example components/app.toml.")
    return top, paths


def _listed(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.name.endswith(".toml") and not path.name.startswith(".") and not path.is_dir()
    )


def _looks_like_one(path: Path) -> bool:
    content = _read(path)
    return isinstance(content, bytes) and _COMPONENT.search(content) is not None


def _read(path: Path) -> bytes | str:
    """What is in a file, one byte beyond what a component may have at most; or why it can't be read."""
    from byoa.components.reading import TEXT_LIMIT

    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(number, "rb") as file:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                return "it is no file but a pipe or a device"
            return file.read(TEXT_LIMIT + 1)
    except OSError as error:
        return error.strerror or "the system gives no reason"


def _check(path: Path, top: Path, content: bytes | str) -> ComponentFile:
    from byoa.components.reading import Checked, Fault, check_config

    if isinstance(content, str):
        message, remedy = f"the file can't be read: {content}", "Make it readable, or remove it."
        fault = Fault("file_unreadable", "", message, remedy)
        return ComponentFile(path, Checked(None, (fault,)), (fault,))
    from byoa_cli.manifests import ManifestFiles, check_manifest

    checked = check_config(content, ManifestFiles(top, path.parent).read)
    unsound = check_manifest(checked)
    faults = (*checked.faults, _placed(unsound, content)) if unsound else checked.faults
    return ComponentFile(path, checked, faults, content)


def _placed(fault: Fault, content: bytes) -> Fault:
    """The fault with the line and the column of its field."""
    from byoa.components.positions import locate

    (place,) = locate(content.decode("utf-8-sig"), [fault.location])
    return replace(fault, line=place.line, column=place.column)


def _twice(first: Path, content: bytes) -> Fault:
    from byoa.components.reading import Fault

    fault = Fault(
        code="name_duplicate",
        field="name",
        message=f"the component of {visible(first.name)} has the same name",
        remedy="Give each component of an app a name of its own.",
        location=("name",),
    )
    return _placed(fault, content)
