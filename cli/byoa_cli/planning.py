"""`byoa sync --plan`: what handing in a folder would change, and what its builds would meet. Nothing is written."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from byoa.bootstrap import terminal
from byoa.builds.records import reusable
from byoa.components.reading import fingerprint
from byoa.errors import ApiRefused
from byoa_cli.actions import annotate, summarise
from byoa_cli.columns import show
from byoa_cli.components import show_faults
from byoa_cli.locking import document, tell
from byoa_cli.locks import compare
from byoa_cli.looking import HEAD, each, look_at, verdict
from byoa_cli.output import MEND, err, print_json
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa_cli.files import ComponentFile
    from byoa_cli.locks import Lock
    from byoa_cli.looking import Looked
    from byoa_cli.reaching import Reached

type Change = Literal["new", "changed", "again", "none"]

_HEAD: Final = ("COMPONENT", "CHANGE", *HEAD)


class Planned(NamedTuple):
    """What becomes of a component: ``again`` is built as it was, because its newest build failed.

    ``version`` is the newest one that there is, ``None`` for what is new; ``pinned`` the digest of its build.
    """

    looked: Looked
    change: Change
    version: int | None = None
    pinned: str | None = None

    @property
    def moved(self) -> bool:
        """Whether its tag means something else by now, which syncing doesn't build."""
        plan = self.looked.plan
        return self.change == "none" and bool(self.pinned and plan and plan.digest != self.pinned)

    @property
    def following(self) -> int | None:
        """The version that there would be, ``None`` for what is new."""
        return self.version if self.change == "none" or self.version is None else self.version + 1

    def as_dict(self) -> dict[str, Any]:
        """It as JSON data."""
        file, error = self.looked.file, self.looked.error
        config = file.checked.config
        artifact = config.oci_artifact if config else None
        return {
            "component": file.checked.name,
            "file": str(file.path),
            "source_type": file.checked.source_type,
            "change": self.change,
            "config_version": self.following,
            "tag": artifact.tag if artifact else None,
            "pinned": self.pinned,
            "moved": self.moved,
            **self.looked.as_dict(),
            "error": error.as_dict() if error else None,
        }


def plan(files: Sequence[ComponentFile], here: Reached, lock: Lock | None, *, prune: bool, as_json: bool) -> int:
    """Tell it, and end with whose turn it is: 0 where all that would be built looks well, and is as it is locked."""
    api, app = here.asked_api(), here.named_app()
    looked = look_at(files, terminal.remote_artifacts(api))
    planned = each(looked, partial(_compare, here=here))
    names = {file.checked.name for file in files}
    orphans = [name for name in here.catalogue.components(here.organisation, app) if name not in names]
    told = [one.told() for one in looked]
    annotate(told)
    summarise("byoa sync --plan", [title.capitalize() for title in _HEAD], [_row(one) for one in planned])
    moved = [] if lock is None else compare(lock, files, _digests(looked))
    code = MEND if moved else verdict([one.error for one in looked if one.error])
    if as_json:
        components = [one.as_dict() for one in planned]
        locked = {} if lock is None else document(moved)
        print_json({"ok": not code, "components": components, "orphans": orphans, "prune": prune, **locked})
        return code
    show(_HEAD, [_row(one) for one in planned], "no components")
    show_faults(told)
    _tell(planned, orphans, prune=prune)
    tell(moved)
    return code


def _digests(looked: Sequence[Looked]) -> dict[str, str]:
    return {one.file.checked.name or "": one.plan.digest for one in looked if one.plan}


def _compare(looked: Looked, here: Reached) -> Planned:
    """The component with what the app has of it."""
    config = looked.file.checked.config
    name = looked.file.checked.name or ""
    place = ("apps", here.named_app(), "components", name, "configs", "latest")
    try:
        newest = here.asked_api().ask("GET", *place).fields()
    except ApiRefused as refusal:
        if refusal.problem == "not_found":
            return Planned(looked, "new")
        raise
    build = here.catalogue.build(here.organisation, str(newest.get("build_id")))
    version, outcome = build.version if build else None, build.outcome if build else None
    pinned = outcome.digest if outcome else None
    if config is None or newest.get("checksum") != fingerprint(config):
        return Planned(looked, "changed", version, pinned)
    return Planned(looked, "none" if build and reusable(build) else "again", version, pinned)


def _row(planned: Planned) -> tuple[str, ...]:
    version = planned.following
    change = {"new": "new", "none": "none"}.get(planned.change, f"version {version}")
    return (planned.looked.file.checked.name or "", change, *planned.looked.cells())


def _tell(planned: Sequence[Planned], orphans: Sequence[str], *, prune: bool) -> None:
    for one in planned:
        if one.moved:
            name = one.looked.file.checked.name
            text = f" the tag of {name} has moved: `byoa builds create {name}` builds it anew, and sync doesn't"
            err().print(styled(("note", "yellow"), text))
    if orphans:
        text = "would be deleted" if prune else "would be left as they are"
        err().print(styled(("note", "yellow"), f" not in this folder, and {text}: {', '.join(orphans)}"))
    count = sum(one.change != "none" for one in planned)
    err().print(styled(f"{count} of {len(planned)} components would be built; nothing was written"))
