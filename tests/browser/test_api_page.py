"""The page to try the API with, in a browser: it says what the description says, and what is sent is answered."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from byoa.api.app import OPERATIONS
from tests.api.served import ORG
from tests.browser.chromium import THEMES, WIDTHS, complaints, needs_chromium, window

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

    from tests.browser.loopback import Site

pytestmark = needs_chromium


def opened(page: Page, name: str) -> Locator:
    """An operation's box, unfolded."""
    box = page.locator(f"details#{name}")
    if box.get_attribute("open") is None:
        box.locator("summary").first.click()
    return box


def test_a_request_is_sent_and_its_answer_shown(browser: Browser, site: Site) -> None:
    with window(browser) as page:
        page.goto(f"{site.address}/v1/docs")
        page.locator("details#get_organisation").wait_for()
        assert page.locator("main > details").count() == len(OPERATIONS)
        box = opened(page, "get_organisation")
        box.get_by_role("button", name="Send").click()
        box.get_by_text("token_missing").wait_for()
        page.locator("#token").fill(site.served.token("sync"))
        box.get_by_role("button", name="Send").click()
        box.locator("pre[aria-live]").get_by_text(ORG).wait_for()
        shown = box.locator("pre[aria-live]").inner_text()
        assert shown.startswith("200 in ")
        assert 'ratelimit: "token";r=' in shown
        made = opened(page, "create_component")
        made.get_by_role("button", name="Send").click()
        assert made.locator("pre[aria-live]").is_hidden(), "the app is wanted"
        made.get_by_label("app_id").fill("shop")
        made.get_by_role("button", name="Send").click()
        made.locator("pre[aria-live]").get_by_text("vendor-app").first.wait_for()
        assert made.locator("pre[aria-live]").inner_text().startswith("201 in ")
        made.get_by_role("button", name="Show as curl").click()
        told = made.locator("pre[aria-live]").inner_text()
        assert told.startswith(f"curl -X POST '{site.address}/v1/apps/shop/components'")
        assert "$BYOA_TOKEN" in told
        assert "byoa_org" not in told, "the token isn't shown"


def test_routes_are_found_by_words_and_by_their_address(browser: Browser, site: Site) -> None:
    with window(browser) as page:
        page.goto(f"{site.address}/v1/docs#replace_policies")
        page.locator("details#replace_policies form").wait_for()
        assert "undefined" not in page.locator("details#replace_policies").inner_text()
        page.get_by_label("Find").fill("receipt key")
        page.locator("details#list_apps").wait_for(state="hidden")
        shown = page.locator("main > details:visible")
        assert [shown.nth(each).get_attribute("id") for each in range(shown.count())] == ["get_receipt_key"]
        assert page.locator("main > h2:visible").count() == 1


def test_the_page_is_for_everyone(browser: Browser, site: Site) -> None:
    with window(browser) as page:
        page.goto(f"{site.address}/v1/docs")
        page.locator("details#create_config").wait_for()
        for name in ("create_config", "list_components", "get_health"):
            opened(page, name)
        found = {}
        for theme, width in product(THEMES, WIDTHS):
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": width, "height": 900})
            found[theme, width] = complaints(page)
        assert found == {each: [] for each in found}
