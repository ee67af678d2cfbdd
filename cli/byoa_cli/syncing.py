"""`byoa sync`: hand in the configs of a folder and follow their builds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byoa.errors import InternalFault, LockMismatch
from byoa_cli.actions import annotate, summarise_builds, summarise_files
from byoa_cli.commands import Option, UsageError, command
from byoa_cli.components import show_faults
from byoa_cli.files import read_components
from byoa_cli.following import follow, verdict
from byoa_cli.leftovers import Run, orphans_of, tell_left
from byoa_cli.leftovers import prune as delete
from byoa_cli.options import ANYWHERE, APP, FOLDER, JSON, WAIT, WAIT_AT_MOST, YES
from byoa_cli.output import FINE, MEND, print_json, print_note
from byoa_cli.reaching import reach
from byoa_cli.secrets import check_can_ask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from byoa.builds.messages import Build
    from byoa.builds.ports import Accepted
    from byoa_cli.files import ComponentFile, Components
    from byoa_cli.locks import Lock, Moved
    from byoa_cli.reaching import Reached


@command(
    FOLDER,
    *ANYWHERE,
    APP,
    WAIT,
    WAIT_AT_MOST,
    Option("--prune", action="store_true", help="Delete the app's components that are not in the folder; asks."),
    YES,
    Option("--plan", action="store_true", help="Tell what would change and what builds would meet; write nothing."),
    Option("--locked", action="store_true", help="Fail where something isn't as byoa.lock says; leave it as it is."),
    JSON,
)
def sync(
    *, folder: Path, api: str | None, profile: str | None, org: str | None, app: str | None, table: str | None,
    wait: bool, timeout: float, prune: bool, yes: bool, plan: bool, locked: bool, as_json: bool,
) -> int:  # fmt: skip
    """Hand in the app's component files; each one that changed is built.

    It goes through an API where one is named or logged in to, else with AWS credentials to a stack's table. What the
    builds pinned it writes into byoa.lock in the app's folder, unless it doesn't wait for them.

    Examples:
        byoa sync ./my-app --app shop

        byoa sync ./my-app --plan

        byoa sync ./my-app --locked --json

        byoa sync ./my-app --app shop --org org_0123456789ab --table byoa-Table-1ABC
    """
    here = reach(api, profile, org, table, app)
    run = Run(here.catalogue, here.organisation, here.named_app(), talk=not as_json)
    if plan or prune or locked:
        here.asked_api()
    if locked and not (wait or plan):
        raise UsageError("--locked follows the builds, to see what they pin: it goes without --no-wait")
    if prune and not plan:
        check_can_ask(yes=yes)
    found = _read(folder, run)
    if any(file.faults for file in found.files):
        return _refuse(found.files, as_json=as_json)
    lock = _locked(found, here, plan=plan, as_json=as_json) if locked else None
    if isinstance(lock, int):
        return lock
    if plan:
        from byoa_cli.planning import plan as tell_plan

        return tell_plan(found.files, here, lock, prune=prune, as_json=as_json)
    accepted = [_submit(file, run) for file in found.files]
    orphans = orphans_of(found.files, run)
    if not prune:
        tell_left(orphans, run)
    pruned = delete(orphans, here.asked_api(), run, yes=yes) if prune else []
    builds = [each.build for each in accepted]
    if wait:
        builds = follow(builds, run.catalogue, timeout, shown=run.talk)
    summarise_builds("byoa sync", [_row(each, build) for each, build in zip(accepted, builds, strict=True)])
    moved = _renew(found, builds, lock, run) if wait else []
    if as_json:
        components = [_describe(each, build) for each, build in zip(accepted, builds, strict=True)]
        ok = all(build.status == "active" for build in builds) and not moved if wait else True
        left = [name for name in orphans if name not in pruned]
        print_json({"ok": ok, "components": components, "orphans": left, "pruned": pruned, **_told(moved)})
    return (_verdict(builds, run) or (MEND if moved else FINE)) if wait else FINE


def _read(folder: Path, run: Run) -> Components:
    run.say(f"syncing directory from {folder}")
    run.say("validating configs")
    found = read_components(folder)
    if not any(file.faults for file in found.files):
        if found.note:
            run.say(found.note)
        run.say("all configs valid")
    return found


def _locked(found: Components, here: Reached, *, plan: bool, as_json: bool) -> Lock | int:
    """The folder's lock, or the exit code where something isn't as it says; a plan looks by itself."""
    from byoa_cli.locking import check
    from byoa_cli.locks import read

    lock = read(found.top)
    return lock if plan else (check(lock, found.files, here, as_json=as_json) or lock)


def _renew(found: Components, builds: Sequence[Build], lock: Lock | None, run: Run) -> list[Moved]:
    """Lock what the builds pinned; or what isn't as it was locked, of which people are told."""
    from byoa_cli.locks import NAME, compare_builds, renew

    if lock is not None:
        moved = compare_builds(lock, builds)
        if run.talk:
            from byoa_cli.locking import tell

            tell(moved)
        return moved
    try:
        written = renew(found.top, found.files, builds)
    except OSError as error:
        print_note(f"{NAME} can't be written: {error.strerror}")
        return []
    except LockMismatch as error:
        print_note(f"{error.cause} It was left as it is; mend it, or delete it and sync again.")
        return []
    if written:
        run.say(f"wrote {written}")
    return []


def _told(moved: Sequence[Moved]) -> dict[str, Any]:
    if not moved:
        return {}
    from byoa_cli.locking import document

    return document(moved)


def _refuse(files: Sequence[ComponentFile], *, as_json: bool) -> int:
    annotate(files)
    summarise_files("byoa sync", files)
    if as_json:
        print_json({"ok": False, "components": [file.as_dict() for file in files], "orphans": [], "pruned": []})
    else:
        show_faults(files)
    return MEND


def _submit(file: ComponentFile, run: Run) -> Accepted:
    config = file.checked.config
    if config is None:
        raise InternalFault("A config without faults is missing.")
    accepted = run.catalogue.submit(run.org, run.app, config, text=file.text)
    what = "successfully synced" if accepted.created else "unchanged:"
    run.say(f"{what} {config.name} (config version {accepted.build.version})")
    return accepted


def _verdict(builds: Sequence[Build], run: Run) -> int:
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
