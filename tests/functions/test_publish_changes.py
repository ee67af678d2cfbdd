"""The table's stream to the bus: which changes are told, and what becomes of one that can't be."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws
from pydantic import ValidationError

from byoa.adapters.aws.eventbridge import EventBus
from byoa.adapters.aws.stream import event_of, publish
from byoa.adapters.aws.table import dump
from byoa.bootstrap import clients, process
from byoa.builds.messages import BuildKey, BuildStatusChanged, ConfigChanged, build_id_of
from functions import publish_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
SAMPLE = json.loads((ROOT / "events" / "publish_changes.json").read_bytes())
KEY = BuildKey(organisation="org_demo00000000", app="demo", component="flux", version=1)
CONFIG = {"entity": "config", **KEY.model_dump()}
BUILD_ID = build_id_of(KEY, "table")
BUS = "byoa-test"


def _build(status: str, text: str = "a step", moment: int = 7) -> dict[str, Any]:
    entry = {"status": status, "status_human_description": text, "created_at_ts": moment, "metadata": {}}
    return {"entity": "build", **KEY.model_dump(), "build_id": BUILD_ID, **entry, "history": [entry]}


def _record(new: dict[str, Any] | None, old: dict[str, Any] | None = None, number: str = "1") -> dict[str, Any]:
    images = {name: dump(item) for name, item in (("NewImage", new), ("OldImage", old)) if item is not None}
    change = "INSERT" if old is None else "MODIFY" if new is not None else "REMOVE"
    return {
        "eventID": number,
        "eventName": change,
        "eventSource": "aws:dynamodb",
        "dynamodb": {**images, "SequenceNumber": number},
    }


# ---- which changes are told --------------------------------------------------------------------------------------


def test_a_new_config_version_is_told() -> None:
    assert event_of(_record(CONFIG)) == ("Component Config Changed", ConfigChanged(**KEY.model_dump()))


def test_the_event_carries_the_key_alone() -> None:
    found = event_of(_record({**CONFIG, "config": {"name": "flux"}, "fingerprint": "0", "pk": "ORG#"}))
    assert found
    assert found[1].model_dump() == KEY.model_dump()


def test_a_change_of_a_config_item_is_not_told() -> None:
    assert event_of(_record({**CONFIG, "note": "more"}, CONFIG)) is None


def test_another_status_of_a_build_is_told() -> None:
    found = event_of(_record(_build("building", "fetching", 8), _build("planning")))
    assert found
    kind, detail = found
    assert kind == "Component Build Status Changed"
    assert isinstance(detail, BuildStatusChanged)
    assert (detail.id, detail.status, detail.status_human_description, detail.changed_at_ts) == (
        BUILD_ID,
        "building",
        "fetching",
        8,
    )


def test_a_new_build_is_told() -> None:
    found = event_of(_record(_build("queued")))
    assert found
    assert found[0] == "Component Build Status Changed"


def test_the_end_of_a_build_is_told_with_its_outcome() -> None:
    failure = {"code": "ReferenceNotFound", "cause": "no such tag", "remedy": "push it", "where": None}
    outcome = {"status": "error", "failure": failure}
    found = event_of(_record({**_build("error"), "outcome": outcome}, _build("planning")))
    assert found
    assert isinstance(found[1], BuildStatusChanged)
    assert found[1].outcome
    assert found[1].outcome.failure
    assert found[1].outcome.failure.code == "ReferenceNotFound"


def test_a_build_s_further_history_under_the_same_status_is_not_told() -> None:
    assert event_of(_record(_build("building", "mirroring"), _build("building", "fetching"))) is None


@pytest.mark.parametrize(
    "record",
    [
        _record({"entity": "component", "newest": 3}),
        _record({"entity": "component", "newest": 3}, {"entity": "component", "newest": 2}),
        _record({"pk": "ORG#", "sk": "other"}),
        _record(None, CONFIG),
        _record(None, _build("active")),
    ],
    ids=["new", "changed", "without entity", "config removed", "build removed"],
)
def test_no_other_change_is_told(record: dict[str, Any]) -> None:
    assert event_of(record) is None


def test_a_config_item_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(ValidationError):
        event_of(_record({**CONFIG, "organisation": "somebody"}))


# ---- the handler, with a bus -------------------------------------------------------------------------------------


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """A bus whose events go to a queue; the fixture reads it empty."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("BYOA_BUS", BUS)
    caches = (process.settings, clients.own, clients._ours, clients.session)
    with mock_aws():
        for cache in caches:
            cache.cache_clear()
        events = boto3.client("events")
        queues: Any = boto3.session.Session().client("sqs")
        queue = queues.create_queue(QueueName="heard")["QueueUrl"]
        arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.create_event_bus(Name=BUS)
        events.put_rule(Name="all", EventBusName=BUS, EventPattern=json.dumps({"source": ["io.byoa"]}))
        events.put_targets(Rule="all", EventBusName=BUS, Targets=[{"Id": "queue", "Arn": arn}])

        def read() -> list[dict[str, Any]]:
            answer = queues.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
            return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

        yield read
    for cache in caches:
        cache.cache_clear()


