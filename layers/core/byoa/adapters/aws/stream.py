"""The table's stream: which of its changes the bus hears of.

The stream is the outbox: what the table took, the bus is told, at least once. Nothing else puts these events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byoa.adapters.aws.deploys import read_deploy
from byoa.adapters.aws.table import load
from byoa.builds.messages import (
    BUILD_STATUS_CHANGED,
    COMPONENT_DELETED,
    CONFIG_CHANGED,
    BuildStatusChanged,
    ComponentDeleted,
    ConfigChanged,
)
from byoa.installs.messages import DEPLOY_ASKED, DEPLOY_STATUS_CHANGED, DeployAsked, DeployStatusChanged
from byoa.installs.records import operation_of
from byoa.tracking.messages import TAG_MOVED, TagMoved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import BaseModel

    from byoa.adapters.aws.eventbridge import EventBus


def publish(records: Sequence[Mapping[str, Any]], bus: EventBus) -> str | None:
    """Tell ``bus`` of a batch of stream records, in their order.

    Returns the sequence number of the first that couldn't be told: the stream goes on from there. Raises what
    ``EventBus.publish`` raises.
    """
    told: list[tuple[str, tuple[str, BaseModel]]] = []
    unreadable = None
    for record in records:
        number = str(record["dynamodb"]["SequenceNumber"])
        try:
            told += [(number, event) for event in events_of(record)]
        except (ValueError, LookupError):  # pydantic's errors and json's are ValueErrors
            unreadable = number
            break
    taken = bus.publish([event for _, event in told])
    return told[taken][0] if taken < len(told) else unreadable


def events_of(record: Mapping[str, Any]) -> list[tuple[str, BaseModel]]:
    """All that a stream record makes: what ``event_of`` says, or what a deploy's does. Raises what that raises."""
    new = record["dynamodb"].get("NewImage") or {}
    if new.get("entity") == {"S": "deploy"}:
        return _of_deploy(load(new), load(record["dynamodb"].get("OldImage") or {}))
    event = event_of(record)
    return [event] if event else []


def event_of(record: Mapping[str, Any]) -> tuple[str, BaseModel] | None:
    """The detail type and the detail that a stream record (new and old images) makes; ``None`` for all other changes.

    A new config version makes a "Component Config Changed", and so does a build that is told of again. Another status
    of a build makes a "Component Build Status Changed", a component that was deleted a "Component Deleted", a tag that
    was noted to have moved a "Component Tag Moved". Raises ``ValueError`` or ``LookupError`` for an item that is none
    of ours.
    """
    new, old = (record["dynamodb"].get(image) or {} for image in ("NewImage", "OldImage"))
    if new.get("entity") == {"S": "config"} and not old:
        return CONFIG_CHANGED, ConfigChanged.model_validate(load(new))
    if new.get("entity") == {"S": "build"} and old and new.get("told_again_ts") != old.get("told_again_ts"):
        return CONFIG_CHANGED, ConfigChanged.model_validate(load(new))
    if new.get("entity") == {"S": "build"} and new["status"] != old.get("status"):
        return BUILD_STATUS_CHANGED, _status_changed(load(new))
    if new.get("entity") == {"S": "deleted"} and new["deleted_at_ts"] != old.get("deleted_at_ts"):
        fields = load(new)
        return COMPONENT_DELETED, ComponentDeleted.model_validate(
            {name: fields[name] for name in ComponentDeleted.model_fields}
        )
    is_component = str(new.get("sk", {}).get("S", "")).startswith("COMPONENT#")
    if is_component and new.get("moved") not in (None, old.get("moved")):
        return TAG_MOVED, _tag_moved(load(new))
    return None


def _of_deploy(item: dict[str, Any], old: dict[str, Any]) -> list[tuple[str, BaseModel]]:
    """Another status makes an "Install Deploy Status Changed"; that it waits for who runs it, a "… Requested" as well.

    That is so of a new one, of one whose plan was approved, and of one that is told of again.
    """
    other = item["status"] != old.get("status")
    waits = item["status"] == "queued" and (other or item.get("told_again_ts") != old.get("told_again_ts"))
    deploy = read_deploy(item)
    events: list[tuple[str, BaseModel]] = []
    if other:
        shown = deploy.model_dump(include=set(DeployStatusChanged.model_fields))
        moment = deploy.history[-1].created_at_ts
        events.append((DEPLOY_STATUS_CHANGED, DeployStatusChanged(**shown, changed_at_ts=moment)))
    if waits:
        asked = DeployAsked(**deploy.key.model_dump(), operation=operation_of(deploy), agent=bool(item.get("agent")))
        events.append((DEPLOY_ASKED, asked))
    return events


def _tag_moved(item: dict[str, Any]) -> TagMoved:
    moved = item["moved"]
    return TagMoved(
        **{name: item[name] for name in ("organisation", "app", "component")},
        version=moved["version"],
        tag=moved["tag"],
        before=moved["before"],
        after=moved["after"],
        moved_at_ts=moved["at_ts"],
        hook_id=moved["hook_id"],
    )


def _status_changed(item: dict[str, Any]) -> BuildStatusChanged:
    key = ConfigChanged.model_validate(item)
    return BuildStatusChanged(
        **key.model_dump(),
        id=item["build_id"],
        status=item["status"],
        status_human_description=item["status_human_description"],
        changed_at_ts=item["history"][-1]["created_at_ts"],
        outcome=item.get("outcome"),
    )
