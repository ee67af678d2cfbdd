"""Which components name a tag, and what is noted of it, in the table that the ledger keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from byoa.adapters.aws.hooks import DynamoPorter
from byoa.adapters.aws.items import POLICIES, TAGGED, read_allowed, read_build, sort_key, tagged_key
from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.rows import AT_ONCE
from byoa.adapters.aws.table import Item, dump
from byoa.builds.messages import BuildKey
from byoa.tracking.messages import Moved
from byoa.tracking.ports import Named, Standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from byoa.adapters.aws.dynamodb import DynamoLedger
    from byoa.adapters.aws.rows import Rows
    from byoa.builds.messages import Build
    from byoa.tracking.records import HookRecord
    from byoa.trust.allowed import Allowed

MOST: Final = 1000
"""Components that one push is looked at for."""

WEEK: Final = 7 * 24 * 3600
_SERVICE: Final = "DynamoDB"


@dataclass(frozen=True, slots=True)
class DynamoMentions:
    """Implements Mentions: one query of an index that has keys alone. An index is a moment behind the table."""

    rows: Rows

    def of(self, registry: str, repository: str, tag: str, organisation: str | None) -> list[Named]:
        """See ``tracking.ports.Mentions``."""
        condition, values = f"{TAGGED} = :tag", {":tag": tagged_key(registry, repository, tag)}
        if organisation is not None:
            condition, values = f"{condition} AND pk = :pk", {**values, ":pk": f"ORG#{organisation}"}
        return [
            Named(item["pk"].removeprefix("ORG#"), *item["sk"].split("#")[1:])
            for item in self.rows.asked(condition, values, MOST, None, index=TAGGED)
        ]


@dataclass(frozen=True, slots=True)
class DynamoTracked:
    """Implements Tracked."""

    organisation: str
    rows: Rows

    def hook(self, hook_id: str) -> HookRecord | None:
        """See ``tracking.ports.Tracked``."""
        return DynamoPorter(self.rows).find(self.organisation, hook_id)

    def allowed(self) -> Allowed:
        """See ``tracking.ports.Tracked``."""
        return read_allowed(self.rows.several([(f"ORG#{self.organisation}", POLICIES)]).get(POLICIES))

    def claim(self, delivery: str, event: str, now_ts: int) -> bool:
        """See ``tracking.ports.Tracked``."""
        client, key = self.rows.client, {"pk": f"DELIVERY#{self.organisation}", "sk": f"DELIVERY#{delivery}"}
        with translated(_SERVICE):
            try:
                client.update_item(
                    TableName=self.rows.table,
                    Key=dump(key),
                    UpdateExpression="SET told_by = :event, expires_at = :expires",
                    ConditionExpression="attribute_not_exists(pk) OR told_by = :event",
                    ExpressionAttributeValues=dump({":event": event, ":expires": now_ts // 1000 + WEEK}),
                )
            except client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def standing(self, components: Sequence[Named]) -> list[Standing]:
        """See ``tracking.ports.Tracked``."""
        return [
            standing
            for start in range(0, len(components), AT_ONCE)
            for standing in self._standing(components[start : start + AT_ONCE])
        ]

    def _standing(self, components: Sequence[Named]) -> Iterator[Standing]:
        pk = f"ORG#{self.organisation}"
        found = self.rows.several([(pk, f"COMPONENT#{each.app}#{each.component}") for each in components])
        builds = {
            sort_key("BUILD", self._key(each.app, each.component, found[sk]["version"])): found[sk].get("moved")
            for each in components
            if (sk := f"COMPONENT#{each.app}#{each.component}") in found and found[sk]["version"]
        }
        built = self.rows.several([(pk, sk) for sk in builds])
        for sk, moved in builds.items():
            if sk in built:
                yield Standing(read_build(built[sk]), Moved.model_validate(moved) if moved else None)

    def note(self, key: BuildKey, moved: Moved | None) -> None:
        """See ``tracking.ports.Tracked``. The version stands in what is noted: a condition on it would be a right."""
        client = self.rows.client
        values = {":moved": moved.model_dump(mode="json"), ":news": True} if moved else {}
        change: Item = {"UpdateExpression": "SET moved = :moved, news = :news" if moved else "REMOVE moved, news"}
        change |= {"ExpressionAttributeValues": dump(values)} if moved else {}
        with translated(_SERVICE):
            try:
                client.update_item(
                    TableName=self.rows.table,
                    Key=dump({"pk": f"ORG#{self.organisation}", "sk": f"COMPONENT#{key.app}#{key.component}"}),
                    ConditionExpression="attribute_exists(pk)",
                    **change,
                )
            except client.exceptions.ConditionalCheckFailedException:
                return

    def _key(self, app: str, component: str, version: int) -> BuildKey:
        return BuildKey(organisation=self.organisation, app=app, component=component, version=version)


@dataclass(frozen=True, slots=True)
class DynamoWorkshop:
    """Implements Workshop."""

    organisation: str
    ledger: DynamoLedger
    rows: Rows

    def hook(self, hook_id: str) -> HookRecord | None:
        """See ``tracking.ports.Workshop``."""
        return DynamoPorter(self.rows).find(self.organisation, hook_id)

    def build_anew(self, newest: BuildKey, by: str) -> Build | None:
        """See ``tracking.ports.Workshop``."""
        return self.ledger.build_anew(newest, by)
