"""Configs and builds in one DynamoDB table. Implements Ledger, Unfinished and Catalogue.

Every item is under its organisation (``pk`` = ``ORG#<organisation>``), so that a policy on leading keys can hold one
organisation apart from the other:

    sk                                     item
    COMPONENT#<app>#<component>            the newest version's number and fingerprint
    CONFIG#<app>#<component>#<version>     a config as it was accepted
    BUILD#<app>#<component>#<version>      its build: status, history, outcome
    RECEIPT#<app>#<component>#<version>    the build's receipt, in its envelope
    BUILDID#<build id>                     the sort key of that build

The index ``unfinished`` holds the builds that have not ended, of all organisations, by the moment they were handed in.

A config, its build and the component's newest version are written in one transaction, which marks the build before as
overtaken: that one can't write from then on, and no write of a running build has to ask for more than its own item.

``news`` says of a write that the bus is to hear of it: the stream's filter passes nothing else on.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast

from botocore.exceptions import ClientError

from byoa.adapters.aws.refusals import error_code, translated
from byoa.adapters.aws.table import Item, dump, load
from byoa.builds.messages import ENDED, Build, BuildKey, ConfigVersion, HistoryEntry, Outcome
from byoa.builds.ports import Accepted
from byoa.builds.records import queued_build, reusable
from byoa.components.reading import fingerprint
from byoa.errors import DuplicateEvent, EventUntrusted, StaleVersion, StoreThrottled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from byoa.builds.ports import Clock
    from byoa.components.reading import ComponentConfig

_RACES: Final = 5
"""Tries to be the next version while others hand in the same component."""

_UNFINISHED: Final = "NOT #status IN (:active, :error, :superseded)"
_RUNNING: Final = f"attribute_exists(pk) AND attribute_not_exists(overtaken) AND {_UNFINISHED}"
_ENDS: Final = {f":{status}": status for status in sorted(ENDED)}
UNFINISHED: Final = "unfinished"
"""The index of builds that have not ended, and the attribute that puts one in it."""

_INSIDE: Final = frozenset({"pk", "sk", "entity", "execution", "news", "overtaken", UNFINISHED})


@dataclass(frozen=True, slots=True)
class DynamoLedger:
    """The table, and the clock that dates what people hand in."""

    client: DynamoDBClient
    table: str
    clock: Clock

    def begin(self, key: BuildKey, execution: str, entry: HistoryEntry) -> Build:
        """See ``builds.ports.Ledger``."""
        update = _append([entry], "execution = :execution", {":execution": execution}, news=True)
        unowned = "(attribute_not_exists(execution) OR execution = :execution)"
        begun, before = self._advance(key, update, f"{unowned} AND {_RUNNING}", "ALL_NEW")
        if begun is not None:
            return _build(begun)
        if before is None:
            raise EventUntrusted("The event names a config version that was never accepted.")
        if before.get("execution", execution) != execution:
            raise DuplicateEvent("Another execution already runs this build.")
        raise StaleVersion("A newer config version exists, or the build has ended.")

    def config(self, key: BuildKey) -> ConfigVersion:
        """See ``builds.ports.Ledger``."""
        item = self._get(key.organisation, _sk("CONFIG", key))
        if item is None:
            raise EventUntrusted("The event names a config version that was never accepted.")
        return ConfigVersion.model_validate(_plain(item))

    def progress(self, key: BuildKey, entries: Sequence[HistoryEntry]) -> None:
        """See ``builds.ports.Ledger``."""
        before = {":before": entries[0].status}
        update = _append(entries, "", before, news=entries[0].status != entries[-1].status)
        updated, _ = self._advance(key, update, f"#status IN (:before, :status) AND {_RUNNING}")
        if updated is None:
            raise StaleVersion("A newer config version exists, or the build has ended.")

    def finish(self, key: BuildKey, outcome: Outcome, entries: Sequence[HistoryEntry]) -> Build | None:
        """See ``builds.ports.Ledger``."""
        update = _append(entries, "#outcome = :outcome", {":outcome": outcome.model_dump(mode="json")}, news=True)
        update["ExpressionAttributeNames"] |= {"#outcome": "outcome"}
        update["UpdateExpression"] += f" REMOVE {UNFINISHED}"
        condition = _RUNNING if outcome.status == "active" else f"attribute_exists(pk) AND {_UNFINISHED}"
        ended, before = self._advance(key, update, condition, "ALL_NEW")
        if before and before["status"] not in ENDED:
            raise StaleVersion("A newer config version exists.")
        return _build(ended) if ended is not None else None

    def keep_receipt(self, key: BuildKey, envelope: str) -> None:
        """See ``builds.ports.Ledger``."""
        item = {"pk": f"ORG#{key.organisation}", "sk": _sk("RECEIPT", key), "entity": "receipt", "envelope": envelope}
        with translated("DynamoDB"), suppress(self.client.exceptions.ConditionalCheckFailedException):
            self.client.put_item(TableName=self.table, Item=dump(item), ConditionExpression="attribute_not_exists(pk)")

    def unfinished(self, before_ts: int, limit: int) -> list[Build]:
        """See ``builds.ports.Unfinished``. An index is a moment behind: what has ended meanwhile is left out."""
        with translated("DynamoDB"):
            found = self.client.query(
                TableName=self.table,
                IndexName=UNFINISHED,
                KeyConditionExpression=f"{UNFINISHED} = :build AND created_at_ts < :before",
                ExpressionAttributeValues=dump({":build": "build", ":before": before_ts}),
                Limit=limit,
            )["Items"]
        items = (self._get_item(each["pk"], each["sk"]) for each in map(load, found))
        builds = (_build(item) for item in items if item)
        return [build for build in builds if not build.ended]

    def tell_again(self, key: BuildKey, now_ts: int) -> bool:
        """See ``builds.ports.Unfinished``: a write that the stream passes on as the config's news."""
        update: Item = {
            "UpdateExpression": "SET told_again_ts = :now, news = :news",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": dump({":now": now_ts, ":news": True, ":queued": "queued"}),
        }
        updated, _ = self._advance(key, update, "#status = :queued")
        return updated is not None

    def submit(self, organisation: str, app: str, config: ComponentConfig) -> Accepted:
        """See ``builds.ports.Catalogue``. Raises ``StoreThrottled`` while others hand in the same component."""
        for _ in range(_RACES):
            newest = self._get(organisation, f"COMPONENT#{app}#{config.name}")
            version = int(newest["version"]) if newest else 0
            if newest and newest["fingerprint"] == fingerprint(config):
                key = BuildKey(organisation=organisation, app=app, component=config.name, version=version)
                build = self._build_of(key)
                if build and reusable(build):
                    return Accepted(build, created=False)
            key = BuildKey(organisation=organisation, app=app, component=config.name, version=version + 1)
            build = queued_build(key, self.table, config, self.clock.now())
            if self._accept(build, config):
                return Accepted(build, created=True)
        raise StoreThrottled("Others are changing the same component at this moment.")

    def components(self, organisation: str, app: str) -> list[str]:
        """See ``builds.ports.Catalogue``."""
        return sorted(item["component"] for item in self._query(organisation, f"COMPONENT#{app}#", None))

    def build(self, organisation: str, build_id: str) -> Build | None:
        """See ``builds.ports.Catalogue``."""
        pointer = self._get(organisation, f"BUILDID#{build_id}")
        item = self._get(organisation, pointer["build"]) if pointer else None
        return _build(item) if item else None

    def receipt(self, organisation: str, build_id: str) -> str | None:
        """See ``builds.ports.Catalogue``."""
        build = self.build(organisation, build_id)
        item = self._get(organisation, _sk("RECEIPT", build.key)) if build and build.status == "active" else None
        return str(item["envelope"]) if item else None

    def builds(self, organisation: str, app: str, component: str | None, limit: int) -> list[Build]:
        """See ``builds.ports.Catalogue``."""
        if component:
            found = self._query(organisation, f"BUILD#{app}#{component}#", limit)
        else:
            found = self._query(organisation, f"BUILD#{app}#", None)
        builds = sorted((_build(item) for item in found), key=_first_moment, reverse=True)
        return builds[:limit]

    def _advance(
        self, key: BuildKey, update: Item, condition: str, returned: Literal["ALL_NEW", "NONE"] = "NONE"
    ) -> tuple[Item | None, Item | None]:
        """Update the build where it is as the condition has it: what is ``returned`` of it then, or ``None``.

        Second, where it isn't, what it is; ``None`` where there is none.
        """
        with translated("DynamoDB"):
            try:
                found = self.client.update_item(
                    **self._where(key),
                    **update,
                    ConditionExpression=condition,
                    ReturnValues=returned,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except self.client.exceptions.ConditionalCheckFailedException as error:
                kept = cast("Item | None", error.response.get("Item"))
                return None, load(kept) if kept else None
        return load(found.get("Attributes") or {}), None

    def _accept(self, build: Build, config: ComponentConfig) -> bool:
        key, pk = build.key, f"ORG#{build.organisation}"
        accepted = ConfigVersion(
            **key.model_dump(), config=config, fingerprint=fingerprint(config), created_at_ts=build.created_at_ts
        )
        component = {
            "pk": pk,
            "sk": f"COMPONENT#{key.app}#{key.component}",
            **key.model_dump(),
            "fingerprint": accepted.fingerprint,
        }
        before = {":before": key.version - 1}
        news = {"pk": pk, "news": True}
        writes = [
            self._put(component, "attribute_not_exists(pk) OR version = :before", before),
            self._put({**news, "sk": _sk("CONFIG", key), "entity": "config", **_document(accepted)}),
            self._put({**news, "sk": _sk("BUILD", key), "entity": "build", UNFINISHED: "build", **_document(build)}),
            self._put({"pk": pk, "sk": f"BUILDID#{build.build_id}", "build": _sk("BUILD", key)}),
        ]
        if key.version > 1:
            writes.append(self._overtake(key.model_copy(update={"version": key.version - 1})))
        return self._transact(writes)

    def _overtake(self, key: BuildKey) -> TransactWriteItemTypeDef:
        change = {
            **self._where(key),
            "UpdateExpression": "SET overtaken = :true, news = :false",
            "ExpressionAttributeValues": dump({":true": True, ":false": False}),
            "ConditionExpression": "attribute_exists(pk)",
        }
        return cast("TransactWriteItemTypeDef", {"Update": change})

    def _put(
        self, item: Item, condition: str = "attribute_not_exists(pk)", values: Item | None = None
    ) -> TransactWriteItemTypeDef:
        bound = {"ExpressionAttributeValues": dump(values)} if values else {}
        put = {"TableName": self.table, "Item": dump(item), "ConditionExpression": condition, **bound}
        return cast("TransactWriteItemTypeDef", {"Put": put})

    def _transact(self, items: Sequence[TransactWriteItemTypeDef]) -> bool:
        """Whether the transaction went through; ``False`` when a condition didn't hold."""
        with translated("DynamoDB"):
            try:
                self.client.transact_write_items(TransactItems=items)
            except self.client.exceptions.TransactionCanceledException as error:
                reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
                if "ConditionalCheckFailed" in reasons:
                    return False
                raise StoreThrottled("DynamoDB is busy with the same items.") from error
            except ClientError as error:
                if error_code(error) == "IdempotentParameterMismatchException":
                    raise StoreThrottled("DynamoDB took two writes for one.") from error
                raise
        return True

    def _build_of(self, key: BuildKey) -> Build | None:
        item = self._get(key.organisation, _sk("BUILD", key))
        return _build(item) if item else None

    def _get(self, organisation: str, sk: str) -> Item | None:
        return self._get_item(f"ORG#{organisation}", sk)

    def _get_item(self, pk: str, sk: str) -> Item | None:
        with translated("DynamoDB"):
            found = self.client.get_item(TableName=self.table, Key=dump({"pk": pk, "sk": sk}), ConsistentRead=True)
        return load(found["Item"]) if "Item" in found else None

    def _query(self, organisation: str, prefix: str, limit: int | None) -> list[Item]:
        """Items under a prefix of the sort key, the last first; ``limit`` bounds one page and with it the answer."""
        found: list[Item] = []
        with translated("DynamoDB"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues=dump({":pk": f"ORG#{organisation}", ":prefix": prefix}),
                ScanIndexForward=False,
                ConsistentRead=True,
                PaginationConfig={"MaxItems": limit} if limit else {},
            )
            for page in pages:
                found.extend(load(item) for item in page["Items"])
        return found

    def _where(self, key: BuildKey) -> Item:
        return {
            "TableName": self.table,
            "Key": dump({"pk": f"ORG#{key.organisation}", "sk": _sk("BUILD", key)}),
        }


def _sk(kind: str, key: BuildKey) -> str:
    """Versions are padded, so that they sort by number."""
    return f"{kind}#{key.app}#{key.component}#{key.version:010d}"


def _append(entries: Sequence[HistoryEntry], extra: str, values: Item, *, news: bool) -> Item:
    """An update that appends to the history and makes its last entry the build's status."""
    last = entries[-1]
    sets = ["history = list_append(history, :entries)", "#status = :status", "#human = :human", "#metadata = :metadata"]
    sets += ["news = :news", extra] if extra else ["news = :news"]
    bound = {
        ":news": news,
        ":entries": [entry.model_dump(mode="json") for entry in entries],
        ":status": last.status,
        ":human": last.status_human_description,
        ":metadata": last.metadata,
    }
    return {
        "UpdateExpression": f"SET {', '.join(sets)}",
        "ExpressionAttributeNames": {
            "#status": "status",
            "#human": "status_human_description",
            "#metadata": "metadata",
        },
        "ExpressionAttributeValues": dump({**bound, **values, **_ENDS}),
    }


def _document(record: Build | ConfigVersion) -> Item:
    return record.model_dump(mode="json")


def _plain(item: Item) -> Item:
    return {name: value for name, value in item.items() if name not in _INSIDE}


def _build(item: Item) -> Build:
    return Build.model_validate(_plain(item))


def _first_moment(build: Build) -> int:
    return build.history[0].created_at_ts
