"""The function of the API: its sample, and what its start may import."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from byoa.bootstrap import api
from byoa.bootstrap.process import settings
from functions.api import handler
from tests.api.served import Context
from tests.docs.blocks import ROOT


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "BYOA_TABLE": "table",
        "BYOA_TENANT_ROLE": "arn:aws:iam::123456789012:role/api",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    api.face.cache_clear()


def test_the_sample_asks_for_the_description() -> None:
    answer = handler(json.loads((ROOT / "events" / "api.json").read_bytes()), Context())  # type: ignore[arg-type]
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["openapi"].startswith("3.1")


@pytest.mark.parametrize("heavy", ["boto3", "botocore.session", "cryptography", "jwt", "yaml", "rich", "oras"])
def test_its_start_imports_nothing_that_a_request_may_do_without(heavy: str) -> None:
    """AWS's library belongs to the first request that reaches the table, as with all functions."""
    program = f"import sys, functions.api; print({heavy!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
