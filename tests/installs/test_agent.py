"""An agent runs an install's deploys through the API: leased, killed anywhere, gone on with, and told of."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlencode

import pytest

from byoa.adapters.memory.clocks import CalendarTime
from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.remote.leases import RemoteJob, RemoteShelf, lease
from byoa.adapters.remote.refusals import error_of
from byoa.api.app import OPERATIONS
from byoa.api.asking import Reply
from byoa.bootstrap import terminal
from byoa.builds.records import milliseconds
from byoa.engine.copying import copy
from byoa.errors import ApiRefused, ClusterForbidden, DeploySuperseded
from byoa.installs import contents, parcels
from byoa.installs.inventory import unpack
from byoa.installs.normalising import Owner
from byoa.installs.objects import Place
from byoa.installs.recover import recover
from byoa.installs.states import DeployEnded
from byoa.installs.steps.run_deploy import Rig, run_deploy
from byoa.installs.steps.sweep_deploys import VANISHED, sweep_deploys
from byoa.oci.digest import Digest
from byoa.oci.reference import Reference, Registry
from byoa.trust.limits import STAGED
from local.cluster import Cluster
from local.registry import Registry as MirrorRegistry
from tests.api.loopback import listening
from tests.api.served import Served
from tests.cli.homes import Home
from tests.installs.beds import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, config_map, deployment, namespace, secret
from tests.installs.platform import INSTALL, ORG, Counted, Died, Platform

if TYPE_CHECKING:
    from pathlib import Path

    from byoa.api.operations import Operation
    from byoa.installs.messages import Deploy

CANARY = "c4n4ry-of-an-agent"
KINDS = (CONFIG_MAPS, DEPLOYMENTS)


@dataclass
class Asking:
    """The API in this process, as the agent's token sees it. Implements Api."""

    served: Served
    token: str
    sent: list[str] = field(default_factory=list)

    def ask(
        self, method: str, *path: str, query: Any = None, body: Any = None, match: str = "", once: bool = False
    ) -> Reply:
        del match, once
        place = "/v1/" + "/".join(quote(each, safe="") for each in path)
        self.sent.append(json.dumps(body))
        answer = self.served.ask(method, f"{place}?{urlencode(query)}" if query else place, body, token=self.token)
        if answer.status >= 300:
            raise error_of(answer.status, answer.json)
        return Reply(answer.status, answer.json if answer.text else None)

    def listing(self, *path: str, **_: Any) -> Any:
        raise NotImplementedError(path)


class Bed:
    """A platform whose install has an agent, and the API over it."""

    def __init__(self, cluster: Any = None, corner: str = "corner", **settings: Any) -> None:
        self.platform = Platform(**({"cluster": cluster} if cluster else {}))
        self.corner = corner
        self.platform.cluster.create(Place(NAMESPACES, "", corner), namespace(corner))
        self.platform.install(access={"kind": "agent"}, **settings)
        self.served = Served(clock=self.platform.clock)
        self.served.ledger, self.served.installing = self.platform.ledger, self.platform.store
        self.served.receipt_check = self.platform.signing.check
        self.token = self.served.token("agent", org=ORG, installs=(INSTALL,))
        self.api = Asking(self.served, self.token)
        self.deployer = self.served.token("deploy", org=ORG)

    def lease(self, around: Any = lambda found: found) -> RemoteJob | None:
        job, _ = lease(around(self.api), INSTALL, milliseconds(self.platform.clock.now()))
        return job

    def run(self, job: RemoteJob, around: Any = lambda found: found) -> Any:
        ended = run_deploy(
            job.checked,
            Rig(
                mirror=lambda _: self.platform.mirror, quarantine=MemoryRepository(),
                cluster=around(self.platform.cluster), shelf=RemoteShelf(job), deploys=job, lists=job.lists,
                clock=CalendarTime(self.platform.clock), calendar=self.platform.clock, key=b"key",
            ),
        )  # fmt: skip
        packed = contents.pack(parcels.fetch(ended.planned.contents, job.lists)) if ended.planned else None
        return job.report(ended, packed)

    def run_next(self) -> Any:
        job = self.lease()
        assert job
        return self.run(job)

    def now(self, deploy: Deploy) -> Deploy:
        found = self.platform.installs.deploy(deploy.id)
        assert found
        return found

    def there(self, kind: Any, name: str) -> Any:
        return self.platform.cluster.get(Place(kind, self.corner, name))

    def passes(self, seconds: float) -> None:
        self.platform.clock.moment += timedelta(seconds=seconds)


