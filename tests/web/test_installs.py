"""Pages of installs: what each runs and how it is, what is done with it, and that a cluster's token is nowhere."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.installs import MemoryDeploys
from byoa.builds.messages import Failure
from byoa.installs import records
from byoa.installs.objects import Place
from tests.api.served import APP, OTHER
from tests.installs.beds import CONFIG_MAPS, DEPLOYMENTS, config_map, deployment, namespace, secret
from tests.web.browsing import Browser, Shown, links
from tests.web.installing import Runner

SECRET = "eyJ-c4n4ry-of-a-cluster"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
STATIC = {"kind": "static", "server": "https://k8s.example.com:6443", "ca": PEM, "token": SECRET}
FORM = {"name": "acme", "approval": "prompt", "inputs": "greeting=hello\nlist=[1, 2]\n", "mend": "yes"}


if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.installs.messages import Deploy


@pytest.fixture
def browser() -> Browser:
    found = Browser()
    found.sign_in()
    return found


@pytest.fixture
def runner(browser: Browser) -> Runner:
    return Runner(browser)


def deploy(runner: Runner, install: str, build: str = "", name: str = "web", **said: str) -> str:
    """Where the page of a new deploy is."""
    made = runner.browser.post(f"/installs/{install}/components/{name}/deploy", {"build": build, **said})
    assert made.status == 303, made.words
    return made.place


def fields(shown: Shown) -> dict[str, str]:
    """What a page's fields hold."""
    return {name: html.unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', shown.text)}


def id_of(place: str) -> str:
    return place.rpartition("/")[2]


def approve(runner: Runner, place: str, *names: str, act: str = "approve", note: str = "") -> Shown:
    """With what the page's form has."""
    shown = runner.browser.get(place)
    (fingerprint,) = re.findall(r'name="fingerprint" value="([^"]+)"', shown.text)
    said = {f"name.{number}": name for number, name in enumerate(names)}
    return runner.browser.post(f"{place}/answer", {"fingerprint": fingerprint, "act": act, "note": note, **said})


def deployed(runner: Runner, install: str, build: str) -> str:
    """The same, approved and done."""
    place = deploy(runner, install, build)
    if runner.run(id_of(place)).status == "pending-approval":
        assert approve(runner, place).status == 303
        assert runner.run(id_of(place)).status == "active"
    return place


def stop(runner: Runner, deploy_id: str, becomes: Callable[[Deploy], Deploy]) -> None:
    """As an execution that ends by it does."""
    store = runner.browser.served.installing
    key = next(each.key for each in store.deploys.values() if each.id == deploy_id)
    MemoryDeploys(store).begin(key, "one")
    MemoryDeploys(store).finish(key, "one", lambda found, part: (becomes(found), part))


# ---- installs ----------------------------------------------------------------------------------------------------


def test_an_install_is_made_of_a_form_and_its_token_goes_to_the_store_alone(browser: Browser) -> None:
    browser.hand_in()
    made = browser.post(f"/apps/{APP}/installs/create", {**FORM, **STATIC, "follow.web": "yes"})
    assert made.status == 303, made.words
    found = browser.served.ask("GET", f"/v1/installs/{id_of(made.place)}").json
    assert found["cluster"]["server"] == "https://k8s.example.com:6443"
    assert found["inputs"] == {"greeting": "hello", "list": [1, 2]}
    assert (found["follow"], found["mend"]) == (["web"], True)
    assert SECRET in next(iter(browser.served.cluster_tokens.values()))
    for place in (made.place, f"{made.place}/settings", "/installs", f"/apps/{APP}/installs", "/audit"):
        shown = browser.get(place)
        assert shown.status == 200
        assert SECRET not in shown.text


def test_a_form_that_is_refused_keeps_all_but_the_token_and_says_which_field(browser: Browser) -> None:
    browser.hand_in()
    shown = browser.post(f"/apps/{APP}/installs/create", {**FORM, **STATIC, "server": "http://10.0.0.1"})
    assert shown.status == 422
    assert SECRET not in shown.text
    assert 'value="acme"' in shown.text
    assert "greeting=hello" in shown.text
    (fault,) = re.findall(r'id="server.fault">([^<]+)<', shown.text)
    assert "https" in fault
    assert browser.post(f"/apps/{APP}/installs/create", {**FORM, **STATIC}).status == 303
    taken = browser.post(f"/apps/{APP}/installs/create", {**FORM, **STATIC})
    assert (taken.status, SECRET in taken.text) == (409, False)
    assert "There is one of that name already." in taken.words


@pytest.mark.parametrize("text", ["greeting", "a=1\na=2"])
def test_a_line_that_is_no_input_is_told_by_its_number(browser: Browser, text: str) -> None:
    browser.hand_in()
    shown = browser.post(f"/apps/{APP}/installs/create", {**FORM, "kind": "agent", "inputs": text})
    assert shown.status == 422
    assert re.search(r'id="inputs.fault">Line \d ', shown.text)


def test_settings_change_what_differs_and_keep_what_does_not(runner: Runner) -> None:
    browser = runner.browser
    browser.hand_in()
    browser.hand_in("other")
    install = runner.install(cluster=STATIC, inputs={"count": 3, "text": "a\nb", "name": "x"}, follow=["web"])
    shown = browser.get(f"/installs/{install}/settings")
    (match,) = set(re.findall(r'name="match" value="([^"]*)"', shown.text))
    match = match.replace("&#34;", '"')
    (inputs,) = re.findall(r'<textarea id="inputs"[^>]*>\n(.*?)</textarea>', shown.text, re.DOTALL)
    assert inputs.replace("&#34;", '"') == 'count=3\ntext="a\\nb"\nname=x'
    said = {**STATIC, "token": "", "match": match, "approval": "approve-all", "follow.other": "yes"}
    said["inputs"] = inputs.replace("&#34;", '"').replace("name=x", "name=y")
    assert browser.post(f"/installs/{install}/settings", said).place == f"/installs/{install}"
    found = browser.served.ask("GET", f"/v1/installs/{install}").json
    assert found["inputs"] == {"count": 3, "text": "a\nb", "name": "y"}
    assert (found["follow"], found["install_config"]) == (["other"], {"approval_option": "approve-all"})
    late = browser.post(f"/installs/{install}/settings", said)
    assert late.status == 412
    assert "Somebody changed the install meanwhile." in late.words
    assert "cluster" not in json.loads(browser.sent[-1]["body"])


def test_another_cluster_wants_its_token(runner: Runner) -> None:
    install = runner.install(cluster=STATIC) if runner.browser.hand_in() else ""
    shown = runner.browser.get(f"/installs/{install}/settings")
    match = re.findall(r'name="match" value="([^"]*)"', shown.text)[0].replace("&#34;", '"')
    said = {**STATIC, "server": "https://other.example.com", "token": "", "match": match, "approval": "prompt"}
    refused = runner.browser.post(f"/installs/{install}/settings", said)
    assert refused.status == 422
    assert re.search(r'id="token.fault">[^<]+<', refused.text)
    assert runner.browser.post(f"/installs/{install}/settings", {**said, "token": "new"}).status == 303


def test_a_session_that_ends_loses_nothing_that_was_typed_but_the_token(runner: Runner) -> None:
    browser = runner.browser
    browser.hand_in()
    install = runner.install()
    for path, said in ((f"/apps/{APP}/installs/create", {**FORM, **STATIC}), (f"/installs/{install}/settings", STATIC)):
        browser.cookies.clear()
        asked = browser.post(path, {**said, "approval": "approve-all", "match": '"seen"'})
        assert (asked.status, SECRET in asked.text) == (401, False)
        kept = {
            name: html.unescape(value) for name, value in re.findall(r'name="(kept[^"]+)" value="([^"]*)"', asked.text)
        }
        again = browser.post("/auth/login", {**kept, "token": browser.served.token(), "next": path})
        shown = browser.post(path, fields(again))
        assert shown.status == 200
        assert 'value="https://k8s.example.com:6443"' in shown.text
        assert '<option value="approve-all" selected>' in shown.text
    assert 'name="match" value="&#34;seen&#34;"' in shown.text
    assert len(browser.served.installing.installs) == 1, "nothing is made by signing in"


def test_an_install_is_deleted_by_its_name_and_not_while_objects_are_tracked(runner: Runner) -> None:
    browser = runner.browser
    build = runner.build(config_map("conf", colour="blue"))
    install, other = runner.install(), runner.install("other")
    deployed(runner, install, build)
    assert "objects of it are tracked" in browser.get(f"/installs/{install}/settings").words
    match = re.findall(r'name="match" value="([^"]*)"', browser.get(f"/installs/{other}/settings").text)[0]
    said = {"match": match.replace("&#34;", '"'), "name": "another"}
    assert browser.post(f"/installs/{other}/delete", said).status == 422
    assert browser.post(f"/installs/{other}/delete", {**said, "name": "other"}).place == f"/apps/{APP}/installs"
    assert browser.get(f"/installs/{other}").status == 404


def test_installs_are_listed_searched_and_paged(runner: Runner) -> None:
    runner.browser.hand_in()
    assert "has no install yet" in runner.browser.get(f"/apps/{APP}/installs").words
    assert "Choose an app" in runner.browser.get("/installs").words
    for number in range(12):
        runner.install(f"shop-{number:02}")
    for place in ("/installs", f"/apps/{APP}/installs"):
        first, second = runner.browser.get(place), runner.browser.get(f"{place}?page=1")
        assert (first.text.count('<a href="/installs/inl'), second.text.count('<a href="/installs/inl')) == (10, 2)
        found = runner.browser.get(f"{place}?q=-07")
        assert found.text.count('<a href="/installs/inl') == 1
        assert "Show all" in runner.browser.get(f"{place}?q=none").words
    assert runner.browser.get(f"/installs/create?app={APP}").place == f"/apps/{APP}/installs/create"
    assert runner.browser.get("/installs/create?app=//evil.example").place == "/installs"


def test_the_overview_tells_what_waits_failed_and_drifted_and_in_this_order(runner: Runner) -> None:
    browser = runner.browser
    runner.build(config_map("conf", colour="blue"))
    runner.build(config_map("broken", colour="blue"), name="api")
    assert "<h2>Installs</h2>" not in browser.get("/").text
    drifted, waits = runner.install("drifted"), runner.install("waits")
    deployed(runner, drifted, "")
    runner.cluster.edit(Place(CONFIG_MAPS, "vendor", "conf"), {"data": {"colour": "red"}}, "kubectl-edit")
    runner.run(id_of(browser.post(f"/installs/{drifted}/components/web/drift").place))
    failed = deploy(runner, waits, name="api")
    failure = Failure(code="InstallUnhealthy", cause="There is no such pod.", remedy="Look at it.")
    now = browser.served.clock.now()
    stop(runner, id_of(failed), lambda found: records.failed(found, failure, now))
    place = deploy(runner, waits, name="web")
    stop(runner, id_of(place), lambda found: records.moved(found, records.entry("pending-approval", "waits", now)))
    shown = browser.get("/")
    told = [
        shown.words.index(each) for each in ("Its plan waits for somebody", "There is no such pod.", "web in drifted")
    ]
    assert told == sorted(told)
    assert {place, failed} <= {*links(shown)}


# ---- a component of an install -----------------------------------------------------------------------------------


def test_an_install_tells_two_axes_what_runs_and_what_was_never_there(runner: Runner) -> None:
    browser = runner.browser
    build = runner.build(deployment("web"), config_map("conf", colour="blue"))
    browser.hand_in("unbuilt")
    install = runner.install()
    deployed(runner, install, build)
    shown = browser.get(f"/installs/{install}")
    assert "deploy active health healthy" in shown.words
    assert "runs version 1 (v2.3.1) sha256:555555555555 , 2 objects" in shown.words
    assert f"/apps/{APP}/components/web/builds/{build}" in links(shown)
    assert "unbuilt never deployed No build of it is active yet." in shown.words
    assert "somebody asked: " in shown.words
    assert "session of test" in shown.words, "an admin sees names"
    one = browser.get(f"/installs/{install}/components/web")
    assert one.status == 200
    assert "All 2 objects that are tracked are deleted" in one.words
    assert browser.get(f"/installs/{install}/components/none").status == 404


def test_a_component_that_was_never_there_is_deployed_and_one_that_is_no_more_is_torn_down(runner: Runner) -> None:
    browser = runner.browser
    build = runner.build(config_map("conf"))
    install = runner.install()
    place = f"/installs/{install}/components/web"
    assert "never deployed" in browser.get(place).words
    assert re.search(rf'<option value="{build}">version 1 v2.3.1', browser.get(place).text)
    deployed(runner, install, build)
    match = browser.served.ask("GET", f"/v1/apps/{APP}/components/web").headers["ETag"]
    assert browser.served.ask("DELETE", f"/v1/apps/{APP}/components/web", if_match=match).status == 200
    assert "has no component of this name any more; what is there can be torn down" in browser.get(place).words
    assert f"{APP} has no component of this name any more" in browser.get(f"/installs/{install}").words
    assert browser.post(f"{place}/teardown").status == 303
    refused = browser.post(f"{place}/deploy")
    assert refused.status == 404


def test_drift_is_found_shown_by_field_and_put_back(runner: Runner) -> None:
    browser = runner.browser
    install = runner.install() if runner.build(config_map("conf", colour="blue")) else ""
    deployed(runner, install, "")
    runner.cluster.edit(Place(CONFIG_MAPS, "vendor", "conf"), {"data": {"colour": "red"}}, "kubectl-edit")
    looked = browser.post(f"/installs/{install}/components/web/drift")
    assert runner.run(id_of(looked.place)).status == "drift-detected"
    shown = browser.get(looked.place)
    assert '/data/colour "red" → "blue"' in shown.words
    assert "drift drift-detected" in browser.get(f"/installs/{install}").words
    assert "1 drifted" in browser.get("/installs").words
    assert "Put it back" in shown.words
    deployed(runner, install, re.findall(r'name="build" value="(\w+)"', shown.text)[0])
    live = runner.cluster.get(Place(CONFIG_MAPS, "vendor", "conf"))
    assert live
    assert live["data"] == {"colour": "blue"}


def test_a_component_is_torn_down_and_history_says_who_and_why(runner: Runner) -> None:
    browser = runner.browser
    build = runner.build(config_map("conf"))
    install = runner.install()
    deployed(runner, install, build)
    place = browser.post(f"/installs/{install}/components/web/teardown").place
    assert runner.run(id_of(place)).status == "pending-approval"
    approve(runner, place, note="the customer left <b>")
    assert runner.run(id_of(place)).status == "inactive"
    words = browser.get(f"/installs/{install}/components/web").words
    assert "approved by session of test : the customer left <b>" in words
    assert "runs nothing" in browser.get(f"/installs/{install}").words


# ---- a deploy and its plan ---------------------------------------------------------------------------------------


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


def test_deploy_all_deploys_each_component_that_has_a_build(runner: Runner) -> None:
    runner.build(config_map("conf"))
    runner.build(config_map("other"), name="api")
    runner.browser.hand_in("unbuilt")
    install = runner.install()
    assert runner.browser.post(f"/installs/{install}/deploy-all").place == f"/installs/{install}"
    parts = runner.browser.served.ask("GET", f"/v1/installs/{install}/components").json
    assert [each["component_id"] for each in parts] == ["api", "web"]


# ---- who may, and what is seen -----------------------------------------------------------------------------------


def test_whoever_may_not_is_told_so_and_a_deployer_needs_no_more(runner: Runner) -> None:
    build = runner.build(config_map("conf"))
    install = runner.install()
    reader, deployer = Browser(runner.browser.served), Browser(runner.browser.served)
    reader.sign_in("read")
    deployer.sign_in("deploy")
    place = f"/installs/{install}/components/web"
    assert reader.post(f"{place}/deploy", {"build": build}).status == 403
    made = deployer.post(f"{place}/deploy", {"build": build})
    assert made.status == 303
    runner.run(id_of(made.place))
    assert reader.post(f"{made.place}/answer", {"fingerprint": "x", "act": "approve"}).status == 403
    assert deployer.post(f"/installs/{install}/settings", {"match": "x"}).status == 403
    shown = deployer.get(made.place)
    assert "session of test" not in shown.words
    assert approve(Runner(deployer, runner.cluster), made.place).status == 303


def test_another_organisation_s_install_is_as_if_there_were_none(runner: Runner) -> None:
    runner.build(config_map("conf"))
    install = runner.install()
    place = deploy(runner, install)
    stranger = Browser(runner.browser.served)
    stranger.sign_in(org=OTHER)
    for each in (f"/installs/{install}", f"/installs/{install}/settings", f"/installs/{install}/components/web", place):
        assert stranger.get(each).status == 404, each
    for each in ("deploy-all", "settings", "components/web/deploy", "components/web/teardown", "components/web/drift"):
        assert stranger.post(f"/installs/{install}/{each}").status == 404, each
    assert install not in stranger.get("/installs").text


def test_every_page_leads_to_the_same_as_json(runner: Runner) -> None:
    runner.build(config_map("conf"))
    install = runner.install()
    place = deploy(runner, install)
    runner.run(id_of(place))
    for each in ("/installs", f"/installs/{install}", f"/installs/{install}/components/web", place):
        shown = runner.browser.get(each)
        found = [link.replace("&amp;", "&") for link in links(shown) if link.startswith("/json/v1/")]
        assert any("/v1/installs" in link for link in found), each
        for link in found:
            json.loads(runner.browser.get(link).text)


def test_nothing_on_a_page_is_inline_or_from_elsewhere(runner: Runner) -> None:
    runner.build(config_map("conf"))
    install = runner.install()
    place = deploy(runner, install)
    assert f"byoa install run --install {install}" in runner.browser.get(place).words, "an agent's waits for it"
    runner.run(id_of(place))
    for each in (f"/installs/{install}", f"/installs/{install}/settings", f"/installs/{install}/components/web", place):
        text = runner.browser.get(each).text
        assert not re.search(r" style=|<style| on[a-z]+=|javascript:", text), each
        assert not re.search(r"""(src|href|action)=["']?(https?:)?//""", text), each


def test_a_page_that_has_not_changed_is_not_made_again(runner: Runner) -> None:
    runner.build(config_map("conf"))
    install = runner.install()
    place = deploy(runner, install)
    for each in ("/installs", f"/installs/{install}", f"/installs/{install}/components/web", place):
        etag = runner.browser.get(each).headers["ETag"]
        assert runner.browser.get(each, if_none_match=etag).status == 304, each
    runner.run(id_of(place))
    assert runner.browser.get(place, if_none_match=etag).status == 200


def test_pages_are_small(runner: Runner) -> None:
    browser = runner.browser
    for number in range(50):
        runner.build(*(config_map(f"conf-{each}", a="1") for each in range(60 * (number == 0))), name=f"c-{number:02}")
        runner.install(f"shop-{number:02}")
    install = runner.install(install_config={"approval_option": "approve-all"})
    browser.post(f"/installs/{install}/deploy-all")
    place = f"/installs/{install}/components/c-00"
    for each in browser.served.ask("GET", f"{place.replace('/installs', '/v1/installs')}/deploys").json:
        runner.run(each["id"])
    changed = runner.build(*(config_map(f"conf-{each}", a="2" * 300, b="3" * 300) for each in range(60)), name="c-00")
    made = browser.post(f"{place}/deploy", {"build": changed})
    runner.run(id_of(made.place))
    for each in ("/installs", f"/apps/{APP}/installs", f"/installs/{install}", place, made.place):
        assert len(browser.get(each).text) < 50 * 1024, each
    assert browser.get(made.place).text.count("<summary><span") == 50
    assert len(browser.get(f"{made.place}?object=55").text) < 50 * 1024
