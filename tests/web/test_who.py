"""Who did something is told by name to those who may see tokens; a failed build leads to its component's editor."""

from __future__ import annotations

import pytest

from tests.api.served import APP
from tests.web.browsing import Browser, links

COMPONENT = f"/apps/{APP}/components/web"


@pytest.fixture
def browser() -> Browser:
    found = Browser()
    found.sign_in()
    return found


def test_a_component_and_its_build_say_who_wanted_them(browser: Browser) -> None:
    build = browser.hand_in()["build_id"]
    (token,) = {each["created_by_id"] for each in browser.served.ask("GET", f"/v1{COMPONENT}/builds").json}
    for place in (COMPONENT, f"{COMPONENT}/builds/{build}"):
        assert f'by <span title="{token}">test</span>' in browser.get(place).text
    browser.sign_in("read")
    for place in (COMPONENT, f"{COMPONENT}/builds/{build}"):
        shown = browser.get(place)
        assert (shown.status, f"by <code>{token}</code>" in shown.text) == (200, True)


def test_names_are_looked_up_for_no_page_that_the_browser_has(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = browser.hand_in()["build_id"]
    etags = {place: browser.get(place).headers["ETag"] for place in (COMPONENT, f"{COMPONENT}/builds/{build}")}
    monkeypatch.setattr("byoa.adapters.memory.inventory.MemoryTokens.page", None)  # whoever lists tokens fails
    for place, etag in etags.items():
        assert browser.get(place, if_none_match=etag).status == 304


def test_a_failed_build_leads_to_the_editor_and_others_do_not(browser: Browser) -> None:
    build = browser.hand_in()["build_id"]
    place = f"{COMPONENT}/builds/{build}"
    assert f"{COMPONENT}/edit" not in links(browser.get(place))
    browser.fail(build)
    assert f"{COMPONENT}/edit" in links(browser.get(place))
