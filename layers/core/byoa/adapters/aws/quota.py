"""The quotas of organisations: counters by day, in the table.

pk                      sk                  item
QUOTA#<organisation>    DAY#<day>           the bytes that its builds took on that day
QUOTA#<organisation>    BUILD#<build id>    how much of that is a build's

Keys of their own: who counts needs no right to the organisation's configs and builds for it. The sum is one atomic
addition under a condition, so that builds at the same moment neither pass the limit together nor fight over the item.
Who dies between the two writes has its build counted twice, which is on the safe side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import Item, dump, load
from byoa.builds.quotas import DAY, day_of, exceeded

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from byoa.builds.ports import Clock


@dataclass(frozen=True, slots=True)
class DynamoQuota:
    """Counters in the table, which expire; ``limit`` is how many bytes an organisation has a day."""

    client: DynamoDBClient
    table: str
    clock: Clock
    limit: int

    def take(self, organisation: str, build_id: str, size: int) -> None:
        """See ``builds.ports.Quota``."""
        pk, build, day = f"QUOTA#{organisation}", f"BUILD#{build_id}", day_of(self.clock.now())
        more = size - self._counted(pk, build)
        if more <= 0:
            return
        if more > self.limit or not self._add(pk, day, more):
            raise exceeded(self.limit)
        with translated("DynamoDB"):
            self.client.update_item(
                **self._where(pk, build),
                UpdateExpression="SET counted = :size, expires_at = :expires",
                ExpressionAttributeValues=dump({":size": size, ":expires": _expires(day)}),
            )

    def _add(self, pk: str, day: int, more: int) -> bool:
        """Whether the day had room for so many bytes, which are counted now."""
        with translated("DynamoDB"):
            try:
                self.client.update_item(
                    **self._where(pk, f"DAY#{day}"),
                    UpdateExpression="ADD used :more SET expires_at = :expires",
                    ConditionExpression="attribute_not_exists(used) OR used <= :room",
                    ExpressionAttributeValues=dump(
                        {":more": more, ":room": self.limit - more, ":expires": _expires(day)}
                    ),
                )
            except self.client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def _counted(self, pk: str, build: str) -> int:
        with translated("DynamoDB"):
            found = self.client.get_item(**self._where(pk, build), ConsistentRead=True)
        return int(load(found["Item"])["counted"]) if "Item" in found else 0

    def _where(self, pk: str, sk: str) -> Item:
        return {"TableName": self.table, "Key": dump({"pk": pk, "sk": sk})}


def _expires(day: int) -> int:
    """A day after its own, by when no build of it still runs (seconds since 1970-01-01 UTC)."""
    return (day + 2) * DAY
