"""One suite over both quotas: a build counts once, an organisation has its bytes a day, and no other pays for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.quota import DynamoQuota
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.quota import MemoryQuota
from byoa.errors import QuotaExceeded
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_dynamodb import DynamoDBClient

    from byoa.builds.ports import Quota
    from tests.local.cloud import Cloud

OURS, THEIRS = "org_0123456789ab", "org_other0000000"
LIMIT: Final = 100
TABLE: Final = TEMPLATE["Resources"]["Table"]["Properties"]


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock(datetime(2026, 1, 1, 22, tzinfo=UTC))


@pytest.fixture
def client() -> Iterator[DynamoDBClient]:
    with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
        make(client, "table")
        yield client


def make(client: DynamoDBClient, table: str) -> None:
    client.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        **{name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
    )


@pytest.fixture(params=["memory", "dynamodb"])
def quota(request: pytest.FixtureRequest, clock: SteppingClock, client: DynamoDBClient) -> Quota:
    if request.param == "memory":
        return MemoryQuota(clock, LIMIT)
    return DynamoQuota(client, "table", clock, LIMIT)


def fits(quota: Quota, build_id: str, size: int, organisation: str = OURS) -> bool:
    try:
        quota.take(organisation, build_id, size)
    except QuotaExceeded:
        return False
    return True


def test_builds_are_let_in_up_to_the_last_byte_and_not_over_it(quota: Quota) -> None:
    assert fits(quota, "one", 60)
    assert not fits(quota, "two", 41)
    assert fits(quota, "three", 40), "what was refused was not counted"
    assert not fits(quota, "four", 1)


def test_a_build_that_is_larger_than_a_whole_day_is_refused_on_an_empty_one(quota: Quota) -> None:
    assert not fits(quota, "one", LIMIT + 1)
    assert fits(quota, "two", LIMIT)


def test_a_build_that_is_tried_again_counts_once(quota: Quota) -> None:
    assert all(fits(quota, "one", 60) for _ in range(5))
    assert fits(quota, "two", 40)
    assert fits(quota, "one", 60), "a full day ends no build that was counted"


def test_a_build_that_has_grown_counts_what_was_added(quota: Quota) -> None:
    assert fits(quota, "one", 10)
    assert not fits(quota, "one", LIMIT + 1)
    assert fits(quota, "one", 70)
    assert not fits(quota, "two", 31)
    assert fits(quota, "two", 30)


def test_a_build_that_has_become_smaller_gives_nothing_back(quota: Quota) -> None:
    assert fits(quota, "one", 70)
    assert fits(quota, "one", 10)
    assert not fits(quota, "two", 31)


def test_no_organisation_pays_for_another(quota: Quota) -> None:
    assert fits(quota, "one", LIMIT)
    assert fits(quota, "two", LIMIT, THEIRS)


def test_a_new_day_begins_at_midnight_utc(quota: Quota, clock: SteppingClock) -> None:
    assert fits(quota, "one", LIMIT)
    clock.moment += timedelta(hours=1)
    assert not fits(quota, "two", 1)
    clock.moment += timedelta(hours=1)
    assert fits(quota, "two", LIMIT)


def test_a_build_that_was_counted_yesterday_takes_nothing_of_today(quota: Quota, clock: SteppingClock) -> None:
    assert fits(quota, "one", LIMIT)
    clock.moment += timedelta(hours=3)
    assert fits(quota, "one", LIMIT)
    assert fits(quota, "two", LIMIT)


def test_the_refusal_names_the_limit_and_is_not_tried_again(quota: Quota) -> None:
    with pytest.raises(QuotaExceeded, match=f"its {LIMIT} bytes") as caught:
        quota.take(OURS, "one", LIMIT + 1)
    assert "midnight UTC" in caught.value.remedy


@pytest.mark.emulator
def test_builds_at_the_same_moment_don_t_pass_the_limit_together(cloud: Cloud, clock: SteppingClock) -> None:
    """On the emulator: a conditional write of moto's is none between threads."""
    client: DynamoDBClient = cloud.client("dynamodb")
    make(client, "moments")
    quota = DynamoQuota(client, "moments", clock, LIMIT)
    with ThreadPoolExecutor(8) as workers:
        let_in = list(workers.map(lambda number: fits(quota, f"build{number}", 9), range(30)))
    assert sum(let_in) == LIMIT // 9


def test_counters_expire_after_their_day_and_tell_no_bus(client: DynamoDBClient, clock: SteppingClock) -> None:
    DynamoQuota(client, "table", clock, LIMIT).take(OURS, "one", 60)
    items = client.scan(TableName="table")["Items"]
    midnight = datetime(2026, 1, 3, tzinfo=UTC).timestamp()
    assert [int(item["expires_at"]["N"]) for item in items] == [midnight] * 2
    assert all("news" not in item for item in items)
