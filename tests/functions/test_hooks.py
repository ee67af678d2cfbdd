"""The function behind hooks' addresses, over moto: what it answers, puts on the bus, and writes down."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.hooks import DynamoHooks
from byoa.adapters.aws.rows import Rows
from byoa.bootstrap import clients, process
from byoa.bootstrap import hooks as wiring
from byoa.tracking.records import KINDS
from functions import hooks
from local.desk import ORGANISATION
from local.samples import sample_hook, sample_secret
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aws_lambda_powertools.utilities.typing import LambdaContext

EVENTS = Path(__file__).parents[2] / "events" / "hooks"
TABLE = TEMPLATE["Resources"]["Table"]["Properties"]
NOBODY = cast("LambdaContext", None)


def sample(kind: str) -> Any:
    return json.loads((EVENTS / f"{kind}.json").read_bytes())


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Each kind's sample hook in a table; what is put on the bus."""
    names = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}
    for name, value in (names | {"AWS_DEFAULT_REGION": "us-east-1", "BYOA_TABLE": "table", "BYOA_BUS": "bus"}).items():
        monkeypatch.setenv(name, value)
    caches = (process.settings, clients.own, wiring.door)
    for cache in caches:
        cache.cache_clear()
    put: list[Any] = []
    with mock_aws(), closing(boto3.client("dynamodb")) as table, closing(boto3.client("events")) as events:
        attributes = {name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")}
        table.create_table(TableName="table", BillingMode="PAY_PER_REQUEST", **attributes)
        events.create_event_bus(Name="bus")
        for kind in KINDS:
            DynamoHooks(ORGANISATION, Rows(table, "table")).add(sample_hook(kind))
        clients.events().meta.events.register(
            "provide-client-params.events.PutEvents", lambda params, **_: put.extend(params["Entries"])
        )
        yield put
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("kind", KINDS)
def test_each_sample_is_answered_with_202_and_tells_the_bus_once(
    stack: list[Any], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = hooks.handler(sample(kind), NOBODY)
    assert (answer["statusCode"], json.loads(answer["body"])["status"]) == (202, "accepted")
    (entry,) = stack
    wanted = ("bus", "io.byoa.hooks", "Registry Pushed")
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == wanted
    assert json.loads(entry["Detail"])["organisation"] == ORGANISATION
    logged = str([vars(each) for each in caplog.records])
    written = logged + json.dumps(stack) + answer["body"]
    secrets = [sample_secret(kind), *sample(kind)["headers"].get("authorization", "").split()]  # type: ignore[arg-type]
    if (
        kind == "gar"
    ):  # what Google's token says is verified by who heeds the event, and opens nothing without the address
        written = logged + answer["body"]
    assert not [secret for secret in secrets if secret not in ("", "Bearer") and secret in written]
    assert sample_hook(kind).id in logged  # type: ignore[arg-type]


def test_a_refused_delivery_says_why_and_tells_nobody(stack: list[Any]) -> None:
    answer = hooks.handler(sample("github") | {"body": "{}"}, NOBODY)
    assert (answer["statusCode"], json.loads(answer["body"])["code"], stack) == (401, "signature_wrong", [])
    for _ in range(40):
        answer = hooks.handler(sample("github") | {"body": "{}"}, NOBODY)
    assert (answer["statusCode"], int(answer["headers"]["Retry-After"]) > 0) == (429, True)


def test_an_outage_is_told_as_one_and_nothing_of_it_is_written_down(
    stack: list[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def take(self, event: Any) -> Any:
            raise ValueError(event["rawPath"])

    clients.events().delete_event_bus(Name="bus")
    answer = hooks.handler(sample("quay"), NOBODY)
    assert (answer["statusCode"], answer["headers"]["Retry-After"]) in ((503, "5"), (500, "5"))
    monkeypatch.setattr(wiring, "door", Broken)
    answer = hooks.handler(sample("quay"), NOBODY)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (500, "InternalFault")
    logged = str([vars(each) for each in caplog.records])
    assert "ValueError" in logged
    assert sample_secret("quay") not in logged + answer["body"]
