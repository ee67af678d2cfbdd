"""What people see and do with the installs of one organisation, in the ledger's table. Implements Installs.

How its items stand there is said in ``adapters/aws/deploys.py``. Each list is one query, and one BatchGetItem where it
shows what other items hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from byoa.adapters.aws.deploys import RACES, item_of, read_deploy, read_install
from byoa.adapters.aws.forgetting import Forgetting
from byoa.adapters.aws.install_keys import deploy_key, name_key, part_key
from byoa.adapters.aws.listed import RECENT
from byoa.adapters.aws.parts import Parts
from byoa.adapters.aws.transactions import check, delete, put, transact, update
from byoa.adapters.aws.waiting import of_agent
from byoa.adapters.aws.writes import UNFINISHED
from byoa.api.ports import Span
from byoa.errors import StoreThrottled
from byoa.installs.contents import unpack
from byoa.installs.ports import IN_A_RUN, Part
from byoa.installs.records import answered, cancelled, overtaken, queued

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from byoa.adapters.aws.deploys import DynamoDeploys
    from byoa.adapters.aws.table import Item
    from byoa.builds.messages import Failure
    from byoa.installs.messages import Answered, Deploy, DeployKey, Install, InstallComponent
    from byoa.installs.ports import Request

PLAN_SECONDS: Final = 90 * 24 * 3600
_PLACE: Final = re.compile(r"([0-9]{13}#[a-z0-9_-]{1,63}#[0-9]{10}) (dpl[a-z2-7]{23})", re.ASCII)


@dataclass(frozen=True, slots=True)
class DynamoInstalls:
    """One organisation's installs. Deploys' ids are made with the table's name, or with ``series`` if given."""

    deploying: DynamoDeploys
    series: str | None = None

    @property
    def _pk(self) -> str:
        return self.deploying.pk

    @property
    def _table(self) -> str:
        return self.deploying.rows.table

    @property
    def _parts(self) -> Parts:
        return Parts(self.deploying.rows, self._pk)

    def page(self, app: str | None, limit: int, *, offset: int = 0, after: str | None = None) -> Part[Install]:
        """See ``installs.ports.Installs``."""
        span = Span(offset, limit, after)
        if app is None:
            found = self.deploying.rows.listed(self._pk, "INSTALL#", span)
            return Part([read_install(item) for item in found.items], found.more)
        named = self.deploying.rows.listed(self._pk, f"INSTALLNAME#{app}#", span)
        keys = [f"INSTALL#{item['install_id']}" for item in named.items]
        found_by = self._parts.several(keys)
        return Part([read_install(found_by[key]) for key in keys if key in found_by], named.more)

    def install(self, install_id: str) -> Install | None:
        """See ``installs.ports.Installs``."""
        return self.deploying.install(install_id)

    def create(self, install: Install) -> bool:
        """See ``installs.ports.Installs``."""
        return self._transact([self._put(self._item(install)), self._put(self._name(install))])

    def change(self, was: Install, becomes: Install) -> bool:
        """See ``installs.ports.Installs``."""
        becomes = becomes.model_copy(update={"version": was.version + 1})
        writes = [self._put(self._item(becomes), "#version = :was", {":was": was.version})]
        if was.name != becomes.name:
            writes += [self._put(self._name(becomes)), self._delete(name_key(was))]
        return self._transact(writes)

    def remove(self, was: Install) -> bool:
        """See ``installs.ports.Installs``. What goes with it, and what stays, is said in ``forgetting.py``."""
        return Forgetting(self._parts).remove(was)

    def forget(self, install_id: str) -> None:
        """See ``installs.ports.Installs``."""
        if self.install(install_id) is None:
            Forgetting(self._parts).forget(install_id)

    def components(self, install: Install) -> list[InstallComponent]:
        """See ``installs.ports.Installs``."""
        return self._parts.with_deploys(self._parts.items(install.id))

    def everywhere(self, limit: int, *, offset: int = 0, after: str | None = None) -> Part[InstallComponent]:
        """See ``installs.ports.Installs``."""
        found = self.deploying.rows.listed(self._pk, "PART#", Span(offset, limit, after))
        return Part(self._parts.with_deploys(found.items), found.more)

    def component(self, install: Install, component: str) -> InstallComponent | None:
        """See ``installs.ports.Installs``."""
        item = self.deploying.rows.one(self._pk, part_key(install.id, component))
        return next(iter(self._parts.with_deploys([item])), None) if item else None

    def ask(self, install: Install, component: str, request: Request) -> Deploy:
        """See ``installs.ports.Installs``. Raises ``StoreThrottled`` while others ask for the same."""
        series = self._table.rpartition("/")[2] if self.series is None else self.series
        for _ in range(RACES):
            before = self.component(install, component)
            if request.run and before and (there := self._of_run(install, component, request.run)):
                return there
            now = self.deploying.clock.now()
            deploy = queued(install, component, before, request, series, now)
            writes = [
                self._newest(deploy, before),
                self._put(self._asked(install, deploy)),
                self._put(self._pointer(deploy)),
                self._put(self._place_of_plan(deploy)),
                check(self._table, self._pk, f"INSTALL#{install.id}"),
            ]
            last = self.deploying.read(deploy.key.model_copy(update={"number": before.number})) if before else None
            late = overtaken(last.deploy, deploy.number, now) if last else None
            if last and late:
                done = self._holder(late) != late.number
                if self.deploying.write(last, late, *writes, done=done):
                    return deploy
            elif self._transact(writes):
                return deploy
        raise StoreThrottled("Others deploy the same component at this moment.")

    def deploys(self, install: Install, component: str | None, limit: int, after: str | None = None) -> Part[Deploy]:
        """See ``installs.ports.Installs``. An index is a moment behind the table."""
        if component is not None:
            prefix = f"DEPLOY#{install.id}#{component}#"
            found = self.deploying.rows.listed(self._pk, prefix, Span(0, limit, after), newest_first=True)
            return Part([read_deploy(item) for item in found.items], found.more)
        start, prefix = None, _recent(install.id)
        if after is not None:
            place = _PLACE.fullmatch(after)
            if place is None:
                return Part([], None)
            start = {"pk": self._pk, RECENT: f"{prefix}{place[1]}", "sk": f"DEPLOYID#{place[2]}"}
        condition, values = f"pk = :pk AND begins_with({RECENT}, :prefix)", {":pk": self._pk, ":prefix": prefix}
        items = self.deploying.rows.asked(condition, values, limit + 1, start, newest_first=True, index=RECENT)
        shown = items[:limit]
        keys = [_deploy_key(install.id, item[RECENT].removeprefix(prefix)) for item in shown]
        found_by = self._parts.several(keys)
        last = shown[-1] if len(items) > limit else None
        more = f"{last[RECENT].removeprefix(prefix)} {last['sk'].removeprefix('DEPLOYID#')}" if last else None
        return Part([read_deploy(found_by[key]) for key in keys if key in found_by], more)

    def deploy(self, deploy_id: str) -> Deploy | None:
        """See ``installs.ports.Installs``."""
        pointer = self.deploying.rows.one(self._pk, f"DEPLOYID#{deploy_id}")
        item = self.deploying.rows.one(self._pk, pointer["deploy"]) if pointer else None
        return read_deploy(item) if item else None

    def look(self, key: DeployKey) -> Deploy | None:
        """See ``installs.ports.Installs``."""
        return self.deploying.look(key)

    def contents(self, deploy: Deploy) -> dict[str, Any] | None:
        """See ``installs.ports.Installs``."""
        item = self.deploying.rows.one(self._pk, f"PLAN#{deploy.id}")
        if item is None or "plan" not in item or item["expires_at"] <= self.deploying.clock.now().timestamp():
            return None
        return unpack(item["plan"])

    def answer(self, deploy: Deploy, said: Answered) -> Deploy | None:
        """See ``installs.ports.Installs``."""
        return self._write(deploy, lambda found: answered(found, said, self.deploying.clock.now()))

    def release(self, key: DeployKey, failure: Failure | None) -> Deploy | None:
        """See ``installs.ports.Installs``."""
        return self.deploying.release(key, failure)

    def cancel(self, deploy: Deploy, cause: str, by: str) -> Deploy | None:
        """See ``installs.ports.Installs``. Whoever runs it lets go of the component."""
        return self._write(deploy, lambda found: cancelled(found, cause, by, self.deploying.clock.now()))

    def _of_run(self, install: Install, component: str, run: str) -> Deploy | None:
        """The component's deploy in a run, if there is one among the newest: whoever overtook it is behind it."""
        newest = self.deploys(install, component, IN_A_RUN).items
        return next((each for each in newest if each.run == run), None)

    def _write(self, deploy: Deploy, becomes: Callable[[Deploy], Deploy | None]) -> Deploy | None:
        for _ in range(RACES):
            kept = self.deploying.read(deploy.key)
            after = becomes(kept.deploy) if kept else None
            if kept is None or after is None:
                return None
            holds = self._holder(after) == after.number
            others = [self._lock(after)] if holds and after.ended else []
            if self.deploying.write(kept, after, *others, done=after.ended and not holds):
                return after
        raise StoreThrottled("Others change the same deploy at this moment.")

    def _lock(self, deploy: Deploy) -> TransactWriteItemTypeDef:
        """Let whoever runs a deploy write nothing more of its component, which it holds yet."""
        sk, condition = part_key(deploy.install_id, deploy.component), "holder = :number"
        nobody = {"holder_execution": ""}
        return update(self._table, self._pk, sk, nobody, condition=condition, values={":number": deploy.number})

    def _holder(self, deploy: Deploy) -> int | None:
        """The number of the deploy that holds the component."""
        item = self.deploying.rows.one(self._pk, part_key(deploy.install_id, deploy.component))
        return item.get("holder") if item else None

    def _item(self, install: Install) -> Item:
        return {"pk": self._pk, "sk": f"INSTALL#{install.id}", **install.model_dump(mode="json", exclude_none=True)}

    def _name(self, install: Install) -> Item:
        return {"pk": self._pk, "sk": name_key(install), "install_id": install.id}

    def _asked(self, install: Install, deploy: Deploy) -> Item:
        """A new deploy, which the bus hears of, and which is looked after until it has ended."""
        own = {"entity": "deploy", "news": True, "writes": 1, UNFINISHED: "deploy"}
        own |= of_agent(deploy) if install.access.get("kind") == "agent" else {}
        return {"pk": self._pk, "sk": deploy_key(deploy), **own, **item_of(deploy)}

    def _pointer(self, deploy: Deploy) -> Item:
        recent = f"{_recent(deploy.install_id)}{deploy.created_at_ts:013d}#{deploy.component}#{deploy.number:010d}"
        return {"pk": self._pk, "sk": f"DEPLOYID#{deploy.id}", "deploy": deploy_key(deploy), RECENT: recent}

    def _place_of_plan(self, deploy: Deploy) -> Item:
        """Where its plan will be: who writes that has no right to say how long an item stays."""
        expires_at = deploy.created_at_ts // 1000 + PLAN_SECONDS
        return {"pk": self._pk, "sk": f"PLAN#{deploy.id}", "expires_at": expires_at}

    def _newest(self, deploy: Deploy, before: InstallComponent | None) -> TransactWriteItemTypeDef:
        """Have it be the component's newest."""
        fields = {"number": deploy.number, "deploy_id": deploy.id, "updated_at_ts": deploy.created_at_ts}
        sk = part_key(deploy.install_id, deploy.component)
        if before is None:
            known = {"install_id": deploy.install_id, "component": deploy.component, "objects": 0}
            more = {"health": "unknown", "drift": "unknown"}
            return self._put({"pk": self._pk, "sk": sk, **known, **more, **fields})
        values = {":before": before.number}
        return update(self._table, self._pk, sk, fields, condition="#number = :before", values=values)

    def _put(self, item: Item, *condition: Any) -> TransactWriteItemTypeDef:  # noqa: ANN401 - the same
        return put(self._table, item, *condition)

    def _delete(self, sk: str, *condition: Any) -> TransactWriteItemTypeDef:  # noqa: ANN401 - the same
        return delete(self._table, self._pk, sk, *condition)

    def _transact(self, writes: Sequence[TransactWriteItemTypeDef]) -> bool:
        return transact(self.deploying.rows.client, writes)


def _recent(install_id: str) -> str:
    """What an install's deploys begin with in the index; no app's name has capital letters."""
    return f"DEPLOY#{install_id}#"


def _deploy_key(install_id: str, recent: str) -> str:
    _, component, number = recent.split("#")
    return f"DEPLOY#{install_id}#{component}#{number}"
