"""The platform's side in one process: builds, an install, and the states of a deploy in the order of install.asl.yaml.

Each state is called as Step Functions calls it: with JSON that it made of what it was answered, and again when what it
raises is retried.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import yaml

from byoa.adapters.memory.applied import MemoryShelf
from byoa.adapters.memory.clocks import CalendarTime, SteppingClock
from byoa.adapters.memory.cluster import MemoryCluster
from byoa.adapters.memory.installs import DeployStore, MemoryDeploys, MemoryInstalls
from byoa.adapters.memory.ledger import MemoryLedger
from byoa.adapters.memory.lists import MemoryLists
from byoa.adapters.memory.repository import MemoryRepository
from byoa.builds import inspect, mirror, resolve, stage, validate
from byoa.builds import record as record_build
from byoa.builds.books import Books
from byoa.builds.messages import BuildEnded, CaughtError, ChangeReceived, MirrorTask
from byoa.builds.ports import Signature
from byoa.components.reading import check_config
from byoa.content.packing import pack
from byoa.errors import ByoaError, DuplicateEvent, EventUntrusted, Transient
from byoa.installs.messages import Deploy, Install
from byoa.installs.ports import Request
from byoa.installs.states import (
    AppliedInstall,
    ApplyTask,
    CheckedDeploy,
    DeployEnded,
    DeployOutcome,
    DeployReceived,
    HealthSeen,
    HealthTask,
    LoadedDeploy,
    PlannedInstall,
    PrunedInstall,
    PruneTask,
)
from byoa.installs.steps.apply_install import Site, apply_install
from byoa.installs.steps.check_health import check_health
from byoa.installs.steps.load_manifests import load_manifests
from byoa.installs.steps.plan_install import Table, plan_install
from byoa.installs.steps.prune_install import prune_install
from byoa.installs.steps.pull_mirror import pull_mirror
from byoa.installs.steps.receive_deploy import Desk, receive_deploy
from byoa.installs.steps.record_deploy import record_deploy
from byoa.oci.reference import Registry
from byoa.trust.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.builds.messages import Build
    from byoa.installs.objects import Object

ORG, OTHER, APP = "org_demo00000000", "org_other0000000", "shop"
OURS = Registry.parse("123456789012.dkr.ecr.eu-west-1.amazonaws.com")
KEY = b"the key of the receipts"
INSTALL = "inl" + "a" * 23
HEAD = 'type = "kubernetes_manifest"\nnamespace = "corner"\n'


class Signing:
    """A key of our own making."""

    def sign(self, payload: bytes) -> Signature:
        return Signature("key", hmac.digest(KEY, payload, hashlib.sha256))

    def check(self, signature: bytes, payload: bytes) -> bool:
        return hmac.compare_digest(signature, hmac.digest(KEY, payload, hashlib.sha256))


class Kept(MemoryLists):
    """Lists by digest that say where they are kept."""


@dataclass
class Platform:
    """One organisation's components, and an install of its that has a cluster."""

    cluster: Any = field(default_factory=MemoryCluster)
    clock: SteppingClock = field(default_factory=SteppingClock)
    quarantine: MemoryRepository = field(default_factory=MemoryRepository)
    mirror: MemoryRepository = field(default_factory=lambda: MemoryRepository(immutable=True))
    lists: dict[str, MemoryLists] = field(default_factory=dict)
    around: Callable[[Any], Any] = lambda found: found
    """What is put around everything that a state touches: something that counts, or that kills."""

    left: Callable[[], float] = lambda: 300.0
    executions: int = 0
    states: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self.clock, "table")
        self.store = DeployStore(self.clock, "table")
        self.installs = MemoryInstalls(ORG, self.store)
        self.deploys = MemoryDeploys(self.store)
        self.policy = Policy("123456789012", "byoa")
        self.signing = Signing()

    # ---- what people do

    def install(self, **settings: Any) -> Install:
        fields = {"organisation": ORG, "app": APP, "id": INSTALL, "name": "prod", "access": {"kind": "memory"}}
        usual = {"approval": "approve-all", "created_at_ts": 1, "updated_at_ts": 1}
        found = Install.model_validate({**fields, **usual, **settings})
        assert self.installs.create(found)
        return found

    def build(self, *objects: Object, name: str = "web", text: str = "", extra: str = "") -> Build:
        """An active build of these objects, with its mirror and its receipt."""
        manifest = text or yaml.safe_dump_all(objects) or "# nothing\n"
        config = check_config(f"name = '{name}'\n{HEAD}{extra}manifest = '''\n{manifest}'''\n").config
        assert config
        build = self.ledger.submit(ORG, APP, config, anew=True).build
        books = Books(self.ledger, self.clock)
        change = ChangeReceived(**build.key.model_dump(), execution="built")
        valid = validate.validate(change, self.ledger, self.policy, self.clock)
        source = MemoryRepository.holding(pack(manifest))
        staged = stage.stage(resolve.resolve(valid, source, books), source, self.quarantine, MemoryLists(), books)
        artifact = inspect.inspect(staged, self.quarantine)
        place = (OURS, self.policy.repository_for(build.key))
        mirrored = mirror.mirror(
            MirrorTask(artifact=artifact, target="ecr"), self.quarantine, self.mirror, place, books
        )
        ended = BuildEnded(**build.key.model_dump(), execution="built", artifact=artifact, mirrors=[mirrored])
        record_build.record(ended, self.ledger, self.clock, self.signing, MemoryLists(), "table")
        found = self.ledger.build(ORG, build.build_id)
        assert found
        assert found.status == "active", found
        return found

    def ask(self, build: Build | None = None, component: str = "web", **request: Any) -> Deploy:
        install = self.installs.install(INSTALL)
        assert install
        wanted = {"operation": "apply", "build_id": build.build_id if build else None, "by": "tok_1", **request}
        if build:
            wanted["config_version"] = build.version
        return self.installs.ask(install, component, Request(**wanted))

    def deploy(self, *objects: Object, **request: Any) -> Deploy:
        return self.run(self.ask(self.build(*objects), **request))

    # ---- what the state machine does

    def run(self, deploy: Deploy) -> Deploy:
        """One execution, from its start to its end; how the deploy stands then."""
        self.executions += 1
        execution = f"execution-{self.executions}"
        Execution(self, deploy, execution).run()
        found = self.installs.deploy(deploy.id)
        assert found
        return found

    def list(self, kind: str) -> Any:
        return self.around(self.lists.setdefault(kind, Kept()))

    def shelf(self, key: Any, execution: str) -> Any:
        return self.around(MemoryShelf(self.store, key.key, execution))

    def site(self, task: Any) -> Site:
        return Site(
            cluster=self.around(self.cluster), shelf=self.shelf(task, task.execution), plans=self.list("plans"),
            clock=CalendarTime(self.clock), left=self.left,
        )  # fmt: skip