@pytest.fixture
def bed() -> Bed:
    return Bed()


OBJECTS = (config_map("one"), config_map("two"), deployment("web"))


def test_an_agent_applies_what_waits_and_the_platform_knows_all_that_people_are_shown(bed: Bed) -> None:
    assert bed.lease() is None
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    assert bed.run_next() == "active"
    assert bed.there(DEPLOYMENTS, "web")
    after = bed.now(deploy)
    assert (after.counts["create"], after.execution) == (3, f"agent-{INSTALL}")
    assert [each.status for each in after.history] == ["queued", "planning", "planning", "executing", "active"]
    shown = bed.platform.installs.contents(after)
    assert shown
    assert {each["action"] for each in shown["objects"]} == {"create"}
    install = bed.platform.installs.install(INSTALL)
    assert install
    (part,) = bed.platform.installs.components(install)
    assert (part.objects, part.health, part.build_id) == (3, "healthy", after.build_id)
    (packed, _) = next(iter(bed.platform.store.packed.values()))
    assert len(unpack(packed).uids) == 3
    assert bed.lease() is None


def test_what_is_dropped_is_pruned_and_nothing_to_do_is_noop(bed: Bed) -> None:
    bed.platform.ask(bed.platform.build(*OBJECTS))
    bed.run_next()
    bed.platform.ask(bed.platform.build(OBJECTS[0], OBJECTS[2]))
    assert bed.run_next() == "active"
    assert bed.there(CONFIG_MAPS, "two") is None
    again = bed.platform.ask(bed.platform.build(OBJECTS[0], OBJECTS[2]))
    assert bed.run_next() == "noop"
    assert bed.now(again).counts["unchanged"] == 2
    bed.platform.ask(operation="teardown")
    assert bed.run_next() == "inactive"
    assert bed.there(DEPLOYMENTS, "web") is None


def test_a_plan_waits_for_somebody_and_is_leased_again_once_it_was_approved() -> None:
    bed = Bed(approval="prompt")
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    assert bed.run_next() == "pending-approval"
    assert (bed.lease(), bed.there(CONFIG_MAPS, "one")) == (None, None)
    place = f"/v1/installs/{INSTALL}/components/web/deploys/{deploy.id}/approval"
    body = {"response_type": "approve", "fingerprint": bed.now(deploy).fingerprint}
    assert bed.served.ask("POST", place, body, token=bed.deployer).status == 200
    assert bed.run_next() == "active"
    other = bed.platform.ask(bed.platform.build(config_map("three"), *OBJECTS))
    bed.run_next()
    waits = bed.now(other)
    body["fingerprint"] = waits.fingerprint
    bed.served.ask("POST", place.replace(deploy.id, other.id), body, token=bed.deployer)
    bed.platform.cluster.apply(
        Place(CONFIG_MAPS, "corner", "two"), {**config_map("two"), "data": {"edited": "yes"}}, force=True
    )
    assert bed.run_next() == "error"
    failure = bed.now(other).failure
    assert failure
    assert failure.code == "PlanChanged"
    assert bed.there(CONFIG_MAPS, "three") is None


