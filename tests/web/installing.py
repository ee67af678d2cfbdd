"""Deploys as a state machine runs them, over a cluster in memory: plans are real ones, and what they say is done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from byoa.adapters.memory.cluster import MemoryCluster
from byoa.adapters.memory.installs import MemoryDeploys
from byoa.builds.messages import Failure
from byoa.builds.records import milliseconds
from byoa.errors import ByoaError
from byoa.installs.contents import document, pack
from byoa.installs.deploy import Approval, deploy
from byoa.installs.messages import ObjectHealth
from byoa.installs.normalising import Owner
from byoa.installs.objects import Place
from byoa.installs.plan import plan as make_plan
from byoa.installs.plans import WRITES, fingerprint
from byoa.installs.records import entry, failed, moved
from tests.api.served import APP
from tests.installs.beds import NAMESPACES, Bed, namespace

if TYPE_CHECKING:
    from datetime import datetime

    from byoa.installs.messages import Deploy, DeployStatus, InstallComponent
    from byoa.installs.objects import Object
    from byoa.installs.plan import Task
    from byoa.installs.plans import Plan
    from byoa.installs.record import Outcome
    from tests.web.browsing import Browser

KEY = b"a stack's own"
DIGEST = "sha256:" + "5" * 64


@dataclass(slots=True)
class Corner(Bed):
    """A bed of one component of one install, in the namespace ``vendor`` that is there already."""

    install: str = ""
    component: str = ""

    @property
    def owner(self) -> Owner:
        return Owner(self.install, self.component, self.corner)


@dataclass
class Runner:
    """Runs deploys of one install's components. ``objects`` are builds' by their ids."""

    browser: Browser
    cluster: MemoryCluster = field(default_factory=MemoryCluster)
    objects: dict[str, tuple[Object, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cluster.apply(Place(NAMESPACES, "", "vendor"), namespace("vendor"))

    def install(self, name: str = "acme", **fields: Any) -> str:
        """A new install's id."""
        body = {"name": name, "cluster": {"kind": "agent"}, **fields}
        made = self.browser.served.ask("POST", f"/v1/apps/{APP}/installs", body)
        assert made.status == 201, made.text
        return str(made.json["id"])

    def build(self, *objects: Object, name: str = "web") -> str:
        """An active build's id, of an artifact with these objects."""
        source = {"url": "oci://ghcr.io/vendor/app-manifests", "tag": f"v{len(self.objects)}"}
        build_id: str = self.browser.hand_in(name, oci_artifact=source)["build_id"]
        self.browser.go_well(build_id)
        self.objects[build_id] = objects
        return build_id

    def run(self, deploy_id: str) -> Deploy:
        """As far as it goes by itself: to its end, or to a plan that waits."""
        store = self.browser.served.installing
        deploys = MemoryDeploys(store)
        found = next(each for each in store.deploys.values() if each.id == deploy_id)
        begun = deploys.begin(found, "one")
        bed = Corner(self.cluster, "vendor", digest=DIGEST, install=found.install_id, component=found.component)
        wanted = self.objects.get(found.build_id or "", ())
        task = bed.task(*wanted, teardown=found.operation == "teardown", take_over=frozenset(found.take_over))
        plan = make_plan(task, bed.cluster, bed.shelf.read())
        print_of = fingerprint(plan, KEY)
        told = {"counts": plan.counts, "needs": plan.missing(frozenset()), "fingerprint": print_of}
        ended = self._end(begun, task, bed, plan)
        contents = pack(document(plan, print_of))

        def becomes(deploy: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
            now = self.browser.served.clock.now()
            if isinstance(ended, ByoaError):
                failure = Failure(code=ended.code, cause=ended.cause, remedy=ended.remedy, where=ended.where)
                return failed(deploy, failure, now, **told), part.model_copy(update={"health": "unhealthy"})
            status, outcome = ended
            line = entry(status, _WORDS[status], now)
            if outcome is None:
                drift = {"drift": status, "drift_checked_at_ts": milliseconds(now)} if "drift" in status else {}
                return moved(deploy, line, **told), part.model_copy(update=drift)
            return _done(moved(deploy, line, **told), part, outcome)

        finished = deploys.finish(found, "one", becomes, contents)
        assert finished, "nobody else runs it"
        return finished

    def _end(self, deploy: Deploy, task: Task, bed: Bed, plan: Plan) -> tuple[DeployStatus, Outcome | None] | ByoaError:
        names = frozenset(deploy.answered.names if deploy.answered else ())
        if plan.faults:
            return plan.faults[0]
        if deploy.operation == "drift":
            return "drift-detected" if any(step.action in WRITES for step in plan.steps) else "no-drift", None
        if plan.is_noop or deploy.plan_only:
            return "noop" if plan.is_noop else "auto-skipped", None
        if plan.missing(names) or not (deploy.answered or deploy.approve_all):
            return "pending-approval", None
        try:
            outcome = _deploy(task, bed, names)
        except ByoaError as error:
            return error
        return outcome.status, outcome


_WORDS: dict[DeployStatus, str] = {
    "pending-approval": "the plan waits for somebody", "auto-skipped": "planned", "noop": "nothing to do",
    "active": "healthy",
    "inactive": "torn down", "drift-detected": "not as it was applied", "no-drift": "as it was applied",
}  # fmt: skip


def _deploy(task: Task, bed: Bed, names: frozenset[str]) -> Outcome:
    return deploy(task, bed.work(take_over=task.take_over), Approval(names=names))


def _done(deploy: Deploy, part: InstallComponent, outcome: Outcome) -> tuple[Deploy, InstallComponent]:
    health = [
        ObjectHealth(object=str(each.place.identity), state=each.health.state, reason=each.health.reason)
        for each in outcome.findings
    ]
    left = [[str(identity), why] for identity, why in outcome.left]
    stands = {
        "build_id": deploy.build_id if deploy.operation == "apply" else None,
        "digest": DIGEST if deploy.operation == "apply" else None,
        "health": "healthy" if health else "not-applicable", "objects": len(health), "drift": "no-drift",
    }  # fmt: skip
    return deploy.model_copy(update={"health": health, "left": left}), part.model_copy(update=stands)


def hostile(runner: Runner, said: str) -> list[str]:
    """Deploys that have ``said`` wherever an artifact, a cluster or somebody can say something; all pages of them."""
    store = runner.browser.served.installing
    build = runner.build(name="installed")
    install = runner.install("hostile", inputs={"markup": said}, follow=["installed"])
    places = ["/installs", f"/apps/{APP}/installs", f"/apps/{APP}/installs?q=none", f"/apps/{APP}/installs/create"]
    places += [f"/installs/{install}", f"/installs/{install}/settings", f"/installs/{install}/components/installed"]
    place = f"/v1/installs/{install}/components/installed/deploys"
    for step in ("active", "error", "queued", "waits"):
        made = runner.browser.served.ask("POST", place, {"build_id": build}).json["id"]
        found = next(each for each in store.deploys.values() if each.id == made)
        places.append(f"/installs/{install}/components/installed/deploys/{made}")
        if step != "queued":
            _say(MemoryDeploys(store), found, said, step, runner.browser.served.clock.now())
    other = runner.build(name="queued")
    made = runner.browser.served.ask("POST", place.replace("installed", "queued"), {"build_id": other}).json["id"]
    places += [f"{places[-1]}?show=none&page=1", f"/installs/{install}/components/queued/deploys/{made}"]
    return [
        *places,
        f"{places[-2].partition('?')[0]}?show=warnings&q={quote(said)}",
        f"/installs/{install}/components/none",
    ]


def _say(deploys: MemoryDeploys, found: Deploy, said: str, step: str, now: datetime) -> None:
    told: dict[str, Any] = {
        "counts": {"create": 1, "change": 1, "recreate": 1, "delete": 1, "unchanged": 9}, "fingerprint": "plan-1",
        "needs": [said, "deletions:3"], "left": [[said, said]], "digest": DIGEST, "reference": f"oci://r.example/{said}",
        "health": [ObjectHealth(object=said, state="healthy"), ObjectHealth(object=said, state="failed", reason=said)],
    }  # fmt: skip
    other = [{"owner": said, "field": said}]
    one = {
        "object": said, "group": said, "kind": said, "namespace": said, "name": said, "unchecked": True, "why": said,
        "needs": said, "left_out": 3, "left_to": other, "taken_from": other, "warnings": [said],
        "changes": [
            {"path": said, "op": "replace", "before": said, "after": said, "lines": []},
            {"path": said, "op": "replace", "before": said, "after": said, "lines": [said, said]},
            {"path": said, "op": "move", "before": said, "after": said, "lines": []},
        ],
    }  # fmt: skip
    objects = [{**one, "action": action} for action in ("create", "change", "recreate", "delete", "keep", "gone")]
    objects.append({**one, "action": "delete", "needs": f"another {said}"})
    fault = {"code": "ObjectInvalid", "cause": said, "remedy": said, "where": said}
    plan = {"plan": "plan-1", "counts": told["counts"], "objects": objects, "needs": told["needs"], "errors": [fault]}

    def becomes(deploy: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
        if step == "error":
            return failed(deploy, Failure(code="ObjectInvalid", cause=said, remedy=said, where=said), now, **told), part
        status: DeployStatus = "active" if step == "active" else "pending-approval"
        stands = {"build_id": deploy.build_id, "digest": DIGEST, "health": "degraded", "objects": 4}
        stands |= {"drift": "drift-detected", "drift_checked_at_ts": milliseconds(now)}
        return moved(deploy, entry(status, said, now), **told), part.model_copy(update=stands)

    deploys.begin(found, "one")
    deploys.finish(found, "one", becomes, pack(plan))
