"""One suite over all stores: what an install's agents have to run, and that nothing to do is one small read."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.leases import DynamoLeases
from byoa.adapters.aws.rows import Rows
from byoa.adapters.memory.leases import MemoryLeases
from byoa.installs.messages import Answered, Before, Deploy
from byoa.installs.steps.sweep_deploys import UNASKED, sweep_deploys
from tests.adapters.aws.test_rights_of_deploys import Spied
from tests.adapters.test_installs import AGENT, APPLY, ORG, OTHER, TABLE, Stand, dynamo, to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.installs.messages import Install
    from byoa.installs.ports import Leases

__all__ = ["dynamo"]

SETTINGS: dict[str, Any] = {
    "TableName": "table",
    "BillingMode": "PAY_PER_REQUEST",
    **{name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
}
NAMES = [f"c{number:02}" for number in range(12)]


@pytest.fixture(params=["memory", "moto", pytest.param("emulator", marks=pytest.mark.emulator)])
def stand(request: pytest.FixtureRequest) -> Iterator[Stand]:
    if request.param == "memory":
        yield Stand()
    elif request.param == "moto":
        with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
            client.create_table(**SETTINGS)
            yield Stand(client)
    else:
        client = request.getfixturevalue("cloud").client("dynamodb")
        client.create_table(**SETTINGS)
        yield Stand(client)
        client.delete_table(TableName="table")


def leases(stand: Stand, org: str = ORG) -> Leases:
    return DynamoLeases(org, Rows(stand.client, "table")) if stand.client else MemoryLeases(org, {}, stand.store)


def to_run(stand: Stand, install: Install) -> list[str]:
    """The components whose deploys are to be run."""
    return [each.component for each in leases(stand).to_run(install.id)]


def planned(stand: Stand, deploy: Deploy) -> None:
    stand.deploys().begin(deploy.key, "agent")
    stand.deploys().finish(deploy.key, "agent", to(stand, "pending-approval", fingerprint="plan-1"))


def test_what_waits_for_an_agent_is_told_of_the_oldest_first_until_it_has_ended(stand: Stand) -> None:
    install = stand.made(access=AGENT)
    assert to_run(stand, install) == []
    second, first = (stand.installs().ask(install, name, APPLY) for name in ("web", "api"))
    assert [each.key for each in (second, first)] == leases(stand).to_run(install.id)
    stand.deploys().begin(second.key, "agent")
    stand.deploys().change(second.key, "agent", to(stand, "executing"))
    assert to_run(stand, install) == ["web", "api"], "another agent goes on where one stopped"
    stand.deploys().finish(second.key, "agent", to(stand, "active"))
    assert to_run(stand, install) == ["api"]
    stand.installs().cancel(first, "not wanted", "tok_1")
    assert to_run(stand, install) == []


def test_what_waits_for_somebody_or_for_another_deploy_is_not_to_be_run_yet(stand: Stand) -> None:
    install = stand.made(access=AGENT)
    deploy = stand.installs().ask(install, "web", APPLY)
    before = Before(component="web", number=deploy.number, id=deploy.id)
    behind = stand.installs().ask(install, "api", APPLY._replace(waits_for=(before,)))
    assert to_run(stand, install) == ["web"]
    planned(stand, deploy)
    assert to_run(stand, install) == []
    said = Answered(decision="approve", fingerprint="plan-1", at_ts=1)
    assert stand.installs().answer(deploy, said)
    assert to_run(stand, install) == ["web"]
    assert stand.installs().release(behind.key, None)
    assert to_run(stand, install) == ["web", "api"]


def test_one_that_is_overtaken_or_given_up_is_not_to_be_run_any_more(stand: Stand) -> None:
    install = stand.made(access=AGENT)
    stand.installs().ask(install, "web", APPLY)
    newer = stand.installs().ask(install, "web", APPLY)
    assert leases(stand).to_run(install.id) == [newer.key]
    stand.later(UNASKED + timedelta(minutes=1))
    assert sweep_deploys(stand.attended(), stand.clock).ended == 1
    assert to_run(stand, install) == []


def test_what_the_platform_runs_and_what_is_another_install_s_is_no_agent_s(stand: Stand) -> None:
    install, other, ours = stand.made("prod", 0, access=AGENT), stand.made("test", 1, access=AGENT), stand.made("us", 2)
    for each in (other, ours):
        stand.installs().ask(each, "web", APPLY)
    assert to_run(stand, install) == to_run(stand, ours) == []
    assert leases(stand, OTHER).to_run(other.id) == []
    stand.installs().change(ours, ours.model_copy(update={"access": AGENT}))
    assert to_run(stand, ours) == [], "an execution was told of it"


def test_where_nothing_is_to_be_run_that_is_one_read_however_many_components_there_are(stand: Stand) -> None:
    install = stand.made(access=AGENT)
    for number, name in enumerate(NAMES):
        deploy = stand.installs().ask(install, name, APPLY)
        if number % 3:
            planned(stand, deploy)
        else:
            stand.deploys().begin(deploy.key, "agent")
            stand.deploys().finish(deploy.key, "agent", to(stand, "active"))
    stand.asked.clear()
    assert leases(stand).to_run(install.id) == []
    assert stand.asked == (["Query"] if stand.client else [])


def test_the_sweep_s_role_lets_it_take_an_agent_s_deploy_off_and_put_it_on(dynamo: Stand) -> None:
    install = dynamo.made(access=AGENT)
    first = dynamo.installs().ask(install, "web", APPLY)
    before = Before(component="web", number=first.number, id=first.id)
    dynamo.installs().ask(install, "api", APPLY._replace(waits_for=(before,)))
    dynamo.deploys().begin(first.key, "agent")
    dynamo.deploys().finish(first.key, "agent", to(dynamo, "active"))
    dynamo.later(timedelta(hours=1))
    spied = Spied(dynamo)
    assert sweep_deploys(dynamo.attended(), dynamo.clock).told == 1
    assert to_run(dynamo, install) == ["api"]
    spied.asked.pop()  # the question of an agent
    spied.check("SweepDeploys")
    dynamo.later(UNASKED)
    assert sweep_deploys(dynamo.attended(), dynamo.clock).ended == 1
    spied.check("SweepDeploys")
