"""The page of issuers: rules are listed, added and deleted, and a client's secret is written and shown nowhere."""

from __future__ import annotations

import html
import re

import pytest

from byoa.trust.issuers import KeysFound
from tests.api.served import ORG
from tests.web.browsing import Browser

SECRET = "c4n4ry-of-a-client"
GITHUB = {
    "name": "releases <b>", "issuer": "https://token.actions.githubusercontent.com", "scope": "sync",
    "claims": "repository=vendor/app\n\nref=refs/heads/main\nref = refs/tags/v*\n",
}  # fmt: skip
PEOPLE = {
    "name": "Okta", "issuer": "https://vendor.okta.example", "audience": "0oa1", "claims": "groups=platform",
    "scope": "read", "sign_in": "yes", "secret": SECRET,
}  # fmt: skip


@pytest.fixture
def browser() -> Browser:
    found = Browser()
    found.sign_in()
    asked = KeysFound(keys=[], authorization_endpoint="https://vendor.okta.example/authorize")
    found.served.fetch_keys = lambda *_: asked
    return found


def rules(browser: Browser) -> list[dict[str, object]]:
    found: list[dict[str, object]] = browser.served.ask("GET", "/v1/issuers").json
    return found


def test_a_rule_is_added_of_a_form_listed_and_deleted(browser: Browser) -> None:
    assert "None yet" in browser.get("/issuers").words
    assert browser.post("/issuers", GITHUB).place == "/issuers"
    (rule,) = rules(browser)
    assert rule["claims"] == {"repository": ["vendor/app"], "ref": ["refs/heads/main", "refs/tags/v*"]}
    assert (rule["scopes"], rule["audience"], rule["sign_in"]) == (["sync"], f"byoa:{ORG}", False)
    shown = browser.get("/issuers")
    assert "releases &lt;b&gt;" in shown.text
    assert "ref is refs/heads/main or refs/tags/v*" in shown.words
    assert "by session of test" in shown.words
    (place,) = re.findall(r'action="(/issuers/[^"]+/delete)"', shown.text)
    assert browser.post(place).place == "/issuers"
    assert rules(browser) == []
    assert browser.post(place).status == 404


def test_a_client_s_secret_goes_to_the_store_alone_and_is_replaced(browser: Browser) -> None:
    assert browser.post("/issuers", PEOPLE).status == 303
    (kept,) = browser.served.client_secrets.values()
    assert SECRET in kept
    shown = browser.get("/issuers")
    assert "people sign in" in shown.words
    (place,) = re.findall(r'action="(/issuers/[^"]+/secret)"', shown.text)
    assert browser.post(place, {"secret": "another"}).place == "/issuers"
    (kept,) = browser.served.client_secrets.values()
    assert "another" in kept
    assert browser.post(place, {"secret": ""}).status == 422
    pages = [browser.get(each).text for each in ("/issuers", "/audit", "/json/v1/issuers")]
    assert all(SECRET not in page and "another" not in page.replace("Store another one", "") for page in pages)
    (audit,) = (browser.get(each).words for each in ("/audit",))
    assert "create_issuer 201" in audit
    assert "store_client_secret 200" in audit


def test_a_refused_rule_keeps_what_was_typed_but_for_the_secret(browser: Browser) -> None:
    shown = browser.post("/issuers", {**PEOPLE, "audience": ""})
    assert shown.status == 422
    assert "Name the id of the client" in shown.words
    assert SECRET not in shown.text
    for value in ('value="Okta"', 'value="https://vendor.okta.example"', "groups=platform", "checked"):
        assert value in shown.text
    wide = browser.post("/issuers", {**GITHUB, "claims": "ref=refs/heads/main"})
    assert (wide.status, "Strangers could have tokens" in html.unescape(wide.text)) == (422, True)
    for claims in ("", "repository", "=x"):
        assert browser.post("/issuers", {**GITHUB, "claims": claims}).status == 422
    assert rules(browser) == []


def test_a_rule_of_an_agent_is_for_the_install_that_is_chosen(browser: Browser) -> None:
    browser.hand_in()
    body = {"name": "acme", "cluster": {"kind": "agent"}}
    install = browser.served.ask("POST", "/v1/apps/shop/installs", body).json["id"]
    assert browser.post("/issuers", {**GITHUB, "scope": "agent", "install": install}).status == 303
    assert rules(browser)[0]["install_ids"] == [install]
    assert f'agent of <a href="/installs/{install}">acme</a>' in browser.get("/issuers").text
    browser.post("/issuers", {**GITHUB, "install": install})
    assert [each["install_ids"] for each in rules(browser) if each["scopes"] == ["sync"]] == [[]]


def test_another_site_s_form_adds_and_deletes_nothing(browser: Browser) -> None:
    browser.post("/issuers", PEOPLE)
    (rule,) = rules(browser)
    for place, form in (("", GITHUB), (f"/{rule['id']}/secret", {"secret": "theirs"}), (f"/{rule['id']}/delete", {})):
        assert browser.post(f"/issuers{place}", form, sec_fetch_site="cross-site").status == 403
    assert rules(browser) == [rule]
    assert "theirs" not in next(iter(browser.served.client_secrets.values()))


def test_only_an_admin_sees_issuers(browser: Browser) -> None:
    assert 'href="/issuers"' in browser.get("/").text
    reader = Browser(browser.served)
    reader.sign_in("sync")
    assert 'href="/issuers"' not in reader.get("/").text
    assert reader.get("/issuers").status == 403
    assert reader.post("/issuers", GITHUB).status == 403
    assert Browser(browser.served).get("/issuers").place.startswith("/auth/login")
    assert rules(browser) == []
