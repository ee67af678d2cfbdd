"""SAM by hand, in a shell that has `sam` and nothing of the project's: every sample, and the README's own commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from local.containers import host_of_containers
from local.desk import ROOT
from local.standing import Standing
from tests.images import swept

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.emulator

ALL = (
    "validate_reference", "resolve_digest", "stage_artifact", "stage_blob", "inspect_artifact", "mirror_artifact",
    "mirror_blob", "record_build", "record_stopped", "publish_changes", "look_up_artifact", "read_artifacts",
    "hooks/github", "hooks/generic", "follow_tags", "build_again",
    "answer_lookup",
)  # fmt: skip


class Command(NamedTuple):
    """A command of the README's, and what the README shows of its output."""

    line: str
    shown: str


def _documented() -> list[Command]:
    section = (ROOT / "README.md").read_text().partition("\n## SAM by hand\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```console\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return [
        Command(line, shown)
        for block in blocks
        for line, shown in re.findall(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def _is_shown(shown: str, printed: str) -> bool:
    """Whether ``printed`` reads as ``shown`` does, where … stands for anything in a line, and alone for any lines."""
    pattern = "".join(
        r"(?:.*\n)*?" if line == "…" else ".*?".join(re.escape(part) for part in line.split("…")) + r"\n"
        for line in shown.splitlines()
    )
    return re.fullmatch(pattern, printed.rstrip("\n") + "\n") is not None


class Shell:
    """A shell in the project's folder, with the system's programs, a `sam`, and the container engine."""

    def __init__(self, folder: str) -> None:
        kept = {name: os.environ[name] for name in ("HOME", "DOCKER_HOST") if name in os.environ}
        self._environment = {**kept, "PATH": f"{folder}:/usr/bin:/bin", "SAM_CLI_TELEMETRY": "0"}

    def run(self, line: str) -> str:
        """What the command answers; SAM's own words and the functions' logs are on the other stream."""
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    if host_of_containers() is None:
        pytest.skip("no container engine answers")
    if Standing().record.exists():
        pytest.skip("a desk is up already (make down)")
    folder = tmp_path_factory.mktemp("path")
    (folder / "sam").symlink_to(ROOT / ".venvs/sam/bin/sam")
    shell = Shell(str(folder))
    with swept():
        yield shell
        shell.run("make down")


@pytest.fixture(scope="module")
def answers(plain: Shell) -> dict[str, Any]:
    """What each function answers to its sample, invoked in the pipeline's order."""
    plain.run("make up && sam build")
    found = {name: _invoked(plain, name) for name in ALL}
    plain.run("make down")
    return found


def _invoked(plain: Shell, name: str) -> Any:
    function = "".join(part.capitalize() for part in name.partition("/")[0].split("_")) + "Function"
    line = f"sam local invoke {function} -e events/{name}.json --env-vars .desk/sam.json"
    return json.loads(plain.run(line))


@pytest.mark.parametrize("name", ALL)
def test_the_function_answers_its_sample(answers: dict[str, Any], name: str) -> None:
    assert "errorType" not in answers[name], answers[name]


def test_the_answers_are_right(answers: dict[str, Any]) -> None:
    digest = "sha256:fac2bf4015b35638ed9d43cff4f53e09743639903d7b6f839127b6589d27b581"
    assert answers["validate_reference"]["reference"] == "oci://127.0.0.1:5101/vendor/flux:v2.3.1"
    assert answers["resolve_digest"]["digest"] == digest
    assert answers["stage_artifact"]["blobs"] == 2
    assert answers["stage_blob"]["done"]
    assert answers["mirror_blob"]["done"]
    assert answers["inspect_artifact"]["inspection"]["resources"] == 3
    assert answers["mirror_artifact"]["digest"] == digest
    assert answers["record_build"]["status"] == "active"
    assert answers["record_stopped"]["status"] == "error"
    assert answers["publish_changes"] == {"batchItemFailures": []}
    assert answers["look_up_artifact"]["artifacts"][0]["digest"] == digest
    assert answers["read_artifacts"]["contents"]["resources"] == 3
    assert [answers[f"hooks/{kind}"]["statusCode"] for kind in ("github", "generic")] == [202, 202]
    assert (answers["follow_tags"]["components"] >= 1, answers["follow_tags"]["failed"]) == (True, 0)
    assert answers["build_again"]["build_id"].startswith("bld")
    assert answers["answer_lookup"]["answer"]["contents"]["resources"] == 3


def test_the_readme_s_commands_run_as_they_stand(plain: Shell) -> None:
    commands = _documented()
    assert [command.line for command in commands][:: len(commands) - 1] == ["make up", "make down"]
    for command in commands:
        printed = plain.run(command.line)
        assert not command.shown or _is_shown(command.shown, printed), (command, printed)
