"""What an organisation has, its tokens, its journal and its kept answers, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from byoa.adapters.memory.issuers import MemoryIssuers
from byoa.api.doorkeeping import Standing, TokenRecord
from byoa.api.ports import App, Component, Deed, Kept, Page, Span
from byoa.builds.messages import BuildKey, ComponentDeleted
from byoa.builds.records import cancelled, milliseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from byoa.adapters.memory.ledger import MemoryLedger
    from byoa.api.doorkeeping import IssuerRule, KeptKeys
    from byoa.builds.messages import Build, ConfigVersion, NamedObjects, Stage
    from byoa.builds.ports import Accepted
    from byoa.components.reading import ComponentConfig
    from byoa.trust.allowed import Allowed

DAY_MS = 24 * 3600 * 1000
CLAIM_MS = 60 * 1000


@dataclass(slots=True)
class MemoryInventory:
    """One organisation's part of a ledger. ``held`` are all organisations' components, ``told`` what the bus hears."""

    organisation: str
    ledger: MemoryLedger
    held: dict[tuple[str, str, str], Component] = field(default_factory=dict)
    told: list[ComponentDeleted] = field(default_factory=list)

    @property
    def series(self) -> str:
        """See ``api.ports.Inventory``."""
        return self.ledger.series

    def apps(self, prefix: str, span: Span) -> Page[App]:
        """See ``api.ports.Inventory``."""
        mine = (App(name, *made) for (owner, name), made in self.ledger.apps.items() if owner == self.organisation)
        return part(sorted(each for each in mine if each.name.startswith(prefix)), span, lambda each: each.name)

    def app(self, name: str) -> App | None:
        """See ``api.ports.Inventory``."""
        made = self.ledger.apps.get((self.organisation, name))
        return App(name, *made) if made else None

    def components(self, app: str | None, prefix: str, span: Span) -> Page[Component]:
        """See ``api.ports.Inventory``."""
        mine = [each for (owner, of, _), each in self.held.items() if owner == self.organisation and app in (None, of)]
        named = {(each.name if app else f"{each.app}#{each.name}"): each for each in mine}
        shown = sorted((place, each) for place, each in named.items() if place.startswith(prefix))
        found = part(shown, span, lambda pair: pair[0])
        return Page([each for _, each in found.items], found.more)

    def component(self, app: str, name: str) -> Component | None:
        """See ``api.ports.Inventory``."""
        return self.held.get((self.organisation, app, name))

    def create(
        self, app: str, name: str, var_name: str | None, dependencies: Sequence[str], by: str
    ) -> Component | None:
        """See ``api.ports.Inventory``."""
        if self.component(app, name):
            return None
        now_ts = milliseconds(self.ledger.clock.now())
        version = self.ledger.gone.get((self.organisation, app, name), 0)
        made = Component(app, name, version, now_ts, now_ts, var_name, tuple(dependencies), by)
        self.held[self.organisation, app, name] = made
        self.ledger.apps.setdefault((self.organisation, app), (now_ts, by))
        return made

    def change(self, was: Component, var_name: str | None, dependencies: Sequence[str]) -> Component | None:
        """See ``api.ports.Inventory``."""
        if self.component(was.app, was.name) != was:
            return None
        now_ts = milliseconds(self.ledger.clock.now())
        changed = replace(was, var_name=var_name, dependencies=tuple(dependencies), updated_at_ts=now_ts)
        self.held[self.organisation, was.app, was.name] = changed
        return changed

    def remove(self, was: Component) -> bool:
        """See ``api.ports.Inventory``."""
        if self.component(was.app, was.name) != was:
            return False
        del self.held[self.organisation, was.app, was.name]
        self.ledger.newest.pop((self.organisation, was.app, was.name), None)
        self.ledger.gone[self.organisation, was.app, was.name] = was.version
        now_ts = milliseconds(self.ledger.clock.now())
        self.told.append(
            ComponentDeleted(organisation=self.organisation, app=was.app, component=was.name, deleted_at_ts=now_ts)
        )
        return True

    def newest(self, components: Sequence[Component]) -> dict[tuple[str, str], Build]:
        """See ``api.ports.Inventory``."""
        keys = [self._key(each, each.version) for each in components if each.version]
        found = [self.ledger.records.get(key) for key in keys]
        return {(build.app, build.component): build for build in found if build}

    def submit(
        self, app: str, config: ComponentConfig, *, by: str | None = None, anew: bool = False, text: str | None = None
    ) -> Accepted:
        """See ``api.ports.Inventory``."""
        accepted = self.ledger.submit(self.organisation, app, config, by=by, anew=anew, text=text)
        build, place = accepted.build, (self.organisation, app, config.name)
        was = self.held.get(place)
        if accepted.created or was is None:
            made_ts, made_by = (was.created_at_ts, was.created_by) if was else (build.created_at_ts, by)
            self.held[place] = Component(
                app,
                config.name,
                build.version,
                made_ts,
                build.created_at_ts,
                config.var_name,
                config.dependencies,
                made_by,
            )
        return accepted

    def submit_after(
        self, app: str, config: ComponentConfig, was: int, *, by: str, text: str | None = None
    ) -> Accepted | None:
        """See ``api.ports.Inventory``."""
        newest = self.ledger.newest.get((self.organisation, app, config.name), 0)
        return self.submit(app, config, by=by, text=text) if newest == was else None

    def config(self, app: str, component: str, version: int) -> ConfigVersion | None:
        """See ``api.ports.Inventory``."""
        key = BuildKey(organisation=self.organisation, app=app, component=component, version=version)
        return self.ledger.configs.get(key)

    def configs(self, component: Component, span: Span) -> Page[ConfigVersion]:
        """See ``api.ports.Inventory``."""
        return part(self._all(component, self.ledger.configs), span, lambda each: str(each.version))

    def builds(self, component: Component, span: Span) -> Page[Build]:
        """See ``api.ports.Inventory``."""
        return part(self._all(component, self.ledger.records), span, lambda each: str(each.version))

    def recent(self, app: str | None, span: Span, stage: Stage | None = None) -> Page[Build]:
        """See ``api.ports.Inventory``."""
        ours = [build for key, build in self.ledger.records.items() if key.organisation == self.organisation]
        mine = [build for build in ours if app in (None, build.app) and stage in (None, build.stage)]
        line = -1 if stage and stage != "unfinished" else 0
        mine.sort(key=lambda it: (it.history[line].created_at_ts, it.app, it.component, it.version), reverse=True)
        return part(mine, span, lambda build: build.build_id)

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
        if self.allowed() != was:
            return None
        made = was.replaced(references, milliseconds(self.ledger.clock.now()), by)
        self.ledger.policies[self.organisation] = made
        return made

    def _key(self, component: Component, version: int) -> BuildKey:
        return BuildKey(organisation=self.organisation, app=component.app, component=component.name, version=version)

    def _all[Item](self, component: Component, kept: dict[BuildKey, Item]) -> list[Item]:
        keys = (self._key(component, version) for version in range(component.version, 0, -1))
        return [kept[key] for key in keys if key in kept]


def part[Item](every: Iterable[Item], span: Span, place: Callable[[Item], str]) -> Page[Item]:
    """A part of a list in its order."""
    items = list(every)
    if span.after is not None:
        start = next((number + 1 for number, item in enumerate(items) if place(item) == span.after), len(items))
        items = items[start:]
    items = items[span.offset :]
    shown = items[: span.limit]
    return Page(shown, place(shown[-1]) if len(items) > len(shown) else None)


@dataclass(slots=True)
class MemoryTokens:
    """The tokens of one organisation in ``held``, which all share. Implements Tokens, with ``issuers`` Doorkeeper."""

    organisation: str
    held: dict[tuple[str, str], TokenRecord] = field(default_factory=dict)
    issuers: Callable[[str], MemoryIssuers] = MemoryIssuers

    def find(self, organisation: str, token_id: str) -> TokenRecord | None:
        """See ``api.doorkeeping.Doorkeeper``."""
        return self.held.get((organisation, token_id))

    def standing(self, organisation: str, token_id: str) -> Standing:
        """See ``api.doorkeeping.Doorkeeper``."""
        record = self.find(organisation, token_id)
        parent = self.find(organisation, record.parent) if record and record.parent else None
        return Standing(record, parent, self.rules(organisation) if record and record.rules else ())

    def rules(self, organisation: str) -> list[IssuerRule]:
        """See ``api.doorkeeping.Doorkeeper``."""
        return self.issuers(organisation).rules()

    def keys(self, organisation: str, issuer: str) -> KeptKeys | None:
        """See ``api.doorkeeping.Doorkeeper``."""
        return self.issuers(organisation).kept.get((organisation, issuer))

    def add(self, record: TokenRecord) -> None:
        """See ``api.ports.Tokens``."""
        self.held[self.organisation, record.id] = record

    def open(self, session: TokenRecord, most: int) -> None:
        """See ``api.ports.Tokens``."""
        self.add(session)
        whose = (session.parent, session.name)
        mine = [each for (owner, _), each in self.held.items() if owner == self.organisation]
        for each in [each for each in mine if (each.parent, each.name) == whose][:-most]:
            self.revoke(each.id)

    def page(self, span: Span) -> Page[TokenRecord]:
        """See ``api.ports.Tokens``."""
        mine = sorted(
            (each for (owner, _), each in self.held.items() if owner == self.organisation), key=lambda it: it.id
        )
        return part(mine, span, lambda each: each.id)

    def revoke(self, token_id: str) -> bool:
        """See ``api.ports.Tokens``."""
        return self.held.pop((self.organisation, token_id), None) is not None

    def used(self, record: TokenRecord, now_ts: int) -> None:
        """See ``api.ports.Tokens``."""
        kept = self.held.get((self.organisation, record.id))
        if kept and kept.last_used_ts == record.last_used_ts:
            self.held[self.organisation, record.id] = replace(kept, last_used_ts=now_ts)


@dataclass(slots=True)
class MemoryJournal:
    """The deeds of one organisation in ``held``, which all share."""

    organisation: str
    held: dict[tuple[str, str], Deed] = field(default_factory=dict)

    def begin(self, deed: Deed) -> None:
        """See ``api.ports.Journal``."""
        self.held[self.organisation, deed.id] = deed

    def end(self, deed: Deed, status: int) -> None:
        """See ``api.ports.Journal``."""
        self.held[self.organisation, deed.id] = replace(deed, status=status)

    def page(self, span: Span) -> Page[Deed]:
        """See ``api.ports.Journal``."""
        mine = [each for (owner, _), each in self.held.items() if owner == self.organisation]
        return part(sorted(mine, key=lambda it: (it.at_ts, it.id), reverse=True), span, lambda each: each.id)


@dataclass(slots=True)
class MemoryAnswers:
    """The kept answers of one organisation in ``held``, which all share."""

    organisation: str
    held: dict[tuple[str, str], Kept] = field(default_factory=dict)

    def begin(self, name: str, request: str, now_ts: int) -> Kept | None:
        """See ``api.ports.Answers``."""
        before = self.held.get((self.organisation, name))
        if before and now_ts < before.began_ts + (CLAIM_MS if before.status is None else DAY_MS):
            return before
        self.held[self.organisation, name] = Kept(request, now_ts)
        return None

    def keep(self, name: str, kept: Kept) -> None:
        """See ``api.ports.Answers``."""
        self.held[self.organisation, name] = kept

    def forget(self, name: str) -> None:
        """See ``api.ports.Answers``."""
        self.held.pop((self.organisation, name), None)
