"""One suite over both budgets: an organisation waits for its own share, a host for all, and rest is rest."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.budget import DynamoBudget
from byoa.adapters.memory.budget import MemoryBudget
from byoa.builds.budgets import PER_HOST, PER_ORGANISATION, WINDOW, Use
from byoa.errors import RegistryThrottled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.ports import Budget

HOST, OURS, THEIRS = "ghcr.io", "org_0123456789ab", "org_other0000000"


@dataclass
class StandingClock:
    """A clock that moves when it is told to."""

    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def pass_by(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture(params=["memory", "dynamodb"])
def budget(request: pytest.FixtureRequest, clock: StandingClock) -> Iterator[Budget]:
    if request.param == "memory":
        yield MemoryBudget(clock)
        return
    with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
        client.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        yield DynamoBudget(client, "table", clock)


def waits(budget: Budget, organisation: str, host: str = HOST) -> float:
    """How long an organisation has to wait now."""
    try:
        budget.admit(host, organisation)
    except RegistryThrottled as error:
        return error.retry_after or 0.0
    return 0.0


def test_who_asked_nothing_may_ask(budget: Budget) -> None:
    assert waits(budget, OURS) == 0.0


def test_an_organisation_that_used_its_share_waits_and_others_dont(budget: Budget) -> None:
    budget.spend(HOST, OURS, PER_ORGANISATION)
    assert waits(budget, OURS) > 0
    assert waits(budget, THEIRS) == 0.0
    assert waits(budget, OURS, "quay.io") == 0.0


def test_when_all_of_a_host_s_share_is_used_everybody_waits(budget: Budget) -> None:
    for number in range(5):
        budget.spend(HOST, f"org_number00000{number}", PER_HOST // 5)
    assert waits(budget, THEIRS) > 0


def test_who_waits_as_long_as_it_is_told_is_let_in(budget: Budget, clock: StandingClock) -> None:
    for spent in (PER_ORGANISATION, PER_ORGANISATION // 2, 3 * PER_ORGANISATION):
        budget.spend(HOST, OURS, spent)
        clock.pass_by(7)
        rounds = 0
        while (seconds := waits(budget, OURS)) > 0:
            assert seconds <= 3 * WINDOW
            clock.pass_by(seconds + 0.01)
            rounds += 1
            assert rounds <= 2


def test_a_host_that_asked_one_organisation_for_rest_is_left_alone_by_that_one(
    budget: Budget, clock: StandingClock
) -> None:
    for seconds in (5, 20):
        budget.rest(HOST, OURS, seconds)
    assert (waits(budget, OURS), waits(budget, THEIRS), waits(budget, OURS, "quay.io")) == (20, 0, 0)
    clock.pass_by(20)
    assert waits(budget, OURS) == 0.0


def test_a_host_that_asked_two_for_rest_at_a_time_is_left_alone_by_all(budget: Budget, clock: StandingClock) -> None:
    budget.rest(HOST, OURS, 20)
    clock.pass_by(10)
    budget.rest(HOST, THEIRS, 20)
    assert waits(budget, THEIRS) == waits(budget, "org_third0000000") == 20
    assert waits(budget, OURS) > 0
    clock.pass_by(20)
    assert waits(budget, OURS) == waits(budget, THEIRS) == 0.0


def test_one_that_is_asked_for_rest_after_another_s_is_over_rests_alone(budget: Budget, clock: StandingClock) -> None:
    budget.rest(HOST, OURS, 20)
    clock.pass_by(20)
    budget.rest(HOST, THEIRS, 20)
    assert (waits(budget, OURS), waits(budget, THEIRS)) == (0, 20)


@pytest.mark.parametrize("moment", range(0, WINDOW * 1000, 777))
@pytest.mark.parametrize(("current", "before"), [(0, 400), (100, 400), (375, 0), (5000, 0), (374, 375), (0, 375)])
def test_a_wait_is_never_negative_and_ends_within_two_windows_and_a_bit(moment: int, current: int, before: int) -> None:
    assert 0.0 <= Use(current, before).wait(PER_ORGANISATION, moment) <= 2.1 * WINDOW
