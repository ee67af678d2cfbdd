"""Pages of the organisation: credentials, tokens, policies, hooks, the audit, and what two builds differ in."""

from __future__ import annotations

import re

import pytest

from byoa.web.pages.credentials import KINDS
from tests.api.served import APP
from tests.web.browsing import Browser

SECRET = "hunter2-c4n4ry"
BASIC = {"ref": "ghcr", "kind": "basic", "host": "ghcr.io", "username": "bot", "password": SECRET}


@pytest.fixture
def browser() -> Browser:
    found = Browser()
    found.sign_in()
    return found


def value_of(text: str, name: str) -> str:
    return str(re.findall(rf'name="{name}" value="([^"]*)"', text)[0]).replace("&#34;", '"')


def test_credentials_are_stored_listed_and_deleted_and_what_they_say_is_nowhere(browser: Browser) -> None:
    assert "None yet" in browser.get("/credentials").words
    assert browser.post("/credentials", BASIC).place == "/credentials"
    pages = [browser.get(place).text for place in ("/credentials", "/credentials/ghcr", "/audit")]
    assert all(SECRET not in page for page in pages)
    assert "ghcr.io" in pages[0]
    match = value_of(pages[1], "match")
    assert browser.post("/credentials/ghcr/delete", {"match": '"another"'}).status == 412
    assert browser.post("/credentials/ghcr/delete", {"match": match}).place == "/credentials"
    assert browser.get("/credentials/ghcr").status == 404


def test_a_refused_secret_is_not_shown_again_and_the_rest_of_the_form_is(browser: Browser) -> None:
    shown = browser.post("/credentials", {**BASIC, "host": "no host"})
    assert shown.status in (400, 422)
    assert 'value="ghcr"' in shown.text
    assert 'value="bot"' in shown.text
    assert SECRET not in shown.text
    assert browser.post("/credentials", BASIC).status == 303
    taken = browser.post("/credentials", BASIC)
    assert (taken.status, SECRET in taken.text) == (409, False)
    assert "There is one of that name already." in taken.words


@pytest.mark.parametrize("kind", KINDS)
def test_the_form_has_fields_that_a_kind_takes(browser: Browser, kind: str) -> None:
    hosts = {"aws_ecr": "222222222222.dkr.ecr.us-west-2.amazonaws.com", "gcp_gar": "europe-docker.pkg.dev",
             "azure_acr": "vendor.azurecr.io"}  # fmt: skip
    values = {
        "role_arn": "arn:aws:iam::222222222222:role/byoa", "client_id": "6f9d1d2c-0000-4000-8000-000000000000",
        "key": '{"type": "service_account", "client_email": "a@b.example", "private_key": "-----BEGIN"}',
        "dockerconfigjson": '{"auths": {"ghcr.io": {"username": "bot", "password": "p"}}}',
    }  # fmt: skip
    said = {name: values.get(name, "abcdefgh") for name in KINDS[kind]}
    made = browser.post("/credentials", {"ref": "new", "kind": kind, "host": hosts.get(kind, "ghcr.io"), **said})
    assert made.status == 303 or "private_key" in made.text or "key" in made.words, made.words
    assert "extra" not in made.words.lower()


def test_a_token_is_made_shown_once_and_revoked(browser: Browser) -> None:
    made = browser.post("/tokens", {"name": "ci <b>", "scope": "sync", "days": "30"})
    assert made.status == 201
    (token,) = re.findall(r"byoa_org_\w+_tok\w{23}_[\w-]{43}", made.text)
    found = browser.served.ask("GET", "/v1/account", token=token).json
    assert (found["name"], found["scopes"]) == ("ci <b>", ["sync"])
    listed = browser.get("/tokens").text
    assert token not in listed
    assert "ci &lt;b&gt;" in listed
    assert browser.post(f"/tokens/{found['id']}/revoke").place == "/tokens"
    assert browser.served.ask("GET", "/v1/account", token=token).status == 401
    for wrong in ({"name": "a", "scope": "", "days": "1"}, {"name": "a", "scope": "read", "days": "x"}):
        assert browser.post("/tokens", wrong).status == 422


