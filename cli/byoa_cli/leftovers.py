"""Components that an app has and the folder that is synced hasn't: told of, or deleted where that is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from byoa_cli.output import err
from byoa_cli.printable import styled
from byoa_cli.secrets import confirmed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.api.asking import Api
    from byoa.builds.ports import Catalogue
    from byoa_cli.files import ComponentFile
    from byoa_cli.printable import Part

_SHOWN: Final = 3
"""Components that are named where they are many; ``--json`` has all."""


@dataclass(frozen=True, slots=True)
class Run:
    """A sync: where its app is, and whether it talks."""

    catalogue: Catalogue
    org: str
    app: str
    talk: bool

    def say(self, *parts: Part) -> None:
        """A line of progress."""
        if self.talk:
            err().print(styled(*parts))


def orphans_of(files: Sequence[ComponentFile], run: Run) -> list[str]:
    """Components that the app has and the folder hasn't, which are never removed unasked."""
    here = {file.checked.name for file in files}
    return [name for name in run.catalogue.components(run.org, run.app) if name not in here]


def tell_left(orphans: Sequence[str], run: Run) -> None:
    """Say that they are left as they are."""
    if orphans:
        run.say(("note", "yellow"), f" {_left(orphans)}")


def _left(names: Sequence[str]) -> str:
    """One line however many they are: what became of the others is what people look for."""
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    if len(names) == 1:
        return f"the app has a component {shown} that is not in this folder; it was left as it is"
    return f"the app has {len(names)} components that are not in this folder: {shown}{more}; they were left as they are"


def prune(orphans: Sequence[str], api: Api, run: Run, *, yes: bool) -> list[str]:
    """Delete them, if that is what is wanted; those that were."""
    if not orphans:
        return []
    if not yes and not confirmed(f"delete {', '.join(orphans)}, which the app has and this folder hasn't?"):
        run.say("nothing was deleted")
        return []
    for name in orphans:
        api.ask("DELETE", "apps", run.app, "components", name, match="*")
        run.say(f"deleted {name}")
    return list(orphans)
