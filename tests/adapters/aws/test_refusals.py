"""What AWS's own errors are told as: each with the cause and the next step of its kind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from botocore import exceptions

from byoa.adapters.aws.refusals import translated
from byoa.bootstrap import clients, terminal
from byoa.errors import InternalFault, PlatformForbidden, StoreThrottled
from local.processes import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NO_LOGIN = [
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_ENDPOINT_URL",
]


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A machine without any setting of AWS."""
    for name in NO_LOGIN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for cache in (clients.own, clients._ours, clients.session):
        cache.cache_clear()
    yield
    for cache in (clients.own, clients._ours, clients.session):
        cache.cache_clear()


def look() -> None:
    terminal.catalogue("table").builds("org_0123456789ab", "shop", None, 1)


def test_a_missing_region_is_told_apart_from_missing_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PlatformForbidden, match="no AWS region") as caught:
        look()
    assert "AWS_REGION" in caught.value.remedy
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with pytest.raises(PlatformForbidden, match="no AWS credentials"):
        look()


def test_a_profile_that_is_not_there_is_named_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nope")
    with pytest.raises(PlatformForbidden, match="no profile") as caught:
        look()
    assert "AWS_PROFILE" in caught.value.remedy


def test_a_config_that_can_t_be_read_is_named_as_the_cause() -> None:
    with open(os.environ["AWS_CONFIG_FILE"], "w") as file:  # noqa: PTH123 - the variable is a text
        file.write("no section\n")
    with pytest.raises(PlatformForbidden, match="can't be read"):
        look()


def test_an_endpoint_where_nobody_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    place = f"http://127.0.0.1:{free_port()}"
    for name, value in (("AWS_REGION", "us-east-1"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", place)
    with pytest.raises(StoreThrottled, match=place) as caught:
        look()
    assert "AWS_ENDPOINT_URL" in caught.value.remedy


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (exceptions.UnauthorizedSSOTokenError(), "aws sso login"),
        (exceptions.SSOTokenLoadError(error_msg="gone"), "aws sso login"),
        (exceptions.TokenRetrievalError(provider="sso", error_msg="gone"), "aws sso login"),
        (exceptions.CredentialRetrievalError(provider="custom-process", error_msg="127"), "credential_process"),
        (exceptions.InvalidRegionError(region_name="bad region"), "AWS_REGION"),
    ],
)
def test_what_whoever_runs_a_command_can_mend_says_how(error: Exception, step: str) -> None:
    with pytest.raises(PlatformForbidden) as caught, translated("DynamoDB"):
        raise error
    assert step in caught.value.remedy


def test_what_nobody_can_mend_is_a_fault_of_ours() -> None:
    with pytest.raises(InternalFault), translated("DynamoDB"):
        raise exceptions.ParamValidationError(report="ours")
