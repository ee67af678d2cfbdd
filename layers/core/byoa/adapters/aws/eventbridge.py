"""Events on the bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from byoa.adapters.aws.refusals import translated
from byoa.builds.messages import EVENT_SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic import BaseModel
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_AT_ONCE: Final = 10
_BYTES: Final = 200_000
"""How many entries one PutEvents takes, and bytes of them, with room for names (API reference: 10 and 256 KiB)."""


@dataclass(frozen=True, slots=True)
class EventBus:
    """One bus. ``source`` is who its events are from: a role may have one of them alone."""

    client: EventBridgeClient
    name: str
    source: str = EVENT_SOURCE

    def publish(self, events: Sequence[tuple[str, BaseModel]]) -> int:
        """Put events, each a detail type and a detail. Returns how many the bus took before one that it didn't take.

        Raises ``StoreThrottled`` when the bus is busy, ``InternalFault`` when it refuses.
        """
        taken = 0
        for entries in _batches([self._entry(*event) for event in events]):
            with translated("EventBridge"):
                answers = self.client.put_events(Entries=entries)["Entries"]
            for answer in answers:
                if "ErrorCode" in answer:
                    return taken
                taken += 1
        return taken

    def _entry(self, detail_type: str, detail: BaseModel) -> PutEventsRequestEntryTypeDef:
        return {
            "EventBusName": self.name,
            "Source": self.source,
            "DetailType": detail_type,
            "Detail": detail.model_dump_json(),
        }


def _batches(entries: Sequence[PutEventsRequestEntryTypeDef]) -> Iterator[list[PutEventsRequestEntryTypeDef]]:
    batch: list[PutEventsRequestEntryTypeDef] = []
    size = 0
    for entry in entries:
        more = len(entry["Detail"].encode())
        if batch and (len(batch) == _AT_ONCE or size + more > _BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += more
    if batch:
        yield batch
