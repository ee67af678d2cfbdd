"""The budgets of registries: counters by window, in the table or in memory. Counting is one atomic addition.

pk                      sk                          item
ORG#<organisation>      BUDGET#<host>#<window>      what one organisation asked of a host
HOST#<host>             BUDGET#<window>             what all asked
HOST#<host>             REST                        until when it wants rest
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from byoa.adapters.aws.items import dump, load
from byoa.adapters.aws.refusals import translated
from byoa.builds.budgets import PER_HOST, PER_ORGANISATION, WINDOW, Use, window_of
from byoa.builds.records import milliseconds
from byoa.errors import RegistryThrottled

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from byoa.engine.ports import Clock

_KEPT: Final = 2
"""Windows that a counter outlives its own."""


def _refuse(whose: str, seconds: float) -> None:
    if seconds > 0:
        raise RegistryThrottled(f"{whose} of this registry is used up for the moment.", retry_after=seconds)


@dataclass(slots=True)
class MemoryBudget:
    """Counters in memory."""

    clock: Clock
    used: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    rests: dict[str, int] = field(default_factory=dict)

    def admit(self, host: str, organisation: str) -> None:
        """See ``ports.Budget``."""
        now = milliseconds(self.clock.now())
        _refuse("The organisation's share", self._use(host, organisation, now).wait(PER_ORGANISATION, now))
        _refuse("The platform's share", self._use(host, "", now).wait(PER_HOST, now))

    def spend(self, host: str, organisation: str, requests: int) -> None:
        """See ``ports.Budget``."""
        window = window_of(milliseconds(self.clock.now()))
        for whose in ("", organisation):
            self.used[host, whose, window] += requests

    def rest(self, host: str, seconds: float) -> None:
        """See ``ports.Budget``."""
        until = milliseconds(self.clock.now()) + int(seconds * 1000)
        self.rests[host] = max(self.rests.get(host, 0), until)

    def _use(self, host: str, whose: str, now: int) -> Use:
        window = window_of(now)
        return Use(self.used[host, whose, window], self.used[host, whose, window - 1], self.rests.get(host, 0))


@dataclass(frozen=True, slots=True)
class DynamoBudget:
    """Counters in the table; they expire."""

    client: DynamoDBClient
    table: str
    clock: Clock

    def admit(self, host: str, organisation: str) -> None:
        """See ``ports.Budget``."""
        now = milliseconds(self.clock.now())
        window = window_of(now)
        ours, all_of_it = (f"ORG#{organisation}", f"BUDGET#{host}#"), (f"HOST#{host}", "BUDGET#")
        keys = [(pk, f"{sk}{number}") for pk, sk in (ours, all_of_it) for number in (window, window - 1)]
        found = self._read([*keys, (f"HOST#{host}", "REST")])
        mine, mine_before, host_now, host_before = (int(found.get(key, {}).get("used", 0)) for key in keys)
        rest = int(found.get((f"HOST#{host}", "REST"), {}).get("until_ts", 0))
        _refuse("The organisation's share", Use(mine, mine_before, rest).wait(PER_ORGANISATION, now))
        _refuse("The platform's share", Use(host_now, host_before, rest).wait(PER_HOST, now))

    def spend(self, host: str, organisation: str, requests: int) -> None:
        """See ``ports.Budget``."""
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
        """See ``ports.Budget``."""
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