def test_many_parts_of_an_agent_s_plan_are_approved_by_kind_and_count(bed: Bed) -> None:
    bed.platform.ask(bed.platform.build(*(namespace(f"n{at}") for at in range(12))))
    assert bed.run_next() == "active"
    teardown = bed.platform.ask(operation="teardown")
    assert bed.run_next() == "pending-approval"
    place = f"/v1/installs/{INSTALL}/components/web/deploys/{teardown.id}"
    plan = bed.served.ask("GET", f"{place}/plan", token=bed.deployer).json
    assert plan["sets"] == {"Namespace": 12}
    body = {"response_type": "approve", "fingerprint": plan["fingerprint"], "names": ["Namespace:11"]}
    assert bed.served.ask("POST", f"{place}/approval", body, token=bed.deployer).status == 422
    body["names"] = ["Namespace:12"]
    assert bed.served.ask("POST", f"{place}/approval", body, token=bed.deployer).status == 200
    assert bed.run_next() == "inactive"
    assert bed.there(NAMESPACES, "n7") is None


PLANNED = {
    "plan": "sha256:1", "contents": "sha256:1", "fingerprint": "plan-1", "counts": {"create": 1}, "status": "noop",
    "next": "look",
}  # fmt: skip
SAID = {"plan": "plan-1", "counts": {}, "objects": [], "needs": [], "errors": []}
OBJECT: dict[str, Any] = {
    "object": "ConfigMap/a", "group": "", "api_version": "v1", "kind": "ConfigMap", "resource": "configmaps",
    "namespace": None, "name": "a", "action": "create", "unchecked": False, "why": "", "needs": None, "changes": [],
    "left_out": 0, "left_to": [], "taken_from": [], "warnings": [],
}  # fmt: skip


@pytest.mark.parametrize(
    "ended",
    [
        {}, {"planned": {**PLANNED, "status": "queued"}}, {"planned": {**PLANNED, "status": "executing"}},
        {"planned": {**PLANNED, "status": "error"}}, {"planned": {**PLANNED, "status": "active", "next": "apply"}},
        {"planned": {**PLANNED, "needs": ["x" * 1000] * 200}}, {"planned": {**PLANNED, "fingerprint": "x" * 200_000}},
        {"planned": PLANNED, "pruned": {"gone": 0, "left": [["a", "b" * 400]] * 500, "pending": False}},
        {"planned": PLANNED, "contents": "e30="}, {"planned": PLANNED, "contents": "AAAA"},
        {"planned": PLANNED, "contents": contents.pack({**SAID, "objects": [5]})},
        {"planned": PLANNED, "contents": contents.pack({**SAID, "objects": [{**OBJECT, "changes": 5}]})},
        {"planned": PLANNED, "contents": contents.pack({**SAID, "objects": [{**OBJECT, "action": "<b>"}]})},
        {"planned": PLANNED, "contents": contents.pack({**SAID, "counts": {"create": "x"}})},
        {"planned": PLANNED, "contents": contents.pack({**SAID, "sets": {"Job": "many"}})},
        {"planned": PLANNED, "contents": contents.pack({**SAID, "sets": [["Job", 1]]})},
        {"planned": PLANNED, "contents": contents.pack({**SAID, "plan": " " * 17_000_000})},
    ],
)  # fmt: skip
def test_what_no_agent_can_have_seen_is_not_recorded(bed: Bed, ended: Any) -> None:
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    job = bed.lease()
    assert job
    place = f"/v1/installs/{INSTALL}/jobs/{deploy.id}/report"
    token = bed.token
    answer = bed.served.ask("POST", place, {"lease_id": job.lease, "ended": ended}, token=token)
    assert answer.status == 422, answer.text
    assert bed.now(deploy).status == "planning"
    sound = {"planned": PLANNED, "contents": contents.pack({**SAID, "objects": [OBJECT]})}
    assert bed.served.ask("POST", place, {"lease_id": job.lease, "ended": sound}, token=token).json["status"] == "noop"
    plan = f"/v1/installs/{INSTALL}/components/web/deploys/{deploy.id}/plan"
    assert bed.served.ask("GET", plan, token=bed.served.token("read", org=ORG)).json["objects"] == [OBJECT]


