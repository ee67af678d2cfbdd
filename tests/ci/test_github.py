"""The action and the example workflows: their steps are run, and they take no more than they need."""

from __future__ import annotations

import re
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from byoa.bootstrap import terminal
from byoa.oci.reference import Reference
from byoa.trust.credentials import Credential
from byoa_cli.syncing import sync
from tests.api.served import APP, ORG
from tests.ci.conftest import job_of, program
from tests.ci.runner import OURS, read
from tests.cli.homes import until
from tests.docs.blocks import ROOT
from tests.docs.calls import RENDERERS
from tests.terminal import BYOA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from local.registry import Registry
    from tests.ci.runner import Runner
    from tests.cli.github import GitHub

ACTION = ROOT / "action.yml"
WORKFLOWS = sorted((ROOT / "examples" / "github" / ".github" / "workflows").glob("*.yml"))
MAY = {
    "release.yml": {"contents": "read", "packages": "write", "id-token": "write"},
    "check.yml": {"contents": "read"},
}


def steps() -> list[tuple[str, dict[str, Any]]]:
    found = [("action", step) for step in read(ACTION)["runs"]["steps"]]
    for path in WORKFLOWS:
        found += [(path.name, step) for job in read(path)["jobs"].values() for step in job["steps"]]
    return found


# ---- what runs -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not any(map(shutil.which, RENDERERS)), reason="neither kustomize nor kubectl is on the PATH")
def test_a_release_renders_pushes_names_syncs_and_follows(runner: Runner, job: GitHub, registry: Registry) -> None:
    def build() -> None:
        until(lambda: sum(path.startswith("/v1/builds/bld") for path in job.home.api.paths("GET")) > 1)
        job.home.finish()

    pipeline = threading.Thread(target=build)
    pipeline.start()
    assert runner.run(job_of("release.yml", "release", job.home.api.address)), runner.printed
    pipeline.join()
    reference = Reference.parse(f"oci://{registry.address}/vendor/app-manifests:v2.3.1")
    credential = Credential("byoa", "desk")
    pushed = terminal.repository(reference, "source", credential, plain_http=True).fetch_manifest("v2.3.1")
    terminal.transport().close()
    assert f"{pushed.digest}: 2 objects, 1 image" in runner.printed
    (record,) = job.home.api.served.ledger.records.values()
    assert (record.app, record.component, record.reference) == ("shop", "vendor-app", str(reference))
    assert "finished building component vendor-app" in runner.printed
    assert "vendor\\-app" in runner.summary
    assert set(job.audiences) == {f"byoa:{ORG}"}
    assert all(token not in runner.printed for token in job.tokens)


def test_a_pull_request_is_checked_at_its_lines_and_speaks_to_nobody(runner: Runner, job: GitHub) -> None:
    checked = job_of("check.yml", "check", "")
    _instead(runner, f'exec {BYOA} "$@"')
    assert runner.run(checked), runner.printed
    assert "all configs valid (1)" in runner.printed
    component = runner.workspace / "components" / "vendor-app.toml"
    component.write_text(component.read_text().replace("tag =", "tags ="))
    (last,) = (step for step in checked["steps"] if "run" in step)  # type: ignore[attr-defined]
    assert not runner.run({"steps": [last]})
    assert "::error file=components/vendor-app.toml,line=8," in runner.printed
    assert (job.tokens, job.home.api.requests) == ([], [])


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "--timeout=20 shop"),
        ({"wait": "false"}, "--timeout=20 --no-wait shop"),
        ({"timeout": "5", "prune": "true"}, "--timeout=5 --prune --yes shop"),
        ({"folder": "my app"}, "--timeout=20 my app"),
        ({"folder": "-x"}, "--timeout=20 ./-x"),
        ({"folder": "--yes", "timeout": "--prune"}, "--timeout=--prune ./--yes"),
        ({"folder": ""}, None),
    ],
    ids=str,
)
def test_the_action_s_inputs_are_what_sync_is_called_with(
    inputs: dict[str, str], words: str | None, runner: Runner
) -> None:
    called = _instead(runner)
    given = {"api": "https://api.example.com", "org": ORG, "app": APP, "folder": "shop"} | inputs
    assert runner.run({"steps": [_use(given), {"run": 'echo "later: $BYOA_API $BYOA_ORG $BYOA_APP"'}]}), runner.printed
    assert called() == (f"sync {words} at https://api.example.com {ORG} {APP}\n" if words else "")
    assert f"later: https://api.example.com {ORG} {APP}\n" in runner.printed


