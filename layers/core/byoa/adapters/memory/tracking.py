"""Hooks, what they ring, and what is noted of tags, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from byoa.adapters.memory.inventory import part
from byoa.builds.messages import BuildKey
from byoa.oci.reference import Reference
from byoa.tracking.messages import Moved, TagMoved
from byoa.tracking.ports import Named, Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.adapters.memory.ledger import MemoryLedger
    from byoa.api.ports import Component, Page, Span
    from byoa.builds.messages import Build
    from byoa.tracking.messages import RegistryPushed
    from byoa.tracking.records import HookRecord
    from byoa.trust.allowed import Allowed


@dataclass(slots=True)
class MemoryHooks:
    """The hooks of one organisation in ``held``, which all share. Implements Hooks and Porter."""

    organisation: str
    held: dict[tuple[str, str], HookRecord] = field(default_factory=dict)

    def find(self, organisation: str, hook_id: str) -> HookRecord | None:
        """See ``tracking.ports.Porter``."""
        return self.held.get((organisation, hook_id))

    def add(self, record: HookRecord) -> bool:
        """See ``api.ports.Hooks``."""
        return self.held.setdefault((self.organisation, record.id), record) is record

    def page(self, span: Span) -> Page[HookRecord]:
        """See ``api.ports.Hooks``."""
        mine = sorted(
            (each for (owner, _), each in self.held.items() if owner == self.organisation), key=lambda it: it.id
        )
        return part(mine, span, lambda each: each.id)

    def remove(self, hook_id: str) -> bool:
        """See ``api.ports.Hooks``."""
        return self.held.pop((self.organisation, hook_id), None) is not None


@dataclass(slots=True)
class MemoryBell:
    """Keeps what it was told."""

    told: list[RegistryPushed] = field(default_factory=list)

    def ring(self, pushed: RegistryPushed) -> None:
        """See ``tracking.ports.Bell``."""
        self.told.append(pushed)


@dataclass(slots=True)
class MemoryMentions:
    """All organisations' components, over a ledger. Implements Mentions."""

    ledger: MemoryLedger

    def of(self, registry: str, repository: str, tag: str, organisation: str | None) -> list[Named]:
        """See ``tracking.ports.Mentions``."""
        wanted = Reference.parse(f"oci://{registry}/{repository}:{tag}")
        found = []
        for (owner, app, name), version in self.ledger.newest.items():
            key = BuildKey(organisation=owner, app=app, component=name, version=version)
            config = self.ledger.configs[key].config
            if organisation in (None, owner) and config.oci_artifact and config.reference == wanted:
                found.append(Named(owner, app, name))
        return found


@dataclass(slots=True)
class MemoryTracked:
    """One organisation's part of a ledger. ``held`` are all organisations' components, ``told`` what the bus hears.

    ``hooks`` are all organisations' hooks.
    """

    organisation: str
    ledger: MemoryLedger
    held: dict[tuple[str, str, str], Component]
    claims: dict[tuple[str, str], str] = field(default_factory=dict)
    told: list[TagMoved] = field(default_factory=list)
    hooks: dict[tuple[str, str], HookRecord] = field(default_factory=dict)

    def hook(self, hook_id: str) -> HookRecord | None:
        """See ``tracking.ports.Tracked``."""
        return self.hooks.get((self.organisation, hook_id))

    def allowed(self) -> Allowed:
        """See ``tracking.ports.Tracked``."""
        return self.ledger.allowed(self.organisation)

    def claim(self, delivery: str, event: str, now_ts: int) -> bool:  # noqa: ARG002 - nothing expires here
        """See ``tracking.ports.Tracked``."""
        return self.claims.setdefault((self.organisation, delivery), event) == event

    def standing(self, components: Sequence[Named]) -> list[Standing]:
        """See ``tracking.ports.Tracked``."""
        held = [self.held.get((self.organisation, each.app, each.component)) for each in components]
        return [Standing(self.ledger.records[self._key(each)], each.moved) for each in held if each and each.version]

    def note(self, key: BuildKey, moved: Moved | None) -> None:
        """See ``tracking.ports.Tracked``."""
        was = self.held.get((self.organisation, key.app, key.component))
        if was is None:
            return
        self.held[self.organisation, key.app, key.component] = replace(was, moved=moved)
        if moved:
            fields = {"version": moved.version, "tag": moved.tag, "before": moved.before, "after": moved.after}
            place = {"organisation": self.organisation, "app": key.app, "component": key.component}
            told = {**place, **fields, "moved_at_ts": moved.at_ts, "hook_id": moved.hook_id}
            self.told.append(TagMoved.model_validate(told))

    def _key(self, component: Component) -> BuildKey:
        return BuildKey(
            organisation=self.organisation, app=component.app, component=component.name, version=component.version
        )


@dataclass(slots=True)
class MemoryWorkshop:
    """Implements Workshop."""

    organisation: str
    ledger: MemoryLedger
    hooks: dict[tuple[str, str], HookRecord]
    held: dict[tuple[str, str, str], Component]

    def hook(self, hook_id: str) -> HookRecord | None:
        """See ``tracking.ports.Workshop``."""
        return self.hooks.get((self.organisation, hook_id))

    def build_anew(self, newest: BuildKey, by: str) -> Build | None:
        """See ``tracking.ports.Workshop``."""
        build = self.ledger.build_anew(newest, by)
        place = (self.organisation, newest.app, newest.component)
        if build:
            made_ts = build.created_at_ts
            self.held[place] = replace(self.held[place], version=build.version, updated_at_ts=made_ts, moved=None)
        return build
