from __future__ import annotations

import json
import subprocess
import sys

import pytest

from local.desk import ROOT
from tests.docs.blocks import every
from tests.docs.sessions import fits, steps

pytestmark = pytest.mark.emulator

PRIVATE = ("private-basic", "private-ecr", "private-token")


def test_the_demo_prints_what_the_readme_shows() -> None:
    sessions = [block.text for block in every("console") if block.page.name == "README.md"]
    (shown,) = [step for text in sessions for step in steps(text) if step.command == "make demo"]
    done = subprocess.run(
        [sys.executable, "-u", "-m", "local", "demo"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert fits(shown.output, done.stdout), done.stdout


def test_the_demo_passes_with_the_emulator_enforcing_iam() -> None:
    command = [sys.executable, "-m", "local", "demo", "--json", "--enforce-iam"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["ok"] is True
    assert {build["component"]: build["resources"] for build in report["builds"]} == dict.fromkeys(
        ("flux", "kustomizer", "oras-directory", "oras-file", "oras-many", *PRIVATE), 3
    )
    assert all(build["digest"] in build["mirror"] for build in report["builds"])