def test_an_input_of_two_lines_sets_no_other_variable(runner: Runner) -> None:
    called = _instead(runner)
    assert not runner.run({"steps": [_use({"app": "shop\nPATH=/evil", "folder": "shop"})]})
    assert "::error title=BYOA::An input has more than one line." in runner.printed
    assert (called(), "evil" in (runner.folder / "env").read_text()) == ("", False)


def test_a_step_that_fails_ends_the_job(runner: Runner) -> None:
    called = _instead(runner, "exit 3")
    assert not runner.run({"steps": [_use({"folder": "shop"}), {"run": "echo on"}]})
    assert called().startswith("sync")
    assert runner.ran[-1].code == 3


def _use(inputs: dict[str, str]) -> dict[str, Any]:
    return {"uses": "byoa/byoa@v1", "with": inputs}


def _instead(runner: Runner, then: str = "exit 0") -> Callable[[], str]:
    """A byoa in place of the one that uv installs, as the release does: it tells what it was called with."""
    told = runner.folder / "called"
    text = f'#!/bin/bash\necho "$* at $BYOA_API $BYOA_ORG $BYOA_APP" >> {told}\n{then}\n'
    program(runner.folder / "instead", "byoa", text)
    runner.change = lambda step: step.replace(
        "uv sync", f"ln -s {runner.folder}/instead $RUNNER_TEMP/byoa-own; :"
    ).replace("$UV_PROJECT_ENVIRONMENT/bin/byoa", "$RUNNER_TEMP/byoa-own/byoa")
    return lambda: told.read_text() if told.exists() else ""


# ---- what it says --------------------------------------------------------------------------------------------------


def test_inputs_are_options_of_sync() -> None:
    options = {name.lstrip("-") for option in sync.options for name in option.names}
    inputs = read(ACTION)["inputs"]
    assert inputs.keys() <= options
    assert all(each["description"].endswith(".") for each in inputs.values())
    defaults = {name: each["default"] for name, each in inputs.items() if "default" in each}
    assert defaults == {"wait": "true", "timeout": "20", "prune": "false"}, "as the command has them"


@pytest.mark.parametrize(("place", "step"), [each for each in steps() if "uses" in each[1]], ids=str)
def test_an_action_of_others_is_pinned_by_its_commit_with_its_version_beside_it(
    place: str, step: dict[str, Any]
) -> None:
    path = ACTION if place == "action" else next(path for path in WORKFLOWS if path.name == place)
    name = re.escape(step["uses"])
    if OURS.fullmatch(step["uses"]):
        return  # a release, which the example's reader replaces by where the platform has it
    assert re.fullmatch(r"[a-z-]+/[a-z-]+@[0-9a-f]{40}", step["uses"])
    assert re.search(rf"uses: {name} # v\d+\.\d+\.\d+$", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize(("place", "step"), [each for each in steps() if "run" in each[1]], ids=str)
def test_no_step_s_text_is_made_of_what_others_say(place: str, step: dict[str, Any]) -> None:
    """Source: GitHub Docs, "Security hardening", on script injections: values come in variables."""
    assert "${{" not in step["run"]
    assert place != "action" or step["shell"] == "bash"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_no_more_than_it_must(path: Path) -> None:
    workflow = read(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"] == MAY[path.name]
        assert job["timeout-minutes"] <= 30
        checkout = next(step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@"))
        assert checkout["with"] == {"persist-credentials": False}
    assert "secrets." not in path.read_text()
    assert "pull_request_target" not in path.read_text()


def test_every_permission_says_what_it_is_for() -> None:
    for path in WORKFLOWS:
        lines = [line for line in path.read_text().splitlines() if re.match(r" {6}[a-z-]+: (read|write)", line)]
        assert len(lines) == len(MAY[path.name])
        assert all(" # " in line for line in lines)


def test_the_files_are_yaml_as_github_reads_it() -> None:
    for path in (ACTION, *WORKFLOWS):
        assert yaml.safe_load(path.read_text())
