"""`byoa sync`: hand in the configs of a folder and follow their builds."""

from __future__ import annotations

import time
from argparse import BooleanOptionalAction
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from byoa import errors
from byoa.bootstrap import terminal
from byoa.errors import Corrupt, Rejected, Timeout
from byoa_cli.commands import Option, command
from byoa_cli.components import ComponentFile, read_components, show_faults
from byoa_cli.options import APP, FOLDER, JSON, ORGANISATION, TABLE, minutes
from byoa_cli.output import FAULT, FINE, MEND, err, next_step, print_json
from byoa_cli.printable import styled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.text import Text

    from byoa.builds.messages import Build
    from byoa.builds.ports import Accepted, Catalogue
    from byoa_cli.printable import Part

_POLL_SECONDS = (0.25, 5.0)
"""From the first look to the last; each wait is a half longer than the one before."""


@dataclass(frozen=True, slots=True)
class _Run:
    catalogue: Catalogue
    org: str
    app: str
    talk: bool

    def say(self, *parts: Part) -> None:
        if self.talk:
            err().print(styled(*parts))


@command(
    FOLDER,
    ORGANISATION,
    APP,
    TABLE,
    Option("--wait", action=BooleanOptionalAction, default=True, help="Follow the builds to their end (default)."),
    Option("--timeout", metavar="MINUTES", type=minutes, default=20.0, help="How long to wait (default: 20)."),
    JSON,
)
def sync(*, folder: Path, org: str, app: str, table: str, wait: bool, timeout: float, as_json: bool) -> int:
    """Hand in the app's component files; each one that changed is built.

    Examples:
        byoa sync ./my-app --org org_0123456789ab --app shop --table byoa-Table-1ABC

        byoa sync --no-wait --json
    """
    run = _Run(terminal.catalogue(table), org, app, talk=not as_json)
    run.say(f"syncing directory from {folder}")
    run.say("validating configs")
    files = read_components(folder)
    if any(file.faults for file in files):
        return _refuse(files, as_json=as_json)
    run.say("all configs valid")
    accepted = [_submit(file, run) for file in files]
    orphans = _orphans(files, run)
    builds = [each.build for each in accepted]
    if wait:
        builds = _follow(builds, run, timeout * 60)
    if as_json:
        components = [_describe(each, build) for each, build in zip(accepted, builds, strict=True)]
        ok = all(build.status == "active" for build in builds) if wait else True
        print_json({"ok": ok, "components": components, "orphans": orphans})
    return _verdict(builds, run) if wait else FINE


def _refuse(files: Sequence[ComponentFile], *, as_json: bool) -> int:
    if as_json:
        print_json({"ok": False, "components": [file.as_dict() for file in files], "orphans": []})
    else:
        show_faults(files)
    return MEND


def _submit(file: ComponentFile, run: _Run) -> Accepted:
    config = file.checked.config
    if config is None:
        raise errors.InternalFault("A config without faults is missing.")
    accepted = run.catalogue.submit(run.org, run.app, config)
    what = "successfully synced" if accepted.created else "unchanged:"
    run.say(f"{what} {config.name} (config version {accepted.build.version})")
    return accepted


def _orphans(files: Sequence[ComponentFile], run: _Run) -> list[str]:
    """Components that the app has and the folder hasn't: told of, never removed."""
    here = {file.checked.name for file in files}
    orphans = [name for name in run.catalogue.components(run.org, run.app) if name not in here]
    for name in orphans:
        run.say(("note", "yellow"), f" component {name} is not in this folder any more; it was left as it is")
    return orphans


def _follow(builds: Sequence[Build], run: _Run, seconds: float) -> list[Build]:
    """Look again until all builds have ended. Raises ``Timeout``; the builds go on all the same."""
    current = {build.build_id: build for build in builds}
    deadline, pause = time.monotonic() + seconds, _POLL_SECONDS[0]
    with _Spinners(current.values(), shown=run.talk) as spinners:
        while waiting := [build for build in current.values() if not build.ended]:
            if time.monotonic() > deadline:
                raise Timeout(
                    "Not all builds ended in time; they go on.", remedy="Follow them with `byoa builds list`."
                )
            time.sleep(pause)
            pause = min(pause * 1.5, _POLL_SECONDS[1])
            for build in waiting:
                found = run.catalogue.build(run.org, build.build_id) or build
                current[build.build_id] = found
                spinners.update(found)
    return list(current.values())


class _Spinners:
    """A spinner for each running build on a terminal; elsewhere a line for each that begins and ends."""

    def __init__(self, builds: Any, *, shown: bool) -> None:  # noqa: ANN401 - a view of builds
        self._builds = list(builds)
        self._shown = shown
        self._status: Any = None
        self._running: dict[str, str] = {}

    def __enter__(self) -> Self:
        for build in self._builds:
            if build.ended:
                self._end(build)
            else:
                self._running[build.build_id] = f"building component {build.build_id} {build.component}"
        if self._shown and err().is_terminal:
            self._status = err().status(self._text())
            self._status.start()
        elif self._shown:
            for line in self._running.values():
                err().print(styled(line))
        return self

    def update(self, build: Build) -> None:
        """Take note of how far a build is."""
        if build.ended:
            self._running.pop(build.build_id, None)
            self._end(build)
        else:
            line = f"building component {build.build_id} {build.component}: {build.status_human_description}"
            self._running[build.build_id] = line
        if self._status:
            self._status.update(self._text())

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def _text(self) -> Text:
        from rich.text import Text

        return Text("\n").join(styled(line) for line in self._running.values())

    def _end(self, build: Build) -> None:
        if not self._shown:
            return
        outcome = build.outcome
        if build.status == "active" and outcome:
            err().print(styled(("finished building component", "green"), f" {build.component}"))
            err().print(styled(f"  pinned {outcome.tag or 'inline'} → {outcome.digest}"))
        elif outcome and outcome.failure and build.status == "error":
            err().print(styled(("error building component", "red"), f" {build.component}: {outcome.failure.code}"))
            err().print(styled(f"  {outcome.failure.cause}"))
            err().print(next_step(outcome.failure.remedy))
        else:
            err().print(styled((build.status, "yellow"), f" {build.component}: {build.status_human_description}"))


def _verdict(builds: Sequence[Build], run: _Run) -> int:
    failed = [build for build in builds if build.status != "active"]
    if not failed:
        return FINE
    run.say("at least one build failed")
    return MEND if any(_users_turn(build) for build in failed) else FAULT


def _users_turn(build: Build) -> bool:
    failure = build.outcome.failure if build.outcome else None
    leaf = getattr(errors, failure.code, Rejected) if failure else Rejected
    return issubclass(leaf, Rejected | Corrupt)


def _describe(accepted: Accepted, build: Build) -> dict[str, Any]:
    outcome = build.outcome
    inspection = outcome.inspection if outcome else None
    return {
        "component": build.component,
        "config_version": build.version,
        "created": accepted.created,
        "build_id": build.build_id,
        "status": build.status,
        "tag": outcome.tag if outcome else None,
        "digest": outcome.digest if outcome else None,
        "mirrors": [mirror.model_dump(mode="json") for mirror in outcome.mirrors] if outcome else [],
        "resources": inspection.resources if inspection else None,
        "encrypted": inspection.encrypted if inspection else None,
        "seconds": round((build.history[-1].created_at_ts - build.history[0].created_at_ts) / 1000, 3),
        "error": outcome.failure.model_dump(mode="json") if outcome and outcome.failure else None,
    }
