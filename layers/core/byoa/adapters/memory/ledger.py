"""The Ledger and the Catalogue in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from byoa.builds.messages import Build, BuildKey, ConfigVersion
from byoa.builds.ports import Accepted
from byoa.builds.records import HISTORY, kept_text, queued_build, reusable
from byoa.components.reading import fingerprint
from byoa.errors import DuplicateEvent, EventUntrusted, StaleVersion
from byoa.trust.allowed import Allowed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from byoa.builds.messages import AttachedTo, HistoryEntry, NamedObjects, Outcome
    from byoa.builds.ports import Clock
    from byoa.components.reading import ComponentConfig


@dataclass(slots=True)
class MemoryLedger:
    """Configs and builds by key. One thread at a time."""

    clock: Clock
    series: str = ""
    configs: dict[BuildKey, ConfigVersion] = field(default_factory=dict)
    records: dict[BuildKey, Build] = field(default_factory=dict)
    newest: dict[tuple[str, str, str], int] = field(default_factory=dict)
    gone: dict[tuple[str, str, str], int] = field(default_factory=dict)
    executions: dict[BuildKey, str] = field(default_factory=dict)
    receipts: dict[tuple[BuildKey, str], str] = field(default_factory=dict)
    named: dict[tuple[BuildKey, str], NamedObjects] = field(default_factory=dict)
    policies: dict[str, Allowed] = field(default_factory=dict)
    apps: dict[tuple[str, str], tuple[int, str | None]] = field(default_factory=dict)

    def begin(self, key: BuildKey, execution: str, entry: HistoryEntry) -> Build:
        """See ``builds.ports.Ledger``."""
        self.config(key)
        self._check_running(key, ours=self.executions.get(key, execution) == execution)
        self.executions[key] = execution
        build = self.records[key]
        begun = entry.created_at_ts if build.begun_ts is None else build.begun_ts
        self.records[key] = build.model_copy(update={"begun_ts": begun})
        return self._append(key, [entry], None)

    def config(self, key: BuildKey) -> ConfigVersion:
        """See ``builds.ports.Ledger``."""
        if key not in self.configs:
            raise EventUntrusted("The event names a config version that was never accepted.")
        return self.configs[key]

    def allowed(self, organisation: str) -> Allowed:
        """See ``builds.ports.Ledger``."""
        return self.policies.get(organisation, Allowed())

    def check_running(self, key: BuildKey, execution: str) -> None:
        """See ``builds.ports.Ledger``."""
        self._check_running(key, ours=self.executions.get(key) == execution)

    def progress(self, key: BuildKey, execution: str, entries: Sequence[HistoryEntry]) -> None:
        """See ``builds.ports.Ledger``."""
        self._check_running(key, ours=self.executions.get(key, execution) == execution)
        if key not in self.executions or self.records[key].status not in (entries[0].status, entries[-1].status):
            raise StaleVersion("A newer config version exists, or the build has ended.")
        self._append(key, entries, None)

    def finish(
        self, key: BuildKey, execution: str, outcome: Outcome, entries: Sequence[HistoryEntry], *, begun: bool = False
    ) -> Build | None:
        """See ``builds.ports.Ledger``."""
        nobodys = not begun and outcome.status != "active" and key not in self.executions
        return self._end(key, outcome, entries) if nobodys or self.executions.get(key) == execution else None

    def give_up(self, key: BuildKey, outcome: Outcome, entries: Sequence[HistoryEntry]) -> Build | None:
        """See ``builds.ports.Unfinished``."""
        return self._end(key, outcome, entries)

    def _end(self, key: BuildKey, outcome: Outcome, entries: Sequence[HistoryEntry]) -> Build | None:
        if key not in self.records or self.records[key].ended:
            return None
        if outcome.status == "active":
            self._check_running(key, ours=True)
        return self._append(key, entries, outcome)

    def keep_receipt(self, key: BuildKey, execution: str, envelope: str) -> None:
        """See ``builds.ports.Ledger``."""
        self.receipts.setdefault((key, execution), envelope)

    def keep_objects(self, key: BuildKey, execution: str, objects: NamedObjects) -> None:
        """See ``builds.ports.Ledger``."""
        self.named.setdefault((key, execution), objects)

    def unfinished(self, before_ts: int) -> Iterator[BuildKey]:
        """See ``builds.ports.Unfinished``."""
        found = [build for build in self.records.values() if not build.ended and build.created_at_ts < before_ts]
        return (build.key for build in sorted(found, key=lambda build: build.created_at_ts))

    def look(self, key: BuildKey) -> Build | None:
        """See ``builds.ports.Unfinished``."""
        return self.records.get(key)

    def tell_again(self, key: BuildKey, now_ts: int) -> bool:
        """See ``builds.ports.Unfinished``."""
        build = self.records[key]
        if build.status != "queued":
            return False
        self.records[key] = build.model_copy(update={"told_again_ts": now_ts})
        return True

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
        """See ``builds.ports.Catalogue``."""
        name = (organisation, app, config.name)
        version = self.newest.get(name, 0) or self.gone.get(name, 0)
        key = BuildKey(organisation=organisation, app=app, component=config.name, version=max(version, 1))
        same = name in self.newest and not anew and self.configs[key].fingerprint == fingerprint(config)
        if same and reusable(self.records[key]):
            if text is not None:
                self.configs[key] = self.configs[key].model_copy(update={"text": kept_text(text)})
            return Accepted(self.records[key], created=False)
        key = key.model_copy(update={"version": version + 1})
        return Accepted(self._accept(key, config, by, text), created=True, version=self.configs[key])

    def build_anew(self, newest: BuildKey, by: str) -> Build | None:
        """See ``tracking.ports.Workshop``."""
        if self.newest.get((newest.organisation, newest.app, newest.component)) != newest.version:
            return None
        key = newest.key.model_copy(update={"version": newest.version + 1})
        config = self.config(newest.key)
        return self._accept(key, config.config, by, config.text)

    def _accept(self, key: BuildKey, config: ComponentConfig, by: str | None, text: str | None) -> Build:
        build = queued_build(key, self.series, config, self.clock.now(), by)
        self.apps.setdefault((key.organisation, key.app), (build.created_at_ts, by))
        self.newest[key.organisation, key.app, key.component] = key.version
        self.records[key] = build
        self.configs[key] = ConfigVersion(
            **key.model_dump(),
            config=config,
            fingerprint=fingerprint(config),
            created_at_ts=build.created_at_ts,
            created_by=by,
            text=kept_text(text),
        )
        return build

    def components(self, organisation: str, app: str) -> list[str]:
        """See ``builds.ports.Catalogue``."""
        return sorted(name for owner, of, name in self.newest if (owner, of) == (organisation, app))

    def build(self, organisation: str, build_id: str) -> Build | None:
        """See ``builds.ports.Catalogue``."""
        mine = (build for key, build in self.records.items() if key.organisation == organisation)
        return next((build for build in mine if build.build_id == build_id), None)

    def receipt(self, organisation: str, build_id: str) -> str | None:
        """See ``builds.ports.Catalogue``."""
        build = self.build(organisation, build_id)
        if build is None or build.status != "active":
            return None
        return self.receipts.get((build.key, self.executions[build.key]))

    def objects(self, organisation: str, build_id: str) -> NamedObjects | None:
        """See ``api.ports.Inventory``."""
        build = self.build(organisation, build_id)
        if build is None or build.status != "active":
            return None
        return self.named.get((build.key, self.executions[build.key]))

    def attached(self, organisation: str, build_id: str) -> list[AttachedTo]:
        """See ``builds.ports.Catalogue``."""
        found = self.objects(organisation, build_id)
        return (found.attached if found else None) or []

    def builds(self, organisation: str, app: str, component: str | None, limit: int) -> list[Build]:
        """See ``builds.ports.Catalogue``."""
        found = [
            build
            for key, build in self.records.items()
            if (key.organisation, key.app) == (organisation, app) and component in (None, key.component)
        ]
        return sorted(found, key=lambda build: build.history[0].created_at_ts, reverse=True)[:limit]

    def _check_running(self, key: BuildKey, *, ours: bool) -> None:
        if not ours:
            raise DuplicateEvent("Another execution already runs this build.")
        newest = self.newest.get((key.organisation, key.app, key.component))
        if newest != key.version or self.records[key].ended:
            raise StaleVersion("A newer config version exists, or the build has ended.")

    def _append(self, key: BuildKey, entries: Sequence[HistoryEntry], outcome: Outcome | None) -> Build:
        build = self.records[key]
        last, full = entries[-1], len(build.history) >= HISTORY and outcome is None
        self.records[key] = build.model_copy(
            update={
                "status": last.status,
                "status_human_description": last.status_human_description,
                "metadata": last.metadata,
                "history": build.history if full else [*build.history, *entries],
                "left_out": build.left_out + len(entries) * full,
                "outcome": outcome or build.outcome,
            }
        )
        return self.records[key]
