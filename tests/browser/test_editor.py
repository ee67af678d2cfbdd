"""The component editor in a browser, over the memory adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.served import APP
from tests.browser.chromium import needs_chromium, window
from tests.browser.conftest import sign_in
from tests.browser.test_pages import in_all_ways

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page, StorageState

    from tests.browser.loopback import Site

pytestmark = needs_chromium

FILE = """\
# kubernetes-manifest
name = "web"  # ours
type = "kubernetes_manifest"
namespace = "vendor"

[oci_artifact]
url = "oci://ghcr.io/vendor/app"
tag = "v1"
"""
MARKUP = "<img src=x onerror=document.title=1>"


@pytest.fixture
def edit(site: Site) -> str:
    site.hand_in("web", oci_artifact={"url": "oci://ghcr.io/vendor/app", "tag": "v1"})
    return f"{site.address}/apps/{APP}/components/web/edit"


def test_form_and_file_follow_each_other_and_faults_stand_at_their_fields(
    browser: Browser, signed_in: StorageState, edit: str
) -> None:
    with window(browser, state=signed_in) as page:
        page.goto(edit)
        file, tag = page.get_by_label("The file"), page.get_by_label("Tag", exact=True)
        file.fill(FILE)
        tag.fill("v2")
        page.get_by_text("v1 → v2").wait_for()
        assert file.input_value() == FILE.replace('"v1"', '"v2"')
        file.fill(FILE.replace('"v1"', '"v3"'))
        page.get_by_text("v1 → v3").wait_for()
        assert tag.input_value() == "v3"
        page.get_by_label("Build timeout").fill("9h")
        wrong = page.locator("[data-field=build_timeout] .wrong")
        wrong.filter(has_text=".").wait_for()
        assert page.get_by_label("Build timeout").get_attribute("aria-invalid") == "true"
        assert in_all_ways(page) == []
        page.get_by_label("Build timeout").fill("")
        wrong.filter(has_not_text=".").wait_for(state="attached")
        file.fill("name = ")
        page.locator("#elsewhere li").wait_for()
        assert file.input_value() == "name = "
        assert tag.input_value() == "v3"


def test_somebody_writes_a_component_and_follows_its_build(
    browser: Browser, site: Site, signed_in: StorageState
) -> None:
    with window(browser, state=signed_in) as page:
        page.goto(f"{site.address}/apps/{APP}")
        page.get_by_role("link", name="New component").click()
        assert in_all_ways(page) == []
        page.get_by_label("Name", exact=True).fill("shop-web")
        page.get_by_role("radio", name="Inline manifests").check()
        page.get_by_label("Manifests", exact=True).fill("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
        page.get_by_label("Namespace").fill("vendor")
        page.get_by_text("namespace becomes vendor").wait_for()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("heading", name="Build of shop-web").wait_for()
    assert site.served.ask("GET", f"/v1/apps/{APP}/components/shop-web").json["config_versions"] == 1


def test_a_tag_is_chosen_of_those_that_the_registry_lists_and_what_it_means_is_shown(
    browser: Browser, signed_in: StorageState, edit: str
) -> None:
    with window(browser, state=signed_in) as page:
        page.goto(edit)
        page.get_by_role("button", name="List the repository's tags").click()
        page.get_by_label("Tags, the newest first").select_option("v2.3.0")
        page.get_by_role("button", name="Take it").click()
        page.get_by_text("v1 → v2.3.0").wait_for()
        page.get_by_role("button", name="Resolve").click()
        page.get_by_text("Nobody has checked it").wait_for()
        assert in_all_ways(page) == []
        page.get_by_label("URL", exact=True).fill("oci://ghcr.io/vendor/app:v1")
        page.get_by_role("button", name="List the repository's tags").click()
        page.get_by_text("this names a tag or a digest").wait_for()


def test_two_people_edit_at_once_and_neither_loses_anything(
    browser: Browser, site: Site, signed_in: StorageState, edit: str
) -> None:
    with window(browser, state=signed_in) as first, window(browser, state=signed_in) as second:
        first.goto(edit)
        second.goto(edit)
        _change_tag(first, "v2")
        first.get_by_role("button", name="Save").click()
        first.get_by_role("heading", name="Build of web").wait_for()
        _change_tag(second, "v3")
        second.get_by_role("button", name="Save").click()
        second.get_by_text("Somebody saved version 2 meanwhile.").wait_for()
        assert in_all_ways(second) == []
        second.get_by_text("v2 → v3").wait_for()
        second.get_by_role("button", name="Save").click()
        second.get_by_role("heading", name="Build of web").wait_for()
    assert site.served.ask("GET", f"/v1/apps/{APP}/components/web").json["config_versions"] == 3


def _change_tag(page: Page, tag: str) -> None:
    page.get_by_label("Tag", exact=True).fill(tag)
    page.get_by_text(f"→ {tag}").wait_for()


def test_a_session_that_ends_in_the_middle_loses_nothing(browser: Browser, site: Site, edit: str) -> None:
    with window(browser) as page:
        token = sign_in(page, site)
        page.goto(edit)
        _change_tag(page, "v2")
        site.served.tokens.clear()
        page.get_by_label("Tag", exact=True).fill("v3")
        page.get_by_text("Your session has ended.").wait_for()
        assert page.get_by_label("Tag", exact=True).input_value() == "v3"
        with page.expect_popup() as opened:
            page.get_by_role("link", name="Sign in in another tab").click()
        other = opened.value
        token = site.served.token()
        other.get_by_label("API token").fill(token)
        other.get_by_role("button", name="Sign in").click()
        other.get_by_role("heading", name="Overview").wait_for()
        page.get_by_label("Tag", exact=True).fill("v4")
        page.get_by_text("→ v4").wait_for()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("heading", name="Build of web").wait_for()


def test_a_file_is_opened_and_downloaded(browser: Browser, signed_in: StorageState, edit: str, tmp_path: Path) -> None:
    with window(browser, state=signed_in) as page:
        page.goto(edit)
        opened = tmp_path / "web.toml"
        opened.write_text(FILE.replace("v1", "v9"))
        page.get_by_label("Open a file").set_input_files(opened)
        page.get_by_text("v1 → v9").wait_for()
        assert page.get_by_label("Tag", exact=True).input_value() == "v9"
        with page.expect_download() as given:
            page.get_by_role("button", name="Download").click()
        assert given.value.suggested_filename == "web.toml"
        assert given.value.path().read_text() == FILE.replace("v1", "v9")


def test_markup_that_is_typed_is_text_in_the_colours_too(browser: Browser, signed_in: StorageState, edit: str) -> None:
    with window(browser, state=signed_in) as page:
        page.goto(edit)
        page.get_by_label("Namespace").fill(MARKUP)
        page.locator("[data-field=namespace] .wrong").filter(has_text=".").wait_for()
        page.get_by_label("Labels").fill(f"{MARKUP}={MARKUP}")
        page.locator("#paint", has_text=MARKUP).first.wait_for()
        assert page.locator("main img").count() == 0
        assert page.title() != "1"


def test_the_editor_works_without_scripts(browser: Browser, site: Site, edit: str) -> None:
    with window(browser, script=False) as page:
        sign_in(page, site)
        page.goto(edit)
        page.get_by_label("Tag", exact=True).fill("v2")
        page.get_by_label("Build timeout").fill("9h")
        page.get_by_role("button", name="Save").click()
        assert "build_timeout" in page.locator("[data-field=build_timeout] .wrong").inner_text()
        page.get_by_label("Build timeout").fill("10m")
        page.get_by_role("button", name="Save").click()
        page.get_by_role("heading", name="Build of web").wait_for()
    config = site.served.ask("GET", f"/v1/apps/{APP}/components/web/configs/latest").json
    assert (config["kubernetes_manifest"]["oci_artifact"]["tag"], config["build_timeout"]) == ("v2", "10m")
