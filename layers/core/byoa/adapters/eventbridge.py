"""Events on the bus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from byoa.adapters.aws import translated
from byoa.errors import StoreThrottled
from byoa.messages import EVENT_SOURCE

if TYPE_CHECKING:
    from pydantic import BaseModel
    from types_boto3_events import EventBridgeClient
    from types_boto3_events.type_defs import PutEventsRequestEntryTypeDef


@dataclass(frozen=True, slots=True)
class EventBus:
    """One bus."""

    client: EventBridgeClient
    name: str

    def publish(self, detail_type: str, detail: BaseModel) -> None:
        """Put one event. Raises ``StoreThrottled`` when the bus didn't take it."""
        entry: PutEventsRequestEntryTypeDef = {
            "EventBusName": self.name,
            "Source": EVENT_SOURCE,
            "DetailType": detail_type,
            "Detail": detail.model_dump_json(),
        }
        with translated("EventBridge"):
            answer = self.client.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise StoreThrottled("EventBridge did not take the event.")
