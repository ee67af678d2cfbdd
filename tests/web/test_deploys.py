"""Pages of deploys: plans that are looked through and answered, what came of them, and the way back."""

from __future__ import annotations

import re
from typing import Any

import pytest

from byoa.adapters.memory.installs import MemoryInstalls
from byoa.installs import records
from byoa.installs.contents import pack
from byoa.installs.objects import Place
from byoa.installs.ports import AgentSign
from byoa.web import app
from byoa.web.plans import optional_sets
from tests.api.served import ORG
from tests.installs.beds import CONFIG_MAPS, DEPLOYMENTS, config_map, deployment, namespace, secret
from tests.web.browsing import Browser, links
from tests.web.deploying import approve, deploy, deployed, id_of, stop
from tests.web.installing import Runner


@pytest.fixture
def browser() -> Browser:
    found = Browser()
    found.sign_in()
    return found


@pytest.fixture
def runner(browser: Browser) -> Runner:
    return Runner(browser)


def test_a_plan_waits_and_what_is_approved_is_done(runner: Runner) -> None:
    browser = runner.browser
    runner.build(config_map("conf", colour="blue"), secret("keys", token="hunter2-c4n4ry"))
    install = runner.install()
    place = deploy(runner, install)
    queued = browser.get(place)
    assert 'data-live="2"' in queued.text
    assert "It is not made yet." in queued.words
    runner.run(id_of(place))
    shown = browser.get(place)
    assert 'data-live="20"' in shown.text
    assert "2 create" in shown.words
    assert "ConfigMap vendor/conf" in shown.words
    assert "c4n4ry" not in shown.text
    assert approve(runner, place, note="looks good").place == place
    runner.run(id_of(place))
    done = browser.get(place)
    assert 'data-live="0"' in done.text
    assert "2 healthy" in done.words
    assert "looks good" in done.words


def test_a_page_that_waits_for_an_agent_says_when_it_asked_though_the_deploy_is_as_it_was(runner: Runner) -> None:
    runner.build(config_map("conf"))
    install = runner.install()
    place = deploy(runner, install)
    before = runner.browser.get(place)
    assert "never asked" in before.words
    runner.browser.served.installing.signs[ORG, install] = AgentSign(1_767_225_600_000, "tok_1", "agent")
    after = runner.browser.get(place, if_none_match=before.headers["ETag"])
    assert (after.status, "asked last" in after.words) == (200, True)


