"""`byoa sync`: hand in the configs of a folder and follow their builds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from byoa.errors import InternalFault
from byoa_cli.actions import annotate, summarise_builds, summarise_files
from byoa_cli.commands import Option, command
from byoa_cli.components import show_faults
from byoa_cli.files import read_components
from byoa_cli.following import follow, verdict
from byoa_cli.options import ANYWHERE, APP, FOLDER, JSON, WAIT, WAIT_AT_MOST, YES
from byoa_cli.output import FINE, MEND, err, print_json
from byoa_cli.printable import styled
from byoa_cli.reaching import reach
from byoa_cli.secrets import check_can_ask, confirmed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from byoa.api.asking import Api
    from byoa.builds.messages import Build
    from byoa.builds.ports import Accepted, Catalogue
    from byoa_cli.files import ComponentFile
    from byoa_cli.printable import Part


_SHOWN: Final = 3
"""Components that are named where they are many; ``--json`` has all."""


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
    *ANYWHERE,
    APP,
    WAIT,
    WAIT_AT_MOST,
    Option("--prune", action="store_true", help="Delete the app's components that are not in the folder; asks."),
    YES,
    JSON,
)
def sync(
    *, folder: Path, api: str | None, profile: str | None, org: str | None, app: str | None, table: str | None,
    wait: bool, timeout: float, prune: bool, yes: bool, as_json: bool,
) -> int:  # fmt: skip
    """Hand in the app's component files; each one that changed is built.

    It goes through an API where one is named or logged in to, else with AWS credentials to a stack's table.

    Examples:
        byoa sync ./my-app --app shop

        byoa sync --no-wait --json

        byoa sync ./my-app --app shop --org org_0123456789ab --table byoa-Table-1ABC
    """
    here = reach(api, profile, org, table, app)
    run = _Run(here.catalogue, here.organisation, here.named_app(), talk=not as_json)
    if prune:
        here.asked_api()
        check_can_ask(yes=yes)
    run.say(f"syncing directory from {folder}")
    run.say("validating configs")
    found = read_components(folder)
    files = found.files
    if any(file.faults for file in files):
        return _refuse(files, as_json=as_json)
    if found.note:
        run.say(found.note)
    run.say("all configs valid")
    accepted = [_submit(file, run) for file in files]
    orphans = _orphans(files, run, prune=prune)
    pruned = _prune(orphans, here.asked_api(), run, yes=yes) if prune else []
    builds = [each.build for each in accepted]
    if wait:
        builds = follow(builds, run.catalogue, timeout, shown=run.talk)
    summarise_builds("byoa sync", [_row(each, build) for each, build in zip(accepted, builds, strict=True)])
    if as_json:
        components = [_describe(each, build) for each, build in zip(accepted, builds, strict=True)]
        ok = all(build.status == "active" for build in builds) if wait else True
        left = [name for name in orphans if name not in pruned]
        print_json({"ok": ok, "components": components, "orphans": left, "pruned": pruned})
    return _verdict(builds, run) if wait else FINE


def _refuse(files: Sequence[ComponentFile], *, as_json: bool) -> int:
    annotate(files)
    summarise_files("byoa sync", files)
    if as_json:
        print_json({"ok": False, "components": [file.as_dict() for file in files], "orphans": [], "pruned": []})
    else:
        show_faults(files)
    return MEND


def _submit(file: ComponentFile, run: _Run) -> Accepted:
    config = file.checked.config
    if config is None:
        raise InternalFault("A config without faults is missing.")
    accepted = run.catalogue.submit(run.org, run.app, config)
    what = "successfully synced" if accepted.created else "unchanged:"
    run.say(f"{what} {config.name} (config version {accepted.build.version})")
    return accepted


def _orphans(files: Sequence[ComponentFile], run: _Run, *, prune: bool) -> list[str]:
    """Components that the app has and the folder hasn't: told of, and never removed unasked."""
    here = {file.checked.name for file in files}
    orphans = [name for name in run.catalogue.components(run.org, run.app) if name not in here]
    if orphans and not prune:
        run.say(("note", "yellow"), f" {_left(orphans)}")
    return orphans


def _left(names: Sequence[str]) -> str:
    """One line however many they are: what became of the others is what people look for."""
    shown = ", ".join(names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    if len(names) == 1:
        return f"the app has a component {shown} that is not in this folder; it was left as it is"
    return f"the app has {len(names)} components that are not in this folder: {shown}{more}; they were left as they are"


def _prune(orphans: Sequence[str], api: Api, run: _Run, *, yes: bool) -> list[str]:
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


def _verdict(builds: Sequence[Build], run: _Run) -> int:
    code = verdict(builds)
    if code:
        run.say("at least one build failed")
    return code


def _row(accepted: Accepted, build: Build) -> tuple[str, ...]:
    outcome = build.outcome
    pinned = f"{outcome.tag or 'inline'} → {outcome.digest}" if outcome and outcome.digest else ""
    happened = build.status_human_description if accepted.created else "unchanged"
    if outcome and outcome.failure:
        happened = f"{outcome.failure.code}: {outcome.failure.cause} {outcome.failure.remedy}"
    return (build.component, str(build.version), build.status, pinned, happened)


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