def test_one_agent_at_a_time_has_a_deploy_until_its_lease_ends(bed: Bed) -> None:
    bed.platform.ask(bed.platform.build(*OBJECTS))
    first = bed.lease()
    assert first
    assert bed.lease() is None
    bed.passes(50)
    first.renew()
    bed.passes(50)
    assert bed.lease() is None
    bed.passes(61)
    second = bed.lease()
    assert second
    with pytest.raises(DeploySuperseded):
        first.renew()
    with pytest.raises(DeploySuperseded):
        RemoteShelf(first).read()
    assert bed.run(second) == "active"


def test_a_deploy_that_is_cancelled_writes_nothing_more(bed: Bed) -> None:
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    job = bed.lease()
    assert job
    place = f"/v1/installs/{INSTALL}/components/web/deploys/{deploy.id}/cancel"
    assert bed.served.ask("POST", place, token=bed.deployer).status == 200
    assert bed.run(job) is None
    assert bed.there(CONFIG_MAPS, "one") is None
    assert bed.now(deploy).status == "cancelled"
    bed.platform.ask(bed.platform.build(*OBJECTS))
    assert bed.run_next() == "active", "it holds the component no more"


def test_a_build_without_a_good_receipt_is_run_by_nobody(bed: Bed) -> None:
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    bed.served.receipt_check = lambda *_: False
    assert bed.lease() is None
    failure = bed.now(deploy).failure
    assert failure
    assert failure.code == "ReceiptInvalid"


def test_what_a_vanished_agent_held_is_let_go_once_its_lease_ended(bed: Bed) -> None:
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    assert bed.lease()
    bed.platform.installs.cancel(bed.now(deploy), "Somebody cancelled the deploy.", "tok_1")
    bed.platform.ask(bed.platform.build(*OBJECTS))
    assert bed.lease() is None
    bed.passes(61)
    assert bed.lease() is None
    assert bed.run_next() == "active"


def test_a_deploy_whose_agent_never_came_back_says_so_and_the_next_goes_on_from_what_is_tracked(bed: Bed) -> None:
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    job = bed.lease()
    assert job
    with pytest.raises(Died):
        bed.run(job, Counted(at=8).around)
    bed.passes(VANISHED.total_seconds() + 61)
    assert sweep_deploys(bed.platform.deploys, bed.platform.clock).ended == 1
    failure = bed.now(deploy).failure
    assert failure
    assert failure.code == "AgentSilent"
    assert "No agent has asked for this install since 2026-" in failure.cause
    assert bed.lease() is None
    bed.platform.ask(bed.platform.build(OBJECTS[0], OBJECTS[2]))
    assert bed.run_next() == "active"
    assert (bed.there(CONFIG_MAPS, "two"), bool(bed.there(CONFIG_MAPS, "one"))) == (None, True)


def test_it_is_told_when_an_agent_asked_last_and_with_which_token(bed: Bed) -> None:
    place, reader = f"/v1/installs/{INSTALL}/agent", bed.served.token("read", org=ORG)

    def seen() -> Any:
        return bed.served.ask("GET", place, token=reader).json

    assert seen() == {"seen_at": None, "token_id": None, "token_name": None}
    bed.lease()
    first = seen()
    assert (first["token_name"], bed.served.ask("GET", place, token=bed.token).code) == ("test", "scope_missing")
    bed.passes(59)
    bed.lease()
    assert seen() == first, "to the minute"
    bed.passes(1)
    bed.lease()
    assert seen()["seen_at"] > first["seen_at"]
    bed.platform.ask(bed.platform.build(*OBJECTS))
    job = bed.lease()
    assert job
    before = seen()
    bed.passes(50)
    job.renew()
    bed.passes(50)
    job.renew()
    assert seen()["seen_at"] > before["seen_at"], "while it works as well"


