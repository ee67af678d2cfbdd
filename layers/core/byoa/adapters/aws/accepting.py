"""The writes that make a config the newest one of its component, for one transaction: see ``dynamodb.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from byoa.adapters.aws.items import TAGGED, document_of, first_moment, sort_key, tagged_by
from byoa.adapters.aws.listed import handed_in
from byoa.adapters.aws.table import dump
from byoa.adapters.aws.transactions import put, update
from byoa.adapters.aws.writes import UNFINISHED

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from byoa.builds.messages import Build, BuildKey, ConfigVersion


def acceptance(table: str, accepted: ConfigVersion, build: Build, *, existing: bool) -> list[TransactWriteItemTypeDef]:
    """A config, its build, and the component whose newest it becomes; the build before is overtaken.

    ``existing`` makes no component that isn't there.
    """
    key, pk = build.key, f"ORG#{build.organisation}"
    (by_id, of_config, of_build), news = handed_in(key, first_moment(build)), {"pk": pk, "news": True}
    config = {"sk": sort_key("CONFIG", key), "entity": "config", **of_config, **document_of(accepted)}
    waiting = {"entity": "build", UNFINISHED: "build", **of_build}
    writes = [
        _count(table, accepted, existing=existing),
        put(table, {**news, **config}),
        put(table, {**news, "sk": sort_key("BUILD", key), **waiting, **document_of(build)}),
        put(table, {"pk": pk, "sk": f"BUILDID#{build.build_id}", "build": sort_key("BUILD", key), **by_id}),
    ]
    if key.version > 1:
        writes.append(overtake(table, key.model_copy(update={"version": key.version - 1})))
    return writes


def overtake(table: str, key: BuildKey) -> TransactWriteItemTypeDef:
    """Let no execution go on with a build."""
    changed = {"overtaken": True, "news": False}
    return update(table, f"ORG#{key.organisation}", sort_key("BUILD", key), changed, condition="attribute_exists(pk)")


def _count(table: str, accepted: ConfigVersion, *, existing: bool) -> TransactWriteItemTypeDef:
    """Make a config the component's newest: what it says of the component counts, and who made that one stays.

    A tag's move was noted of the config before. ``existing`` makes no component that isn't there.
    """
    config, at_ts = accepted.config, accepted.created_at_ts
    item = {
        **accepted.key.model_dump(),
        "fingerprint": accepted.fingerprint,
        "updated_at_ts": at_ts,
        "var_name": config.var_name,
        "dependencies": list(config.dependencies),
    }
    tagged = tagged_by(config)
    item |= {TAGGED: tagged} if tagged else {}
    gone = ["moved", "news", *([] if tagged else [TAGGED])]
    first = {"created_at_ts": at_ts, "created_by": accepted.created_by}
    sets = [f"#{name} = :{name}" for name in item]
    sets += [f"#{name} = if_not_exists(#{name}, :{name})" for name in first]
    values = {f":{name}": value for name, value in (item | first).items()}
    place = {"pk": f"ORG#{accepted.organisation}", "sk": f"COMPONENT#{accepted.app}#{accepted.component}"}
    change = {
        "TableName": table,
        "Key": dump(place),
        "UpdateExpression": f"SET {', '.join(sets)} REMOVE {', '.join(gone)}",
        "ExpressionAttributeNames": {f"#{name}": name for name in item | first},
        "ExpressionAttributeValues": dump({**values, ":before": accepted.version - 1}),
        "ConditionExpression": f"{'' if existing else 'attribute_not_exists(pk) OR '}#version = :before",
    }
    return cast("TransactWriteItemTypeDef", {"Update": change})
