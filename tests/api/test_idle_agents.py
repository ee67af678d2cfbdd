"""What an agent's question costs the table, which it asks every few seconds: the same however much an install has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.aws.deploys import DynamoDeploys
from byoa.adapters.aws.installs import DynamoInstalls
from byoa.adapters.aws.leases import DynamoLeases
from byoa.adapters.aws.office import DynamoTokens
from byoa.api.tokens import DAY_MS, issue
from tests.adapters.test_installs import AGENT, APPLY, ORG, an_install
from tests.adapters.test_waiting import NAMES
from tests.api.tabled import Tabled, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.api.ports import World
    from byoa.installs.messages import Deploy, Install

IDLE = ["GetItem"] * 3 + ["Query"]
"""Who asks, the install, when its agent was heard of, and what is to be run."""


@dataclass
class Deploying(Tabled):
    """The API over the table, deploys included."""

    @property
    def world(self) -> World:
        return replace(super().world, deploying=self.deploys)

    def deploys(self, org: str = ORG) -> DynamoDeploys:
        return DynamoDeploys(org, self.rows, self.clock)

    def made(self, *components: str) -> tuple[Install, list[Deploy]]:
        """An install that has an agent, and deploys of it that wait."""
        install = an_install("prod", access=AGENT)
        assert DynamoInstalls(self.deploys()).create(install)
        return install, [DynamoInstalls(self.deploys()).ask(install, each, APPLY) for each in components]

    def polls(self, install: Install) -> Any:
        """What an agent is told that was heard of a moment ago; ``reads`` are what that alone took."""
        if not self.callers:
            now_ts = self.now_ts
            record, self.callers["agent"] = issue(
                ORG, "test", ("agent",), now_ts, now_ts + DAY_MS, "test", (install.id,)
            )
            DynamoTokens(ORG, self.rows).add(record)
            self.polls(install)
        self.reads.clear()
        self.gone_over = 0
        answer = self.ask("POST", f"/v1/installs/{install.id}/jobs/lease", token=self.callers["agent"])
        assert answer.status == 200, answer.text
        return answer.json


@pytest.fixture
def served() -> Iterator[Deploying]:
    with table() as client:
        yield Deploying(client=client)


def test_of_an_install_with_twelve_components_nothing_to_do_is_four_reads(served: Deploying) -> None:
    install, deploys = served.made(*NAMES)
    for each in deploys:
        DynamoInstalls(served.deploys()).cancel(each, "not wanted", "tok_1")
    assert served.polls(install) == {"job": None, "wait_seconds": 5}
    assert (served.reads, served.gone_over) == (IDLE, 0)


def test_what_others_have_in_hand_costs_a_look_each_and_what_waits_behind_it_none(served: Deploying) -> None:
    install, (deploy,) = served.made("web")
    served.deploys().begin(deploy.key, f"agent-{install.id}")
    served.deploys().change(
        deploy.key, f"agent-{install.id}", lambda found, part: (found.model_copy(update={"status": "executing"}), part)
    )
    DynamoInstalls(served.deploys()).ask(install, "web", APPLY)
    now_ts = served.now_ts
    assert DynamoLeases(ORG, served.rows).take(deploy.id, "another's", now_ts, now_ts + DAY_MS)
    assert served.polls(install)["job"] is None
    assert served.reads == [*IDLE, "GetItem", "PutItem"]
