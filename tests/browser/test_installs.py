"""Installs in a browser: made, deployed, approved, gone back from; by keyboard, without scripts, while it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from byoa.installs.records import entry, moved
from tests.api.served import APP
from tests.browser.chromium import needs_chromium, window
from tests.browser.conftest import sign_in
from tests.installs.beds import config_map, deployment, secret
from tests.web.installing import Runner

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, StorageState

    from tests.browser.loopback import Site

pytestmark = needs_chromium


@pytest.fixture
def runner(site: Site) -> Runner:
    return Runner(site)


def newest(runner: Runner) -> str:
    """The newest deploy's id."""
    return max(runner.browser.served.installing.deploys.values(), key=lambda each: each.created_at_ts).id


def test_an_install_is_made_deployed_changed_and_gone_back_from(
    browser: Browser, site: Site, runner: Runner, signed_in: StorageState
) -> None:
    first = runner.build(config_map("conf", colour="blue"), secret("keys", token="c4n4ry"))
    with window(browser, state=signed_in) as page:
        page.goto(f"{site.address}/apps/{APP}")
        page.get_by_role("link", name="Installs").last.click()
        page.get_by_role("link", name="Make one").click()
        page.get_by_label("Name", exact=True).fill("acme")
        page.get_by_role("radio", name="Another cluster").check()
        assert page.get_by_label("Region").is_hidden()
        page.get_by_label("Server").fill("https://k8s.example.com")
        page.get_by_role("textbox", name="Token").fill("c4n4ry-of-a-cluster")
        page.get_by_role("button", name="Create install").click()
        page.get_by_text("Nothing was deployed yet").wait_for()
        page.get_by_label("Build of web").select_option(first)
        page.get_by_role("button", name="Deploy web").click()
        page.get_by_text("It is not made yet.").wait_for()
        runner.run(newest(runner))
        page.locator(".acts .is-pending-approval").wait_for()
        assert page.get_by_role("status").last.inner_text() == "Deploy of web: pending-approval"
        page.get_by_label("Note").fill("go on")
        page.get_by_role("button", name="Approve").click()
        page.locator(".acts .is-queued").wait_for()
        runner.run(newest(runner))
        page.locator(".acts .is-active").wait_for()
        second = runner.build(config_map("conf", colour="red"))
        page.get_by_role("link", name="acme", exact=True).click()
        page.get_by_role("button", name="Deploy web").click()
        page.get_by_text("waiting for the pipeline").wait_for()
        assert runner.run(newest(runner)).build_id == second, "the newest, where none is chosen"
        page.get_by_text("It takes a word for each of these").wait_for()
        page.get_by_role("button", name="Approve").click()
        assert page.locator(".acts .is-pending-approval").count() == 1, "what goes by name isn't ticked"
        page.get_by_label("delete 1 objects").check()
        page.get_by_role("button", name="Approve").click()
        page.locator(".acts .is-queued").wait_for()
        runner.run(newest(runner))
        page.locator(".acts .is-active").wait_for()
        page.get_by_role("button", name="Roll back to version 1").click()
        page.get_by_text("back to an older build").first.wait_for()
        assert runner.run(newest(runner)).build_id == first
        page.locator(".acts .is-pending-approval").wait_for()
        assert "c4n4ry" not in page.content()


def test_a_note_that_is_being_typed_stays_while_the_page_changes(
    browser: Browser, site: Site, runner: Runner, signed_in: StorageState
) -> None:
    runner.build(config_map("conf"))
    install = runner.install()
    place = f"/v1/installs/{install}/components/web"
    deploy = site.served.ask("POST", f"{place}/deploys", {}).json["id"]
    runner.run(deploy)
    with window(browser, state=signed_in) as page:
        page.goto(f"{site.address}/installs/{install}/components/web/deploys/{deploy}")
        page.get_by_label("Note").fill("I am not")
        page.evaluate("document.getElementById('main').dataset.live = 1")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        store = site.served.installing
        (key,) = (each for each, found in store.deploys.items() if found.id == deploy)
        with page.expect_response(lambda answer: answer.status == 200):
            line = entry("pending-approval", "it waits yet", site.served.clock.now())
            store.deploys[key] = moved(store.deploys[key], line)
        page.get_by_text("it waits yet").wait_for()
        page.get_by_label("Note").press_sequentially(" done")
        assert page.get_by_label("Note").input_value() == "I am not done"


def test_a_plan_is_looked_through_and_denied_by_keyboard_alone(
    browser: Browser, site: Site, runner: Runner, signed_in: StorageState
) -> None:
    runner.build(*(config_map(f"conf-{number:02}") for number in range(11)), deployment("web"))
    install = runner.install()
    deploy = site.served.ask("POST", f"/v1/installs/{install}/components/web/deploys", {}).json["id"]
    runner.run(deploy)
    with window(browser, state=signed_in) as page:
        page.goto(f"{site.address}/installs/{install}/components/web/deploys/{deploy}")
        tab_to(page, "Kind")
        page.keyboard.press("D")
        assert page.get_by_label("Kind").input_value() == "Deployment"
        tab_to(page, "Filter")
        page.keyboard.press("Enter")
        page.wait_for_url("**kind=Deployment**")
        assert page.locator("summary .name").all_inner_texts() == ["vendor/web"]
        tab_to(page, "create Deployment vendor/web")
        page.keyboard.press("Enter")
        assert page.locator("details#o11").get_attribute("open") is None, "it was open, being the only one"
        tab_to(page, "Note")
        page.keyboard.type("no")
        tab_to(page, "Deny")
        page.keyboard.press("Enter")
        page.locator(".acts .is-approval-denied").wait_for()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the name is focused."""
    told = "e => (e.labels && e.labels[0] || e).textContent.trim().replace(/\\s+/g, ' ')"
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.evaluate(told) == name:
            return
    pytest.fail(f"{name} is not reached")


def show_again(page: Page) -> None:
    """The page as it is now: one that a form has led to is not there before it has loaded, and can't be reloaded."""
    page.wait_for_load_state()
    page.goto(page.url)


def test_all_of_it_works_without_scripts(browser: Browser, site: Site, runner: Runner) -> None:
    runner.build(config_map("conf", colour="blue"))
    with window(browser, script=False) as page:
        sign_in(page, site)
        page.goto(f"{site.address}/installs")
        page.get_by_role("button", name="New install").click()
        page.get_by_label("Name", exact=True).fill("acme")
        page.get_by_role("radio", name="An agent").check()
        page.get_by_role("button", name="Create install").click()
        page.get_by_role("link", name="web", exact=True).click()
        page.get_by_role("button", name="Deploy").click()
        runner.run(newest(runner))
        show_again(page)
        page.get_by_role("button", name="Approve").click()
        runner.run(newest(runner))
        show_again(page)
        page.get_by_text("1 healthy").wait_for()
        page.get_by_role("link", name="web", exact=True).click()
        page.get_by_label("Delete what web has in acme").check()
        page.get_by_role("button", name="Tear down").click()
        assert runner.run(newest(runner)).operation == "teardown"
        show_again(page)
        page.get_by_text("1 delete").wait_for()
