"""The agent's image and its manifest: it is called as the command is, has no more rights than it says, and a login."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any, Final

import yaml

from local.pages.commands import all_commands, parser_of
from tests.docs.blocks import ROOT, write_files
from tests.terminal import byoa

if TYPE_CHECKING:
    from pathlib import Path

FOLDER: Final = ROOT / "examples" / "agent"
OBJECTS: Final[dict[str, Any]] = {
    each["kind"]: each for each in yaml.safe_load_all((FOLDER / "agent.yaml").read_text())
}
DOCKERFILE: Final = (FOLDER / "Dockerfile").read_text()
POD: Final = OBJECTS["Deployment"]["spec"]["template"]["spec"]


def test_the_image_runs_the_command_with_the_manifest_s_arguments() -> None:
    entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)[0])
    (agent,) = POD["containers"]
    command = dict(all_commands())[" ".join(entry)]
    asked = parser_of(" ".join(entry), command, loose=True).parse_args(agent.get("args", []))
    assert asked.install is None, "it is the one that the token is for"
    assert {each["name"] for each in agent["env"]} >= {"BYOA_API", "BYOA_TOKEN", "BYOA_PLAN_KEY"}


def test_the_base_is_whoever_builds_it_s_to_choose_and_everything_that_is_copied_is_there() -> None:
    assert re.findall(r"^FROM (.*)$", DOCKERFILE, re.MULTILINE) == ["${BASE} AS made", "${BASE}"]
    sent = {each.removeprefix("!") for each in (ROOT / ".dockerignore").read_text().split() if each.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = line.split()
        assert all((ROOT / each).exists() and each in sent for each in sources), line


def test_the_image_takes_what_was_locked_by_its_hash_or_nothing() -> None:
    uv = shutil.which("uv") or ROOT / ".uv" / "bin" / "uv"
    whole = ["export", "-q", "--frozen", "--no-emit-project", "--no-header"]
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    for name, what in (("requirements", ["--no-dev", "--extra", "cli"]), ("build", ["--only-group", "build"])):
        exported = subprocess.check_output([uv, *whole, *what], cwd=ROOT, env=environment, text=True)
        assert (FOLDER / f"{name}.txt").read_text() == exported
    installs = re.findall(r"^(?:RUN| &&) .*/pip .*$", DOCKERFILE, re.MULTILINE)
    assert all("--require-hashes" in line or "--no-index" in line for line in installs), "from no index but by a hash"
    assert len(installs) == 4
    (backend,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert (FOLDER / "build.txt").read_text().startswith(f"{backend} \\\n")


def test_the_pod_is_nobody_and_may_what_the_command_prints_for_the_page_s_manifests(tmp_path: Path) -> None:
    (agent,) = POD["containers"]
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert agent["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert POD["serviceAccountName"] == OBJECTS["ServiceAccount"]["metadata"]["name"]
    write_files(ROOT / "docs" / "installs" / "permissions.md", tmp_path, {})
    install = ("--install", "acme", "--component", "web", "--namespace", "shop", "--keep-in", "shop", "--no-record")
    code, printed, said = byoa("install", "rbac", str(tmp_path / "manifests"), *install, home=tmp_path)
    assert code == 0, said
    (role,) = [each for each in yaml.safe_load_all(printed) if each["kind"] == "Role"]
    assert OBJECTS["Role"]["rules"] == role["rules"]
    assert "ClusterRole" not in OBJECTS
