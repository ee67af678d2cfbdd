"""A runner of GitHub Actions, as far as the project's action and examples need one: `run` steps, composite actions,
expressions that name a value, and the files by which steps speak to the next ones.

Sources: GitHub Docs, "Workflow syntax", "Metadata syntax", "Workflow commands" (environment files).
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from tests.docs.blocks import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

OURS = re.compile(r"byoa/byoa@v[0-9]+")
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
_CONDITION = re.compile(r"([a-z.]+) (!=|==) '([^']*)'")


def read(path: Path) -> dict[str, Any]:
    """A workflow or an action. ``on`` is the text that it is: YAML 1.1 takes it for true."""
    found: dict[str, Any] = yaml.safe_load(re.sub(r"^on:", '"on":', path.read_text(), flags=re.MULTILINE))
    return found


@dataclass
class Ran:
    name: str
    code: int
    printed: str


@dataclass
class Runner:
    """``stand_ins`` are what others' actions do, by their names; ``change`` may change a step's text before it runs."""

    folder: Path
    variables: dict[str, str]
    contexts: dict[str, Any]
    stand_ins: Mapping[str, Callable[[dict[str, str]], None]]
    change: Callable[[str], str] = lambda text: text
    path: list[str] = field(default_factory=list)
    ran: list[Ran] = field(default_factory=list)

    @property
    def workspace(self) -> Path:
        return self.folder / "work"

    @property
    def printed(self) -> str:
        return "".join(step.printed for step in self.ran)

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text()

    def run(self, job: dict[str, Any]) -> bool:
        """Run a job's steps up to the first that fails. Whether none did."""
        for name in ("work", "temp", "home"):
            (self.folder / name).mkdir(exist_ok=True)
        for name in ("env", "path", "summary"):
            (self.folder / name).touch()
        self.variables |= {name: str(value) for name, value in job.get("env", {}).items()}
        return self._all(job["steps"], {})

    def _all(self, steps: list[dict[str, Any]], inputs: dict[str, str], action: Path | None = None) -> bool:
        return all(self._step(step, inputs, action) for step in steps if self._wanted(step, inputs))

    def _wanted(self, step: dict[str, Any], inputs: dict[str, str]) -> bool:
        if "if" not in step:
            return True
        found = _CONDITION.fullmatch(step["if"])
        assert found, f"a condition that isn't known here: {step['if']}"
        name, sign, text = found.groups()
        return (self._value(name, inputs) == text) is (sign == "==")

    def _step(self, step: dict[str, Any], inputs: dict[str, str], action: Path | None) -> bool:
        given = {name: self._told(str(value), inputs) for name, value in step.get("with", {}).items()}
        if "uses" not in step:
            return self._shell(step, inputs, action)
        if OURS.fullmatch(step["uses"]):
            ours = read(ROOT / "action.yml")
            assert given.keys() <= ours["inputs"].keys(), "GitHub warns of inputs that aren't there"
            said = {name: str(each.get("default", "")) for name, each in ours["inputs"].items()}
            return self._all(ours["runs"]["steps"], said | given, ROOT)
        self.stand_ins[step["uses"].partition("@")[0]](given)
        return True

    def _shell(self, step: dict[str, Any], inputs: dict[str, str], action: Path | None) -> bool:
        """A text for bash. In a workflow without ``shell`` it has no ``pipefail``."""
        assert step.get("shell", "bash") == "bash"
        assert "shell" in step or action is None, "a step of an action names its shell"
        own = {name: self._told(str(value), inputs) for name, value in step.get("env", {}).items()}
        text = self.change(self._told(step["run"], inputs))
        options = ["--noprofile", "--norc", "-eo", "pipefail"] if "shell" in step else ["-e"]
        done = subprocess.run(
            ["bash", *options, "-c", text], cwd=self.workspace, env=self._environment(action) | own,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        self.ran.append(Ran(step.get("name", text), done.returncode, done.stdout))
        return done.returncode == 0

    def _environment(self, action: Path | None) -> dict[str, str]:
        told = dict(line.split("=", 1) for line in (self.folder / "env").read_text().splitlines())
        added = [*reversed((self.folder / "path").read_text().splitlines()), *self.path]
        own = {
            "CI": "true", "GITHUB_ACTIONS": "true", "HOME": str(self.folder / "home"), "COLUMNS": "200",
            "PATH": ":".join([*added, "/usr/local/bin", "/usr/bin", "/bin"]), "RUNNER_TEMP": str(self.folder / "temp"),
            "GITHUB_WORKSPACE": str(self.workspace), "GITHUB_ENV": str(self.folder / "env"),
            "GITHUB_PATH": str(self.folder / "path"), "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
        }  # fmt: skip
        return own | self.variables | told | ({"GITHUB_ACTION_PATH": str(action)} if action else {})

    def _told(self, text: str, inputs: dict[str, str]) -> str:
        return _EXPRESSION.sub(lambda found: self._value(found[1], inputs), text)

    def _value(self, name: str, inputs: dict[str, str]) -> str:
        value: Any = {**self.contexts, "inputs": inputs}
        for part in name.split("."):
            value = value[part]
        return str(value)
