"""The deployed dashboard in a browser, with the functions' roles enforced."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.bootstrap import terminal as bootstrap
from byoa.content.packing import pack
from byoa.engine.copying import copy
from byoa.oci.reference import Reference
from local.desk import APP, ORGANISATION
from tests.e2e.browsing import THEMES, WIDTHS, chromium, complaints, needs_chromium, window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, StorageState

    from byoa.builds.messages import Build
    from tests.e2e.conftest import Pipeline

pytestmark = [pytest.mark.emulator, needs_chromium]

MARKUP = "<img src=x onerror=document.title=1>"
HOSTILE = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: "{MARKUP}"
  namespace: "{MARKUP}"
  annotations: {{note: "{MARKUP}"}}
spec: {{template: {{spec: {{containers: [{{name: a, image: "{MARKUP}"}}]}}}}}}
---
apiVersion: "example.com/v1"
kind: "{MARKUP}"
metadata: {{name: a}}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def make_token(pipeline: Pipeline, days: int = 1) -> str:
    environment = {**os.environ, **pipeline.desk.environment(), "BYOA_ORG": ORGANISATION}
    program = Path(sys.executable).with_name("byoa")
    command = [program, "admin", "bootstrap", "--days", str(days), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout)["token"])


@pytest.fixture(scope="module")
def token(enforced: Pipeline) -> str:
    return make_token(enforced)


@pytest.fixture(scope="module")
def signed_in(enforced: Pipeline, browser: Browser, token: str) -> StorageState:
    with window(browser) as page:
        sign_in(page, enforced, token)
        return page.context.storage_state()


@pytest.fixture(scope="module")
def seen(enforced: Pipeline) -> Build:
    """A build that goes well, of an artifact that has markup wherever it can."""
    packed = pack(HOSTILE)
    url = f"oci://{enforced.desk.vendor}/vendor/hostile"
    target = bootstrap.repository(Reference.parse(f"{url}:v1"), "target", None, plain_http=True)
    copy(MemoryRepository.holding(packed), target, packed.manifest, tag="v1")
    return enforced.wait(enforced.submit_artifact("seen", "hostile", "v1").build)


@pytest.fixture(scope="module")
def failed(enforced: Pipeline) -> Build:
    return enforced.wait(enforced.submit_artifact("failed", "flux", "none").build)


def sign_in(page: Page, pipeline: Pipeline, token: str) -> None:
    page.goto(pipeline.desk.dashboard)
    page.get_by_label("API token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Overview").wait_for()


def place(pipeline: Pipeline, path: str) -> str:
    return f"{pipeline.desk.dashboard.removesuffix('/')}{path}"


def test_somebody_signs_in_watches_a_build_checks_its_receipt_and_signs_out(
    enforced: Pipeline, browser: Browser, token: str
) -> None:
    enforced.push("flux", "v2.3.1")
    with window(browser) as page:
        sign_in(page, enforced, token)
        build = enforced.submit_artifact("watched", "flux", "v2.3.1").build
        page.get_by_label("Open an app").fill(build.app)
        page.get_by_role("button", name="Open").click()
        page.get_by_role("link", name="watched").click()
        page.get_by_role("link", name="version 1").click()
        page.locator(".status.is-active").wait_for()  # the page asks again by itself
        page.get_by_role("button", name="Check the signature").click()
        page.get_by_text("The signature is the platform's key's").wait_for()
        page.get_by_role("button", name="Build component").wait_for(state="detached")
        page.get_by_role("link", name="watched").click()
        page.get_by_role("button", name="Build component").click()
        page.get_by_text("version 2").wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("API token").wait_for()
        page.goto(place(enforced, f"/apps/{build.app}/components/watched"))
        page.get_by_label("API token").wait_for()


def test_a_session_ends_when_its_token_is_revoked_and_the_open_page_says_so(
    enforced: Pipeline, browser: Browser, token: str, failed: Build
) -> None:
    made = _api(enforced, token, "POST", "/v1/tokens", {"name": "short", "scopes": ["read"]})
    with window(browser) as page:
        sign_in(page, enforced, made["token"])
        page.goto(place(enforced, f"/apps/{failed.app}/components/failed"))
        page.get_by_role("heading", name="The newest build failed").wait_for()
        _api(enforced, token, "DELETE", f"/v1/tokens/{made['id']}")
        page.evaluate("document.getElementById('main').dataset.live = '1'")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.get_by_role("alert").filter(has_text="Your session has ended").wait_for()


def _api(pipeline: Pipeline, token: str, method: str, path: str, body: object = None) -> dict[str, str]:
    content = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    asked = urllib.request.Request(pipeline.desk.api + path, content, headers, method=method)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        found: dict[str, str] = json.loads(answer.read() or b"{}")
        return found


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
def test_every_page_is_for_everyone_and_markup_is_text(
    enforced: Pipeline, browser: Browser, signed_in: StorageState, seen: Build, failed: Build, theme: str, width: int
) -> None:
    component = f"/apps/{APP}/components"
    places = [
        "/", "/errors", f"/apps/{APP}", f"{component}/seen", f"{component}/failed", "/nothing",
        f"{component}/seen/builds/{seen.build_id}", f"{component}/failed/builds/{failed.build_id}",
    ]  # fmt: skip
    found = {}
    with window(browser, theme, width, signed_in) as page:  # type: ignore[arg-type]
        for each in places:
            page.goto(place(enforced, each))
            found[each] = complaints(page)
            assert page.locator("img").count() == 0, each
            assert page.title() != "1", each
    with window(browser, theme, width) as page:  # type: ignore[arg-type]
        page.goto(enforced.desk.dashboard)
        found["signed out"] = complaints(page)
    assert {each: told for each, told in found.items() if told} == {}


def test_a_build_of_the_hostile_artifact_shows_its_texts(
    enforced: Pipeline, browser: Browser, signed_in: StorageState, seen: Build
) -> None:
    assert seen.status == "active", seen
    with window(browser, state=signed_in) as page:
        page.goto(place(enforced, f"/builds/{seen.build_id}"))
        shown = page.get_by_role("main").inner_text()
        assert shown.count(MARKUP) >= 3, "a kind, an image, a namespace"


def test_all_of_it_is_reached_by_keyboard_alone(
    enforced: Pipeline, browser: Browser, token: str, failed: Build
) -> None:
    with window(browser) as page:
        page.goto(enforced.desk.dashboard)
        _tab_to(page, "API token")
        page.keyboard.type(token)
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Overview").wait_for()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the content"
        page.keyboard.press("Enter")
        page.goto(place(enforced, f"/apps/{failed.app}"))
        _tab_to(page, "failed")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="The newest build failed").wait_for()
        _tab_to(page, "ReferenceNotFound")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Errors").wait_for()


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the name is focused; nothing on the way may be out of sight."""
    told = "e => (e.labels && e.labels[0] || e).textContent.trim()"
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.evaluate(told) == name:
            return
    pytest.fail(f"{name} is not reached")


def test_pages_work_without_scripts(enforced: Pipeline, browser: Browser, token: str, failed: Build) -> None:
    with window(browser, script=False) as page:
        sign_in(page, enforced, token)
        page.goto(place(enforced, f"/apps/{failed.app}?status=error"))
        page.get_by_role("link", name="failed").click()
        page.get_by_text("UTC").first.wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("API token").wait_for()
