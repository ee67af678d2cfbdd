"""Configs and builds in one DynamoDB table. Implements Ledger, Unfinished and Catalogue.

Every item is under its organisation (``pk`` = ``ORG#<organisation>``), so that a policy on leading keys can hold one
organisation apart from the other:

    sk                                     item
    APP#<app>                              who handed in its first component, and when
    COMPONENT#<app>#<component>            the newest version's number and fingerprint, what people set, a tag's move
    DELETED#<app>#<component>              that it was deleted, and at which version it goes on counting
    CONFIG#<app>#<component>#<version>     a config as it was accepted
    BUILD#<app>#<component>#<version>      its build: status, history, outcome
    RECEIPT#<app>#<component>#<version>#<execution>    what an execution says of it, in an envelope
    OBJECTS#<app>#<component>#<version>#<execution>    the names of what it holds
    BUILDID#<build id>                     the sort key of that build
    POLICIES                               what the organisation lets its builds read
    AUDIT#…, ANSWER#…, and TOKEN#… under TOKEN#<organisation>: ``adapters/aws/office.py``
    HOOK#… under HOOK#<organisation>, DELIVERY#… under DELIVERY#<organisation>: ``adapters/aws/hooks.py``

The indexes ``recent`` and ``standing`` have lists of builds (``listed.py``). The index ``unfinished`` holds the builds
that have not ended, of all organisations, by the moment they were handed in, and ``tagged`` the components by the tag
that they name: written when a component comes to name another one.

A config, its build and the component's newest version are written in one transaction, which marks the build before as
overtaken: that one can't write from then on, and no write of a running build has to ask for more than its own item.

A build is the execution's that began it: every write asks for its name, and only that execution's receipt shows.

``news`` says of a write that the bus is to hear of it: the stream's filter passes nothing else on.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, cast

from botocore.exceptions import ClientError

from byoa.adapters.aws.accepting import acceptance, overtake
from byoa.adapters.aws.items import (
    POLICIES,
    first_moment,
    read_allowed,
    read_build,
    record_of,
    sort_key,
)
from byoa.adapters.aws.listed import standing
from byoa.adapters.aws.reads import get_item
from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import Item, dump, load
from byoa.adapters.aws.transactions import transact
from byoa.adapters.aws.writes import OURS_OR_NOBODYS, RUNNING, UNENDED, UNFINISHED, append, end, leave_out
from byoa.builds.messages import ENDED, Build, BuildKey, ConfigVersion, HistoryEntry, NamedObjects, Outcome
from byoa.builds.ports import Accepted
from byoa.builds.records import HISTORY, cut_short, kept_text, queued_build, reusable
from byoa.components.reading import fingerprint
from byoa.errors import DuplicateEvent, EventUntrusted, InternalFault, StaleVersion, StoreThrottled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from byoa.builds.messages import AttachedTo
    from byoa.builds.ports import Clock
    from byoa.components.reading import ComponentConfig
    from byoa.trust.allowed import Allowed

_RACES: Final = 5
"""Tries to be the next version while others hand in the same component."""


class _ItemFull(Exception):
    """The build's item has no room for what was to be added (400 KB)."""


