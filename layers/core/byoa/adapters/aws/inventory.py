"""What one organisation has, in the table that the ledger keeps. Implements Inventory.

Versions are numbered without gaps, so a part of a component's list is a range of keys; components are listed by name,
and builds of an app, of all apps, or by how they stand, by indexes (``listed.py``). Each list is one query, and one
BatchGetItem where it shows builds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from byoa.adapters.aws.items import POLICIES, read_build, record_of, sort_key
from byoa.adapters.aws.listed import list_of
from byoa.adapters.aws.refusals import translated
from byoa.adapters.aws.table import Item, dump
from byoa.api.ports import App, Component, Page, Span
from byoa.builds.messages import BuildKey, ConfigVersion
from byoa.builds.records import cancelled, milliseconds
from byoa.tracking.messages import Moved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from byoa.adapters.aws.dynamodb import DynamoLedger
    from byoa.adapters.aws.rows import Rows
    from byoa.builds.messages import Build, NamedObjects, Stage
    from byoa.builds.ports import Accepted
    from byoa.components.reading import ComponentConfig
    from byoa.trust.allowed import Allowed

_NUMBER: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


@dataclass(frozen=True, slots=True)
class DynamoInventory:
    """One organisation's items, by a ledger and by reads of its table in the organisation's session."""

    organisation: str
    ledger: DynamoLedger
    rows: Rows

    @property
    def series(self) -> str:
        """See ``api.ports.Inventory``."""
        return self.ledger.own_series

    @property
    def _pk(self) -> str:
        return f"ORG#{self.organisation}"

    def apps(self, prefix: str, span: Span) -> Page[App]:
        """See ``api.ports.Inventory``."""
        found = self.rows.listed(self._pk, "APP#", span, narrow=prefix)
        return Page([_app(item) for item in found.items], found.more)

    def app(self, name: str) -> App | None:
        """See ``api.ports.Inventory``."""
        item = self.rows.one(self._pk, f"APP#{name}")
        return _app(item) if item else None

    def components(self, app: str | None, prefix: str, span: Span) -> Page[Component]:
        """See ``api.ports.Inventory``."""
        of_app = "" if app is None else f"{app}#"
        found = self.rows.listed(self._pk, f"COMPONENT#{of_app}", span, narrow=prefix)
        return Page([_component(item) for item in found.items], found.more)

    def component(self, app: str, name: str) -> Component | None:
        """See ``api.ports.Inventory``."""
        item = self.rows.one(self._pk, f"COMPONENT#{app}#{name}")
        return _component(item) if item else None

    def create(
        self, app: str, name: str, var_name: str | None, dependencies: Sequence[str], by: str
    ) -> Component | None:
        """See ``api.ports.Inventory``. One that was there before goes on counting where it was."""
        before = self.rows.one(self._pk, f"DELETED#{app}#{name}")
        now_ts = milliseconds(self.ledger.clock.now())
        version = int(before["version"]) if before else 0
        made = Component(app, name, version, now_ts, now_ts, var_name, tuple(dependencies), by)
        item = {
            "pk": self._pk,
            "sk": f"COMPONENT#{app}#{name}",
            "organisation": self.organisation,
            "app": app,
            "component": name,
            "version": version,
            "created_at_ts": now_ts,
            "updated_at_ts": now_ts,
            "var_name": var_name,
            "dependencies": list(dependencies),
            "created_by": by,
        }
        client = self.ledger.client
        self.ledger.note_app(self.organisation, app, now_ts, by)
        with translated("DynamoDB"):
            try:
                client.put_item(
                    TableName=self.rows.table, Item=dump(item), ConditionExpression="attribute_not_exists(pk)"
                )
            except client.exceptions.ConditionalCheckFailedException:
                return None
        return made

    def change(self, was: Component, var_name: str | None, dependencies: Sequence[str]) -> Component | None:
        """See ``api.ports.Inventory``."""
        client, now_ts = self.ledger.client, milliseconds(self.ledger.clock.now())
        values = {":var_name": var_name, ":dependencies": list(dependencies), ":now": now_ts}
        with translated("DynamoDB"):
            try:
                client.update_item(
                    TableName=self.rows.table,
                    Key=dump({"pk": self._pk, "sk": f"COMPONENT#{was.app}#{was.name}"}),
                    UpdateExpression="SET var_name = :var_name, dependencies = :dependencies, updated_at_ts = :now",
                    ConditionExpression=_AS_IT_WAS,
                    ExpressionAttributeNames=_VERSION,
                    ExpressionAttributeValues=dump({**values, **_state(was)}),
                )
            except client.exceptions.ConditionalCheckFailedException:
                return None
        return self.component(was.app, was.name)

    def remove(self, was: Component) -> bool:
        """See ``api.ports.Inventory``: one transaction, whose news the stream passes on."""
        delete: dict[str, Any] = {
            "TableName": self.rows.table,
            "Key": dump({"pk": self._pk, "sk": f"COMPONENT#{was.app}#{was.name}"}),
            "ConditionExpression": _AS_IT_WAS,
            "ExpressionAttributeNames": _VERSION,
            "ExpressionAttributeValues": dump(_state(was)),
        }
        gone = {
            "pk": self._pk,
            "sk": f"DELETED#{was.app}#{was.name}",
            "entity": "deleted",
            "news": True,
            "organisation": self.organisation,
            "app": was.app,
            "component": was.name,
            "version": was.version,
            "deleted_at_ts": milliseconds(self.ledger.clock.now()),
        }
        put = {"Put": {"TableName": self.rows.table, "Item": dump(gone)}}
        writes = [cast("TransactWriteItemTypeDef", {"Delete": delete}), cast("TransactWriteItemTypeDef", put)]
        if was.version:
            writes.append(self.ledger.overtake(self._key(was, was.version)))
        return self.ledger.transact(writes)

    def newest(self, components: Sequence[Component]) -> dict[tuple[str, str], Build]:
        """See ``api.ports.Inventory``."""
        keys = [self._key(each, each.version) for each in components if each.version]
        builds = self._builds([sort_key("BUILD", key) for key in keys])
        return {(build.app, build.component): build for build in builds}

    def submit(
        self, app: str, config: ComponentConfig, *, by: str | None = None, anew: bool = False, text: str | None = None
    ) -> Accepted:
        """See ``api.ports.Inventory``."""
        return self.ledger.submit(self.organisation, app, config, by=by, anew=anew, text=text)

    def submit_after(
        self, app: str, config: ComponentConfig, was: int, *, by: str, text: str | None = None
    ) -> Accepted | None:
        """See ``api.ports.Inventory``."""
        return self.ledger.submit_after(self.organisation, app, config, was, by=by, text=text)

    def config(self, app: str, component: str, version: int) -> ConfigVersion | None:
        """See ``api.ports.Inventory``."""
        key = BuildKey(organisation=self.organisation, app=app, component=component, version=version)
        item = self.rows.one(self._pk, sort_key("CONFIG", key))
        return ConfigVersion.model_validate(record_of(item)) if item else None

    def configs(self, component: Component, span: Span) -> Page[ConfigVersion]:
        """See ``api.ports.Inventory``."""
        found = self._versions("CONFIG", component, span)
        return Page([ConfigVersion.model_validate(record_of(item)) for item in found.items], found.more)

    def builds(self, component: Component, span: Span) -> Page[Build]:
        """See ``api.ports.Inventory``."""
        found = self._versions("BUILD", component, span)
        return Page([read_build(item) for item in found.items], found.more)

    def recent(self, app: str | None, span: Span, stage: Stage | None = None) -> Page[Build]:
        """See ``api.ports.Inventory``. An index is a moment behind the table."""
        listed, start = list_of(app, stage), None
        if span.after is not None:
            start = listed.start(self.organisation, span.after)
            if start is None:
                return Page([], None)
        count = span.offset + span.limit + 1
        condition = f"pk = :pk AND begins_with({listed.by}, :prefix)"
        values = {":pk": self._pk, ":prefix": listed.prefix}
        items = self.rows.asked(condition, values, count, start, newest_first=True, index=listed.by)
        shown = items[span.offset : span.offset + span.limit]
        builds = self._builds([sort_key("BUILD", listed.key_of(self.organisation, item)) for item in shown])
        found = [build for build in builds if stage in (None, build.stage)]
        return Page(found, listed.place_of(shown[-1]) if len(items) == count else None)

    def build(self, build_id: str) -> Build | None:
        """See ``api.ports.Inventory``."""
        return self.ledger.build(self.organisation, build_id)

    def receipt(self, build_id: str) -> str | None:
        """See ``api.ports.Inventory``."""
        return self.ledger.receipt(self.organisation, build_id)

    def objects(self, build_id: str) -> NamedObjects | None:
        """See ``api.ports.Inventory``."""
        return self.ledger.objects(self.organisation, build_id)

    def cancel(self, build: Build, cause: str, by: str) -> Build | None:
        """See ``api.ports.Inventory``."""
        outcome, last = cancelled(self.ledger.clock.now(), cause, by)
        return self.ledger.give_up(build.key, outcome, [last])

    def allowed(self) -> Allowed:
        """See ``api.ports.Inventory``."""
        return self.ledger.allowed(self.organisation)

    def allow(self, was: Allowed, references: Sequence[str], by: str) -> Allowed | None:
        """See ``api.ports.Inventory``."""
        made = was.replaced(references, milliseconds(self.ledger.clock.now()), by)
        item = {"pk": self._pk, "sk": POLICIES, **made._asdict(), "references": list(made.references)}
        client = self.ledger.client
        with translated("DynamoDB"):
            try:
                client.put_item(
                    TableName=self.rows.table,
                    Item=dump(item),
                    ConditionExpression="attribute_not_exists(pk) OR #version = :was",
                    ExpressionAttributeNames=_VERSION,
                    ExpressionAttributeValues=dump({":was": was.version}),
                )
            except client.exceptions.ConditionalCheckFailedException:
                return None
        return made

    def _key(self, component: Component, version: int) -> BuildKey:
        return BuildKey(organisation=self.organisation, app=component.app, component=component.name, version=version)

    def _versions(self, kind: str, component: Component, span: Span) -> Page[Item]:
        """Items by their version, the newest first; a place is a version."""
        top = component.version
        if span.after is not None:
            top = min(top, int(span.after) - 1) if _NUMBER.fullmatch(span.after) else 0
        first = top - span.offset
        if first < 1:
            return Page([], None)
        last = max(1, first - span.limit + 1)
        oldest, newest = (sort_key(kind, self._key(component, version)) for version in (last, first))
        return Page(self.rows.between(self._pk, oldest, newest), str(last) if last > 1 else None)

    def _builds(self, keys: Sequence[str]) -> list[Build]:
        found = self.rows.several([(self._pk, key) for key in keys])
        return [read_build(found[key]) for key in keys if key in found]


_AS_IT_WAS: Final = "#version = :version AND updated_at_ts = :updated"
_VERSION: Final = {"#version": "version"}


def _state(was: Component) -> Item:
    return {":version": was.version, ":updated": was.updated_at_ts}


def _app(item: Item) -> App:
    return App(item["app"], item["created_at_ts"], item.get("created_by"))


def _component(item: Item) -> Component:
    return Component(
        app=item["app"],
        name=item["component"],
        version=item["version"],
        created_at_ts=item["created_at_ts"],
        updated_at_ts=item["updated_at_ts"],
        var_name=item.get("var_name"),
        dependencies=tuple(item.get("dependencies") or ()),
        created_by=item.get("created_by"),
        moved=Moved.model_validate(item["moved"]) if item.get("moved") else None,
    )
