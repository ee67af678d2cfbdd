"""Hooks of organisations, in the table, and the bell that they ring.

    pk                         sk                   item
    HOOK#<organisation>        HOOK#<id>            a hook's record
    DELIVERY#<organisation>    DELIVERY#<digest>    a delivery that was heeded, for a week

Both are under keys of their own: who lets deliveries in reads keys that begin with ``HOOK#`` and no others, and who
heeds them may let nothing else of an organisation's expire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import Item, dump
from byoa.api.ports import Page, Span
from byoa.errors import StoreThrottled
from byoa.tracking.messages import REGISTRY_PUSHED
from byoa.tracking.records import HookRecord

if TYPE_CHECKING:
    from byoa.adapters.aws.eventbridge import EventBus
    from byoa.adapters.aws.rows import Rows
    from byoa.tracking.messages import RegistryPushed

_SERVICE: Final = "DynamoDB"


@dataclass(frozen=True, slots=True)
class DynamoPorter:
    """All organisations' hooks, one at a time. Implements Porter."""

    rows: Rows

    def find(self, organisation: str, hook_id: str) -> HookRecord | None:
        """See ``tracking.ports.Porter``."""
        item = self.rows.one(f"HOOK#{organisation}", f"HOOK#{hook_id}")
        return _hook(item) if item else None


@dataclass(frozen=True, slots=True)
class DynamoHooks:
    """Implements Hooks."""

    organisation: str
    rows: Rows

    @property
    def _pk(self) -> str:
        return f"HOOK#{self.organisation}"

    def add(self, record: HookRecord) -> bool:
        """See ``api.ports.Hooks``."""
        fields = {name: getattr(record, name) for name in HookRecord.__slots__}
        item = {"pk": self._pk, "sk": f"HOOK#{record.id}", **fields}
        client = self.rows.client
        with translated(_SERVICE):
            try:
                client.put_item(
                    TableName=self.rows.table, Item=dump(item), ConditionExpression="attribute_not_exists(pk)"
                )
            except client.exceptions.ConditionalCheckFailedException:
                return False
        return True

    def page(self, span: Span) -> Page[HookRecord]:
        """See ``api.ports.Hooks``."""
        found = self.rows.listed(self._pk, "HOOK#", span)
        return Page([_hook(item) for item in found.items], found.more)

    def remove(self, hook_id: str) -> bool:
        """See ``api.ports.Hooks``."""
        with translated(_SERVICE):
            gone = self.rows.client.delete_item(
                TableName=self.rows.table, Key=dump({"pk": self._pk, "sk": f"HOOK#{hook_id}"}), ReturnValues="ALL_OLD"
            )
        return "Attributes" in gone


def _hook(item: Item) -> HookRecord:
    return HookRecord(**{name: value for name, value in item.items() if name not in ("pk", "sk")})


@dataclass(frozen=True, slots=True)
class BusBell:
    """Implements Bell."""

    bus: EventBus

    def ring(self, pushed: RegistryPushed) -> None:
        """See ``tracking.ports.Bell``."""
        if not self.bus.publish([(REGISTRY_PUSHED, pushed)]):
            raise StoreThrottled("The bus did not take the event.")
