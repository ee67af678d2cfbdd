"""A mirror of the desk's, named as the receipt names it, read and installed by commands on this machine."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from local import members, mirrors
from local.desk import APP
from tests.terminal import BYOA

if TYPE_CHECKING:
    from pathlib import Path

    from byoa.builds.messages import Build
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

COMPONENT, INSTALL = "from-machine", "by-machine"
MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-machine}\ndata: {value: '1'}\n"


@pytest.fixture(scope="module")
def built(enforced: Pipeline) -> Build:
    build = enforced.wait(enforced.submit(COMPONENT, f'manifest = """\n{MANIFEST}"""\n').build)
    assert build.status == "active", build
    return build


@pytest.fixture(scope="module")
def person(enforced: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A shell of somebody who has the desk's variables."""
    mirrors.write_login(enforced.desk)
    token = members.variables(enforced.desk, members.bootstrap(enforced.desk))
    home = {"HOME": str(tmp_path_factory.mktemp("home"))}
    return {**members.outside(), **home, **token, **mirrors.variables(enforced.desk), "BYOA_APP": APP}


def cluster(pipeline: Pipeline) -> list[str]:
    return ["--kubeconfig", str(pipeline.desk.cluster_ca.with_name("kubeconfig"))]


def test_a_mirror_is_planned_and_applied_by_its_reference(
    enforced: Pipeline, built: Build, person: dict[str, str]
) -> None:
    assert built.outcome
    reference = built.outcome.mirrors[0].reference
    assert reference.startswith(f"oci://{enforced.desk.outputs['RegistryHost']}/")
    assert str(built.outcome.digest) in reference
    what = [reference, "--install", INSTALL, "--component", "alone", *cluster(enforced)]
    planned = json.loads(members.run(["install", "plan", *what, "--json"], person))
    assert planned["counts"]["create"] == 1, planned
    assert "active" in members.run(["install", "apply", *what, "--yes"], person)
    members.run(
        ["install", "teardown", "--install", INSTALL, "--component", "alone", *cluster(enforced), "--yes"], person
    )


def test_an_agent_on_the_machine_pulls_it(
    enforced: Pipeline, built: Build, person: dict[str, str], tmp_path: Path
) -> None:
    members.run(["installs", "create", INSTALL, "--agent", "--approve-all"], person)
    made = ["tokens", "create", "agent", "--scope", "agent", "--install", INSTALL]
    token = members.run(made, person).strip()
    members.run(["installs", "deploy", INSTALL, COMPONENT, "--build", built.build_id, "--no-wait"], person)
    agent = {**person, "BYOA_TOKEN": token}
    command = [BYOA, "install", "run", "--once", "--json", *cluster(enforced)]
    done = subprocess.run(command, env=agent, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout)
    assert (ended["component"], ended["status"], ended["error"]) == (COMPONENT, "active", None)
