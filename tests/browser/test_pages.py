"""The pages in a browser, over the memory adapters: both themes and widths, with and without scripts."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest

from byoa.trust.issuers import KeysFound
from tests.api.served import APP, ORG, OTHER
from tests.browser.chromium import THEMES, WIDTHS, complaints, needs_chromium, window
from tests.browser.conftest import sign_in, way_to_sign_in
from tests.web.installing import Runner, hostile

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, StorageState

    from tests.browser.loopback import Site

pytestmark = needs_chromium

MARKUP = (
    "<img src=x onerror=document.title=1><script>document.title=1</script>'\" onfocus=document.title=1 autofocus x='"
)
ARTIFACT = {"oci_artifact": {"url": "oci://ghcr.io/vendor/app-manifests", "tag": "v2.3.1", "credentials_ref": "ghcr"}}
COMPONENTS = f"/apps/{APP}/components"


def furnish(site: Site, said: str) -> list[str]:
    """A world with something on each page, ``said`` wherever an artifact or a failure can say something; all pages."""
    good = site.hand_in("good", **ARTIFACT, dependencies=["failed", "absent"], labels={"team": "web"})["build_id"]
    kinds = {f"{said}{number}": number for number in range(9)}
    objects = {"by_kind": {said: [f"{said}/{said}"]}, "left_out": 1}
    site.go_well(
        good, objects=objects, format=said, kinds=kinds, namespaces=[said], images=[said], usable_by={said: True}
    )
    failed = site.hand_in("failed")["build_id"]
    site.fail(failed, cause=said, remedy=said, where=said)
    waiting = site.hand_in("waiting")["build_id"]
    for number in range(10):
        site.hand_in(f"service-{number}")
    kept = {"ref": "ghcr", "kind": "basic", "host": "ghcr.io", "value": {"username": "u", "password": "p"}}
    site.served.ask("POST", "/v1/credentials", kept)
    site.served.ask("POST", "/v1/hooks", {"name": said[:100], "kind": "github"})
    site.served.ask("POST", "/v1/tokens", {"name": said[:100], "scopes": ["read"]})
    site.hand_in("good", **ARTIFACT, labels={"team": "other"})
    site.served.rules[ORG] = [replace(way_to_sign_in(said[:100]), claims={said: (said, said)}, confidential=True)]
    return [
        "/", "/errors", "/nothing", f"/apps/{APP}", f"/apps/{APP}?status=error", "/apps/none",
        f"{COMPONENTS}/good", f"{COMPONENTS}/failed", f"{COMPONENTS}/good/builds/{good}",
        "/credentials", "/credentials/ghcr", "/tokens", "/issuers", "/policies", "/hooks-in", "/audit",
        f"{COMPONENTS}/good/compare",
        f"{COMPONENTS}/failed/builds/{failed}", f"{COMPONENTS}/waiting/builds/{waiting}",
        *hostile(Runner(site), said),
    ]  # fmt: skip


def test_every_page_is_for_everyone_and_markup_is_text(browser: Browser, site: Site) -> None:
    places, found = furnish(site, MARKUP), {}
    with window(browser) as page:
        for each in ("/", f"/auth/login?org={ORG}", f"/auth/login?org={OTHER}"):
            page.goto(site.address + each)
            page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
            found[f"signed out, {each}"] = in_all_ways(page)
        page.get_by_label("API token").fill("none")
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("alert").wait_for()
        found["refused"] = in_all_ways(page)
        sign_in(page, site)
        for each in places:
            page.goto(site.address + each)
            page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
            found[each] = in_all_ways(page)
            assert page.locator("img, body script").count() == 0, each
            assert page.title() != "1", each
    assert {each: told for each, told in found.items() if told} == {}


def in_all_ways(page: Page) -> list[object]:
    """What is wrong with a page in one of the themes and widths."""
    found: list[object] = []
    for theme, width in product(THEMES, WIDTHS):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        found += [(theme, width, *each) for each in complaints(page)]
    return found


def test_a_way_to_sign_in_is_added_offered_and_deleted(browser: Browser, site: Site, signed_in: StorageState) -> None:
    place = "https://vendor.okta.example/authorize"
    site.served.fetch_keys = lambda *_: KeysFound(keys=[], authorization_endpoint=place)
    with window(browser, state=signed_in) as page:
        page.goto(f"{site.address}/issuers")
        for label, text in (
            ("Name", "Okta"), ("Issuer", "https://vendor.okta.example"), ("Claims", "groups=platform"),
            ("Audience", "0oa1"), ("The client's secret", "c4n4ry"),
        ):  # fmt: skip
            page.get_by_label(label, exact=True).fill(text)
        page.get_by_label("People sign in with it").check()
        page.get_by_role("button", name="Add").click()
        page.get_by_text("groups is platform").wait_for()
        assert "c4n4ry" not in page.content()
        assert "c4n4ry" in next(iter(site.served.client_secrets.values()))
        page.get_by_text("Store another one").click()
        page.get_by_label("New secret of Okta's client").fill("c4n4ry-2")
        page.get_by_role("button", name="Store").click()
        page.get_by_text("Store another one").wait_for()
        assert "c4n4ry-2" in next(iter(site.served.client_secrets.values()))
        with window(browser) as other:
            other.goto(f"{site.address}/auth/login?org={ORG}")
            other.get_by_role("link", name="Okta").wait_for()
        page.get_by_role("button", name="Delete Okta").click()
        page.get_by_text("None yet").wait_for()
        assert site.served.client_secrets == {}


def test_an_open_page_follows_what_happens_and_says_it(browser: Browser, site: Site, signed_in: StorageState) -> None:
    build = site.hand_in("watched", **ARTIFACT)["build_id"]
    with window(browser, state=signed_in) as page:
        statuses: list[int] = []
        page.on("response", lambda answer: statuses.append(answer.status))
        page.goto(f"{site.address}/builds/{build}")
        page.get_by_text("This page as JSON").click()
        with page.expect_response(lambda answer: answer.status == 304):
            pass
        assert page.locator(".status").inner_text() == "queued"
        site.go_well(build)
        page.locator(".status.is-active").wait_for()
        assert page.get_by_role("status").first.inner_text() == "Build: active"
        assert page.locator("details#api").get_attribute("open") is not None
        assert page.locator("main").get_attribute("data-live") == "0"


def test_nothing_is_asked_while_nobody_looks(browser: Browser, site: Site, signed_in: StorageState) -> None:
    build = site.hand_in("watched")["build_id"]
    with window(browser, state=signed_in) as page:
        page.goto(f"{site.address}/builds/{build}")
        page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.wait_for_timeout(2500)
        assert asked == []
        page.evaluate("Object.defineProperty(document, 'hidden', {value: false, configurable: true})")
        with page.expect_response(lambda answer: answer.status == 304):
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_moment_is_told_in_the_reader_s_zone_and_exactly_on_hover(
    browser: Browser, site: Site, signed_in: StorageState
) -> None:
    build = site.hand_in("web")["build_id"]
    with window(browser, state=signed_in) as page:
        page.goto(f"{site.address}/builds/{build}")
        moment = page.locator("time").first
        assert "ago" in moment.inner_text() or moment.inner_text() == "now"
        assert "CE" in (moment.get_attribute("title") or ""), "Berlin's"


def test_a_link_to_sign_in_with_fills_the_field_and_is_forgotten(browser: Browser, site: Site) -> None:
    with window(browser) as page:
        token = site.served.token("read")
        page.goto(f"{site.address}/auth/login#{token}")
        page.wait_for_function("location.hash === ''")
        assert page.get_by_label("API token").input_value() == token
        assert f"signs you in to {ORG}" in page.locator("#whose").inner_text()
        assert token not in page.url
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Overview").wait_for()


def test_a_link_to_sign_in_with_is_forgotten_by_who_is_signed_in(
    browser: Browser, site: Site, signed_in: StorageState
) -> None:
    """Browsers take what stands behind the # along when they are sent elsewhere."""
    token = site.served.token()
    with window(browser, state=signed_in) as page:
        page.goto(f"{site.address}/auth/login#{token}")
        page.wait_for_function("location.hash === ''")
        page.get_by_role("heading", name="Overview").wait_for()
        assert page.url == f"{site.address}/"


