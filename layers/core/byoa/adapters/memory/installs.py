"""Installs and their deploys in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from byoa.errors import ByoaError, DeployBusy, EventUntrusted
from byoa.installs.contents import unpack
from byoa.installs.messages import ENDED, DeployKey, InstallComponent
from byoa.installs.ports import Part
from byoa.installs.records import answered, begun, cancelled, check_runs, overtaken, queued, released, settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from byoa.builds.messages import Failure
    from byoa.builds.ports import Clock
    from byoa.installs.messages import Answered, Deploy, Install
    from byoa.installs.ports import AgentSign, Becomes, Request


@dataclass(slots=True)
class DeployStore:
    """What all organisations have, by key; ``holders`` are the numbers of deploys that hold a component."""

    clock: Clock
    series: str = ""
    installs: dict[tuple[str, str], Install] = field(default_factory=dict)
    deploys: dict[DeployKey, Deploy] = field(default_factory=dict)
    parts: dict[tuple[str, str, str], InstallComponent] = field(default_factory=dict)
    holders: dict[tuple[str, str, str], int] = field(default_factory=dict)
    plans: dict[str, str] = field(default_factory=dict)
    packed: dict[tuple[str, str, str], tuple[str, int]] = field(default_factory=dict)
    told: list[Deploy] = field(default_factory=list)
    told_again: dict[DeployKey, int] = field(default_factory=dict)
    signs: dict[tuple[str, str], AgentSign] = field(default_factory=dict)
    agents: set[DeployKey] = field(default_factory=set)

    def keep(self, deploy: Deploy) -> Deploy:
        """Keep a deploy as it is now; ``told`` are those that the bus hears of."""
        before = self.deploys.get(deploy.key)
        if before is None or before.status != deploy.status:
            self.told.append(deploy)
        self.deploys[deploy.key] = deploy
        return deploy


def place_of(key: DeployKey) -> tuple[str, str, str]:
    """The component that a deploy is of."""
    return key.organisation, key.install_id, key.component


@dataclass(slots=True)
class MemoryDeploys:
    """Implements Deploys and Unended. One thread at a time."""

    store: DeployStore

    def install(self, install_id: str) -> Install | None:
        """See ``installs.ports.Deploys``."""
        return next((each for (_, name), each in self.store.installs.items() if name == install_id), None)

    def look(self, key: DeployKey) -> Deploy | None:
        """See ``installs.ports.Deploys``."""
        return self.store.deploys.get(key.key)

    def begin(self, key: DeployKey, execution: str) -> Deploy:
        """See ``installs.ports.Deploys``."""
        self._there(key)
        after = begun(self.store.deploys[key.key], execution, self.store.clock.now())
        if self.store.holders.setdefault(place_of(key), key.number) != key.number:
            raise DeployBusy("Another deploy of the component has not ended yet.")
        return self.store.keep(after)

    def check(self, key: DeployKey, execution: str) -> Deploy:
        """See ``installs.ports.Deploys``."""
        return check_runs(self.look(key), execution)

    def change(self, key: DeployKey, execution: str, becomes: Becomes, plan: str | None = None) -> Deploy:
        """See ``installs.ports.Deploys``."""
        self.check(key, execution)
        return self._become(key, becomes, plan)

    def finish(self, key: DeployKey, execution: str, becomes: Becomes, plan: str | None = None) -> Deploy | None:
        """See ``installs.ports.Deploys``."""
        self._there(key)
        try:
            self.check(key, execution)
        except ByoaError:
            if self.store.deploys[key.key].execution == execution:
                self._release(key)
            return None
        self._release(key)
        return self._become(key, becomes, plan)

    def unended(self, before_ts: int) -> Iterator[DeployKey]:
        """See ``installs.ports.Unended``."""
        found = [each for each in self.store.deploys.values() if each.created_at_ts < before_ts and self._counts(each)]
        return (each.key for each in sorted(found, key=lambda each: each.created_at_ts))

    def heard_at(self, key: DeployKey) -> int | None:
        """See ``installs.ports.Unended``."""
        if key.key not in self.store.agents:
            return None
        sign = self.store.signs.get((key.organisation, key.install_id))
        return sign.at_ts if sign else 0

    def told_at(self, key: DeployKey) -> int | None:
        """See ``installs.ports.Unended``."""
        return self.store.told_again.get(key.key)

    def tell_again(self, key: DeployKey, now_ts: int) -> bool:
        """See ``installs.ports.Unended``."""
        if self.store.deploys[key.key].status != "queued":
            return False
        self.store.told_again[key.key] = now_ts
        return True

    def release(self, key: DeployKey, failure: Failure | None) -> Deploy | None:
        """See ``installs.ports.Installs``."""
        found = self.store.deploys.get(key.key)
        after = released(found, failure, self.store.clock.now()) if found else None
        return self.store.keep(after) if after else None

    def give_up(self, key: DeployKey, becomes: Becomes) -> Deploy | None:
        """See ``installs.ports.Unended``."""
        self._release(key)
        return None if self.store.deploys[key.key].ended else self._become(key, becomes, None)

    def due(self, before_ts: int) -> Iterator[tuple[str, str, str]]:
        """See ``installs.drift_due.Due``."""
        return (at for at, each in [*self.store.parts.items()] if each.next_drift_ts and each.next_drift_ts < before_ts)

    def put_off(self, organisation: str, install_id: str, component: str, until_ts: int) -> None:
        """See ``installs.drift_due.Due``."""
        place = (organisation, install_id, component)
        self.store.parts[place] = self.store.parts[place].model_copy(update={"next_drift_ts": until_ts})

    def _there(self, key: DeployKey) -> None:
        if key.key not in self.store.deploys:
            raise EventUntrusted("The event names a deploy that nobody asked for.")

    def _counts(self, deploy: Deploy) -> bool:
        return not deploy.ended or self.store.holders.get(place_of(deploy)) == deploy.number

    def _become(self, key: DeployKey, becomes: Becomes, plan: str | None) -> Deploy:
        place = place_of(key)
        deploy, part = settled(*becomes(self.store.deploys[key.key], self.store.parts[place]))
        self.store.parts[place] = part.model_copy(update={"status": deploy.status})
        if plan is not None:
            self.store.plans[deploy.id] = plan
        return self.store.keep(deploy)

    def _release(self, key: DeployKey) -> None:
        if self.store.holders.get(place := place_of(key)) == key.number:
            del self.store.holders[place]
            self.store.parts[place] = settled(self.store.deploys[key.key], self.store.parts[place])[1]


@dataclass(slots=True)
class MemoryInstalls:
    """One organisation's part of a store. Implements Installs."""

    organisation: str
    store: DeployStore

    def page(self, app: str | None, limit: int, *, offset: int = 0, after: str | None = None) -> Part[Install]:
        """See ``installs.ports.Installs``."""
        mine = [each for (owner, _), each in self.store.installs.items() if owner == self.organisation]
        if app is None:
            return _part(sorted(mine, key=lambda each: each.id), lambda each: each.id, limit, offset, after)
        named = sorted((each for each in mine if each.app == app), key=lambda each: each.name)
        return _part(named, lambda each: each.name, limit, offset, after)

    def install(self, install_id: str) -> Install | None:
        """See ``installs.ports.Installs``."""
        return self.store.installs.get((self.organisation, install_id))

    def create(self, install: Install) -> bool:
        """See ``installs.ports.Installs``."""
        if self._named(install) or self.install(install.id):
            return False
        self.store.installs[self.organisation, install.id] = install
        return True

    def change(self, was: Install, becomes: Install) -> bool:
        """See ``installs.ports.Installs``."""
        other = self._named(becomes)
        if self.install(was.id) != was or (other and other.id != was.id):
            return False
        self.store.installs[self.organisation, was.id] = becomes.model_copy(update={"version": was.version + 1})
        return True

    def remove(self, was: Install) -> bool:
        """See ``installs.ports.Installs``."""
        parts = self.components(was)
        held = any((self.organisation, was.id, each.component) in self.store.holders for each in parts)
        if self.install(was.id) != was or held or any(each.objects or each.status not in ENDED for each in parts):
            return False
        del self.store.installs[self.organisation, was.id]
        for each in parts:
            self._lose(self.organisation, was.id, each.component)
        self.store.signs.pop((self.organisation, was.id), None)
        return True

    def forget(self, install_id: str) -> None:
        """See ``installs.ports.Installs``."""
        mine = [place for place in self.store.parts if place[:2] == (self.organisation, install_id)]
        for place in mine if self.install(install_id) is None else []:
            ended = self.store.deploys[self._key(self.store.parts[place])].ended
            if ended and place not in self.store.holders:
                self._lose(*place)

    def components(self, install: Install) -> list[InstallComponent]:
        """See ``installs.ports.Installs``."""
        names = sorted(name for owner, of, name in self.store.parts if (owner, of) == (self.organisation, install.id))
        return [found for name in names if (found := self.component(install, name))]

    def everywhere(self, limit: int, *, offset: int = 0, after: str | None = None) -> Part[InstallComponent]:
        """See ``installs.ports.Installs``."""
        mine = sorted(self.page(None, len(self.store.installs)).items, key=lambda each: each.id)
        found = [each for install in mine for each in self.components(install)]
        return _part(found, lambda each: f"{each.install_id}#{each.component}", limit, offset, after)

    def component(self, install: Install, component: str) -> InstallComponent | None:
        """See ``installs.ports.Installs``."""
        part = self.store.parts.get((self.organisation, install.id, component))
        if part is None:
            return None
        newest = self.store.deploys[self._key(part)]
        moment = max(part.updated_at_ts, newest.history[-1].created_at_ts)
        return settled(newest, part.model_copy(update={"status": newest.status, "updated_at_ts": moment}))[1]

    def ask(self, install: Install, component: str, request: Request) -> Deploy:
        """See ``installs.ports.Installs``."""
        before, now = self.component(install, component), self.store.clock.now()
        mine = self.deploys(install, component, len(self.store.deploys)).items if request.run else ()
        if there := next((each for each in mine if each.run == request.run), None):
            return there
        deploy = queued(install, component, before, request, self.store.series, now)
        if before and (late := overtaken(self.store.deploys[self._key(before)], deploy.number, now)):
            self.store.keep(late)
        newest = {"number": deploy.number, "deploy_id": deploy.id, "status": deploy.status}
        fields = before.model_dump() if before else {"install_id": install.id, "component": component}
        part = InstallComponent.model_validate({**fields, **newest, "updated_at_ts": deploy.created_at_ts})
        self.store.parts[self.organisation, install.id, component] = part
        self.store.agents |= {deploy.key} if install.access.get("kind") == "agent" else set()
        return self.store.keep(deploy)

    def deploys(self, install: Install, component: str | None, limit: int, after: str | None = None) -> Part[Deploy]:
        """See ``installs.ports.Installs``."""
        found = [
            each
            for each in self.store.deploys.values()
            if (each.organisation, each.install_id) == (self.organisation, install.id)
            and component in (None, each.component)
        ]
        newest = sorted(found, key=lambda each: (each.created_at_ts, each.number), reverse=True)
        return _part(newest, lambda each: each.id, limit, 0, after)

    def deploy(self, deploy_id: str) -> Deploy | None:
        """See ``installs.ports.Installs``."""
        mine = (each for each in self.store.deploys.values() if each.organisation == self.organisation)
        return next((each for each in mine if each.id == deploy_id), None)

    def look(self, key: DeployKey) -> Deploy | None:
        """See ``installs.ports.Installs``."""
        return self.store.deploys.get(key.key)

    def contents(self, deploy: Deploy) -> dict[str, Any] | None:
        """See ``installs.ports.Installs``."""
        packed = self.store.plans.get(deploy.id)
        return unpack(packed) if packed else None

    def answer(self, deploy: Deploy, said: Answered) -> Deploy | None:
        """See ``installs.ports.Installs``."""
        return self._write(answered(self.store.deploys[deploy.key], said, self.store.clock.now()))

    def release(self, key: DeployKey, failure: Failure | None) -> Deploy | None:
        """See ``installs.ports.Installs``."""
        return MemoryDeploys(self.store).release(key, failure)

    def cancel(self, deploy: Deploy, cause: str, by: str) -> Deploy | None:
        """See ``installs.ports.Installs``."""
        return self._write(cancelled(self.store.deploys[deploy.key], cause, by, self.store.clock.now()))

    def _write(self, after: Deploy | None) -> Deploy | None:
        return self.store.keep(after) if after else None

    def _named(self, install: Install) -> Install | None:
        mine = [each for (owner, _), each in self.store.installs.items() if owner == self.organisation]
        return next((each for each in mine if (each.app, each.name) == (install.app, install.name)), None)

    def _lose(self, *place: str) -> None:
        organisation, install_id, component = place
        del self.store.parts[organisation, install_id, component]
        self.store.packed.pop((organisation, install_id, component), None)

    def _key(self, part: InstallComponent) -> DeployKey:
        return DeployKey(
            organisation=self.organisation, install_id=part.install_id, component=part.component, number=part.number
        )


def _part[Item](
    every: Iterable[Item], place: Callable[[Item], str], limit: int, offset: int, after: str | None
) -> Part[Item]:
    items = list(every)
    if after is not None:
        items = items[next((number + 1 for number, item in enumerate(items) if place(item) == after), len(items)) :]
    items = items[offset:]
    shown = items[:limit]
    return Part(shown, place(shown[-1]) if len(items) > limit else None)
