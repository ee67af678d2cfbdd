"""`byoa install` as people and scripts meet it, at a real API server."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from byoa_cli.clusters import read_text
from byoa_cli.commands import UsageError
from tests.cli.homes import WATCHED
from tests.kubernetes import ADMIN, Server
from tests.terminal import BYOA

if TYPE_CHECKING:
    from pathlib import Path

FINE, MEND, USAGE, FAULT = 0, 1, 2, 3
CANARY = "c4n4ry-41f7"
_NUMBERS = itertools.count(1)

APP = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {0}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: web}}
data: {{colour: blue, greeting: "{{{{ .nuon.inputs.inputs.greeting }}}}"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: more}}
---
apiVersion: v1
kind: Secret
metadata: {{name: keys}}
stringData: {{token: "{{{{ .nuon.inputs.inputs.token }}}}"}}
"""


@dataclass
class Home:
    """Somebody's folder, with artifacts, and a kubeconfig for a corner of the cluster."""

    folder: Path
    server: Server
    corner: str
    said: list[str] = field(default_factory=list)

    def byoa(self, *arguments: str, stdin: str = "", **variables: str) -> tuple[int, str, str]:
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "COLUMNS": "200", "BYOA_INSTALL": self.corner,
            "BYOA_COMPONENT": "web", **variables,
        }  # fmt: skip
        done = subprocess.run(
            [BYOA, *arguments],
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        self.said += [done.stdout, done.stderr]
        return done.returncode, done.stdout, done.stderr

    def install(self, verb: str, *arguments: str, ref: str = "oci-layout:art:v1", **more: Any) -> tuple[int, str, str]:
        place = ("-n", self.corner, "--kubeconfig", "kubeconfig", "--inputs", "inputs.toml")
        return self.byoa("install", verb, ref, *place, *arguments, **more)

    def push(self, tag: str, text: str) -> str:
        (self.folder / "app.yaml").write_text(text)
        code, _, said = self.byoa("push", f"oci-layout:art:{tag}", "app.yaml")
        assert code == FINE, said
        return f"oci-layout:art:{tag}"


@pytest.fixture
def home(tmp_path: Path, server: Server) -> Home:
    found = Home(tmp_path, server, f"home-{next(_NUMBERS)}")
    server.kubeconfig(tmp_path)
    (tmp_path / "inputs.toml").write_text(f'[inputs]\ngreeting = "hello"\ntoken = "{CANARY}"\n')
    found.push("v1", APP.format(found.corner))
    return found


def test_a_plan_reads_like_one_and_writes_nothing(home: Home) -> None:
    code, printed, said = home.install("plan")
    assert (code, said) == (FINE, "")
    *lines, known_as = printed.splitlines()
    assert lines == [
        f"+ Namespace/{home.corner}  create",
        f"+ ConfigMap/{home.corner}/web  unchecked: checked once it exists",
        f"+ ConfigMap/{home.corner}/more  unchecked: checked once it exists",
        f"+ Secret/{home.corner}/keys  unchecked: checked once it exists",
        "4 to create, 0 unchanged",
    ]
    assert known_as.startswith("plan-")
    assert home.install("drift")[0] == MEND, "nothing was written"


def test_from_nothing_to_active_to_a_noop_to_drift_that_is_mended(home: Home) -> None:
    code, printed, said = home.install("apply", "--yes")
    assert (code, printed.splitlines()[-1]) == (FINE, "active  4 to create, 0 unchanged")
    assert printed.startswith(f"+ Namespace/{home.corner}  create\n")
    assert said.splitlines() == ["planning", "applying", "waiting for health", "pruning"]
    assert home.install("apply", "--yes")[:2] == (FINE, "noop  nothing to do\n")
    assert home.install("drift")[:2] == (FINE, "nothing to do\n")
    (home.folder / "inputs.toml").write_text('[inputs]\ngreeting = "good day"\ntoken = "x"\n')
    code, printed, _ = home.install("drift", "--json")
    found = json.loads(printed)
    assert (code, found["status"], found["counts"]["change"]) == (MEND, "drift-detected", 2)
    (changed,) = [each for each in found["objects"] if each["kind"] == "ConfigMap"]
    assert changed["changes"] == [
        {"path": "/data/greeting", "op": "replace", "before": '"hello"', "after": '"good day"', "lines": []}
    ]
    assert home.install("apply", "--yes")[0] == FINE
    assert home.install("drift")[0] == FINE


def test_what_a_new_artifact_dropped_is_pruned_and_a_teardown_keeps_the_namespace(home: Home) -> None:
    home.install("apply", "--yes")
    newer = home.push("v2", APP.format(home.corner).replace("blue", "green").replace("name: more", "name: other"))
    code, printed, _ = home.install("apply", "--yes", "--json", ref=newer)
    found = json.loads(printed)
    assert (code, found["status"]) == (FINE, "active")
    assert found["counts"] == {"create": 1, "change": 1, "recreate": 0, "delete": 1, "unchanged": 2}
    assert [(each["object"], each["action"]) for each in found["objects"]] == [
        (f"ConfigMap/{home.corner}/web", "change"),
        (f"ConfigMap/{home.corner}/other", "create"),
        (f"ConfigMap/{home.corner}/more", "delete"),
    ]
    code, printed, _ = home.byoa("install", "teardown", "--kubeconfig", "kubeconfig", "--yes")
    assert code == FINE
    assert f"= Namespace/{home.corner}  keep: it goes only if Namespace/{home.corner} is approved by name" in printed


def test_a_plan_is_applied_by_its_fingerprint_as_long_as_it_holds(home: Home) -> None:
    planned = json.loads(home.install("plan", "--json", BYOA_PLAN_KEY="k")[1])
    known_as = planned["fingerprint"]
    assert planned["plan"] == known_as
    code, _, said = home.install("apply", "--plan", known_as[:12])
    assert (code, "no fingerprint" in said) == (USAGE, True)
    code, printed, _ = home.install("apply", "--plan", known_as, "--json", BYOA_PLAN_KEY="another")
    assert (code, json.loads(printed)["error"]["code"]) == (MEND, "PlanChanged")
    assert home.install("apply", "--plan", known_as, BYOA_PLAN_KEY="k")[0] == FINE
    code, printed, _ = home.install("apply", "--plan", known_as, "--json", BYOA_PLAN_KEY="k")
    assert (code, json.loads(printed)["error"]["code"]) == (MEND, "PlanChanged")


def test_without_a_terminal_nobody_is_asked(home: Home) -> None:
    code, _, said = home.install("apply")
    assert code == USAGE
    assert "--yes" in said


def test_a_server_an_authority_and_a_token_on_stdin_lead_there_too(home: Home) -> None:
    place = ("--server", home.server.address, "--ca", str(home.server.ca), "--server-name", home.server.name)
    shown = ("install", "plan", "oci-layout:art:v1", "-n", home.corner, "--inputs", "inputs.toml", *place)
    assert home.byoa(*shown, "--token-stdin", stdin=f"{ADMIN}\n")[0] == FINE
    code, _, said = home.byoa(*shown, "--token-stdin", stdin="another\n")
    assert (code, said.splitlines()[0]) == (MEND, "error ClusterForbidden: The cluster refuses the login.")
    assert home.byoa(*shown)[0] == USAGE
    code, _, said = home.install("plan", "--token-stdin", stdin=f"{ADMIN}\n")
    assert (code, "--token-stdin belong to --server" in said) == (USAGE, True)
    code, _, said = home.byoa(*shown[:3], "--server", "https://127.0.0.1:9", "--token-stdin", stdin="x")
    assert code == MEND, "the placeholders are told first"
    assert "TemplateInvalid" in said


def test_all_faults_are_told_and_nothing_is_applied(home: Home) -> None:
    text = APP.format(home.corner).replace("data: {colour", "dta: {colour").replace("kind: Secret", "kind: Secrt")
    wrong = home.push("v3", text.replace(f"metadata: {{name: {home.corner}}}", f"metadata: {{name: {home.corner}-x}}"))
    home.install("apply", "--yes")
    code, _, said = home.install("plan", ref=wrong)
    assert code == MEND
    assert [line for line in said.splitlines() if line.startswith("error")] == [
        "error KindUnknown (Secrt/keys): The cluster serves no Secrt of v1, and the artifact doesn't define it.",
        f"error ObjectInvalid (ConfigMap/{home.corner}/web): .dta: field not declared in schema.",
    ]
    code, printed, _ = home.install("apply", "--yes", "--json", ref=wrong)
    assert (code, json.loads(printed)["error"]["code"]) == (MEND, "KindUnknown")


def test_inputs_and_kubeconfigs_that_are_too_long_are_refused_and_not_cut(tmp_path: Path) -> None:
    long = tmp_path / "long"
    long.write_text("#" * 1024 * 1024)
    assert len(read_text(str(long))) == 1024 * 1024
    long.write_text("#" * (1024 * 1024 + 1))
    with pytest.raises(UsageError, match="over 1 MiB"):
        read_text(str(long))


SLOW = {
    "asyncio", "backports.zstd", "boto3", "concurrent", "cryptography", "dataclasses", "decimal", "email",
    "encodings.idna", "hmac", "http", "inspect", "jsonschema", "logging", "pathlib", "pydantic", "random", "requests",
    "rich", "subprocess", "tempfile", "urllib.request", "uuid",
}  # fmt: skip


def test_a_plan_and_an_apply_import_nothing_that_is_slow_to_import(home: Home) -> None:
    """More than half of what few objects take is the start (decision 11)."""
    place = ("-n", home.corner, "--kubeconfig", "kubeconfig", "--inputs", "inputs.toml")
    whose = ("--install", home.corner, "--component", "web")
    for verb in (("plan",), ("apply", "--yes")):
        command = [sys.executable, "-c", WATCHED, "install", *verb, "oci-layout:art:v1", *place, *whose]
        done = subprocess.run(command, cwd=home.folder, capture_output=True, text=True, env={"PATH": ""}, check=True)
        assert "4 to create, 0 unchanged" in done.stdout
        assert SLOW.isdisjoint(done.stderr.split())


@pytest.mark.parametrize("inputs", ["[inputs", "inputs = 5", ""])
def test_inputs_that_can_t_be_used_are_told(home: Home, inputs: str) -> None:
    (home.folder / "inputs.toml").write_text(inputs)
    assert home.install("plan")[0] in (MEND, USAGE)


def test_values_of_secrets_are_in_nothing_that_was_printed(home: Home) -> None:
    home.install("plan")
    home.install("apply", "--yes", "--json")
    (home.folder / "inputs.toml").write_text(f'[inputs]\ngreeting = "hello"\ntoken = "{CANARY}-new"\n')
    home.install("drift")
    home.install("plan", "--json")
    home.install("apply", "--yes")
    wrong = home.push("v4", APP.format(home.corner).replace("stringData:", "type: kubernetes.io/tls\nstringData:"))
    home.install("apply", "--yes", ref=wrong)
    told = "\n".join(home.said)
    assert CANARY not in told
    assert base64.b64encode(CANARY.encode()).decode()[:12] not in told
    assert ADMIN not in told
