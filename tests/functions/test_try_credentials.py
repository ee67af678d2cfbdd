"""TryCredentials as it is deployed: its settings, sessions of its organisation, a secret, a registry of the desk."""

from __future__ import annotations

import io
import json
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws

from byoa import step
from byoa.bootstrap import clients, pipeline, process, sources
from byoa.errors import AuthFailed, CredentialForbidden, CredentialHostMismatch, EventUntrusted, TenantForbidden
from functions.try_credentials import handler
from local.registry import Registry, Settings
from tests.faults.artifacts import Maker, put

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OURS, THEIRS = "org_0123456789ab", "org_other0000000"
ACCOUNT = "123456789012"  # moto's
CANARY = "c4n4ry-6e55"
ARTIFACT = Maker(1).make("plain")

type Ask = Callable[..., Any]


def _forget() -> None:
    """A process has its settings, clients and connections once."""
    for line in pipeline._lines()._kept.values():
        line.transport.close()
    for module in (clients, pipeline, process, sources):
        for each in vars(module).values():
            if hasattr(each, "cache_clear"):
                each.cache_clear()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry(Settings(auth="bearer", password=CANARY)) as made:
        put(made, "vendor/app", ARTIFACT, "v1")
        yield made


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    (stream,) = (each for each in step.logger.handlers if isinstance(each, logging.StreamHandler))
    written = io.StringIO()
    before, level = stream.setStream(written), step.logger.log_level
    step.logger.setLevel(logging.DEBUG)
    yield written
    step.logger.setLevel(level)
    stream.setStream(before or stream.stream)


@pytest.fixture
def aws() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager", "us-east-1")


@pytest.fixture
def ask(aws: Any, registry: Registry, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    kinds = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    boto3.client("dynamodb", "us-east-1").create_table(
        TableName="byoa-table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=kinds,  # type: ignore[arg-type]
        KeySchema=keys,  # type: ignore[arg-type]
    )
    for name, value in {
        "AWS_REGION": "us-east-1",
        "BYOA_ACCOUNT": ACCOUNT,
        "BYOA_PLAIN_HTTP_HOSTS": registry.address,
        "BYOA_REACHABLE": f"127.0.0.1/32:{registry.address.partition(':')[2]}",
        "BYOA_SOURCE_ROLE": f"arn:aws:iam::{ACCOUNT}:role/byoa-source",
        "BYOA_TABLE": "byoa-table",
    }.items():
        monkeypatch.setenv(name, value)
    context = LambdaContext()
    context._function_name = "byoa-try-credentials"
    context._aws_request_id = "11111111-2222-3333-4444-555555555555"
    monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: 30_000, raising=False)

    def call(name: str, reference: str | None = None, organisation: str = OURS) -> Any:
        return handler({"organisation": organisation, "name": name, "reference": reference}, context)

    _forget()
    with ExitStack() as closing:
        closing.callback(_forget)
        yield call


def keep(aws: Any, host: str, password: str = CANARY, organisation: str = OURS) -> None:
    login = {"kind": "basic", "host": host, "username": "byoa", "password": password}
    aws.create_secret(Name=f"byoa/{organisation}/creds", SecretString=json.dumps(login))


def test_a_good_login_and_what_a_reference_means_are_told(ask: Ask, aws: Any, registry: Registry) -> None:
    keep(aws, registry.address)
    answer = ask("creds")
    assert (answer["login"], answer["host"], answer["digest"]) == ("accepted", registry.address, None)
    answer = ask("creds", f"oci://{registry.address}/vendor/app:v1")
    assert answer["digest"].startswith("sha256:")


def test_its_errors_cross_as_json_and_hold_no_secret(
    ask: Ask, aws: Any, registry: Registry, log: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(aws, registry.address, password=f"{CANARY}-that-is-wrong")
    keep(aws, "ghcr.io", organisation=THEIRS)
    for arguments, wanted in (
        (("creds",), AuthFailed),
        (("creds", f"oci://{registry.address}/vendor/app:v1"), AuthFailed),
        (("nothing",), CredentialForbidden),
        (("../org_other0000000/creds",), TenantForbidden),
        (("creds", "oci://ghcr.io/vendor/app:v1"), CredentialHostMismatch),
    ):
        with pytest.raises(wanted) as caught:
            ask(*arguments)
        told = json.loads(str(caught.value))
        assert told["code"] == wanted.__name__
        assert told["remedy"]
    seen = log.getvalue() + capsys.readouterr().out
    assert CANARY not in seen
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert {line["organisation"] for line in lines} == {OURS}


def test_another_organisation_has_nothing_of_that_name(ask: Ask, aws: Any, registry: Registry) -> None:
    keep(aws, registry.address)
    ask("creds")
    with pytest.raises(CredentialForbidden):
        ask("creds", organisation=THEIRS)


def test_no_role_of_our_own_is_lent_whichever_function_asks(
    ask: Ask, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps of a build don't know the account but by the role that they read sources with (threat C13)."""
    monkeypatch.delenv("BYOA_ACCOUNT")
    host = "222222222222.dkr.ecr.us-west-2.amazonaws.com"
    secret = {"kind": "aws_ecr", "host": host, "role_arn": f"arn:aws:iam::{ACCOUNT}:role/byoa-source"}
    aws.create_secret(Name=f"byoa/{OURS}/creds", SecretString=json.dumps(secret))
    with pytest.raises(CredentialForbidden, match="own account"):
        sources.lender(OURS, "bld7q362lqznuy44m52dmsrxgu").lend("creds", None)


@pytest.mark.parametrize("organisation", ["org_*", "", "org_0123456789ab/../x"])
def test_what_is_no_organisation_is_no_message(ask: Ask, organisation: str) -> None:
    with pytest.raises(EventUntrusted):
        ask("creds", organisation=organisation)
