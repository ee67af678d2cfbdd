"""A build's receipt from the deployed desk, checked with the key that KMS gives out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

BYOA = Path(sys.executable).with_name("byoa")


def _byoa(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.defpath, "COLUMNS": "200", **environment}
    return subprocess.run([BYOA, *arguments], env=clean, capture_output=True, text=True, timeout=60, check=False)


def test_an_auditor_checks_a_build_s_receipt_offline(pipeline: Pipeline, tmp_path: Path) -> None:
    pipeline.push("flux", "v2.3.1")
    build = pipeline.wait(pipeline.submit_artifact("audited", "flux", "v2.3.1").build)
    assert build.status == "active", build.outcome
    desk, receipt, pem = pipeline.desk.environment(), tmp_path / "receipt.json", tmp_path / "key.pem"
    got = _byoa(desk, "receipt", "get", build.build_id, "--out", receipt, "--json")
    assert got.returncode == 0, got.stdout + got.stderr
    assert json.loads(got.stdout) == {"build_id": build.build_id, "file": str(receipt), "signed": True}
    key = _byoa(desk, "receipt", "key")
    assert key.returncode == 0, key.stderr
    pem.write_text(key.stdout)

    checked = _byoa({}, "receipt", "verify", receipt, "--key", pem, "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    said: dict[str, Any] = json.loads(checked.stdout)["receipt"]
    assert build.outcome
    assert said["build"]["id"] == build.build_id
    assert said["source"]["digest"] == build.outcome.digest
    assert [target["reference"] for target in said["targets"]] == [each.reference for each in build.outcome.mirrors]
    assert [target["proof"]["digest"] for target in said["targets"]] == [build.outcome.digest]
    assert {node["kind"] for node in said["nodes"]} == {"manifest", "blob"}
    assert (said["started_at_ts"], said["ended_at_ts"]) == (
        build.history[0].created_at_ts,
        build.history[-1].created_at_ts,
    )

    envelope = json.loads(receipt.read_text())
    envelope["payload"] = envelope["payload"].replace("a", "b", 1)
    receipt.write_text(json.dumps(envelope))
    altered = _byoa({}, "receipt", "verify", receipt, "--key", pem, "--json")
    assert (altered.returncode, json.loads(altered.stdout)["error"]["code"]) == (1, "ReceiptInvalid")


def test_a_build_that_failed_has_no_receipt(pipeline: Pipeline) -> None:
    build = pipeline.wait(pipeline.submit_artifact("unaudited", "flux", "absent").build)
    assert build.status == "error"
    got = _byoa(pipeline.desk.environment(), "receipt", "get", build.build_id, "--json")
    assert (got.returncode, json.loads(got.stdout)["error"]["code"]) == (1, "BuildNotFound")