def test_the_sample_reaches_the_bus(heard: Callable[[], list[dict[str, Any]]]) -> None:
    assert publish_changes.handler(copy.deepcopy(SAMPLE), LambdaContext()) == {"batchItemFailures": []}
    (event,) = heard()
    assert event["source"] == "io.byoa"
    assert event["detail-type"] == "Component Config Changed"
    assert event["detail"] == {**KEY.model_dump(), "component": "published"}


def test_changes_that_are_not_told_count_as_done(heard: Callable[[], list[dict[str, Any]]]) -> None:
    batch = {"Records": [_record(_build("building", "b"), _build("building", "a"))]}
    assert publish_changes.handler(batch, LambdaContext()) == {"batchItemFailures": []}
    assert heard() == []


def test_a_change_that_can_t_be_told_is_named_and_the_others_are_told(
    heard: Callable[[], list[dict[str, Any]]],
) -> None:
    poison = _record({**CONFIG, "organisation": "somebody"}, number="41")
    batch = {"Records": [_record(CONFIG, number="40"), poison]}
    assert publish_changes.handler(batch, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "41"}]}
    assert len(heard()) == 1


def test_the_first_change_that_can_t_be_told_is_where_the_stream_goes_on(
    heard: Callable[[], list[dict[str, Any]]],
) -> None:
    poison = {**CONFIG, "organisation": "somebody"}
    batch = {"Records": [_record(poison, number="40"), _record(CONFIG, number="41")]}
    assert publish_changes.handler(batch, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "40"}]}
    assert heard() == []


def test_a_build_item_without_its_parts_can_t_be_told_and_the_ones_before_are(
    heard: Callable[[], list[dict[str, Any]]],
) -> None:
    poison = {name: value for name, value in _build("building").items() if name != "history"}
    batch = {"Records": [_record(CONFIG, number="40"), _record(poison, number="41")]}
    assert publish_changes.handler(batch, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "41"}]}
    assert len(heard()) == 1


def test_a_build_item_whose_text_is_no_json_can_t_be_told_and_the_ones_before_are(
    heard: Callable[[], list[dict[str, Any]]],
) -> None:
    poison = {**_build("building"), "history": ["{"]}
    batch = {"Records": [_record(CONFIG, number="40"), _record(poison, number="41")]}
    assert publish_changes.handler(batch, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "41"}]}
    assert len(heard()) == 1


def test_a_config_item_of_an_earlier_form_can_t_be_told_and_the_ones_before_are(
    heard: Callable[[], list[dict[str, Any]]],
) -> None:
    earlier = _record(CONFIG, number="41")
    earlier["dynamodb"]["NewImage"]["config"] = {"M": {"name": {"S": "vendor-app"}}}
    batch = {"Records": [_record(CONFIG, number="40"), earlier]}
    assert publish_changes.handler(batch, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "41"}]}
    assert len(heard()) == 1


def test_a_long_batch_is_told_in_its_order(heard: Callable[[], list[dict[str, Any]]]) -> None:
    batch = {"Records": [_record(_build("building", moment=each), number=str(each)) for each in range(25)]}
    assert publish_changes.handler(batch, LambdaContext()) == {"batchItemFailures": []}
    moments = [event["detail"]["changed_at_ts"] for _ in range(3) for event in heard()]
    assert sorted(moments) == list(range(25))


class _Bus:
    """An EventBridge that takes the first events and refuses one; it notes what each call brought."""

    def __init__(self, refused: int) -> None:
        self.refused = refused
        self.calls: list[int] = []

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        start = sum(self.calls)
        self.calls.append(len(Entries))
        answers = [
            {"ErrorCode": "ThrottlingException"} if start + each == self.refused else {} for each in range(len(Entries))
        ]
        return {"FailedEntryCount": sum(map(bool, answers)), "Entries": answers}


@pytest.mark.parametrize("refused", [0, 7, 10, 24])
def test_what_the_bus_refuses_is_where_the_stream_goes_on(refused: int) -> None:
    records = [_record(_build("building", moment=each), number=str(each)) for each in range(25)]
    assert publish(records, EventBus(cast("Any", _Bus(refused)), BUS)) == str(refused)


def test_entries_go_to_the_bus_ten_at_a_time_and_within_its_bytes() -> None:
    bus = _Bus(99)
    records = [_record(_build("building"), number=str(each)) for each in range(12)]
    assert publish(records, EventBus(cast("Any", bus), BUS)) is None
    large = [_record(_build("building", "x" * 90_000), number=str(each)) for each in range(3)]
    assert publish(large, EventBus(cast("Any", bus), BUS)) is None
    assert bus.calls == [10, 2, 2, 1]
