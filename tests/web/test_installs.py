"""Pages of installs: what each runs and how it is, what is done with it, and that a cluster's token is nowhere."""

from __future__ import annotations

import html
import json
import re

import pytest

from byoa.builds.messages import Failure
from byoa.installs import records
from byoa.installs.objects import Place
from tests.api.served import APP, CLUSTER_ROLE, OTHER
from tests.installs.beds import CONFIG_MAPS, config_map, deployment
from tests.web.browsing import Browser, links
from tests.web.deploying import approve, deploy, deployed, fields, id_of, stop
from tests.web.installing import Runner

SECRET = "eyJ-c4n4ry-of-a-cluster"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
STATIC = {"kind": "static", "server": "https://k8s.example.com:6443", "ca": PEM, "token": SECRET}
FORM = {
    "name": "acme",
    "approval": "prompt",
    "inputs": "greeting=hello\nlist=[1, 2]\n",
    "mend": "yes",
    "deploy_dependents": "yes",
}


@pytest.fixture
def browser() -> Browser:
    found = Browser()
    found.sign_in()
    return found


@pytest.fixture
def runner(browser: Browser) -> Runner:
    return Runner(browser)


# ---- installs ------------------------------------------------------------------------------------------------------


def test_an_install_is_made_of_a_form_and_its_token_goes_to_the_store_alone(browser: Browser) -> None:
    browser.hand_in()
    made = browser.post(f"/apps/{APP}/installs/create", {**FORM, **STATIC, "follow.web": "yes"})
    assert made.status == 303, made.words
    found = browser.served.ask("GET", f"/v1/installs/{id_of(made.place)}").json
    assert found["cluster"]["server"] == "https://k8s.example.com:6443"
    assert found["inputs"] == {"greeting": "hello", "list": [1, 2]}
    assert (found["follow"], found["mend"], found["deploy_dependents"]) == (["web"], True, True)
    assert SECRET in next(iter(browser.served.cluster_tokens.values()))
    for place in (made.place, f"{made.place}/settings", "/installs", f"/apps/{APP}/installs", "/audit"):
        shown = browser.get(place)
        assert shown.status == 200
        assert SECRET not in shown.text


def test_whoever_has_a_cluster_of_eks_is_told_whom_its_role_has_to_trust(browser: Browser) -> None:
    shown = browser.get(f"/apps/{APP}/installs/create")
    current = browser.served.ask("GET", "/v1/orgs/current").json
    assert current["cluster_role_arn"] == CLUSTER_ROLE
    assert CLUSTER_ROLE in shown.text
    assert current["external_id"] in shown.text


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


def test_an_install_says_when_its_agent_asked_last(runner: Runner) -> None:
    browser = runner.browser
    browser.hand_in()
    install = runner.install()
    assert "never: it wants a token of the scope agent" in browser.get(f"/installs/{install}").words
    agent = browser.served.token("agent", installs=(install,))
    assert browser.served.ask("POST", f"/v1/installs/{install}/jobs/lease", token=agent).status == 200
    assert "Asked last" in browser.get(f"/installs/{install}").words
    assert "with the token test" in browser.get(f"/installs/{install}").words


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


def test_a_cluster_that_is_left_with_objects_in_it_is_told_and_one_that_only_moved_is_taken(runner: Runner) -> None:
    build = runner.build(config_map("conf", colour="blue"))
    install = runner.install(cluster=STATIC)
    assert "stay tracked" not in runner.browser.get(f"/installs/{install}/settings").words
    deployed(runner, install, build)
    shown = runner.browser.get(f"/installs/{install}/settings")
    assert "its 1 objects stay tracked" in shown.words
    match = re.findall(r'name="match" value="([^"]*)"', shown.text)[0].replace("&#34;", '"')
    said = {**STATIC, "server": "https://other.example.com", "match": match, "approval": "prompt"}
    refused = runner.browser.post(f"/installs/{install}/settings", said)
    assert (refused.status, "Tear its components down first" in refused.words) == (409, True)
    match = re.findall(r'name="match" value="([^"]*)"', refused.text)[0].replace("&#34;", '"')
    taken = runner.browser.post(f"/installs/{install}/settings", {**said, "match": match, "same_cluster": "yes"})
    assert taken.place == f"/installs/{install}"


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


# ---- a component of an install -------------------------------------------------------------------------------------


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


# ---- who may, and what is seen -------------------------------------------------------------------------------------


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
    parts = [f"components/web/{what}" for what in ("deploy", "teardown", "drift")]
    for each in ("deploy-all", "teardown-all", "settings", *parts):
        assert stranger.post(f"/installs/{install}/{each}").status == 404, each
    assert install not in stranger.get("/installs").text


def test_the_bar_says_that_pages_of_installs_are_installs(runner: Runner) -> None:
    runner.build(config_map("conf"))
    install = runner.install()
    for place in ("/installs", f"/apps/{APP}/installs", f"/apps/{APP}/installs/create", f"/installs/{install}"):
        assert re.findall(r'aria-current="true">(\w+)', runner.browser.get(place).text) == ["Installs"], place
    assert re.findall(r'aria-current="true">(\w+)', runner.browser.get(f"/apps/{APP}").text) == ["Apps"]


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