@dataclass(frozen=True, slots=True)
class DynamoLedger:
    """The table, and the clock that dates what people hand in.

    Builds' ids are made with the table's name, or with ``series`` where it is given.
    """

    client: DynamoDBClient
    table: str
    clock: Clock
    series: str | None = None

    @property
    def own_series(self) -> str:
        """What builds' ids are made with. The table's name is in its ARN as well, by which people may call it."""
        return self.table.rpartition("/")[2] if self.series is None else self.series

    def begin(self, key: BuildKey, execution: str, entry: HistoryEntry) -> Build:
        """See ``builds.ports.Ledger``."""
        begins = "execution = :execution, begun_ts = if_not_exists(begun_ts, :begun)"
        update = append([entry], begins, {":execution": execution, ":begun": entry.created_at_ts}, news=True)
        begun, before = self._advance(key, update, f"{OURS_OR_NOBODYS} AND {RUNNING}", "ALL_NEW")
        if begun is not None:
            return read_build(begun)
        if before is None:
            raise EventUntrusted("The event names a config version that was never accepted.")
        raise _refusal(before, execution)

    def config(self, key: BuildKey) -> ConfigVersion:
        """See ``builds.ports.Ledger``."""
        item = self._get(key.organisation, sort_key("CONFIG", key))
        if item is None:
            raise EventUntrusted("The event names a config version that was never accepted.")
        return ConfigVersion.model_validate(record_of(item))

    def allowed(self, organisation: str) -> Allowed:
        """See ``builds.ports.Ledger``."""
        return read_allowed(self._get(organisation, POLICIES))

    def check_running(self, key: BuildKey, execution: str) -> None:
        """See ``builds.ports.Ledger``."""
        item = self._get(key.organisation, sort_key("BUILD", key)) or {}
        stopped = not item or "overtaken" in item or item["status"] in ENDED
        if stopped or item.get("execution") != execution:
            raise _refusal(item, execution)

    def progress(self, key: BuildKey, execution: str, entries: Sequence[HistoryEntry]) -> None:
        """See ``builds.ports.Ledger``. Which of the two writes is due, the first finds out."""
        news = entries[0].status != entries[-1].status
        values = {":before": entries[0].status, ":execution": execution}
        condition = f"execution = :execution AND #status IN (:before, :status) AND {RUNNING}"
        update = append(entries, "", {**values, ":full": HISTORY}, news=news)
        try:
            updated, before = self._advance(key, update, f"{condition} AND size(history) < :full")
            full = updated is None and before is not None and len(before["history"]) >= HISTORY
        except _ItemFull:
            full = True
        if full:
            updated, before = self._advance(key, leave_out(entries, values, news=news), condition)
        if updated is None:
            raise _refusal(before or {}, execution)

    def finish(
        self, key: BuildKey, execution: str, outcome: Outcome, entries: Sequence[HistoryEntry], *, begun: bool = False
    ) -> Build | None:
        """See ``builds.ports.Ledger``."""
        ours = "execution = :execution" if begun or outcome.status == "active" else OURS_OR_NOBODYS
        return self._end(key, outcome, entries, ours, {":execution": execution})

    def give_up(self, key: BuildKey, outcome: Outcome, entries: Sequence[HistoryEntry]) -> Build | None:
        """See ``builds.ports.Unfinished``."""
        return self._end(key, outcome, entries, "attribute_exists(pk)", {})

    def _end(
        self, key: BuildKey, outcome: Outcome, entries: Sequence[HistoryEntry], whose: str, values: Item
    ) -> Build | None:
        running = RUNNING if outcome.status == "active" else f"attribute_exists(pk) AND {UNENDED}"
        values = {**values, ":outcome": outcome.model_dump(mode="json")}
        stands = standing(key, outcome.status, entries[-1].created_at_ts)
        try:
            ended, before = self._advance(key, end(entries, values, stands), f"{whose} AND {running}", "ALL_NEW")
        except _ItemFull:
            update = end(cut_short(entries), values, stands, keep=False)
            ended, before = self._advance(key, update, f"{whose} AND {running}", "ALL_NEW")
        if before and before["status"] not in ENDED and before.get("execution") == values.get(":execution"):
            raise StaleVersion("A newer config version exists.")
        return read_build(ended) if ended is not None else None

    def keep_receipt(self, key: BuildKey, execution: str, envelope: str) -> None:
        """See ``builds.ports.Ledger``."""
        self._keep(key, _of_execution("RECEIPT", key, execution), "envelope", envelope)

    def keep_objects(self, key: BuildKey, execution: str, objects: NamedObjects) -> None:
        """See ``builds.ports.Ledger``."""
        self._keep(key, _of_execution("OBJECTS", key, execution), "objects", objects.model_dump_json())

    def _keep(self, key: BuildKey, sk: str, name: str, text: str) -> None:
        """Keep a text in an item of its own; the first one stays."""
        with translated("DynamoDB"), suppress(self.client.exceptions.ConditionalCheckFailedException):
            self.client.update_item(  # a put could replace any item, and so could whoever took this role over
                TableName=self.table,
                Key=dump({"pk": f"ORG#{key.organisation}", "sk": sk}),
                UpdateExpression=f"SET {name} = :text",
                ExpressionAttributeValues=dump({":text": text}),
                ConditionExpression="attribute_not_exists(pk)",
            )

    def unfinished(self, before_ts: int) -> Iterator[BuildKey]:
        """See ``builds.ports.Unfinished``. An index is a moment behind: some have ended meanwhile."""
        with translated("DynamoDB"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                IndexName=UNFINISHED,
                KeyConditionExpression=f"{UNFINISHED} = :build AND created_at_ts < :before",
                ExpressionAttributeValues=dump({":build": "build", ":before": before_ts}),
            )
            for item in (load(each) for page in pages for each in page["Items"]):
                _, app, component, version = item["sk"].split("#")
                owner = item["pk"].removeprefix("ORG#")
                yield BuildKey(organisation=owner, app=app, component=component, version=int(version))

    def look(self, key: BuildKey) -> Build | None:
        """See ``builds.ports.Unfinished``."""
        return self._build_of(key)

    def tell_again(self, key: BuildKey, now_ts: int) -> bool:
        """See ``builds.ports.Unfinished``: a write that the stream passes on as the config's news."""
        update: Item = {
            "UpdateExpression": "SET told_again_ts = :now, news = :news",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": dump({":now": now_ts, ":news": True, ":queued": "queued"}),
        }
        updated, _ = self._advance(key, update, "#status = :queued")
        return updated is not None

    def submit(  # noqa: PLR0913 - a config, and what is told of it by name
        self,
        organisation: str,
        app: str,
        config: ComponentConfig,
        *,
        by: str | None = None,
        anew: bool = False,
        text: str | None = None,
    ) -> Accepted:
        """See ``builds.ports.Catalogue``. Raises ``StoreThrottled`` while others hand in the same component."""
        accepted = self.submit_after(organisation, app, config, None, by=by, anew=anew, text=text)
        if accepted is None:
            raise InternalFault("A config was held to a version that nobody named.")
        return accepted

    def submit_after(  # noqa: PLR0913 - a config, and what it comes after
        self,
        organisation: str,
        app: str,
        config: ComponentConfig,
        was: int | None,
        *,
        by: str | None = None,
        anew: bool = False,
        text: str | None = None,
    ) -> Accepted | None:
        """``submit`` while the newest config is the version ``was`` (0: none), or whichever it is; else ``None``.

        The transaction holds the version that is read here, so nothing comes between. Raises what ``submit`` raises.
        """
        for _ in range(_RACES):
            newest = self._get(organisation, f"COMPONENT#{app}#{config.name}")
            if was is not None and was != int((newest or {}).get("version", 0)):
                return None
            counted = newest or self._get(organisation, f"DELETED#{app}#{config.name}") or {"version": 0}
            version = int(counted["version"])
            if newest and not anew and newest.get("fingerprint") == fingerprint(config):
                key = BuildKey(organisation=organisation, app=app, component=config.name, version=version)
                build = self._build_of(key)
                if build and reusable(build):
                    self._keep_text(key, text)
                    return Accepted(build, created=False)
            key = BuildKey(organisation=organisation, app=app, component=config.name, version=version + 1)
            build = queued_build(key, self.own_series, config, self.clock.now(), by)
            if newest is None:
                self.note_app(organisation, app, build.created_at_ts, by)
            if accepted := self._accept(build, config, text):
                return Accepted(build, created=True, version=accepted)
        raise StoreThrottled("Others are changing the same component at this moment.")

    def note_app(self, organisation: str, app: str, at_ts: int, by: str | None) -> None:
        """Have the app in the list of apps. Before its component and outside its transaction: others add to it too."""
        item = {"pk": f"ORG#{organisation}", "sk": f"APP#{app}", "app": app, "created_at_ts": at_ts, "created_by": by}
        there = self.client.exceptions.ConditionalCheckFailedException
        with translated("DynamoDB"), suppress(there):
            self.client.put_item(TableName=self.table, Item=dump(item), ConditionExpression="attribute_not_exists(pk)")

    def build_anew(self, newest: BuildKey, by: str) -> Build | None:
        """See ``tracking.ports.Workshop``."""
        component = self._get(newest.organisation, f"COMPONENT#{newest.app}#{newest.component}")
        if component is None or component["version"] != newest.version:
            return None
        was = self.config(newest)
        key = newest.key.model_copy(update={"version": newest.version + 1})
        build = queued_build(key, self.own_series, was.config, self.clock.now(), by)
        return build if self._accept(build, was.config, was.text, existing=True) else None

    def components(self, organisation: str, app: str) -> list[str]:
        """See ``builds.ports.Catalogue``."""
        return sorted(item["component"] for item in self._query(organisation, f"COMPONENT#{app}#", None))

    def build(self, organisation: str, build_id: str) -> Build | None:
        """See ``builds.ports.Catalogue``."""
        item = self._build_item(organisation, build_id)
        return read_build(item) if item else None

    def receipt(self, organisation: str, build_id: str) -> str | None:
        """See ``builds.ports.Catalogue``."""
        item = self._of_active(organisation, build_id, "RECEIPT")
        return str(item["envelope"]) if item else None

    def objects(self, organisation: str, build_id: str) -> NamedObjects | None:
        """See ``api.ports.Inventory``."""
        item = self._of_active(organisation, build_id, "OBJECTS")
        return NamedObjects.model_validate_json(item["objects"]) if item else None

    def attached(self, organisation: str, build_id: str) -> list[AttachedTo]:
        """See ``builds.ports.Catalogue``."""
        found = self.objects(organisation, build_id)
        return (found.attached if found else None) or []

    def _of_active(self, organisation: str, build_id: str, kind: str) -> Item | None:
        """What the execution that has a build has kept of it, if the build ended as active."""
        build = self._build_item(organisation, build_id)
        if build is None or build["status"] != "active":
            return None
        return self._get(organisation, _of_execution(kind, read_build(build).key, build["execution"]))

    def builds(self, organisation: str, app: str, component: str | None, limit: int) -> list[Build]:
        """See ``builds.ports.Catalogue``."""
        if component:
            found = self._query(organisation, f"BUILD#{app}#{component}#", limit)
        else:
            found = self._query(organisation, f"BUILD#{app}#", None)
        builds = sorted((read_build(item) for item in found), key=first_moment, reverse=True)
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
            except ClientError as error:
                if "maximum allowed size" in str(error):
                    raise _ItemFull from error
                raise
        return load(found.get("Attributes") or {}), None

    def _keep_text(self, key: BuildKey, text: str | None) -> None:
        """Keep the newest text of a config that is there. Nothing is news of it: what it says is the same."""
        if text is None:
            return
        with translated("DynamoDB"), suppress(self.client.exceptions.ConditionalCheckFailedException):
            self.client.update_item(
                TableName=self.table,
                Key=dump({"pk": f"ORG#{key.organisation}", "sk": sort_key("CONFIG", key)}),
                UpdateExpression="SET #text = :text, news = :news",
                ConditionExpression="attribute_exists(pk) AND (attribute_not_exists(#text) OR #text <> :text)",
                ExpressionAttributeNames={"#text": "text"},
                ExpressionAttributeValues=dump({":text": kept_text(text), ":news": False}),
            )

    def _accept(
        self, build: Build, config: ComponentConfig, text: str | None, *, existing: bool = False
    ) -> ConfigVersion | None:
        accepted = ConfigVersion(
            **build.key.model_dump(),
            config=config,
            fingerprint=fingerprint(config),
            created_at_ts=build.created_at_ts,
            created_by=build.created_by,
            text=kept_text(text),
        )
        return accepted if self.transact(acceptance(self.table, accepted, build, existing=existing)) else None

    def overtake(self, key: BuildKey) -> TransactWriteItemTypeDef:
        """Let no execution go on with a build, for a transaction."""
        return overtake(self.table, key)

    def transact(self, items: Sequence[TransactWriteItemTypeDef]) -> bool:
        """Whether the transaction went through; ``False`` when a condition didn't hold."""
        return transact(self.client, items)

    def _build_item(self, organisation: str, build_id: str) -> Item | None:
        pointer = self._get(organisation, f"BUILDID#{build_id}")
        return self._get(organisation, pointer["build"]) if pointer else None

    def _build_of(self, key: BuildKey) -> Build | None:
        item = self._get(key.organisation, sort_key("BUILD", key))
        return read_build(item) if item else None

    def _get(self, organisation: str, sk: str) -> Item | None:
        return self._get_item(f"ORG#{organisation}", sk)

    def _get_item(self, pk: str, sk: str) -> Item | None:
        return get_item(self.client, self.table, pk, sk)

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
            "Key": dump({"pk": f"ORG#{key.organisation}", "sk": sort_key("BUILD", key)}),
        }


def _of_execution(kind: str, key: BuildKey, execution: str) -> str:
    """No execution's name has a ``#`` in it (Step Functions, StartExecution)."""
    return f"{sort_key(kind, key)}#{execution}"


def _refusal(item: Item, execution: str) -> DuplicateEvent | StaleVersion:
    """Why an execution may not go on with a build that stands like this."""
    if item.get("execution", execution) != execution:
        return DuplicateEvent("Another execution already runs this build.")
    return StaleVersion("A newer config version exists, or the build has ended.")