def test_a_token_of_an_agent_is_for_the_install_that_is_chosen(browser: Browser) -> None:
    assert ">agent<" not in browser.get("/tokens").text, "there is no install that it could be for"
    browser.served.ask("POST", f"/v1/apps/{APP}/components", {"name": "web"})
    installs = f"/v1/apps/{APP}/installs"
    install = browser.served.ask("POST", installs, {"name": "acme", "cluster": {"kind": "agent"}}).json["id"]
    assert f'<option value="{install}">acme ({APP})' in browser.get("/tokens").text
    made = browser.post("/tokens", {"name": "agent-acme", "scope": "agent", "install": install, "days": "30"})
    (token,) = re.findall(r"byoa_org_\w+_tok\w{23}_[\w-]{43}", made.text)
    found = browser.served.ask("GET", "/v1/account", token=token).json
    assert ([each["id"] for each in found["installs"]], found["scopes"]) == ([install], ["agent"])
    assert f'agent of <a href="/installs/{install}">acme</a>' in browser.get("/tokens").text
    plain = browser.post("/tokens", {"name": "ci", "scope": "sync", "install": install, "days": "30"})
    assert plain.status == 201
    stranger = Browser(browser.served)
    assert stranger.post("/auth/login", {"token": token, "next": ""}).status == 403


def test_only_an_admin_is_led_to_tokens_and_the_audit(browser: Browser) -> None:
    assert 'href="/tokens"' in browser.get("/").text
    reader = Browser(browser.served)
    reader.sign_in("read")
    assert 'href="/tokens"' not in reader.get("/").text
    for place in ("/tokens", "/audit"):
        assert reader.get(place).status == 403


def test_policies_are_replaced_unless_somebody_else_did(browser: Browser) -> None:
    shown = browser.get("/policies")
    match = value_of(shown.text, "match")
    wrong = browser.post("/policies", {"references": "ghcr.io/vendor/*\nnot a reference", "match": match})
    assert wrong.status == 422
    assert "/body/references/1" in wrong.words
    assert "not a reference" in wrong.text
    assert browser.post("/policies", {"references": "ghcr.io/vendor/*\n\n", "match": match}).status == 303
    assert browser.served.ask("GET", "/v1/policies").json["references"] == ["ghcr.io/vendor/*"]
    late = browser.post("/policies", {"references": "*", "match": match})
    assert late.status == 412
    assert value_of(late.text, "match") != match


def test_a_hook_is_made_shown_once_and_deleted(browser: Browser) -> None:
    made = browser.post("/hooks-in", {"name": "ghcr", "kind": "github", "action": "build"})
    assert made.status == 201
    (address,) = re.findall(r"https://dashboard\.example/hooks/[\w/-]+", made.text)
    listed = browser.get("/hooks-in").text
    assert address not in listed
    (place,) = re.findall(r'action="(/hooks-in/[^"]+/delete)"', listed)
    assert browser.post(place).place == "/hooks-in"
    assert "None yet" in browser.get("/hooks-in").words
    assert browser.post("/hooks-in", {"name": "", "kind": "x", "action": "y"}).status == 422
    google = {"name": "gar", "kind": "gar", "action": "note", "account": ""}
    assert browser.post("/hooks-in", google).status == 422
    made = browser.post("/hooks-in", {**google, "service_account": "byoa@vendor-project.iam.gserviceaccount.com"})
    assert "byoa:hok" in made.text
    place = {"name": "ecr", "kind": "ecr", "action": "build", "account": "222222222222", "region": "us-west-2"}
    assert "/hooks/" not in browser.post("/hooks-in", place).text
    assert browser.post("/hooks-in", place).status == 409


def test_the_audit_tells_who_did_what(browser: Browser) -> None:
    browser.post("/credentials", BASIC)
    words = browser.get("/audit").words
    assert "create_credentials 201" in words
    assert "session of test" in words


def test_two_builds_are_compared_by_their_objects(browser: Browser) -> None:
    place = f"/apps/{APP}/components/web/compare"
    source = {"url": "oci://ghcr.io/vendor/app", "tag": "v1", "credentials_ref": "ghcr"}
    builds: list[str] = []
    for note in ("one", "two"):
        build = browser.hand_in("web", oci_artifact=source, labels={"note": note})["build_id"]
        if not builds:
            assert "It takes two builds" in browser.get(place).words
        browser.go_well(build)
        builds.append(build)
    assert browser.get(place).text.count("<option") == 4
    shown = browser.post(place, {"before": builds[0], "after": builds[1]})
    assert shown.status == 200, shown.words
    assert re.search(r"\d+ added, \d+ removed, \d+ changed", shown.words)
    sent = browser.sent[-1]
    assert sent["rawPath"] == "/v1/artifacts/diff"
    assert '"url": "oci://ghcr.io/vendor/app:v1"' not in sent["body"] or '"digest"' in sent["body"]
    assert browser.post(place, {"before": "none", "after": builds[1]}).status == 200
