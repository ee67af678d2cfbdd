"""Deploys of one organisation's installs, for whoever runs them. Implements Deploys.

Beside the ledger in one table:

    sk                                       item
    INSTALL#<install>                        an install
    INSTALLNAME#<app>#<name>                 its id, which makes the name one of its app's
    PART#<install>#<component>               how a component stands, and which deploy holds it: that one may write
    APPLIED#<install>#<component>            what was applied, packed: ``adapters/aws/applied.py``
    DEPLOY#<install>#<component>#<number>    a deploy: status, history, what it planned
    DEPLOYID#<deploy id>                     the sort key of that deploy
    AGENT#<install>                          when its agent was heard of: ``adapters/aws/leases.py``
    PLAN#<deploy id>                         what its plan consists of, packed; made with the deploy, for 90 days

The index ``recent`` has the deploys of an install by time, and those that its agents have to run
(``adapters/aws/waiting.py``); ``unfinished`` has those that have not ended or still hold their
component, under ``deploy``; under ``drift`` it has the components by the moment at which drift is looked for next,
which an item has as ``created_at_ts``, the index's own attribute.

A deploy is read, and written if nobody else has written it meanwhile (``writes``); what it becomes is decided in
``installs/records.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.adapters.aws.install_keys import deploy_key, part_key
from byoa.adapters.aws.listed import RECENT
from byoa.adapters.aws.transactions import transact, update
from byoa.adapters.aws.waiting import changes, sign_key
from byoa.adapters.aws.writes import UNFINISHED
from byoa.builds.records import milliseconds
from byoa.errors import ByoaError, DeployBusy, EventUntrusted, StoreThrottled
from byoa.installs.messages import Deploy, DeployKey, Install, InstallComponent
from byoa.installs.records import begun, check_runs, released, settled

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from byoa.adapters.aws.rows import Rows
    from byoa.adapters.aws.table import Item
    from byoa.builds.messages import Failure
    from byoa.builds.ports import Clock
    from byoa.installs.ports import Becomes


RACES: Final = 5
"""Tries to write what others write at the same moment."""

_STORED: Final = {"health": "findings", "fingerprint": "plan_fingerprint", "reference": "mirror_reference"}
"""A deploy's attributes that have another name in the table: a component's health is one word, and whoever writes of
deploys has no right to name what makes a config.
"""
_OWN: Final = frozenset(("pk", "sk", "entity", "news", "writes", "agent", "told_again_ts", UNFINISHED, RECENT))
_OF_COMPONENT: Final = frozenset(InstallComponent.model_fields) - {"status"}


class Kept(NamedTuple):
    """A deploy as it was read, and how often it had been written then."""

    deploy: Deploy
    writes: int
    item: Item


def item_of(deploy: Deploy) -> Item:
    """A deploy's own attributes; what isn't known yet is none."""
    fields = deploy.model_dump(mode="json", exclude_none=True)
    return {_STORED.get(name, name): value for name, value in fields.items()}


def read_deploy(item: Item) -> Deploy:
    """The deploy that an item is."""
    names = {stored: name for name, stored in _STORED.items()}
    return Deploy.model_validate({names.get(name, name): value for name, value in item.items() if name not in _OWN})


def read_part(item: Item, deploy: Deploy) -> InstallComponent:
    """The component that an item is, whose newest deploy is ``deploy``."""
    fields = {name: value for name, value in item.items() if name in _OF_COMPONENT}
    moments = max(int(item["updated_at_ts"]), deploy.history[-1].created_at_ts)
    found = InstallComponent.model_validate({**fields, "status": deploy.status, "updated_at_ts": moments})
    return settled(deploy, found)[1]


@dataclass(frozen=True, slots=True)
class DynamoDeploys:
    """The deploys of one organisation."""

    organisation: str
    rows: Rows
    clock: Clock

    @property
    def pk(self) -> str:
        """What all of its items are under."""
        return f"ORG#{self.organisation}"

    def install(self, install_id: str) -> Install | None:
        """See ``installs.ports.Deploys``."""
        item = self.rows.one(self.pk, f"INSTALL#{install_id}")
        return read_install(item) if item else None

    def look(self, key: DeployKey) -> Deploy | None:
        """See ``installs.ports.Deploys``."""
        kept = self.read(key)
        return kept and kept.deploy

    def begin(self, key: DeployKey, execution: str) -> Deploy:
        """See ``installs.ports.Deploys``."""
        for _ in range(RACES):
            kept, part = self._both(key)
            after = begun(kept.deploy, execution, self.clock.now())
            holder = part.get("holder")
            if holder is not None and holder != key.number:
                raise DeployBusy("Another deploy of the component has not ended yet.")
            if after is kept.deploy:
                return after
            taken = self._update(
                part_key(key.install_id, key.component),
                {"holder": key.number, "holder_execution": execution},
                condition="attribute_exists(pk) AND (attribute_not_exists(holder) OR holder = :holder)",
            )
            if self.write(kept, after, taken):
                return after
        raise _contested()

    def check(self, key: DeployKey, execution: str) -> Deploy:
        """See ``installs.ports.Deploys``."""
        kept = self.read(key)
        return check_runs(kept.deploy if kept else None, execution)

    def change(self, key: DeployKey, execution: str, becomes: Becomes, plan: str | None = None) -> Deploy:
        """See ``installs.ports.Deploys``."""
        for _ in range(RACES):
            kept, part = self._both(key)
            check_runs(kept.deploy, execution)
            after = self._become(kept, part, becomes, plan, release=False)
            if after:
                return after
        raise _contested()

    def finish(self, key: DeployKey, execution: str, becomes: Becomes, plan: str | None = None) -> Deploy | None:
        """See ``installs.ports.Deploys``."""
        for _ in range(RACES):
            kept, part = self._both(key)
            try:
                check_runs(kept.deploy, execution)
            except ByoaError:
                if kept.deploy.execution == execution:
                    self._release(kept, part)
                return None
            after = self._become(kept, part, becomes, plan, release=True)
            if after:
                return after
        raise _contested()

    def heard_at(self, key: DeployKey) -> int | None:
        """See ``installs.ports.Unended``."""
        keys = [(self.pk, deploy_key(key)), (self.pk, sign_key(key.install_id))]
        found = self.rows.several(keys)
        if not found.get(keys[0][1], {}).get("agent"):
            return None
        return int(found.get(keys[1][1], {}).get("at_ts", 0))

    def told_at(self, key: DeployKey) -> int | None:
        """See ``installs.ports.Unended``."""
        item = self.rows.one(self.pk, deploy_key(key)) or {}
        return item.get("told_again_ts")

    def tell_again(self, key: DeployKey, now_ts: int) -> bool:
        """See ``installs.ports.Unended``: a write that the stream passes on."""
        told = self._update(
            deploy_key(key), {"told_again_ts": now_ts, "news": True, "status": "queued"}, condition="#status = :status"
        )
        return transact(self.rows.client, [told])

    def release(self, key: DeployKey, failure: Failure | None) -> Deploy | None:
        """See ``installs.ports.Installs``. What waits for others holds nothing."""
        for _ in range(RACES):
            kept = self.read(key)
            after = released(kept.deploy, failure, self.clock.now()) if kept else None
            if kept is None or after is None:
                return None
            if self.write(kept, after, done=after.ended):
                return after
        raise _contested()

    def put_off(self, install_id: str, component: str, until_ts: int) -> None:
        """Look for drift in a component then, if that is looked for at all."""
        sk, changed = part_key(install_id, component), {"created_at_ts": until_ts, "next_drift_ts": until_ts}
        condition = f"{UNFINISHED} = :drift"
        transact(self.rows.client, [self._update(sk, changed, condition=condition, values={":drift": "drift"})])

    def give_up(self, key: DeployKey, becomes: Becomes) -> Deploy | None:
        """See ``installs.ports.Unended``."""
        kept, part = self._both(key)
        if kept.deploy.ended:
            self._release(kept, part)
            return None
        return self._become(kept, part, becomes, None, release=True)

    def read(self, key: DeployKey) -> Kept | None:
        """A deploy to be written again."""
        item = self.rows.one(self.pk, deploy_key(key))
        return kept_of(item) if item else None

    def write(self, kept: Kept, after: Deploy, *others: TransactWriteItemTypeDef, done: bool = False) -> bool:
        """Write what a deploy has become, if it is still as it was ``kept``, with ``others`` or not at all.

        ``done`` takes it off the list of those that are looked after.
        """
        before, fields = item_of(kept.deploy), item_of(after)
        changed = {name: value for name, value in fields.items() if before.get(name) != value}
        listed, left = changes(kept.item, after)
        gone = [*(before.keys() - fields.keys()), *([UNFINISHED] if done else []), *left]
        news = kept.deploy.status != after.status
        update = self._update(
            deploy_key(after),
            {**changed, **listed, "news": news, "writes": kept.writes + 1},
            remove=gone,
            condition="writes = :was",
            values={":was": kept.writes},
        )
        return transact(self.rows.client, [update, *others])

    def _become(self, kept: Kept, part: Item, becomes: Becomes, plan: str | None, *, release: bool) -> Deploy | None:
        """What it becomes, once that is written; ``None`` where somebody else wrote it meanwhile."""
        component = read_part(part, kept.deploy)
        deploy, stands = settled(*becomes(kept.deploy, component))
        others = self._of_part(part, component, stands, kept.deploy.number if release else None)
        if plan is not None:
            others.append(self._update(f"PLAN#{deploy.id}", {"plan": plan}))
        return deploy if self.write(kept, deploy, *others, done=release and deploy.ended) else None

    def _of_part(
        self, part: Item, before: InstallComponent, after: InstallComponent, releases: int | None
    ) -> list[TransactWriteItemTypeDef]:
        """How the component stands now. Only whoever holds it says so, and a moment for drift is of its newest."""
        told, was = after.model_dump(mode="json"), before.model_dump(mode="json")
        names = _OF_COMPONENT - {"install_id", "component", "number", "deploy_id", "objects"}
        changed = {name: told[name] for name in names if told[name] != was[name]}
        holds = releases is not None and part.get("holder") == releases
        if not changed and not holds:
            return []
        changed["updated_at_ts"] = milliseconds(self.clock.now())
        remove = ["holder", "holder_execution"] if holds else []
        if before.next_drift_ts != after.next_drift_ts:
            due = after.next_drift_ts
            changed |= {UNFINISHED: "drift", "created_at_ts": due} if due else {}
            remove += [] if due else [UNFINISHED, "created_at_ts"]
        return [self._update(part["sk"], changed, remove=remove, condition="attribute_exists(pk)")]

    def _release(self, kept: Kept, part: Item) -> None:
        """Let go of what an ended deploy holds, and forget that it has to be looked after."""
        others = []
        if part.get("holder") == kept.deploy.number:
            condition, values = "holder = :holder", {":holder": kept.deploy.number}
            changed = {"health": "unknown"} if part.get("health") == "progressing" else {}  # see records.settled
            remove = ["holder", "holder_execution"]
            others = [self._update(part["sk"], changed, remove=remove, condition=condition, values=values)]
        self.write(kept, kept.deploy, *others, done=True)

    def _both(self, key: DeployKey) -> tuple[Kept, Item]:
        """A deploy and how its component stands. Raises ``EventUntrusted`` where there is none."""
        keys = [(self.pk, deploy_key(key)), (self.pk, part_key(key.install_id, key.component))]
        found = self.rows.several(keys)
        if len(found) != len(keys):
            raise EventUntrusted("The event names a deploy that nobody asked for.")
        return kept_of(found[keys[0][1]]), found[keys[1][1]]

    def _update(self, sk: str, changed: Item, **settings: Any) -> TransactWriteItemTypeDef:  # noqa: ANN401 - the same
        return update(self.rows.table, self.pk, sk, changed, **settings)


def kept_of(item: Item) -> Kept:
    """A deploy as it was read."""
    return Kept(read_deploy(item), int(item["writes"]), item)


def read_install(item: Item) -> Install:
    """The install that an item is."""
    return Install.model_validate({name: value for name, value in item.items() if name not in ("pk", "sk")})


def _contested() -> StoreThrottled:
    return StoreThrottled("Others change the same deploy at this moment.")
