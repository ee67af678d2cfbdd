"""`byoa validate --online`: what builds would find of the artifacts that component files name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from byoa.bootstrap import terminal
from byoa_cli.columns import show
from byoa_cli.looking import HEAD, look_at, verdict
from byoa_cli.reaching import reach_api

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa_cli.files import ComponentFile
    from byoa_cli.looking import Looked


class Online(NamedTuple):
    """All files in their order, with what was met as faults, and what was looked at of them."""

    files: tuple[ComponentFile, ...]
    looked: tuple[Looked, ...]

    @property
    def turn(self) -> int:
        """The exit code for what was met."""
        return verdict([one.error for one in self.looked if one.error])

    def found(self, file: ComponentFile) -> dict[str, Any]:
        """``{"found": …}``: what a build would find, ``None`` for a faulty file, which wasn't looked at."""
        return {"found": next((one.as_dict() for one in self.looked if one.file.path == file.path), None)}

    def tell(self) -> None:
        """Print what was found."""
        if self.looked:
            rows = [(one.file.checked.name or "", *one.cells()) for one in self.looked]
            show(("COMPONENT", *HEAD), rows, "no components")


def look(files: Sequence[ComponentFile], api: str | None, profile: str | None, org: str | None) -> Online:
    """Look at the artifacts of sound files; a faulty one's isn't. Raises what concerns the API."""
    here = reach_api(api, profile, org)
    sound = [file for file in files if not file.faults]
    looked = look_at(sound, terminal.remote_artifacts(here.asked_api()))
    told = {one.file.path: one.told() for one in looked}
    return Online(tuple(told.get(file.path, file) for file in files), tuple(looked))
