"""One suite over both stores of leases: one agent has a deploy at a time, and nobody for ever."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.leases import DynamoLeases
from byoa.adapters.aws.rows import Rows
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.installs import DeployStore
from byoa.adapters.memory.leases import MemoryLeases
from byoa.installs.ports import AgentSign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.installs.ports import Leases

ORG, OTHER = "org_0123456789ab", "org_0123456789abc"
DEPLOY = "dpl" + "a" * 23
TABLE: dict[str, Any] = {
    "TableName": "leases",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
}


@pytest.fixture(params=["memory", "moto", pytest.param("emulator", marks=pytest.mark.emulator)])
def of(request: pytest.FixtureRequest) -> Iterator[Callable[[str], Leases]]:
    if request.param == "memory":
        held: dict[Any, Any] = {}
        store = DeployStore(SteppingClock())
        yield lambda organisation: MemoryLeases(organisation, held, store)
    elif request.param == "moto":
        with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
            client.create_table(**TABLE)
            yield lambda organisation: DynamoLeases(organisation, Rows(client, "leases"))
    else:
        client = request.getfixturevalue("cloud").client("dynamodb")
        client.create_table(**TABLE)
        yield lambda organisation: DynamoLeases(organisation, Rows(client, "leases"))
        client.delete_table(TableName="leases")


def test_a_deploy_is_one_agent_s_until_its_time_is_over(of: Callable[[str], Leases]) -> None:
    leases = of(ORG)
    assert leases.take(DEPLOY, "one", 0, 60)
    assert not leases.take(DEPLOY, "two", 59, 119)
    assert leases.renew(DEPLOY, "one", 59, 119)
    assert not leases.take(DEPLOY, "two", 60, 120)
    assert not leases.renew(DEPLOY, "two", 60, 120)
    assert leases.take(DEPLOY, "two", 119, 179)
    assert not leases.renew(DEPLOY, "one", 120, 180)


def test_what_ran_out_is_not_renewed_though_nobody_took_it(of: Callable[[str], Leases]) -> None:
    leases = of(ORG)
    leases.take(DEPLOY, "one", 0, 60)
    assert not leases.renew(DEPLOY, "one", 60, 120)


def test_what_is_given_back_is_free_and_only_by_whose_it_is(of: Callable[[str], Leases]) -> None:
    leases = of(ORG)
    leases.take(DEPLOY, "one", 0, 60)
    leases.give_back(DEPLOY, "two")
    assert not leases.take(DEPLOY, "two", 1, 61)
    leases.give_back(DEPLOY, "one")
    assert leases.take(DEPLOY, "two", 1, 61)
    leases.give_back("dpl" + "b" * 23, "one")


def test_organisations_have_leases_of_their_own(of: Callable[[str], Leases]) -> None:
    assert of(ORG).take(DEPLOY, "one", 0, 60)
    assert of(OTHER).take(DEPLOY, "two", 0, 60)
    assert not of(OTHER).renew(DEPLOY, "one", 1, 61)


def test_an_agent_was_heard_of_when_it_was_noted_last(of: Callable[[str], Leases]) -> None:
    leases, install = of(ORG), "inl" + "a" * 23
    assert leases.heard(install) is None
    for at_ts in (5, 7):
        leases.note(install, AgentSign(at_ts, "tok_1", "agent-acme"))
    assert of(ORG).heard(install) == AgentSign(7, "tok_1", "agent-acme")
    assert (of(OTHER).heard(install), leases.heard("inl" + "b" * 23)) == (None, None)
