"""The budgets of registries: counters by window, in the table. Counting is one atomic addition.

pk                      sk                          item
ORG#<organisation>      BUDGET#<host>#<window>      what one organisation asked of a host
HOST#<host>             BUDGET#<window>             what all asked
HOST#<host>             REST                        until when it wants rest
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import dump, load
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
        ours, all_of_it = (f"ORG#{organisation}", f"BUDGET#{host}#"), (f"HOST#{host}", "BUDGET#")
        keys = [(pk, f"{sk}{number}") for pk, sk in (ours, all_of_it) for number in (window, window - 1)]
        found = self._read([*keys, (f"HOST#{host}", "REST")])
        mine, mine_before, host_now, host_before = (int(found.get(key, {}).get("used", 0)) for key in keys)
        rest = int(found.get((f"HOST#{host}", "REST"), {}).get("until_ts", 0))
        check_shares(Use(mine, mine_before, rest), Use(host_now, host_before, rest), now)

    def spend(self, host: str, organisation: str, requests: int) -> None:
        """See ``builds.ports.Budget``."""
        window = window_of(milliseconds(self.clock.now()))
        for pk, sk in ((f"ORG#{organisation}", f"BUDGET#{host}#{window}"), (f"HOST#{host}", f"BUDGET#{window}")):
            with translated("DynamoDB"):
                self.client.update_item(
                    TableName=self.table,
                    Key=dump({"pk": pk, "sk": sk}),
                    UpdateExpression="ADD used :requests SET expires_at = :expires",
                    ExpressionAttributeValues=dump({":requests": requests, ":expires": (window + 1 + _KEPT) * WINDOW}),
                )

    def rest(self, host: str, seconds: float) -> None:
        """See ``builds.ports.Budget``."""
        until = milliseconds(self.clock.now()) + int(seconds * 1000)
        with translated("DynamoDB"):
            self.client.put_item(
                TableName=self.table,
                Item=dump(
                    {
                        "pk": f"HOST#{host}",
                        "sk": "REST",
                        "until_ts": until,
                        "expires_at": until // 1000 + _KEPT * WINDOW,
                    }
                ),
            )

    def _read(self, keys: list[tuple[str, str]]) -> dict[tuple[str, str], dict[str, int]]:
        with translated("DynamoDB"):
            answer = self.client.batch_get_item(
                RequestItems={self.table: {"Keys": [dump({"pk": pk, "sk": sk}) for pk, sk in keys]}}
            )
        items = [load(item) for item in answer["Responses"].get(self.table, [])]
        return {(item["pk"], item["sk"]): item for item in items}
