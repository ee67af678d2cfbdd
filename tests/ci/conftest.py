"""What jobs of CI need in these tests: byoa as the action installs it, and a registry that wants a login."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local.registry import Registry, Settings
from tests.api.loopback import listening
from tests.ci.runner import Runner, read
from tests.cli.github import github
from tests.cli.homes import Home
from tests.docs.blocks import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.github import GitHub

DOCKER = """#!/usr/bin/env python3
import base64, json, pathlib, sys
assert sys.argv[1] == "login" and sys.argv[3] == "--username" and sys.argv[5:] == ["--password-stdin"], sys.argv
pair = f"{sys.argv[4]}:{sys.stdin.read().strip()}".encode()
place = pathlib.Path.home() / ".docker" / "config.json"
place.parent.mkdir(exist_ok=True)
place.write_text(json.dumps({"auths": {sys.argv[2]: {"auth": base64.b64encode(pair).decode()}}}))
"""
"""Docker's `login`, as far as it is shown."""


def uv() -> str:
    found = shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")
    assert os.access(found, os.X_OK), "uv is neither on the PATH nor in .uv/bin; `make setup` puts it there"
    return found


def program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


@pytest.fixture(scope="session")
def machine() -> dict[str, str]:
    """How this machine has packages: its cache, its index, its Python, and its certificates."""
    cache = subprocess.run([uv(), "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    kept = ("UV_", "PIP_", "SSL_")
    own = {name: value for name, value in os.environ.items() if name.startswith(kept)}
    return {**own, "UV_CACHE_DIR": cache, "UV_PYTHON": sys.executable, "UV_LINK_MODE": "symlink"}


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs that a runner has."""
    folder = tmp_path_factory.mktemp("tools")
    (folder / "uv").symlink_to(uv())
    for name in ("kustomize", "kubectl"):
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    program(folder, "docker", DOCKER)
    return folder


@pytest.fixture
def job(tmp_path: Path) -> Iterator[GitHub]:
    """A job that GitHub gives tokens to, and an API that lets it in."""
    with listening() as api:
        home = Home(api, tmp_path)
        with github(home) as found:
            yield found


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry(Settings(auth="basic")) as found:
        yield found


@pytest.fixture
def runner(job: GitHub, registry: Registry, tmp_path: Path, tools: Path, machine: dict[str, str]) -> Runner:
    """A machine of GitHub's for a tag of the example's repository; ghcr.io is the test's registry, which has no TLS."""
    folder = tmp_path / "runner"
    asked = {name: value for name, value in job.variables.items() if name.startswith("ACTIONS_")}
    variables = {**machine, **asked, "GITHUB_REF_NAME": "v2.3.1", "GITHUB_ACTOR": "byoa"}
    found = Runner(folder, variables, {"github": {"token": "desk"}}, {}, path=[str(tools)])

    def check_out(given: dict[str, str]) -> None:
        assert given == {"persist-credentials": "False"}
        shutil.copytree(ROOT / "examples" / "github", found.workspace, dirs_exist_ok=True)
        component = found.workspace / "components" / "vendor-app.toml"
        component.write_text(component.read_text().replace("ghcr.io", registry.address))

    def set_up_uv(given: dict[str, str]) -> None:
        assert re.fullmatch(r"\d+\.\d+\.\d+", given["version"]), "one version, whose digest is known"

    found.stand_ins = {"actions/checkout": check_out, "astral-sh/setup-uv": set_up_uv}
    found.change = lambda text: text.replace("ghcr.io", registry.address).replace(
        "byoa push ", f"byoa push --plain-http {registry.address} "
    )
    folder.mkdir()
    return found


def job_of(workflow: str, name: str, api: str) -> dict[str, object]:
    """A job of an example's workflow, which speaks to the test's API."""
    found: dict[str, object] = read(ROOT / "examples" / "github" / ".github" / "workflows" / workflow)["jobs"][name]
    for step in found["steps"]:  # type: ignore[attr-defined]
        if "api" in step.get("with", {}):
            step["with"]["api"] = api
    return found