def test_what_is_long_is_copied_with_one_button(browser: Browser, site: Site, signed_in: StorageState) -> None:
    build = site.hand_in("web", **ARTIFACT)["build_id"]
    site.go_well(build)
    with window(browser, state=signed_in) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto(f"{site.address}/builds/{build}")
        page.get_by_role("button", name="Copy sha256:fac2bf").first.click()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == "sha256:fac2bf4015b35638ed9d43cff4f53e09743639903d7b6f839127b6589d27b581"
        page.get_by_role("button", name="Copy oras pull").first.click()
        assert page.evaluate("navigator.clipboard.readText()").endswith(copied)


def test_all_of_it_is_reached_by_keyboard_alone(browser: Browser, site: Site) -> None:
    site.fail(site.hand_in("failed")["build_id"])
    with window(browser) as page:
        page.goto(site.address)
        _tab_to(page, "API token")
        page.keyboard.type(site.served.token())
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Overview").wait_for()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        _tab_to(page, "Open an app")
        page.keyboard.type(APP)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name=APP).wait_for()
        _tab_to(page, "failed")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="The newest build failed").wait_for()
        _tab_to(page, "ReferenceNotFound")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Errors").wait_for()


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the name is focused."""
    told = "e => (e.labels && e.labels[0] || e).textContent.trim()"
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.evaluate(told) == name:
            return
    pytest.fail(f"{name} is not reached")


def test_pages_work_without_scripts(browser: Browser, site: Site) -> None:
    site.fail(site.hand_in("failed")["build_id"])
    with window(browser, script=False) as page:
        sign_in(page, site)
        page.goto(f"{site.address}/apps/{APP}?status=error")
        page.get_by_role("link", name="failed").click()
        page.get_by_text("UTC").first.wait_for()
        page.get_by_role("button", name="Build component").click()
        page.get_by_text("waiting for the pipeline").wait_for()
        page.get_by_role("button", name="Cancel").click()
        page.get_by_text("Somebody cancelled the build.").first.wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("API token").wait_for()
