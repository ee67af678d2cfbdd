"""The budgets of registries: counters by window, in the table. Counting is one atomic addition.

pk             sk                                item
HOST#<host>    BUDGET#<organisation>#<window>    what one organisation asked of a host
HOST#<host>    BUDGET#<window>                   what all asked
HOST#<host>    REST                              until when it wants rest, from whom

All of it is under the hosts: who counts needs no right to anything of an organisation's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import Item, dump, load
from byoa.builds.budgets import WINDOW, Use, check_shares, window_of
from byoa.builds.records import milliseconds

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from byoa.builds.ports import Clock

_KEPT: Final = 2
"""Windows that a counter outlives its own."""


@dataclass(frozen=True, slots=True)
class DynamoBudget:
    """Counters in the table; they expire."""

    client: DynamoDBClient
    table: str
    clock: Clock

    def admit(self, host: str, organisation: str) -> None:
        """See ``builds.ports.Budget``."""
        now = milliseconds(self.clock.now())
        window = window_of(now)
        keys = [f"BUDGET#{whose}{number}" for whose in (f"{organisation}#", "") for number in (window, window - 1)]
        found = self._read(host, [*keys, "REST"])
        mine, mine_before, host_now, host_before = (int(found.get(key, {}).get("used", 0)) for key in keys)
        rest = found.get("REST", {})
        own = int(rest["until_ts"]) if rest.get("organisation") == organisation else 0
        check_shares(Use(mine, mine_before, own), Use(host_now, host_before, int(rest.get("all_until_ts", 0))), now)

    def spend(self, host: str, organisation: str, requests: int) -> None:
        """See ``builds.ports.Budget``."""
        window = window_of(milliseconds(self.clock.now()))
        for sk in (f"BUDGET#{organisation}#{window}", f"BUDGET#{window}"):
            with translated("DynamoDB"):
                self.client.update_item(
                    TableName=self.table,
                    Key=dump({"pk": f"HOST#{host}", "sk": sk}),
                    UpdateExpression="ADD used :requests SET expires_at = :expires",
                    ExpressionAttributeValues=dump({":requests": requests, ":expires": (window + 1 + _KEPT) * WINDOW}),
                )

    def rest(self, host: str, organisation: str, seconds: float) -> None:
        """See ``builds.ports.Budget``."""
        now = milliseconds(self.clock.now())
        until = now + int(seconds * 1000)
        expires = {":until": until, ":expires": until // 1000 + _KEPT * WINDOW}
        sets = "SET until_ts = :until, organisation = :organisation, expires_at = :expires"
        free = "attribute_not_exists(organisation) OR organisation = :organisation OR until_ts <= :now"
        if not self._set(host, sets, {**expires, ":organisation": organisation, ":now": now}, free):
            self._set(host, "SET all_until_ts = :until, expires_at = :expires", expires)

    def _set(self, host: str, sets: str, values: Item, condition: str = "attribute_exists(pk)") -> bool:
        """Whether the host's rest was as the condition has it, and is now as ``sets`` says."""
        with translated("DynamoDB"):
            try:
                self.client.update_item(
                    TableName=self.table,
                    Key=dump({"pk": f"HOST#{host}", "sk": "REST"}),
                    UpdateExpression=sets,
                    ExpressionAttributeValues=dump(values),
                    ConditionExpression=condition,
                )
            except self.client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def _read(self, host: str, keys: list[str]) -> dict[str, Item]:
        with translated("DynamoDB"):
            answer = self.client.batch_get_item(
                RequestItems={self.table: {"Keys": [dump({"pk": f"HOST#{host}", "sk": sk}) for sk in keys]}}
            )
        items = [load(item) for item in answer["Responses"].get(self.table, [])]
        return {item["sk"]: item for item in items}
