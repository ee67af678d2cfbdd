"""A browser that goes through the deployed dashboard: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, StorageState, ViewportSize

CHROMIUM = shutil.which("chromium")
type Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
WIDTHS = (1440, 360)

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not on the PATH")


@contextmanager
def chromium() -> Iterator[Browser]:
    """As root it wants no sandbox of its own; where there is none, a page of ours is all that it sees."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(
    browser: Browser,
    theme: Theme = "light",
    width: int = 1440,
    state: StorageState | None = None,
    *,
    script: bool = True,
) -> Iterator[Page]:
    """A page of its own session, or of one that ``state`` has; what its console complains of fails the test."""
    size: ViewportSize = {"width": width, "height": 900}
    context = browser.new_context(
        viewport=size, color_scheme=theme, storage_state=state, java_script_enabled=script, locale="en-GB",
        timezone_id="Europe/Berlin",
    )  # fmt: skip
    context.set_default_timeout(90_000)
    wrong: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    try:
        yield page
        assert [each for each in wrong if "the server responded with a status of" not in each] == []
    finally:
        context.close()


def complaints(page: Page) -> list[tuple[str, str, object]]:
    """What axe finds: rules, how bad it is, and where. And whether the page is wider than its window."""
    found = Axe().run(page).response["violations"]
    told: list[tuple[str, str, object]] = [
        (each["id"], each["impact"], [node["target"] for node in each["nodes"]]) for each in found
    ]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        told.append(("wider than its window", "serious", page.url))
    return told
