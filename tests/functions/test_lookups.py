"""The two functions of lookups as they are deployed: settings, sessions, a secret, a registry, a bucket, quotas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws

from byoa import step
from byoa.errors import CredentialForbidden, EventUntrusted, ReferenceNotFound
from functions import look_up_artifact, read_artifacts
from local.registry import Registry, Settings
from tests.faults.artifacts import Maker, put
from tests.functions.test_try_credentials import ACCOUNT, CANARY, OURS, THEIRS, _forget, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ARTIFACT = Maker(1).make("plain")

type Ask = Callable[..., Any]


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry(Settings(auth="bearer", password=CANARY)) as made:
        put(made, "vendor/app", ARTIFACT, "v1")
        yield made


@pytest.fixture
def ask(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Asks the first function, and with its answer the second where there is something to read."""
    with mock_aws():
        _provide()
        role = f"arn:aws:iam::{ACCOUNT}:role/byoa"
        for name, value in {
            "AWS_REGION": "us-east-1",
            "BYOA_ACCOUNT": ACCOUNT,
            "BYOA_BUCKET": "byoa-quarantine",
            "BYOA_PLAIN_HTTP_HOSTS": registry.address,
            "BYOA_REACHABLE": f"127.0.0.1/32:{registry.address.partition(':')[2]}",
            "BYOA_SOURCE_ROLE": f"{role}-source",
            "BYOA_TABLE": "byoa-table",
            "BYOA_TENANT_ROLE": f"{role}-tenant",
        }.items():
            monkeypatch.setenv(name, value)
        context = LambdaContext()
        context._function_name = "byoa-look-up-artifact"
        context._aws_request_id = "11111111-2222-3333-4444-555555555555"
        monkeypatch.setattr(context, "get_remaining_time_in_millis", lambda: 40_000, raising=False)

        def call(action: str, *tags: str, organisation: str = OURS) -> Any:
            artifacts = [
                {"url": f"oci://{registry.address}/vendor/app", "tag": tag, "credentials_ref": "creds"} for tag in tags
            ]
            asked = {"organisation": organisation, "action": action, "artifacts": artifacts}
            found = look_up_artifact.handler(json.loads(json.dumps(asked)), context)
            assert found
            return read_artifacts.handler(json.loads(json.dumps(found)), context) if found["reads"] else found

        _forget()
        yield call
        _forget()


def _provide() -> None:
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    kinds = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
    boto3.client("dynamodb", "us-east-1").create_table(
        TableName="byoa-table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=kinds,  # type: ignore[arg-type]
        KeySchema=keys,  # type: ignore[arg-type]
    )
    boto3.client("s3", "us-east-1").create_bucket(Bucket="byoa-quarantine")


def _secrets() -> Any:
    return boto3.client("secretsmanager", "us-east-1")


def _keys() -> list[str]:
    listed = boto3.client("s3", "us-east-1").list_objects_v2(Bucket="byoa-quarantine")
    return [each["Key"] for each in listed.get("Contents", [])]


def test_a_lookup_goes_through_both_functions(ask: Ask, registry: Registry) -> None:
    keep(_secrets(), registry.address)
    resolved = ask("resolve", "v1")
    assert resolved["artifacts"][0]["digest"] == str(ARTIFACT.root.digest)
    assert not _keys()
    plan = ask("plan", "v1")["plan"]
    assert plan["blobs_to_copy"] > 0
    assert plan["missing_permissions"] == []
    difference = ask("diff", "v1", "v1")["difference"]
    assert (difference["differs"], difference["before"]) == (False, str(ARTIFACT.root.digest))
    assert {key.partition("/")[0] for key in _keys()} == {OURS}


def test_what_it_counts_is_requests_and_bytes_and_nothing_else(ask: Ask, registry: Registry) -> None:
    keep(_secrets(), registry.address)
    ask("diff", "v1", "v1")
    items = boto3.client("dynamodb", "us-east-1").scan(TableName="byoa-table")["Items"]
    assert {item["pk"]["S"].partition("#")[0] for item in items} == {"HOST", "QUOTA"}


def test_another_organisation_has_no_credentials_of_that_name(ask: Ask, registry: Registry) -> None:
    keep(_secrets(), registry.address)
    ask("resolve", "v1")
    with pytest.raises(CredentialForbidden):
        ask("resolve", "v1", organisation=THEIRS)


def test_another_organisation_s_quarantine_is_not_read(ask: Ask, registry: Registry) -> None:
    keep(_secrets(), registry.address)
    ask("diff", "v1", "v1")
    event = json.loads(json.dumps(_stolen(registry)))
    with pytest.raises(ReferenceNotFound):
        read_artifacts.handler(event | {"organisation": THEIRS}, _context())


def _stolen(registry: Registry) -> dict[str, Any]:
    root = ARTIFACT.root
    found = {
        "reference": f"oci://{registry.address}/vendor/app:v1",
        "digest": str(root.digest),
        "media_type": root.descriptor.media_type,
        "size": root.descriptor.size,
        "artifact_type": None,
        "resolved_at_ts": 0,
    }
    return {"organisation": OURS, "action": "inspect", "artifacts": [found], "reads": True}


def _context() -> LambdaContext:
    context = LambdaContext()
    context._function_name = "byoa-read-artifacts"
    context._aws_request_id = "11111111-2222-3333-4444-555555555555"
    context.get_remaining_time_in_millis = lambda: 40_000  # type: ignore[method-assign]
    return context


def test_no_secret_is_in_answers_errors_or_logs(
    ask: Ask, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    step.logger.setLevel("DEBUG")
    keep(_secrets(), registry.address)
    answers = json.dumps([ask("resolve", "v1"), ask("plan", "v1"), ask("diff", "v1", "v1")])
    with pytest.raises(ReferenceNotFound) as caught:
        ask("resolve", "v9")
    told = json.loads(str(caught.value))
    assert (told["code"], bool(told["remedy"])) == ("ReferenceNotFound", True)
    seen = capsys.readouterr()
    assert CANARY not in answers + str(caught.value) + seen.out + seen.err


@pytest.mark.parametrize("organisation", ["org_*", "", "org_0123456789ab/../x"])
def test_what_is_no_organisation_is_no_message(ask: Ask, organisation: str) -> None:
    with pytest.raises(EventUntrusted):
        ask("resolve", "v1", organisation=organisation)