@pytest.mark.parametrize("what", ["cluster", "api"])
def test_killed_after_any_call_the_next_agent_goes_on_and_ends_the_same(what: str) -> None:
    for at in range(1, 200):
        bed = Bed()
        bed.platform.ask(bed.platform.build(*OBJECTS, config_map("old")))
        bed.run_next()
        deploy = bed.platform.ask(bed.platform.build(config_map("new"), *OBJECTS))
        counted = Counted(at=at)
        died = False
        try:
            job = bed.lease(counted.around if what == "api" else lambda found: found)
            assert job
            bed.run(job, counted.around if what == "cluster" else lambda found: found)
        except Died:
            died = True
            bed.passes(61)
            job = bed.lease()
            if job:
                bed.run(job)
        assert bed.now(deploy).status in ("active", "noop"), at
        assert (bed.there(CONFIG_MAPS, "old"), bool(bed.there(CONFIG_MAPS, "new"))) == (None, True)
        (packed, _) = next(iter(bed.platform.store.packed.values()))
        assert len(unpack(packed).uids) == 4
        if not died:
            assert at > 5
            return
    raise AssertionError


def test_no_value_of_a_secret_leaves_the_cluster(bed: Bed) -> None:
    bed.platform.ask(bed.platform.build(secret("keys", token=CANARY)))
    assert bed.run_next() == "active"
    bed.platform.ask(bed.platform.build(secret("keys", token=f"{CANARY}-2")))
    assert bed.run_next() == "active"
    assert not [each for each in bed.api.sent if CANARY in each]
    assert CANARY not in json.dumps([each.model_dump() for each in bed.platform.store.deploys.values()])


def test_the_platform_s_own_installs_are_leased_to_nobody(bed: Bed) -> None:
    bed.served.ask("POST", "/v1/apps/shop/components", {"name": "web"}, token=bed.served.token(org=ORG))
    made = bed.served.ask(
        "POST", "/v1/apps/shop/installs",
        {"name": "other", "cluster": {"kind": "static", "server": "https://k8s.example.com", "token": "x"}},
        token=bed.served.token(org=ORG),
    )  # fmt: skip
    token = bed.served.token("agent", org=ORG, installs=(made.json["id"],))
    refused = bed.served.ask("POST", f"/v1/installs/{made.json['id']}/jobs/lease", token=token)
    assert (refused.status, refused.code) == (409, "not_an_agents")


OTHERS = "inl" + "b" * 23
NOBODYS = "inl" + "c" * 23
LEASING = [each for each in OPERATIONS if each.scope == "agent"]


@pytest.mark.parametrize("operation", LEASING, ids=lambda each: each.name)
def test_an_agent_of_one_install_sees_nothing_of_another(bed: Bed, operation: Operation) -> None:
    bed.platform.install(id=OTHERS, name="other", access={"kind": "agent"})
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    job = bed.lease()
    assert job
    stranger = bed.served.token("agent", org=ORG, installs=(OTHERS,))

    def ask(install: str, deploy_id: str, token: str) -> Any:
        path = operation.path.replace("<install_id>", install).replace("<deploy_id>", deploy_id)
        query = f"?lease_id={job.lease}" if operation.method == "GET" else ""
        body = {**operation.example, "lease_id": job.lease} if operation.example else None
        answer = bed.served.ask(operation.method, path + query, body, token=token)
        return answer.status, {
            name: value for name, value in json.loads(answer.text or "{}").items() if name != "instance"
        }

    there, nowhere = ask(INSTALL, deploy.id, stranger), ask(NOBODYS, "dpl" + "a" * 23, stranger)
    assert there == nowhere, "nothing tells whether it is there"
    assert (there[0], there[1]["code"]) == (404, "not_found")
    if "<deploy_id>" in operation.path:
        assert ask(OTHERS, deploy.id, stranger) == nowhere, "nor by the name of one's own"
    assert bed.platform.installs.deploy(deploy.id) == bed.now(deploy)
    assert ask(INSTALL, deploy.id, bed.token)[0] == operation.status


