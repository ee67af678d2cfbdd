"""The agent's image and its manifest: it is called as the command is, has no more rights than it says, and a login."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import yaml

from local.pages.commands import all_commands, parser_of
from tests.docs.blocks import ROOT

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
    asked = parser_of(" ".join(entry), command, loose=True).parse_args(agent["args"])
    assert asked.install == "inlexample2222222222222222"
    assert {each["name"] for each in agent["env"]} >= {"BYOA_API", "BYOA_TOKEN", "BYOA_PLAN_KEY"}


def test_no_registry_is_assumed_and_everything_that_is_copied_is_there() -> None:
    assert re.findall(r"^FROM (.*)$", DOCKERFILE, re.MULTILINE) == ["${BASE}"]
    for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE):
        *sources, _ = line.split()
        assert all((ROOT / each).exists() for each in sources), line


def test_the_pod_is_nobody_and_may_what_the_page_says() -> None:
    (agent,) = POD["containers"]
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert agent["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert POD["serviceAccountName"] == OBJECTS["ServiceAccount"]["metadata"]["name"]
    shown = yaml.safe_load_all(
        (ROOT / "docs" / "installs" / "permissions.md").read_text().split("```yaml\n")[1].split("```")[0]
    )
    (role,) = [each for each in shown if each["kind"] == "Role"]
    assert OBJECTS["Role"]["rules"] == role["rules"]
    assert "ClusterRole" not in OBJECTS
