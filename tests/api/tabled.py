"""The API over a table of DynamoDB's (moto's), and what each answer reads of it."""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import boto3
from moto import mock_aws

from byoa.adapters.aws.deploys import DynamoDeploys
from byoa.adapters.aws.dynamodb import DynamoLedger
from byoa.adapters.aws.installs import DynamoInstalls
from byoa.adapters.aws.inventory import DynamoInventory
from byoa.adapters.aws.leases import DynamoLeases
from byoa.adapters.aws.office import DynamoAnswers, DynamoDoorkeeper, DynamoJournal, DynamoTokens
from byoa.adapters.aws.rows import Rows
from byoa.api.tokens import DAY_MS, issue
from byoa.builds.records import milliseconds
from byoa.components.reading import check_config
from tests.api.served import APP, Served
from tests.template import TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.api.ports import World
    from tests.api.served import Answer

TABLE: Final = TEMPLATE["Resources"]["Table"]["Properties"]


@contextmanager
def table() -> Iterator[Any]:
    """A client of an account that has the template's table."""
    with mock_aws(), closing(boto3.client("dynamodb", "us-east-1")) as client:
        client.create_table(
            TableName="table",
            BillingMode="PAY_PER_REQUEST",
            **{name: TABLE[name] for name in ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")},
        )
        yield client


@dataclass
class Tabled(Served):
    """The API over the table, and what each answer asked of it: operations, and items that queries went over."""

    client: Any = None
    reads: list[str] = field(default_factory=list)
    gone_over: int = 0
    callers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.now_ts = milliseconds(self.clock.now())
        self.client.meta.events.register("provide-client-params.dynamodb", self._asks)
        self.client.meta.events.register("after-call.dynamodb.Query", self._answered)

    @property
    def world(self) -> World:
        return replace(
            super().world,
            doorkeeper=DynamoDoorkeeper(self.rows),
            inventory=lambda org: DynamoInventory(org, self.table, self.rows),
            tokens=lambda org: DynamoTokens(org, self.rows),
            journal=lambda org: DynamoJournal(org, self.rows),
            answers=lambda org: DynamoAnswers(org, self.rows),
            installs=self.installs_of,
            leases=lambda org: DynamoLeases(org, self.rows),
        )

    def installs_of(self, org: str) -> DynamoInstalls:
        return DynamoInstalls(DynamoDeploys(org, self.rows, self.clock))

    @property
    def table(self) -> DynamoLedger:
        return DynamoLedger(self.client, "table", self.clock)

    @property
    def rows(self) -> Rows:
        return Rows(self.client, "table")

    def _asks(self, model: Any, **_: Any) -> None:
        self.reads.append(model.name)

    def _answered(self, parsed: Any, **_: Any) -> None:
        self.gone_over += parsed["ScannedCount"]

    def submit(self, org: str, name: str) -> list[dict[str, Any]]:
        """Hand in a config, anew if it is there; the items that are there then."""
        checked = check_config(f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "a"\nmanifest = "a: 1"\n')
        assert checked.config
        self.table.submit(org, APP, checked.config, anew=True)
        pk = {":pk": {"S": f"ORG#{org}"}}
        found = self.client.query(TableName="table", KeyConditionExpression="pk = :pk", ExpressionAttributeValues=pk)
        return list(found["Items"])

    def look(self, org: str, path: str) -> Answer:
        """What the API says, and what was read for that alone."""
        return self.say(org, "GET", path)

    def say(self, org: str, method: str, path: str, body: Any = None) -> Answer:
        """The same for any request of an admin's of an organisation."""
        if org not in self.callers:
            now_ts = self.now_ts
            record, self.callers[org] = issue(org, "test", ("admin",), now_ts, now_ts + 30 * DAY_MS, "test")
            DynamoTokens(org, self.rows).add(record)
            self.look(org, "/v1/account")  # that it is used is noted once a while
        self.reads.clear()
        self.gone_over = 0
        return self.ask(method, path, body, token=self.callers[org])