def test_an_agent_s_token_reads_nothing_else_of_the_organisation(bed: Bed) -> None:
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    bed.run_next()
    place = f"/v1/installs/{INSTALL}"
    deploys = f"{place}/components/web/deploys"
    for path in (place, deploys, f"{deploys}/{deploy.id}/plan", "/v1/installs", "/v1/apps", "/v1/tokens", "/v1/audit"):
        answer = bed.served.ask("GET", path, token=bed.token)
        assert (answer.status, answer.code) == (403, "scope_missing"), path
    for path in (deploys, f"{deploys}/{deploy.id}/cancel", f"{deploys}/{deploy.id}/approval", "/v1/sessions"):
        body = {"response_type": "approve"} if "approval" in path else {}
        assert bed.served.ask("POST", path, body, token=bed.token).code == "scope_missing", path
    account = bed.served.ask("GET", "/v1/account", token=bed.token).json
    assert account["installs"] == [{"id": INSTALL, "app_id": "shop", "name": "prod"}]


def test_a_lease_is_of_no_use_to_another_token(bed: Bed) -> None:
    deploy = bed.platform.ask(bed.platform.build(*OBJECTS))
    job = bed.lease()
    assert job
    other = Asking(bed.served, bed.served.token("agent", org=ORG, installs=(INSTALL,)))
    stolen = RemoteJob(other, job.lease, job.checked, job.lists)
    with pytest.raises(DeploySuperseded):
        stolen.renew()
    with pytest.raises(DeploySuperseded):
        stolen.report(DeployEnded(**deploy.key.model_dump(), execution="x"), None)
    assert bed.run(job) == "active"


def test_whoever_administers_may_run_any_install_s_deploys(bed: Bed) -> None:
    bed.platform.ask(bed.platform.build(*OBJECTS))
    assert lease(Asking(bed.served, bed.served.token("admin", org=ORG)), INSTALL, 0)


@pytest.mark.parametrize("scope", ["read", "sync", "deploy"])
def test_a_token_that_is_no_agent_s_is_told_what_to_have_made(bed: Bed, scope: str) -> None:
    with pytest.raises(ApiRefused, match="lacks the scope agent") as refused:
        lease(Asking(bed.served, bed.served.token(scope, org=ORG)), INSTALL, 0)
    assert "byoa tokens create NAME --scope agent --install INSTALL" in refused.value.remedy


def test_a_token_without_its_install_leases_nothing(bed: Bed) -> None:
    bed.platform.ask(bed.platform.build(*OBJECTS))
    with pytest.raises(ApiRefused) as refused:
        lease(Asking(bed.served, bed.served.token("agent", org=ORG)), INSTALL, 0)
    assert refused.value.problem == "not_found"


def test_polling_and_renewing_are_noted_nowhere(bed: Bed) -> None:
    bed.platform.ask(bed.platform.build(*OBJECTS))
    job = bed.lease()
    assert job
    job.renew()
    assert bed.served.deeds == {}
    bed.run(job)
    assert {each.what for each in bed.served.deeds.values()} == {"report_job"}