class Died(BaseException):
    """A function's process ended in the middle of its work."""


@dataclass
class Execution:
    """One way through install.asl.yaml."""

    platform: Platform
    deploy: Deploy
    name: str
    retries: int = 5

    def run(self) -> None:
        whose = {**self.deploy.key.model_dump(), "execution": self.name}
        ended: dict[str, Any] = dict(whose)
        try:
            self._states(whose, ended)
        except (DuplicateEvent, EventUntrusted):
            return
        except ByoaError as error:
            cause = {"errorMessage": error.as_json(), "errorType": error.code}
            ended["failure"] = CaughtError(error=error.code, cause=json.dumps(cause)).model_dump()
        self._call("RecordDeploy", DeployEnded, ended, self._record)

    def _states(self, whose: dict[str, Any], ended: dict[str, Any]) -> None:
        checked = {**self._call("ReceiveDeploy", DeployReceived, whose, self._receive), **whose}
        ended["checked"], loaded = checked, checked
        if checked["operation"] != "teardown":
            self._call("PullMirror", CheckedDeploy, checked, self._pull)
            found = self._call("LoadManifests", CheckedDeploy, checked, self._load)
            loaded = {**checked, "objects": found["objects"], "target_namespace": found["target_namespace"]}
        planned = ended["planned"] = self._call("PlanInstall", LoadedDeploy, loaded, self._plan)
        if planned["next"] == "record":
            return
        task, done, seen = {**checked, "plan": planned["plan"]}, 0, {"looks": 0}
        while planned["next"] == "apply":
            applied = self._call("ApplyInstall", ApplyTask, {**task, "done": done}, self._apply)
            ended["applied"], done = applied, applied["done"]
            if not applied["pending"]:
                break
        once = planned["next"] == "look"
        while True:
            health = self._call("CheckHealth", HealthTask, {**seen, **task, "once": once}, self._check)
            ended["health"] = health
            if once or health["verdict"] == "unhealthy":
                return
            if health["verdict"] == "healthy":
                break
            seen = {name: health[name] for name in ("looks", "begun", "stuck")}
            CalendarTime(self.platform.clock).sleep(health["wait"])
        while True:
            ended["pruned"] = self._call("PruneInstall", PruneTask, task, self._prune)
            if not ended["pruned"]["pending"]:
                return

    def _call(self, state: str, model: Any, message: dict[str, Any], function: Any) -> Any:
        """What a function answers, as JSON; what passes by itself, and a process that died, is tried again."""
        self.platform.states.append(state)
        for tried in range(self.retries + 1):
            try:
                answer = function(model.model_validate(json.loads(json.dumps(message))))
                return answer.model_dump(mode="json") if answer else None
            except Died:
                if tried == self.retries:
                    raise
            except Transient:
                if tried == self.retries:
                    raise
                CalendarTime(self.platform.clock).sleep(2.0)
        raise AssertionError

    def _receive(self, received: DeployReceived) -> CheckedDeploy:
        platform = self.platform
        desk = Desk(
            deploys=platform.around(platform.deploys), builds=platform.around(platform.ledger),
            check=platform.signing.check, values=platform.list("values"), clock=platform.clock,
        )  # fmt: skip
        return receive_deploy(received, desk)

    def _pull(self, checked: CheckedDeploy) -> Any:
        around = self.platform.around
        return pull_mirror(checked, around(self.platform.mirror), around(self.platform.quarantine))

    def _load(self, checked: CheckedDeploy) -> Any:
        platform = self.platform
        return load_manifests(
            checked, platform.around(platform.quarantine), platform.list("values"), platform.list("objects")
        )

    def _plan(self, loaded: LoadedDeploy) -> PlannedInstall:
        platform = self.platform
        objects, plans, contents = map(platform.list, ("objects", "plans", "contents"))
        table = Table(
            cluster=platform.around(platform.cluster), shelf=platform.shelf(loaded, loaded.execution), key=b"plans",
            objects=objects, plans=plans, contents=contents,
        )  # fmt: skip
        return plan_install(loaded, table)

    def _apply(self, task: ApplyTask) -> AppliedInstall:
        return apply_install(
            task, self.platform.site(task), self.platform.around(self.platform.deploys), self.platform.clock
        )

    def _check(self, task: HealthTask) -> HealthSeen:
        return check_health(task, self.platform.site(task))

    def _prune(self, task: PruneTask) -> PrunedInstall:
        return prune_install(task, self.platform.site(task))

    def _record(self, ended: DeployEnded) -> DeployOutcome | None:
        platform = self.platform
        return record_deploy(ended, platform.around(platform.deploys), platform.list("contents"), platform.clock)


@dataclass
class Counted:
    """What all that a state touches is called through: the call ``at`` is the last that its process makes."""

    at: int = 0
    after: bool = True
    every: bool = False
    """Whether each ``at``-th call is, and not only the first such."""

    calls: int = 0

    def around(self, found: Any) -> Any:
        return _Around(self, found)

    def call(self, method: Any, *arguments: Any, **named: Any) -> Any:
        self.calls += 1
        dies = self.at and (self.calls % self.at == 0 if self.every else self.calls == self.at)
        if dies and not self.after:
            raise Died
        answer = method(*arguments, **named)
        if dies:
            raise Died
        return answer


@dataclass
class _Around:
    counted: Counted
    found: Any

    def __getattr__(self, name: str) -> Any:
        held = getattr(self.found, name)
        return partial(self.counted.call, held) if callable(held) else held
