"""Routes of installs, their deploys, plans and approvals, asked in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.installs import MemoryDeploys
from byoa.api.routes import deploys
from byoa.builds.messages import BuildKey, MirroredArtifact, Outcome
from byoa.builds.records import entry as of_build
from byoa.installs.messages import DeployKey
from byoa.installs.records import entry, moved
from local.pages.installed import FINGERPRINT, OBJECT, Installed
from tests.api.served import APP, ORG, OTHER, Answer, Served
from tests.issuer import GITHUB, issuing

if TYPE_CHECKING:
    from byoa.installs.messages import Install

INSTALLS = f"/v1/apps/{APP}/installs"
CONFIGS = f"/v1/apps/{APP}/components/web/configs/kubernetes-manifest"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
CANARY = "canary-of-a-cluster-5f1c"
STATIC = {"kind": "static", "server": "https://k8s.example.com:6443", "ca": PEM, "token": CANARY}
OWN = {"repository": "vendor/app"}
NO_OBJECTS = {"create": 0, "change": 0, "recreate": 0, "delete": 0, "unchanged": 0}


@pytest.fixture
def served() -> Served:
    """An app with one component, whose first build went well."""
    served = Served()
    assert served.ask("POST", CONFIGS, {"namespace": "a", "manifest": "a: 1"}).status == 201
    went_well(served, 1)
    return served


def went_well(served: Served, version: int, component: str = "web") -> None:
    key = BuildKey(organisation=ORG, app=APP, component=component, version=version)
    now = served.clock.now()
    served.ledger.begin(key, "one", of_build("planning", "begun", now))
    mirror = MirroredArtifact(
        target="ecr", reference="oci://1.dkr.ecr.x/byoa/web@sha256:0", tag="bld", digest="sha256:0",
        blobs_copied=1, blobs_skipped=0, bytes_copied=1,
    )  # fmt: skip
    outcome = Outcome(status="active", digest="sha256:0", tag="v1", mirrors=[mirror])
    served.ledger.finish(key, "one", outcome, [of_build("active", "ready to install", now)])


def built_again(served: Served, version: int) -> str:
    build_id = str(served.ask("POST", f"/v1/apps/{APP}/components/web/builds", {}).json["id"])
    went_well(served, version)
    return build_id


def made(served: Served, name: str = "acme", **fields: Any) -> Any:
    answer = served.ask("POST", INSTALLS, {"name": name, "cluster": {"kind": "agent"}, **fields})
    assert answer.status == 201, answer.text
    return answer.json


def kept(served: Served, install: Any) -> Install:
    return served.installing.installs[ORG, install["id"]]


def installed(served: Served) -> Installed:
    return Installed(served.installing, ORG, APP)


def deployed(served: Served, install: Any, version: int = 1, *, drifted: bool = False) -> Any:
    build = served.ledger.records[BuildKey(organisation=ORG, app=APP, component="web", version=version)]
    return installed(served).deployed(kept(served, install), build, drifted=drifted)


def waiting(served: Served, install: Any, *needs: str) -> Any:
    build = served.ledger.records[BuildKey(organisation=ORG, app=APP, component="web", version=1)]
    return installed(served).waiting(kept(served, install), build, needs)


def web(install: Any) -> str:
    return f"/v1/installs/{install['id']}/components/web"


# ---- installs ----------------------------------------------------------------------------------------------------


def test_an_install_is_made_and_its_token_is_stored_and_shown_to_nobody(served: Served) -> None:
    answer = served.ask("POST", INSTALLS, {"name": "acme", "cluster": STATIC, "inputs": {"greeting": "hello"}})
    assert answer.status == 201
    install = answer.json
    assert install["id"].startswith("inl")
    assert install["cluster"] == {
        "kind": "static", "server": "https://k8s.example.com:6443", "ca": PEM, "server_name": None, "private": False,
    }  # fmt: skip
    assert install["install_config"] == {"approval_option": "prompt"}
    shown = served.ask("GET", f"/v1/installs/{install['id']}")
    assert shown.json == install
    for each in (answer, shown, served.ask("GET", INSTALLS), served.ask("GET", "/v1/installs")):
        assert CANARY not in each.text
    assert {name: json.loads(text) for name, text in served.cluster_tokens.items()} == {
        f"byoa-clusters/{ORG}/{install['id']}": {"server": "https://k8s.example.com:6443", "token": CANARY}
    }


def test_installs_are_listed_by_app_by_name_and_all(served: Served) -> None:
    names = ["one", "three", "two"]
    ids = {name: made(served, name)["id"] for name in names}
    assert [each["name"] for each in served.ask("GET", INSTALLS).json] == names
    first = served.ask("GET", f"{INSTALLS}?limit=2")
    assert [each["name"] for each in first.json] == names[:2]
    rest = served.ask("GET", first.headers["Link"][1:].partition(">")[0])
    assert [each["name"] for each in rest.json] == ["two"]
    assert [each["id"] for each in served.ask("GET", f"{INSTALLS}?name=three").json] == [ids["three"]]
    assert served.ask("GET", f"{INSTALLS}?name=tw").json == []
    assert sorted(each["id"] for each in served.ask("GET", "/v1/installs").json) == sorted(ids.values())


def test_a_name_is_taken_once_and_an_app_has_to_be_there(served: Served) -> None:
    made(served)
    again = served.ask("POST", INSTALLS, {"name": "acme", "cluster": {"kind": "agent"}})
    assert (again.status, again.code) == (409, "exists")
    none = served.ask("POST", "/v1/apps/none/installs", {"name": "acme", "cluster": {"kind": "agent"}})
    assert (none.status, none.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("cluster", "field"),
    [
        ({**STATIC, "server": "http://k8s.example.com"}, "server"),
        ({**STATIC, "server": "https://k8s.example.com/path"}, "server"),
        ({**STATIC, "server": "https://10.0.0.1"}, "server"),
        ({**STATIC, "server": "https://user@k8s.example.com"}, "server"),
        ({**STATIC, "ca": "no certificate"}, "ca"),
        ({**STATIC, "server_name": "a name"}, "server_name"),
        ({name: value for name, value in STATIC.items() if name != "token"}, "token"),
    ],
)
def test_a_cluster_that_is_not_to_be_reached_so_is_refused_with_its_field(
    served: Served, cluster: dict[str, Any], field: str
) -> None:
    answer = served.ask("POST", INSTALLS, {"name": "acme", "cluster": cluster})
    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == f"/body/cluster/{field}"
    assert CANARY not in answer.text
    assert (served.installing.installs, served.cluster_tokens) == ({}, {})


def test_a_role_of_the_platform_s_own_account_is_lent_to_nobody(served: Served) -> None:
    cluster = {"kind": "eks", "cluster": "a", "region": "us-west-2", "role_arn": "arn:aws:iam::111122223333:role/x"}
    answer = served.ask("POST", INSTALLS, {"name": "acme", "cluster": cluster})
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "ClusterAccessInvalid")
    cluster["role_arn"] = "arn:aws:iam::222222222222:role/x"
    assert made(served, cluster=cluster)["cluster"] == {**cluster, "private": False}


def test_a_private_server_is_one_that_somebody_said_is(served: Served) -> None:
    install = made(served, cluster={**STATIC, "server": "https://10.0.0.1:6443", "private": True})
    assert install["cluster"]["server"] == "https://10.0.0.1:6443"


def test_what_is_changed_wants_if_match_and_what_is_left_out_stays(served: Served) -> None:
    install = made(served, inputs={"a": 1}, follow=["web", "web"])
    place = f"/v1/installs/{install['id']}"
    assert install["follow"] == ["web"]
    assert served.ask("PATCH", place, {"mend": True}).status == 428
    etag = served.ask("GET", place).headers["ETag"]
    changed = served.ask("PATCH", place, {"mend": True, "deploy_dependents": True}, if_match=etag)
    assert changed.json["deploy_dependents"] is True
    assert (changed.json["mend"], changed.json["inputs"], changed.json["follow"]) == (True, {"a": 1}, ["web"])
    assert served.ask("PATCH", place, {"mend": False}, if_match=etag).code == "changed"
    emptied = served.ask(
        "PATCH", place, {"inputs": {}, "install_config": {"approval_option": "approve-all"}}, if_match="*"
    )
    assert (emptied.json["inputs"], emptied.json["install_config"]["approval_option"]) == ({}, "approve-all")
    assert served.ask("PATCH", place, {"name": "other"}, if_match="*").json["errors"][0]["code"] == "fixed"


def test_a_token_goes_to_no_other_server_than_it_was_stored_for(served: Served) -> None:
    install = made(served, cluster=STATIC)
    place = f"/v1/installs/{install['id']}"
    without = {name: value for name, value in STATIC.items() if name != "token"}
    for other in ({"server": "https://elsewhere.example.com"}, {"ca": None}, {"server_name": "elsewhere"}):
        answer = served.ask("PATCH", place, {"cluster": {**without, **other}}, if_match="*")
        assert answer.json["errors"][0]["pointer"] == "/body/cluster/token"
    assert served.ask("PATCH", place, {"cluster": without}, if_match="*").status == 200
    moved = served.ask("PATCH", place, {"cluster": {**STATIC, "server": "https://new.example.com"}}, if_match="*")
    assert moved.json["cluster"]["server"] == "https://new.example.com"
    (text,) = served.cluster_tokens.values()
    assert json.loads(text)["server"] == "https://new.example.com"
    assert served.ask("PATCH", place, {"cluster": {"kind": "agent"}}, if_match="*").status == 200
    assert served.cluster_tokens == {}


def test_inputs_have_a_limit(served: Served) -> None:
    answer = served.ask("POST", INSTALLS, {"name": "a", "cluster": {"kind": "agent"}, "inputs": {"a": "x" * 40_000}})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/body/inputs")


@pytest.mark.parametrize("number", ["1e999", "-1e999", "[1e999]", '{"a": 1e999}'])
def test_a_number_that_no_store_keeps_is_refused_at_its_field(number: str, served: Served) -> None:
    install = made(served, inputs={"a": 1})
    raw = f'{{"inputs": {{"b": 1e300, "c-d": {number}}}}}'
    answer = served.ask("PATCH", f"/v1/installs/{install['id']}", raw=raw, if_match="*")
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/body/inputs/c-d")
    assert kept(served, install).inputs == {"a": 1}


def test_an_install_that_was_removed_half_way_is_forgotten_by_the_next_try(served: Served) -> None:
    install = made(served, cluster=STATIC)
    deployed(served, install)
    del served.installing.installs[ORG, install["id"]]
    assert served.ask("DELETE", f"/v1/installs/{install['id']}", if_match="*").status == 404
    assert (served.installing.parts, served.cluster_tokens) == ({}, {})


def test_another_cluster_waits_until_nothing_is_tracked_in_the_one_there_is(served: Served) -> None:
    install = made(served, cluster=STATIC)
    place, other = f"/v1/installs/{install['id']}", {"cluster": {**STATIC, "server": "https://new.example.com"}}
    deployed(served, install)
    refused = served.ask("PATCH", place, other, if_match="*")
    assert (refused.status, refused.code) == (409, "another_cluster")
    assert kept(served, install).access["server"] == STATIC["server"]
    assert served.ask("PATCH", place, {"cluster": {"kind": "agent"}}, if_match="*").code == "another_cluster"
    again = served.ask("PATCH", place, {"cluster": {**STATIC, "server_name": "k8s.example.com"}}, if_match="*")
    assert again.status == 200, "it leads to the same place"
    assert served.ask("PATCH", place, {**other, "same_cluster": True}, if_match="*").status == 200
    assert kept(served, install).access["server"] == "https://new.example.com"
    key = (ORG, install["id"], "web")
    served.installing.parts[key] = served.installing.parts[key].model_copy(update={"objects": 0})
    assert served.ask("PATCH", place, {"cluster": {"kind": "agent"}}, if_match="*").status == 200


def test_an_install_is_forgotten_with_its_token_once_its_objects_are_gone(served: Served) -> None:
    install = made(served, cluster=STATIC)
    place = f"/v1/installs/{install['id']}"
    deployed(served, install)
    refused = served.ask("DELETE", place, if_match="*")
    assert (refused.status, refused.code) == (409, "has_objects")
    key = (ORG, install["id"], "web")
    served.installing.parts[key] = served.installing.parts[key].model_copy(update={"objects": 0})
    assert served.ask("DELETE", place).status == 428
    assert served.ask("DELETE", place, if_match="*").status == 204
    assert (served.ask("GET", place).status, served.cluster_tokens) == (404, {})


# ---- deploys -----------------------------------------------------------------------------------------------------


def test_a_deploy_is_of_the_newest_active_build(served: Served) -> None:
    install = made(served)
    answer = served.ask("POST", f"{web(install)}/deploys", {}, token=served.token("deploy"))
    assert answer.status == 201
    deploy = answer.json
    assert (deploy["status"], deploy["component_config_version"], deploy["cause"]) == ("queued", 1, "asked")
    assert deploy["workflow_id"] == deploy["id"]
    assert deploy["status_v2"]["history"][0]["status"] == "queued"
    for path in ("latest", deploy["id"]):
        assert served.ask("GET", f"{web(install)}/deploys/{path}").json == deploy
    served.ask("POST", f"/v1/apps/{APP}/components/web/builds", {})  # not built yet
    again = served.ask("POST", f"{web(install)}/deploys", {}).json
    assert again["build_id"] == deploy["build_id"]
    assert served.ask("GET", f"{web(install)}/deploys/{deploy['id']}").json["status"] == "cancelled"


def test_an_older_build_is_the_way_back(served: Served) -> None:
    install = made(served)
    first = served.ask("GET", f"/v1/apps/{APP}/components/web/builds/latest").json["id"]
    built_again(served, 2)
    deployed(served, install, 2)
    back = served.ask("POST", f"{web(install)}/deploys", {"build_id": first}).json
    assert (back["build_id"], back["cause"]) == (first, "rollback")


def test_what_can_not_be_deployed_is_said(served: Served) -> None:
    install = made(served)
    unbuilt = served.ask("POST", f"/v1/apps/{APP}/components/web/builds", {}).json["id"]
    served.ask(
        "POST", f"/v1/apps/{APP}/components/db/configs/kubernetes-manifest", {"namespace": "a", "manifest": "a: 1"}
    )
    others = served.ask("GET", f"/v1/apps/{APP}/components/db/builds/latest").json["id"]
    at = f"{web(install)}/deploys"
    db = at.replace("/web/", "/db/")
    assert served.ask("POST", at, {"build_id": unbuilt}).code == "not_active"
    assert served.ask("POST", at, {"build_id": others}).status == 404
    assert served.ask("POST", db, {}).code == "no_build"
    assert served.ask("POST", at.replace("/web/", "/none/"), {}).status == 404
    assert served.ask("POST", at, {}, token=served.token("sync")).code == "scope_missing"
    assert served.ask("GET", f"{web(install)}/deploys").status == 404
    assert served.ask("GET", at.replace("deploys", "deploys/latest")).status == 404


def test_the_same_key_asks_once(served: Served) -> None:
    install, token = made(served), served.token()
    answers = [served.ask("POST", f"{web(install)}/deploys", {}, token=token, idempotency_key="k") for _ in range(2)]
    assert answers[0].json["id"] == answers[1].json["id"]


def test_deploys_are_listed_the_newest_first(served: Served) -> None:
    install = made(served)
    ids = [served.ask("POST", f"{web(install)}/deploys", {}).json["id"] for _ in range(5)][::-1]
    for place in (f"{web(install)}/deploys", f"/v1/installs/{install['id']}/deploys"):
        listed = served.ask("GET", place)
        assert [each["id"] for each in listed.json] == ids
        assert listed.json[0]["status_v2"]["history"] == []
        part = served.ask("GET", f"{place}?limit=2")
        assert [each["id"] for each in part.json] == ids[:2]
        rest = served.ask("GET", part.headers["Link"][1:].partition(">")[0])
        assert [each["id"] for each in rest.json] == ids[2:4]
        assert [each["id"] for each in served.ask("GET", f"{place}?offset=3").json] == ids[3:]
        assert served.ask("GET", f"{place}?offset=9").json == []


def test_all_components_are_deployed_and_torn_down(served: Served) -> None:
    install = made(served)
    served.ask("POST", f"/v1/apps/{APP}/components", {"name": "api"})
    place = f"/v1/installs/{install['id']}/components"
    asked = served.ask("POST", f"{place}/deploy-all").json
    assert ([each["component_id"] for each in asked["deploys"]], asked["left_out"]) == (["web"], ["api"])
    assert served.ask("POST", f"{place}/teardown-all").json["left_out"] == ["web"]
    deployed(served, install)
    torn = served.ask("POST", f"{place}/teardown-all").json["deploys"]
    assert [(each["component_id"], each["install_deploy_type"]) for each in torn] == [("web", "teardown")]


def a_shop(served: Served) -> Any:
    """An install of an app in which ``web`` depends on ``api``, that on ``db``, and ``docs`` on nothing."""
    for name in ("api", "db", "docs"):
        place = CONFIGS.replace("/web/", f"/{name}/")
        assert served.ask("POST", place, {"namespace": "a", "manifest": "a: 1"}).status == 201
        went_well(served, 1, name)
    depends(served, web=["api", "gone"], api=["db"])
    return made(served)


def depends(served: Served, **dependencies: list[str]) -> None:
    for name, names in dependencies.items():
        place = f"/v1/apps/{APP}/components/{name}"
        assert served.ask("PATCH", place, {"dependencies": names}, if_match="*").status == 200


def statuses(served: Served, install: Any) -> dict[str, str]:
    parts = served.ask("GET", f"/v1/installs/{install['id']}/components").json
    return {each["component_name"]: each["status"] for each in parts}


def test_dependents_are_asked_for_in_order_and_wait(served: Served) -> None:
    install = a_shop(served)
    place = f"/v1/installs/{install['id']}/components/db/deploys"
    first = served.ask("POST", place, {"deploy_dependents": True, "approve_all": True}).json
    assert [(each["component_id"], each["after"]) for each in first["dependents"]] == [
        ("api", ["db"]),
        ("web", ["api"]),
    ]
    assert statuses(served, install) == {"db": "queued", "api": "pending", "web": "pending"}
    api = served.ask("GET", place.replace("/db/", "/api/") + "/latest").json
    assert (api["run_id"], api["waits_for"]) == (first["id"], [{"component_id": "db", "deploy_id": first["id"]}])
    assert api["status_description"] == "waiting for db"
    assert served.ask("GET", place).json[0]["dependents"] == []
    cancelled = served.ask("POST", place.replace("/db/", "/web/") + f"/{latest(served, install, 'web')}/cancel")
    assert cancelled.json["status"] == "cancelled"


def test_dependents_that_would_not_fit_into_a_record_are_refused(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byoa.installs.behind.DEPENDENTS", 200)
    install = a_shop(served)
    place = f"/v1/installs/{install['id']}/components/db/deploys"
    answer = served.ask("POST", place, {"deploy_dependents": True})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/body/deploy_dependents")
    assert "all of the app" in answer.json["remedy"]
    assert statuses(served, install) == {}
    assert served.ask("POST", place.replace("/db/", "/api/"), {"deploy_dependents": True}).status == 201


def latest(served: Served, install: Any, component: str) -> str:
    place = f"/v1/installs/{install['id']}/components/{component}/deploys/latest"
    return str(served.ask("GET", place).json["id"])


def test_a_component_between_without_a_build_is_passed_over(served: Served) -> None:
    install = a_shop(served)
    served.ask("POST", f"/v1/apps/{APP}/components", {"name": "cache"})
    depends(served, cache=["db"], api=["cache"])
    place = f"/v1/installs/{install['id']}/components/db/deploys"
    first = served.ask("POST", place, {"deploy_dependents": True}).json
    assert [(each["component_id"], each["after"]) for each in first["dependents"]] == [
        ("api", ["db"]),
        ("web", ["api"]),
    ]


def test_components_that_depend_on_each_other_have_no_order(served: Served) -> None:
    install = a_shop(served)
    depends(served, db=["web"])
    place = f"/v1/installs/{install['id']}/components"
    for asked in (
        served.ask("POST", f"{place}/db/deploys", {"deploy_dependents": True}),
        served.ask("POST", f"{place}/deploy-all"),
        served.ask("POST", f"{place}/teardown-all"),
    ):
        assert (asked.status, asked.code) == (409, "DependenciesCyclic")
        assert asked.json["error"] == "These components depend on each other: api, db, web."
    assert statuses(served, install) == {}
    assert served.ask("POST", f"{place}/docs/deploys", {"deploy_dependents": True}).json["dependents"] == []


def test_all_are_deployed_in_order_a_part_at_a_time_and_torn_down_in_the_reverse(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deploys, "AT_ONCE", 3)
    install = a_shop(served)
    place = f"/v1/installs/{install['id']}/components"
    first = served.ask("POST", f"{place}/deploy-all").json
    assert [each["component_id"] for each in first["deploys"]] == ["db", "docs", "api"]
    rest = served.ask("POST", f"{place}/deploy-all?after={first['next_after']}").json
    assert ([each["component_id"] for each in rest["deploys"]], rest["next_after"]) == (["web"], None)
    assert statuses(served, install) == {"db": "queued", "docs": "queued", "api": "pending", "web": "pending"}
    for each in served.installing.deploys.values():
        served.installing.keep(moved(each, entry("queued", "", served.clock.now())))
    for each in list(served.installing.deploys.values()):
        installed(served).end(each, "active", "healthy")
    first = served.ask("POST", f"{place}/teardown-all").json
    assert [(each["component_id"], each["status"]) for each in first["deploys"]] == [
        ("docs", "queued"), ("web", "queued"), ("api", "pending"),
    ]  # fmt: skip
    (db,) = served.ask("POST", f"{place}/teardown-all?after={first['next_after']}").json["deploys"]
    assert [each["component_id"] for each in db["waits_for"]] == ["api"]


def test_a_component_is_looked_at_for_drift_once_something_was_applied(served: Served) -> None:
    install = made(served)
    assert served.ask("POST", f"{web(install)}/drift", {}).status == 404
    served.ask("POST", f"{web(install)}/deploys", {})
    assert served.ask("POST", f"{web(install)}/drift", {}).code == "not_applied"
    deploy = deployed(served, install, drifted=True)
    drift = served.ask("POST", f"{web(install)}/drift", {}).json
    assert (drift["operation"], drift["plan_only"], drift["build_id"]) == ("drift", True, deploy.build_id)


def test_a_component_that_was_torn_down_is_not_said_to_have_never_been_there(served: Served) -> None:
    install = made(served)
    deployed(served, install)
    gone = served.ask("POST", f"{web(install)}/teardown", {}).json["id"]
    deploy = next(each for each in served.installing.deploys.values() if each.id == gone)
    installed(served).end(deploy, "inactive", "torn down")
    refused = served.ask("POST", f"{web(install)}/drift", {})
    assert (refused.code, refused.json["detail"]) == ("not_applied", "Nothing of the component is in the install.")


def test_what_is_not_there_is_named_with_the_command_that_lists_what_is(served: Served) -> None:
    install = made(served)
    components = "The app has no component of that name.", "`byoa components list` shows all."
    for method, place, told in (
        ("POST", f"/v1/installs/{install['id']}/components/other/deploys", components),
        ("GET", f"/v1/apps/{APP}/components/other", components),
        ("GET", "/v1/apps/other", ("The organisation has no app of that name.", "`byoa apps list` shows all.")),
        ("GET", "/v1/credentials/other",
         ("The organisation has no credentials of that name.", "`byoa credentials list` shows all.")),
        ("GET", f"{web(install)}/deploys/dplother",
         ("The component has no deploy of that id in the install.", "`byoa installs deploys INSTALL` shows all.")),
    ):  # fmt: skip
        answer = served.ask(method, place, {} if method == "POST" else None)
        assert (answer.status, answer.code) == (404, "not_found"), place
        assert (answer.json["detail"], answer.json["remedy"]) == told, place


def test_a_look_for_drift_overtakes_no_deploy_that_waits(served: Served) -> None:
    install = made(served)
    deployed(served, install)
    waits = served.ask("POST", f"{web(install)}/deploys", {}).json
    assert served.ask("POST", f"{web(install)}/drift", {}).code == "deploy_waits"
    assert served.ask("GET", waits["links"]["self"]).json["status"] == "queued"


def test_what_drifted_is_listed_with_where_to_look(served: Served) -> None:
    install = made(served)
    place = f"/v1/installs/{install['id']}/drifted-objects"
    assert served.ask("GET", place).json == []
    deploy = deployed(served, install, drifted=True)
    (found,) = served.ask("GET", place).json
    assert (found["target_id"], found["component_name"]) == (deploy.id, "web")
    assert served.ask("GET", found["links"]["plan"]).json["objects"] == [OBJECT]
    component = served.ask("GET", web(install)).json
    assert (component["status"], component["drift_status"], component["objects"]) == ("active", "drift-detected", 3)
    assert served.ask("GET", f"/v1/installs/{install['id']}/components").json == [component]
    assert served.ask("GET", f"/v1/installs/{install['id']}").json["component_statuses"] == {"web": "active"}


def test_a_deletion_that_was_cut_short_leaves_no_token_when_it_is_tried_again(served: Served) -> None:
    install = made(served, cluster=STATIC)
    del served.installing.installs[ORG, install["id"]]  # its process ended before it came to the token
    (path,) = served.cluster_tokens
    assert served.ask("DELETE", f"/v1/installs/{install['id']}", token=served.token(org=OTHER)).status == 404
    assert path in served.cluster_tokens
    assert served.ask("DELETE", f"/v1/installs/{install['id']}", if_match="*").status == 404
    assert served.cluster_tokens == {}
    assert served.ask("DELETE", "/v1/installs/none").status == 404


def test_an_install_whose_cancelled_deploy_still_runs_is_not_deleted(served: Served) -> None:
    install = made(served)
    deploy = served.ask("POST", f"{web(install)}/deploys", {}).json
    key = served.installing.told[-1].key
    MemoryDeploys(served.installing).begin(key, "one")
    served.ask("POST", f"{web(install)}/deploys/{deploy['id']}/cancel")
    refused = served.ask("DELETE", f"/v1/installs/{install['id']}", if_match="*")
    assert (refused.status, refused.code) == (409, "has_objects")


def test_a_teardown_is_asked_for(served: Served) -> None:
    install = made(served)
    assert served.ask("POST", f"{web(install)}/teardown", {}).status == 404
    deployed(served, install)
    deploy = served.ask("POST", f"{web(install)}/teardown", {"approve_all": True}).json
    assert (deploy["install_deploy_type"], deploy["operation"], deploy["build_id"]) == ("teardown", "teardown", None)


def test_a_deploy_is_cancelled_while_it_has_not_ended(served: Served) -> None:
    install = made(served)
    deploy = served.ask("POST", f"{web(install)}/deploys", {}).json
    ended = served.ask("POST", f"{web(install)}/deploys/{deploy['id']}/cancel").json
    assert (ended["status"], ended["failure"]["code"]) == ("cancelled", "DeployCancelled")
    assert served.ask("POST", f"{web(install)}/deploys/{deploy['id']}/cancel").code == "deploy_ended"


def test_a_deploy_is_cancelled_by_its_workflow_as_nuon_has_it(served: Served) -> None:
    install = made(served)
    deploy = served.ask("POST", f"{web(install)}/deploys", {}).json
    place = f"/v1/workflows/{deploy['install_workflow_id']}/cancel"
    assert served.ask("POST", place, token=served.token("read")).status == 403
    assert served.ask("POST", "/v1/workflows/none/cancel").status == 404
    ended = served.ask("POST", place).json
    assert (ended["id"], ended["status"]) == (deploy["id"], "cancelled")
    assert ended["status_v2"]["created_by_id"], "who stopped it"
    assert served.ask("POST", place).code == "deploy_ended"


# ---- plans and approvals -----------------------------------------------------------------------------------------


def test_a_plan_is_shown_as_it_was_kept_and_in_nuon_s_shape(served: Served) -> None:
    install = made(served)
    asked = served.ask("POST", f"{web(install)}/deploys", {}).json
    assert served.ask("GET", f"{web(install)}/deploys/{asked['id']}/plan").status == 404
    deploy = waiting(served, install)
    plan = served.ask("GET", f"{web(install)}/deploys/{deploy.id}/plan").json
    assert (plan["fingerprint"], plan["counts"]["change"], plan["objects"]) == (FINGERPRINT, 1, [OBJECT])
    contents = served.ask("GET", f"/v1/workflows/{deploy.id}/steps/web/approvals/{deploy.id}/contents").json
    (difference,) = contents["k8s_content_diff"]
    told = {
        name: difference[name] for name in ("_version", "name", "namespace", "kind", "api", "resource", "op", "type")
    }
    assert told == {
        "_version": "2", "name": "web", "namespace": "vendor", "kind": "Deployment", "api": "apps/v1",
        "resource": "deployments", "op": "apply", "type": 3,
    }  # fmt: skip
    assert difference["entries"] == [
        {"path": OBJECT["changes"][0]["path"], "original": "ghcr.io/vendor/web:v2.3.0",
         "applied": "ghcr.io/vendor/web:v2.3.1", "type": 3, "payload": None}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("response", "status"),
    [("approve", "queued"), ("deny", "approval-denied"), ("deny-skip-current", "approval-denied")],
)
def test_a_plan_that_waits_is_answered_by_both_ways(served: Served, response: str, status: str) -> None:
    install = made(served)
    deploy = waiting(served, install)
    nuons = f"/v1/workflows/{deploy.id}/steps/web/approvals/{deploy.id}"
    assert served.ask("GET", nuons).json["response"] is None
    answer = served.ask("POST", f"{nuons}/response", {"response_type": response, "note": "seen"})
    said = answer.json["response"]
    assert (said["note"], said["type"]) == ("seen", response.partition("-")[0])
    shown = served.ask("GET", f"{web(install)}/deploys/{deploy.id}").json
    assert (shown["status"], shown["approval"]["response_type"]) == (status, response.partition("-")[0])
    assert shown["status_v2"]["created_by_id"] == said["created_by_id"]
    again = waiting(served, install)
    ours = served.ask(
        "POST", f"{web(install)}/deploys/{again.id}/approval",
        {"response_type": response, "fingerprint": FINGERPRINT}, token=served.token("deploy"),
    )  # fmt: skip
    assert ours.json["status"] == status
    assert (
        served.ask("POST", f"{web(install)}/deploys/{again.id}/approval", {"response_type": response}).code
        == "not_waiting"
    )


def test_an_approval_is_of_the_plan_that_was_seen_and_of_parts_by_name(served: Served) -> None:
    install = made(served)
    deploy = waiting(served, install, "Job/vendor/migrate")
    place = f"{web(install)}/deploys/{deploy.id}/approval"
    other = served.ask("POST", place, {"response_type": "deny", "fingerprint": "plan-other"})
    assert (other.status, other.code) == (409, "plan_other")
    unnamed = served.ask("POST", place, {"response_type": "approve"})
    assert (unnamed.status, unnamed.json["errors"][0]["message"]) == (422, "Job/vendor/migrate")
    named = served.ask("POST", place, {"response_type": "approve", "names": ["Job/vendor/migrate"]})
    assert (named.json["status"], named.json["approval"]["names"]) == ("queued", ["Job/vendor/migrate"])


def test_all_that_goes_by_name_is_asked_for_though_a_deploy_tells_the_first_of_it_alone(served: Served) -> None:
    install = made(served)
    needs = [f"Job/vendor/migrate-{number:02}" for number in range(25)]
    deploy = waiting(served, install, *needs)
    served.installing.deploys[deploy.key] = deploy.model_copy(update={"needs": needs[:20]})
    place = f"{web(install)}/deploys/{deploy.id}/approval"
    refused = served.ask("POST", place, {"response_type": "approve", "names": needs[:20]})
    assert [each["message"] for each in refused.json["errors"]] == needs[20:], "the deploy would end without them"
    assert served.ask("POST", place, {"response_type": "approve", "names": needs}).status == 200


def test_more_parts_than_an_answer_has_names_for_go_as_a_set_of_the_plan_that_was_seen(served: Served) -> None:
    install = made(served)
    deploy = waiting(served, install, *(f"Job/vendor/migrate-{number:04}" for number in range(1500)))
    served.installing.deploys[deploy.key] = deploy.model_copy(update={"needs": deploy.needs[:20]})
    place = f"{web(install)}/deploys/{deploy.id}"
    plan = served.ask("GET", f"{place}/plan").json
    assert plan["sets"] == {"Job": 1500}
    said = {"response_type": "approve", "names": ["Job:1500"]}
    unbound = served.ask("POST", f"{place}/approval", said)
    assert (unbound.status, unbound.json["errors"][0]["pointer"]) == (422, "/body/fingerprint")
    said["fingerprint"] = plan["fingerprint"]
    other = served.ask("POST", f"{place}/approval", {**said, "names": ["Job:1499", "PersistentVolume:1"]})
    assert [(each["pointer"], each["message"].split(" ", 1)[0]) for each in other.json["errors"]] == [
        ("/body/names", "1500"), ("/body/names", "0"),
    ]  # fmt: skip
    assert served.ask("POST", f"{place}/approval", {**said, "fingerprint": "plan-other"}).code == "plan_other"
    done = served.ask("POST", f"{place}/approval", said).json
    assert (done["status"], done["approval"]["names"]) == ("queued", ["Job:1500"])


def test_a_set_is_not_said_before_there_is_a_plan(served: Served) -> None:
    install = made(served)
    refused = served.ask("POST", f"{web(install)}/deploys", {"names": ["Job:3"]})
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/body/names")
    assert "approval" in refused.json["errors"][0]["message"]


def test_an_answer_of_an_empty_fingerprint_is_none(served: Served) -> None:
    install = made(served)
    place = f"{web(install)}/deploys/{waiting(served, install).id}/approval"
    assert served.ask("POST", place, {"response_type": "approve", "fingerprint": ""}).status == 422


def test_names_of_an_approval_have_room_where_the_deploy_is_kept(served: Served) -> None:
    install = made(served)
    place = f"{web(install)}/deploys/{waiting(served, install).id}/approval"
    names = [f"Job/vendor/{number:04}{'x' * 500}" for number in range(100)]
    refused = served.ask("POST", place, {"response_type": "approve", "names": names})
    assert (refused.status, refused.json["errors"][0]["pointer"]) == (422, "/body/names")
    assert served.ask("POST", place, {"response_type": "approve", "names": names[:60]}).status == 200


# ---- whose -------------------------------------------------------------------------------------------------------


def test_nothing_of_another_organisation_s_is_there(served: Served) -> None:
    install = made(served)
    deploy = deployed(served, install)
    theirs = served.token(org=OTHER)
    place = f"/v1/installs/{install['id']}"
    nuons = f"/v1/workflows/{deploy.id}/steps/web/approvals/{deploy.id}"
    for method, path, body in (
        ("GET", place, None), ("PATCH", place, {"mend": True}), ("DELETE", place, None),
        ("GET", f"{place}/components", None),
        ("GET", f"{place}/drifted-objects", None), ("GET", f"{place}/deploys", None), ("GET", web(install), None),
        ("POST", f"{place}/components/deploy-all", None), ("POST", f"{place}/components/teardown-all", None),
        ("POST", f"{web(install)}/deploys", {}), ("GET", f"{web(install)}/deploys", None),
        ("GET", f"{web(install)}/deploys/latest", None), ("GET", f"{web(install)}/deploys/{deploy.id}", None),
        ("POST", f"{web(install)}/deploys/{deploy.id}/cancel", None), ("POST", f"{web(install)}/teardown", {}),
        ("POST", f"{web(install)}/drift", {}), ("GET", f"{web(install)}/deploys/{deploy.id}/plan", None),
        ("POST", f"{web(install)}/deploys/{deploy.id}/approval", {"response_type": "approve"}),
        ("GET", nuons, None), ("GET", f"{nuons}/contents", None),
        ("POST", f"{nuons}/response", {"response_type": "approve"}),
    ):  # fmt: skip
        answer: Answer = served.ask(method, path, body, token=theirs, if_match="*")
        assert (answer.status, answer.code) == (404, "not_found"), (method, path, answer.text)
    assert served.ask("GET", "/v1/installs", token=theirs).json == []
    assert served.ask("GET", INSTALLS, token=theirs).json == []


def test_a_deploy_is_found_in_its_own_place_alone(served: Served) -> None:
    one, two = made(served, "one"), made(served, "two")
    deploy = deployed(served, one)
    assert served.ask("GET", f"{web(two)}/deploys/{deploy.id}").status == 404
    assert served.ask("GET", f"{web(one).replace('web', 'db')}/deploys/{deploy.id}").status == 404
    assert served.ask("GET", f"/v1/workflows/{deploy.id}/steps/db/approvals/{deploy.id}").status == 404


def test_writes_are_noted_and_no_token_is_in_what_is_noted(served: Served) -> None:
    install = made(served, cluster=STATIC)
    served.ask("POST", f"{web(install)}/deploys", {})
    deeds = served.ask("GET", "/v1/audit?limit=100").json
    assert {"create_install", "create_deploy"} <= {each["operation"] for each in deeds}
    assert CANARY not in json.dumps(deeds)


AGENT = {"name": "agent", "scopes": ["agent"]}


def test_an_agent_s_token_names_the_installs_whose_deploys_it_runs(served: Served) -> None:
    mine, other = made(served)["id"], made(served, "other")["id"]
    token = served.ask("POST", "/v1/tokens", {**AGENT, "install_ids": [other, mine, mine]})
    assert (token.status, token.json["install_ids"]) == (201, sorted((mine, other)))
    listed = served.ask("GET", "/v1/tokens?limit=100").json
    assert [each["install_ids"] for each in listed if each["scopes"] == ["agent"]] == [sorted((mine, other))]
    served.ask("POST", f"/v1/installs/{mine}/jobs/lease", token=token.json["token"])
    assert served.ask("DELETE", f"/v1/installs/{other}", if_match="*").status == 204
    account = served.ask("GET", "/v1/account", token=token.json["token"]).json
    assert [each["name"] for each in account["installs"]] == ["acme"]
    assert served.ask("POST", f"/v1/installs/{other}/jobs/lease", token=token.json["token"]).status == 404


@pytest.mark.parametrize(("said", "pointer"), [
    ({"install_ids": []}, "/body/install_ids"),
    ({"scopes": ["agent", "read"], "install_ids": ["MINE"]}, "/body/scopes"),
    ({"scopes": ["deploy"], "install_ids": ["MINE"]}, "/body/install_ids"),
    ({"install_ids": ["MINE", "inl" + "z" * 23]}, "/body/install_ids/1"),
    ({"install_ids": ["PLATFORMS"]}, "/body/install_ids/0"), ({"install_ids": ["acme"]}, "/body/install_ids/0"),
    ({"install_ids": ["MINE"] * 21}, "/body/install_ids"),
])  # fmt: skip
def test_a_token_that_could_do_more_or_nothing_is_not_made(served: Served, said: Any, pointer: str) -> None:
    ids = {"MINE": made(served)["id"], "PLATFORMS": made(served, "theirs", cluster=STATIC)["id"]}
    named = {**said, "install_ids": [ids.get(each, each) for each in said["install_ids"]]}
    for path, body in (("/v1/tokens", AGENT), ("/v1/issuers", {**AGENT, "issuer": GITHUB, "claims": OWN})):
        answer = served.ask("POST", path, {**body, **named})
        assert answer.status == 422, answer.text
        assert pointer in {each["pointer"] for each in answer.json["errors"]}
    assert not served.rules


def test_an_install_of_another_organisation_is_none(served: Served) -> None:
    theirs = served.token(org=OTHER)
    answer = served.ask("POST", "/v1/tokens", {**AGENT, "install_ids": [made(served)["id"]]}, token=theirs)
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "not_found")


def test_a_job_of_ci_runs_the_deploys_of_the_install_that_a_rule_names(served: Served) -> None:
    mine, other = made(served)["id"], made(served, "other")["id"]
    with issuing() as issuer:
        served.fetch_keys = issuer.fetch
        rule = {**AGENT, "issuer": GITHUB, "claims": OWN, "install_ids": [mine]}
        assert served.ask("POST", "/v1/issuers", rule).json["install_ids"] == [mine]
        assert served.ask("GET", "/v1/issuers").json[0]["install_ids"] == [mine]
        token = issuer.sign(issuer.claims(served.clock.now().timestamp(), f"byoa:{ORG}", repository="vendor/app"))
    place = "/v1/installs/{}/jobs/lease"
    assert served.ask("POST", place.format(mine), token=token, x_nuon_org_id=ORG).status == 200
    assert served.ask("POST", place.format(other), token=token, x_nuon_org_id=ORG).status == 404
    assert served.ask("GET", "/v1/installs", token=token, x_nuon_org_id=ORG).code == "scope_missing"


def test_parts_that_were_named_with_a_deploy_needn_t_be_named_with_its_approval(served: Served) -> None:
    install = made(served)
    asked = served.ask("POST", f"{web(install)}/deploys", {"names": ["Job/vendor/migrate"]}).json
    deploy = served.installing.deploys[DeployKey(organisation=ORG, install_id=install["id"], component="web", number=1)]
    assert deploy.names == ["Job/vendor/migrate"]
    installed(served).plan(deploy, ("Job/vendor/migrate", "deletions:3"))
    at = f"{web(install)}/deploys/{asked['id']}/approval"
    refused = served.ask("POST", at, {"response_type": "approve"})
    assert [each["message"] for each in refused.json["errors"]] == ["deletions:3"]
    assert served.ask("POST", at, {"response_type": "approve", "names": ["deletions:3"]}).json["status"] == "queued"
    long = served.ask("POST", f"{web(install)}/deploys", {"names": ["x" * 700] * 6})
    assert (long.status, long.json["errors"][0]["pointer"]) == (422, "/body/names")