def test_the_command_runs_what_waits_with_its_own_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process: the API and the mirror on loopback, the cluster over TLS by a kubeconfig's authority and token."""
    with MirrorRegistry() as mirror, Cluster() as cluster:
        cluster.memory.create(Place(NAMESPACES, "", "corner"), namespace("corner"))
        monkeypatch.setattr("tests.installs.platform.OURS", Registry.parse(mirror.address))
        bed = Bed()
        build = bed.platform.build(*OBJECTS)
        assert build.outcome
        reference = Reference.parse(build.outcome.mirrors[0].reference)
        target = terminal.repository(reference, "target", None, plain_http=True)
        root = bed.platform.mirror.fetch_manifest(Digest.parse(build.outcome.digest or ""))
        copy(bed.platform.mirror, target, root, limits=STAGED, target_name="mirror")
        terminal.transport().close()
        deploy = bed.platform.ask(build)
        (tmp_path / "ca.pem").write_text(cluster.ca or "")
        with listening(bed.served) as api:
            home = Home(api, tmp_path)
            variables = {"BYOA_API": api.address, "BYOA_TOKEN": bed.api.token}
            arguments = (
                "install", "run", "--once", "--server", cluster.address, "--ca", "ca.pem", "--token-stdin",
                "--plain-http", mirror.address, "--json",
            )  # fmt: skip
            done = home.byoa(*arguments, stdin=min(cluster.tokens), **variables)
            assert done.code == 0, done.err
            assert done.json() == {"id": deploy.id, "component": "web", "status": "active", "error": None}
            idle = home.byoa(*arguments, stdin=min(cluster.tokens), **variables)
            assert (idle.code, idle.out) == (0, "")
            for_people = [each for each in arguments if each != "--json"]
            idle = home.byoa(*for_people, stdin=min(cluster.tokens), **variables)
            assert (idle.code, idle.err) == (0, f"nothing waits for the agent of {INSTALL}\n")
            bed.platform.ask(build)
            failed = home.byoa(*for_people, stdin="another's", **variables)
            assert (failed.code, "error ClusterForbidden" in failed.err, "next: " in failed.err) == (1, True, True)
            named = home.byoa(*arguments, "--install", "prod", "--app", "shop", stdin=min(cluster.tokens), **variables)
            assert (named.code, named.out) == (0, "")
            other = home.byoa(*arguments, "--install", "other", stdin=min(cluster.tokens), **variables)
            assert (other.code, "for no install of that name" in other.out) == (1, True)
        assert cluster.memory.get(Place(DEPLOYMENTS, "corner", "web"))


def test_a_lost_record_is_made_again_from_labels_and_what_was_forgotten_is_pruned(bed: Bed) -> None:
    bed.platform.ask(bed.platform.build(*OBJECTS))
    bed.run_next()
    bed.platform.store.packed.clear()
    build = bed.platform.build(OBJECTS[0], OBJECTS[2])
    plain = bed.platform.ask(build)
    bed.run_next()
    assert bed.there(CONFIG_MAPS, "two"), "nobody knows of it any more"
    bed.platform.store.packed.clear()
    deploy = bed.platform.ask(build, recover=True)
    assert bed.run_next() == "active"
    assert (bed.now(plain).counts["delete"], bed.now(deploy).counts["delete"]) == (0, 1)
    assert bed.there(CONFIG_MAPS, "two") is None
    (packed, _) = next(iter(bed.platform.store.packed.values()))
    assert {each.name for each in unpack(packed).uids} == {"one", "web"}
    again = bed.platform.ask(build, recover=True)
    assert bed.run_next() == "noop"
    assert bed.now(again).counts["unchanged"] == 2


def test_only_what_we_applied_and_nobody_owns_is_found_by_its_labels(bed: Bed) -> None:
    owner = Owner(INSTALL, "web", "corner")

    def labelled(name: str, **about: Any) -> None:
        found = config_map(name)
        found["metadata"] |= {"labels": dict(owner.labels), **about}
        bed.platform.cluster.create(Place(CONFIG_MAPS, "corner", name), found)

    labelled("ours")
    labelled("copied", managedFields=[{"manager": "endpoint-controller"}])
    labelled("applied", managedFields=[{"manager": "byoa", "operation": "Apply"}])
    labelled("owned", ownerReferences=[{"kind": "Service", "name": "web"}])
    found = recover(bed.platform.cluster, owner)
    assert {each.name for each in found} == {"ours", "applied"}
    assert recover(bed.platform.cluster, owner._replace(component="other")) == {}


def test_where_a_kind_may_not_be_listed_everywhere_its_own_namespace_is_looked_at(bed: Bed) -> None:
    bed.platform.ask(bed.platform.build(*OBJECTS))
    bed.run_next()
    cluster = bed.platform.cluster

    class Narrow:
        def kinds(self) -> Any:
            return cluster.kinds()

        def list(self, kind: Any, namespace: str = "", **more: Any) -> Any:
            if namespace != "corner" or kind == DEPLOYMENTS:
                raise ClusterForbidden("The login may not list these.")
            return cluster.list(kind, namespace, **more)

    found = recover(cast("Any", Narrow()), Owner(INSTALL, "web", "corner"))
    assert {each.name for each in found} == {"one", "two"}