def test_a_plan_is_not_read_for_a_deploy_that_has_not_changed(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page that waits for an approval asks every few seconds must not cost what thousands of objects do."""
    runner.build(config_map("conf", colour="blue"))
    place = deploy(runner, runner.install())
    runner.run(id_of(place))
    etag = runner.browser.get(place).headers["ETag"]
    with monkeypatch.context() as patched:
        patched.setattr(MemoryInstalls, "contents", None)  # whoever reads it fails
        assert runner.browser.get(f"{place}?show=create", if_none_match=etag).status == 500
        patched.setattr(app, "render", None)
        assert runner.browser.get(place, if_none_match=etag).status == 304
    approve(runner, place)
    waits = runner.browser.get(place, if_none_match=etag)
    assert waits.status == 200
    runner.run(id_of(place))
    assert runner.browser.get(place, if_none_match=waits.headers["ETag"]).status == 200


def test_a_plan_alone_is_deployed_from_its_page(runner: Runner) -> None:
    build = runner.build(config_map("conf"))
    install = runner.install()
    place = deploy(runner, install, build, plan_only="yes")
    assert runner.run(id_of(place)).status == "auto-skipped"
    shown = runner.browser.get(place)
    assert "with its plan: nothing is written" in shown.words
    assert re.search(rf'name="build" value="{build}"><button>Deploy it<', shown.text)


def test_what_was_seen_is_approved_and_nothing_else(runner: Runner) -> None:
    runner.build(config_map("conf", colour="blue"))
    install = runner.install()
    place = deploy(runner, install)
    runner.run(id_of(place))
    other = runner.browser.post(f"{place}/answer", {"fingerprint": "plan-other", "act": "approve"})
    assert other.status == 409
    assert "Look at the plan as it is now, and decide again." in other.words
    assert f'action="{place}/answer"' in other.text
    denied = approve(runner, place, act="deny", note="not today")
    assert denied.place == place
    words = runner.browser.get(place).words
    assert "approval-denied" in words
    assert "not today" in words


def test_what_goes_by_name_has_a_box_each_and_what_is_kept_else_too(runner: Runner) -> None:
    first = runner.build(config_map("one"), config_map("two"), namespace("extra"))
    second = runner.build(config_map("three"))
    install = runner.install()
    deployed(runner, install, first)
    place = deploy(runner, install, second)
    assert runner.run(id_of(place)).needs == ["deletions:2"]
    shown = runner.browser.get(place)
    assert re.search(r'value="deletions:2" required> delete 2 objects', shown.text)
    assert "These are kept, unless you name them to be deleted" in shown.words
    assert re.search(r'name="name.o1" value="Namespace/extra">', shown.text)
    unnamed = approve(runner, place)
    assert unnamed.status == 422
    assert "deletions:2" in unnamed.words
    assert approve(runner, place, "deletions:2").status == 303
    assert runner.run(id_of(place)).status == "active"
    assert runner.cluster.get(Place(CONFIG_MAPS, "vendor", "one")) is None


def test_many_parts_that_go_by_name_have_one_box_for_all(runner: Runner) -> None:
    needs = [f"Job/vendor/job-{number:03}" for number in range(60)]
    runner.build(config_map("conf"))
    place = deploy(runner, runner.install())
    plan = {"plan": "plan-1", "counts": {"recreate": 60}, "objects": [], "needs": needs, "errors": []}
    now = runner.browser.served.clock.now()
    line = records.entry("pending-approval", "waits", now)
    told = {"counts": {"recreate": 60}, "needs": needs[:20], "fingerprint": "plan-1"}
    stop(runner, id_of(place), lambda found: records.moved(found, line, **told), pack(plan))
    assert re.search(r'name="every" value="yes" required> all 60 parts', runner.browser.get(place).text)
    said = {"fingerprint": "plan-1", "act": "approve"}
    assert runner.browser.post(f"{place}/answer", said).status == 422
    assert runner.browser.post(f"{place}/answer", {**said, "every": "yes"}).status == 303
    found = runner.browser.served.installing.deploys.values()
    assert [each.answered.names for each in found if each.answered] == [needs]


def test_more_parts_than_an_answer_has_names_for_are_approved_by_kind(runner: Runner) -> None:
    needs = [*(f"Job/vendor/job-{number:04}" for number in range(1500)), "deletions:3"]
    runner.build(config_map("conf"))
    place = deploy(runner, runner.install())
    sets = {"Job": 1500, "PersistentVolumeClaim": 60}
    kept = [
        {"object": name, "needs": name, "action": "delete", "why": "its data may go along", "kind": "x", "name": "x"}
        for name in (f"PersistentVolumeClaim/vendor/data-{number}" for number in range(60))
    ]
    usual: dict[str, Any] = {"namespace": None, "unchecked": False, "changes": [], "left_out": 0, "warnings": []}
    objects = [{**each, **usual, "left_to": [], "taken_from": []} for each in kept]
    plan = {"plan": "plan-1", "counts": {"recreate": 1500}, "objects": objects, "needs": needs, "sets": sets}
    now = runner.browser.served.clock.now()
    line = records.entry("pending-approval", "waits", now)
    told = {"counts": {"recreate": 1500}, "needs": needs[:20], "fingerprint": "plan-1"}
    stop(runner, id_of(place), lambda found: records.moved(found, line, **told), pack({**plan, "errors": []}))
    page = runner.browser.get(place).text
    assert 'value="PersistentVolumeClaim:60"> delete all 60' in page
    said = {"fingerprint": "plan-1", "act": "approve", "every": "yes", "name.s1": "PersistentVolumeClaim:60"}
    assert runner.browser.post(f"{place}/answer", said).status == 303
    found = runner.browser.served.installing.deploys.values()
    assert [each.answered.names for each in found if each.answered] == [
        ["PersistentVolumeClaim:60", "Job:1500", "deletions:3"]
    ]


def test_a_plan_is_filtered_by_action_kind_and_name(runner: Runner) -> None:
    first = runner.build(config_map("one", a="1"), config_map("two", a="1"), deployment("web"))
    second = runner.build(config_map("one", a="2"), config_map("two", a="1"), deployment("web"), config_map("new"))
    install = runner.install()
    deployed(runner, install, first)
    place = deploy(runner, install, second)
    runner.run(id_of(place))

    def told(query: str) -> list[str]:
        shown = runner.browser.get(f"{place}?{query}")
        return re.findall(r'<span class="name">([^<]+)<', shown.text)

    assert told("") == ["vendor/one", "vendor/new"]
    assert told("show=change") == ["vendor/one"]
    assert told("show=create&kind=ConfigMap") == ["vendor/new"]
    assert told("kind=Deployment") == []
    assert told("q=NE") == ["vendor/one", "vendor/new"]
    assert told("object=1") == ["vendor/new"]
    assert told("show=nonsense&page=x&object=") == ["vendor/one", "vendor/new"]
    assert "No object of the plan is so." in runner.browser.get(f"{place}?q=zzz").words


def test_an_older_build_is_the_way_back_from_the_history(runner: Runner) -> None:
    first = runner.build(config_map("conf", colour="blue"))
    second = runner.build(config_map("conf", colour="red"))
    install = runner.install(install_config={"approval_option": "approve-all"})
    runner.run(id_of(deploy(runner, install, first)))
    place = deploy(runner, install, second)
    runner.run(id_of(place))
    shown = runner.browser.get(place)
    assert re.findall(r'name="build" value="(\w+)"', shown.text) == [first], "what runs is nothing to go back to"
    back = runner.browser.post(f"/installs/{install}/components/web/deploy", {"build": first})
    assert runner.run(id_of(back.place)).status == "active"
    words = runner.browser.get(back.place).words
    assert "back to an older build" in words
    live = runner.cluster.get(Place(CONFIG_MAPS, "vendor", "conf"))
    assert live
    assert live["data"] == {"colour": "blue"}


def test_a_deploy_that_failed_tells_its_cause_its_remedy_and_where_to_read_on(runner: Runner) -> None:
    broken = deployment("web", image="registry.example.com/broken:1")
    broken["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example.com/web:broken"
    runner.build(broken)
    runner.cluster._broken = frozenset({"registry.example.com/web:broken"})
    install = runner.install(install_config={"approval_option": "approve-all"})
    place = deploy(runner, install)
    assert runner.run(id_of(place)).status == "error"
    shown = runner.browser.get(place)
    assert "What stopped it" in shown.words
    assert "/errors#InstallUnhealthy" in links(shown)
    assert runner.cluster.get(Place(DEPLOYMENTS, "vendor", "web")), "what is there stays"


def test_a_deploy_is_looked_at_after_its_install_is_gone(runner: Runner) -> None:
    runner.build(config_map("conf"))
    install = runner.install()
    place = deploy(runner, install)
    assert runner.browser.post(f"{place}/cancel").status == 303
    match = runner.browser.served.ask("GET", f"/v1/installs/{install}").headers["ETag"]
    assert runner.browser.served.ask("DELETE", f"/v1/installs/{install}", if_match=match).status == 204
    shown = runner.browser.get(place)
    assert shown.status == 200
    assert "The install is gone." in shown.words
    assert f"/installs/{install}" not in links(shown)
    assert runner.browser.get("/").status == 200


def test_a_deploy_is_cancelled_once(runner: Runner) -> None:
    runner.build(config_map("conf"))
    place = deploy(runner, runner.install())
    assert runner.browser.post(f"{place}/cancel").place == place
    assert "Somebody cancelled the deploy." in runner.browser.get(place).words
    again = runner.browser.post(f"{place}/cancel")
    assert again.status == 409


def test_all_is_torn_down_by_whoever_types_the_install_s_name(runner: Runner) -> None:
    builds = {name: runner.build(config_map(name), name=name) for name in ("web", "api")}
    browser, install = runner.browser, runner.install()
    assert "Tear all down" not in browser.get(f"/installs/{install}").words
    for name, build in builds.items():
        place = deploy(runner, install, build, name)
        runner.run(id_of(place))
        approve(runner, place)
        runner.run(id_of(place))
    runner.build(config_map("other"), name="never")
    shown = browser.get(f"/installs/{install}").words
    assert "All 2 objects that 2 components of it have are deleted" in shown
    before = len(browser.sent)
    wrong = browser.post(f"/installs/{install}/teardown-all", {"name": "another"})
    assert (wrong.status, "That isn't the install's name." in wrong.words, len(browser.sent)) == (422, True, before)
    assert browser.post(f"/installs/{install}/teardown-all", {"name": "acme"}).place == f"/installs/{install}"
    told = browser.served.ask("GET", f"/v1/installs/{install}/deploys").json
    assert sorted((each["component_id"], each["operation"]) for each in told[:2]) == [
        ("api", "teardown"), ("web", "teardown"),
    ]  # fmt: skip


def test_deploy_all_deploys_each_component_that_has_a_build(runner: Runner) -> None:
    runner.build(config_map("conf"))
    runner.build(config_map("other"), name="api")
    runner.browser.hand_in("unbuilt")
    install = runner.install()
    assert runner.browser.post(f"/installs/{install}/deploy-all").place == f"/installs/{install}"
    parts = runner.browser.served.ask("GET", f"/v1/installs/{install}/components").json
    assert [each["component_id"] for each in parts] == ["api", "web"]


def test_what_has_no_box_of_its_own_has_one_with_its_kind() -> None:
    kinds = {"Namespace": 40, "PersistentVolumeClaim": 30, "CustomResourceDefinition": 2}
    objects = [
        {"needs": f"{kind}/{at}", "action": "delete", "why": ""} for kind, many in kinds.items() for at in range(many)
    ]
    plan = {"needs": [], "sets": kinds, "objects": objects}
    assert optional_sets(plan) == {"PersistentVolumeClaim": 30, "CustomResourceDefinition": 2}
    assert optional_sets({**plan, "objects": []}) == kinds, "left out of what is kept"
    few = {"Namespace": 40, "PersistentVolumeClaim": 10}
    assert optional_sets({**plan, "objects": objects[:50], "sets": few}) == {}
