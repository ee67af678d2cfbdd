from __future__ import annotations

import json
import subprocess
import sys

import pytest

from local.desk import ROOT

pytestmark = pytest.mark.emulator


@pytest.mark.parametrize("switch", [[], ["--enforce-iam"]], ids=["without IAM", "with the emulator enforcing IAM"])
def test_the_demo_passes(switch: list[str]) -> None:
    command = [sys.executable, "-m", "local", "demo", "--json", *switch]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["ok"] is True
    assert {build["component"]: build["resources"] for build in report["builds"]} == dict.fromkeys(
        ("flux", "kustomizer", "oras-directory", "oras-file", "oras-many"), 3
    )
    assert all(build["digest"] in build["mirror"] for build in report["builds"])
