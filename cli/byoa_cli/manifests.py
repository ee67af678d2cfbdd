"""The files that components name as their manifests: read from the app's folder and from nowhere else."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from byoa.components.faults import Fault
from byoa.components.reading import TEXT_LIMIT

if TYPE_CHECKING:
    from byoa.components.reading import Checked


class ManifestFiles:
    """Reads for one component file, which lies in the folder ``here`` of the app in the folder ``top``."""

    def __init__(self, top: Path, here: Path) -> None:
        self._top = top
        self._here = here

    def read(self, named: str) -> str | Fault:
        """The text of the file ``named`` from where the component's file is, or from the app's folder."""
        try:
            found = self._find(named)
            return found if isinstance(found, Fault) else _text(found)
        except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
            return _fault(f"can't be read: {getattr(error, 'strerror', None) or 'no file can have that name'}")

    def _find(self, named: str) -> Path | Fault:
        top = self._top.resolve()
        paths = [(folder / named).resolve() for folder in (self._here, self._top)]
        inside = [path for path in paths if path.is_relative_to(top)]
        if not inside or Path(named).is_absolute():
            return _fault("is outside of the app's folder", "Move it into the folder, and name it from there.")
        return next((path for path in inside if path.exists()), inside[0])


def _text(path: Path) -> str | Fault:
    """What is in a file, opened so that neither a pipe nor a folder can hold the command up."""
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return _fault("is no file but a folder or a device", "Name one file of YAML.")
        content = file.read(TEXT_LIMIT + 1)
    if len(content) > TEXT_LIMIT:
        return _fault("is larger than 256 KiB", "Push the manifests as an artifact.")
    try:
        return content.decode("utf-8-sig") or _fault("is empty", "Write the manifests into it.")
    except UnicodeDecodeError:
        return _fault("is not UTF-8 text", "Save the file as UTF-8.")


def check_manifest(checked: Checked) -> Fault | None:
    """What a build would refuse in a component's own manifests; None for sound ones and for other sources."""
    from byoa.content.documents import read_resources
    from byoa.errors import ByoaError

    config = checked.config
    if config is None or config.manifest is None:
        return None
    try:
        found = read_resources(config.manifest.encode())
    except ByoaError as error:
        return Fault("manifest_invalid", "manifest", f"the manifests: {error.cause}", error.remedy, ("manifest",))
    if not found:
        return replace(
            _fault("holds no Kubernetes object", "Write one, or remove the component."), location=("manifest",)
        )
    return None


def _fault(fault: str, remedy: str = "Name a file of the app's folder, or write the manifests themselves.") -> Fault:
    return Fault("manifest_unreadable", "manifest", f"the file that manifest names {fault}", remedy)
