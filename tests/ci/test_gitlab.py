"""The example for GitLab: its script is run as a runner would, with the job's own token in place of a secret."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from byoa.components.reading import check_config
from tests.api.served import ORG
from tests.ci.conftest import program
from tests.cli.homes import until
from tests.docs.blocks import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from local.registry import Registry
    from tests.cli.github import GitHub

EXAMPLE = ROOT / "examples" / "gitlab"
JOB: dict[str, Any] = yaml.safe_load((EXAMPLE / ".gitlab-ci.yml").read_text())["release"]
GIT = f"""#!/bin/bash
[[ $1 == init ]] && ln -s {ROOT} "${{@: -1}}"
[[ $1 == init || ( $1 == -C && $2 == .byoa ) ]] || exec /usr/bin/git "$@"
"""
"""What brings the platform's repository: here it is there. The manifests' own is asked about as ever."""


@pytest.fixture
def project(tmp_path: Path, registry: Registry) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLE, folder)
    component = folder / "components" / "vendor-app.toml"
    component.write_text(component.read_text().replace("registry.gitlab.com", registry.address))
    return folder


@pytest.fixture
def variables(tmp_path: Path, registry: Registry, tools: Path, machine: dict[str, str]) -> dict[str, str]:
    """What a job of the example has, with the token left out."""
    own = tmp_path / "tools"
    program(own, "git", GIT)
    program(own, "pip", "#!/bin/sh\n[ \"$*\" = 'install --quiet uv==0.13.9' ]\n")
    return {
        **machine, **JOB["variables"], "CI": "true", "HOME": str(tmp_path), "COLUMNS": "200",
        "CI_COMMIT_TAG": "v2.3.1", "CI_REGISTRY": registry.address, "CI_REGISTRY_USER": "byoa",
        "CI_REGISTRY_PASSWORD": "desk", "CI_REGISTRY_IMAGE": f"{registry.address}/vendor/app",
        "PATH": f"{own}:{tools}:/usr/local/bin:/usr/bin:/bin", "UV_PROJECT_ENVIRONMENT": str(tmp_path / "byoa"),
    }  # fmt: skip


def test_a_release_pushes_names_syncs_and_follows(
    project: Path, job: GitHub, registry: Registry, variables: dict[str, str]
) -> None:
    token = job.sign(JOB["id_tokens"]["BYOA_TOKEN"]["aud"])
    script = "\n".join(JOB["before_script"] + JOB["script"]).replace(".byoa/.venv/bin", "../byoa/bin")
    script = script.replace("byoa push ", f"byoa push --plain-http {registry.address} ")

    def build() -> None:
        until(lambda: sum(path.startswith("/v1/builds/bld") for path in job.home.api.paths("GET")) > 1)
        job.home.finish()

    pipeline = threading.Thread(target=build)
    pipeline.start()
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], cwd=project, capture_output=True, text=True, timeout=300,
        env={**variables, "BYOA_API": job.home.api.address, "BYOA_TOKEN": token}, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pipeline.join()
    (record,) = job.home.api.served.ledger.records.values()
    assert record.reference == f"oci://{registry.address}/vendor/app/app-manifests:v2.3.1"
    assert record.app == "shop"
    assert "finished building component vendor-app" in done.stderr
    assert token not in done.stdout + done.stderr


def test_the_token_is_for_the_organisation_that_it_knocks_at() -> None:
    assert JOB["id_tokens"] == {"BYOA_TOKEN": {"aud": f"byoa:{JOB['variables']['BYOA_ORG']}"}}
    assert JOB["variables"]["BYOA_ORG"] == ORG
    assert re.fullmatch(r"v[0-9]+", JOB["variables"]["BYOA_REF"])


def test_the_examples_components_are_valid() -> None:
    for example in ("github", "gitlab"):
        for path in (ROOT / "examples" / example / "components").glob("*.toml"):
            assert not check_config(path.read_text()).faults
