"""The component editor, asked in this process: form and file say the same, and nothing that was typed is lost."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from typing import Any

import pytest

from byoa.builds.lookups import LookedUp, LookUp, TagList
from byoa.errors import StoreThrottled
from byoa.web import forms
from local.pages.lookups import Samples
from tests.api.served import APP
from tests.web.browsing import Browser, Shown

NEW = f"/apps/{APP}/new"
EDIT = f"/apps/{APP}/components/web/edit"
FILE = """\
# kubernetes-manifest
name = "web"
type = "kubernetes_manifest"
namespace = "vendor"     # theirs

# where it comes from
[oci_artifact]
tag = "v1"
url = "oci://ghcr.io/vendor/app"
"""


@pytest.fixture
def browser() -> Browser:
    found = Browser()
    found.sign_in()
    return found


def form_of(shown: Shown) -> dict[str, str]:
    """What a browser would send of the editor as it is."""
    said: dict[str, str] = {}
    text = shown.text.partition('id="editor"')[2]
    for tag in re.findall(r"<input ([^>]*)>", text):
        names = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in names and (names.get("type") != "radio" or " checked" in tag):
            said[names["name"]] = html.unescape(names.get("value", ""))
    for tag, value in re.findall(r"<textarea ([^>]*)>\n(.*?)</textarea>", text, re.DOTALL):
        said[re.findall(r'name="([^"]*)"', tag)[0]] = html.unescape(value)
    for tag, options in re.findall(r"<select ([^>]*)>(.*?)</select>", text, re.DOTALL):
        chosen = re.findall(r'<option(?: value="([^"]*)")? selected>([^<]*)', options) or [("", "")]
        said[re.findall(r'name="([^"]*)"', tag)[0]] = html.unescape(chosen[0][0] or chosen[0][1]).replace(
            "as usual: no", ""
        )
    return said


def opened(browser: Browser, toml: str = FILE) -> dict[str, str]:
    """The editor of a component, with this file uploaded."""
    browser.hand_in("web", oci_artifact={"url": "oci://ghcr.io/vendor/app", "tag": "v1"})
    said = form_of(browser.get(EDIT))
    return form_of(browser.post(EDIT, {**said, "toml": toml}))


def test_a_new_component_is_written_in_the_form_and_built(browser: Browser) -> None:
    said = form_of(browser.get(NEW))
    said |= {"f.name": "web", "f.namespace": "vendor", "f.oci_artifact.url": "oci://ghcr.io/vendor/app"}
    shown = browser.post(NEW, {**said, "f.oci_artifact.tag": "v1", "f.labels": "team=a\nb = c", "act": "save"})
    assert re.fullmatch(r"/apps/shop/components/web/builds/bld\w{23}", shown.place), shown.words
    config = browser.served.ask("GET", f"/v1/apps/{APP}/components/web/configs/latest").json
    assert config["kubernetes_manifest"]["oci_artifact"] == {"url": "oci://ghcr.io/vendor/app", "tag": "v1"}
    assert config["labels"] == {"team": "a", "b": "c"}


def test_an_empty_editor_finds_no_fault_before_anything_is_typed(browser: Browser) -> None:
    shown = browser.get(NEW)
    assert "aria-invalid" not in shown.text
    assert "aria-invalid" in browser.post(NEW, form_of(shown)).text


def test_a_field_that_is_typed_changes_its_line_of_the_file_and_nothing_else(browser: Browser) -> None:
    said = opened(browser)
    assert said["toml"] == FILE
    found = form_of(browser.post(EDIT, {**said, "f.oci_artifact.tag": "v2"}))
    assert found["toml"] == FILE.replace('"v1"', '"v2"')
    assert found["base"] == found["toml"]


def test_a_file_that_is_typed_changes_the_form(browser: Browser) -> None:
    said = opened(browser)
    found = form_of(browser.post(EDIT, {**said, "toml": FILE.replace('"v1"', '"v3"') + "# the end\n"}))
    assert (found["f.oci_artifact.tag"], found["toml"].splitlines()[-1]) == ("v3", "# the end")


def test_both_may_be_typed_at_once(browser: Browser) -> None:
    said = opened(browser)
    found = form_of(browser.post(EDIT, {**said, "toml": FILE + '\n[labels]\na = "b"\n', "f.oci_artifact.tag": "v2"}))
    assert found["toml"] == FILE.replace('"v1"', '"v2"') + '\n[labels]\na = "b"\n'
    assert (found["f.labels"], found["f.oci_artifact.tag"]) == ("a=b", "v2")


def test_a_fault_stands_at_its_field_in_the_command_line_s_words(browser: Browser) -> None:
    said = opened(browser)
    shown = browser.post(EDIT, {**said, "f.oci_artifact.url": "ghcr.io/vendor/app", "f.build_timeout": "9h"})
    told = dict(re.findall(r'id="f\.([^"]+)\.fault">([^<]+)<', shown.text))
    faults = browser.served.ask(
        "POST", f"/v1/apps/{APP}/components/configs/check", {"toml": form_of(shown)["toml"]}
    ).json
    assert {each["field"] for each in faults["faults"]} == told.keys() == {"oci_artifact.url", "build_timeout"}
    for each in faults["faults"]:
        assert html.unescape(told[each["field"]]) == f"{each['message']}. {each['remedy']}"
    assert browser.post(EDIT, {**form_of(shown), "act": "save"}).status == 422


def test_a_file_that_is_no_toml_stays_as_it_is_and_so_does_the_form(browser: Browser) -> None:
    said, wrong = opened(browser), FILE + "name = \n= ["
    shown = browser.post(EDIT, {**said, "toml": wrong, "f.namespace": "mine"})
    found = form_of(shown)
    assert (found["toml"], found["f.namespace"], found["f.oci_artifact.tag"]) == (wrong, "mine", "v1")
    assert re.search(r"Line 1[01]: ", shown.words)
    assert form_of(browser.post(EDIT, {**found, "toml": FILE}))["toml"] == FILE.replace('"vendor" ', '"mine" ')


def test_another_source_keeps_what_was_typed_and_says_what_goes(browser: Browser) -> None:
    said = opened(browser)
    shown = browser.post(EDIT, {**said, "source": "manifest", "f.manifest": "a: 1\n"})
    found = form_of(shown)
    assert 'manifest = "' in found["toml"]
    assert "[oci_artifact]" not in found["toml"]
    assert (found["source"], found["f.oci_artifact.url"]) == ("manifest", "oci://ghcr.io/vendor/app")
    assert "oci_artifact.url goes: oci://ghcr.io/vendor/app" in shown.words
    again = form_of(browser.post(EDIT, {**found, "source": "oci_artifact"}))
    assert (again["f.oci_artifact.tag"], again["f.manifest"]) == ("v1", "a: 1\n")
    assert "manifest =" not in again["toml"]
    assert 'url = "oci://ghcr.io/vendor/app"' in again["toml"]


def test_a_source_without_anything_yet_stays_chosen(browser: Browser) -> None:
    found = form_of(browser.post(EDIT, {**opened(browser), "source": "kustomize"}))
    assert (found["source"], form_of(browser.post(EDIT, found))["source"]) == ("kustomize", "kustomize")


def test_what_saving_changes_is_said_before(browser: Browser) -> None:
    said = opened(browser)
    shown = browser.post(EDIT, {**said, "f.oci_artifact.tag": "v2", "f.drift_schedule": "0 2 * * *"})
    assert "oci_artifact.tag v1 → v2" in shown.words
    assert "drift_schedule becomes 0 2 * * *" in shown.words


def test_somebody_else_s_save_is_not_overwritten_unseen(browser: Browser) -> None:
    said = opened(browser)
    browser.hand_in("web", manifest="theirs: 1")
    shown = browser.post(EDIT, {**said, "f.oci_artifact.tag": "v2", "act": "save"})
    assert shown.status == 412
    assert "Somebody saved version 2 meanwhile." in shown.words
    assert "manifest goes: theirs: 1" in shown.words
    again = browser.post(EDIT, {**form_of(shown), "act": "save"})
    assert again.status == 303
    latest = browser.served.ask("GET", f"/v1/apps/{APP}/components/web/configs/latest").json
    assert (latest["version"], latest["kubernetes_manifest"]["oci_artifact"]["tag"]) == (3, "v2")


def test_what_is_saved_is_opened_again_as_it_was_written(browser: Browser) -> None:
    said = opened(browser)
    shown = browser.post(EDIT, {**said, "f.oci_artifact.tag": "v2", "act": "save"})
    assert shown.place.startswith("/apps/shop/components/web/builds/")
    assert form_of(browser.get(EDIT))["toml"] == FILE.replace('"v1"', '"v2"')
    assert "# where it comes from" in browser.get("/apps/shop/components/web").text


def test_comments_alone_are_kept_and_build_nothing(browser: Browser) -> None:
    said = opened(browser)
    browser.post(EDIT, {**said, "act": "save"})
    said = form_of(browser.get(EDIT))
    told = json.loads(browser.post(f"{EDIT}/check", {**said, "toml": FILE + "# the end\n"}).text)
    assert (told["changes"], told["only_layout"]) == ([], True)
    shown = browser.post(EDIT, {**said, "toml": FILE + "# the end\n", "act": "check"})
    assert "Comments or layout alone: kept with this version, and nothing is built." in shown.words
    shown = browser.post(EDIT, {**said, "toml": FILE + "# the end\n", "act": "save"})
    assert (shown.status, shown.place) == (303, "/apps/shop/components/web")
    assert form_of(browser.get(EDIT))["toml"] == FILE + "# the end\n"
    assert len(browser.served.ledger.records) == 1
    late = browser.post(EDIT, {**said, "f.oci_artifact.tag": "v9", "act": "save"})
    assert late.status == 412


def test_a_new_component_of_a_name_that_there_is_overwrites_nothing(browser: Browser) -> None:
    browser.hand_in("web", manifest="theirs: 1")
    said = {**form_of(browser.get(NEW)), "toml": FILE, "act": "save"}
    shown = browser.post(NEW, said)
    assert shown.status == 412
    assert 'action="/apps/shop/components/web/edit"' in shown.text


def test_tags_of_the_repository_are_listed_and_one_is_taken(browser: Browser) -> None:
    said = opened(browser, FILE.replace('tag = "v1"', f'digest = "sha256:{"0" * 64}"'))
    shown = browser.post(EDIT, {**said, "act": "tags"})
    assert re.findall(r"<option>([^<]+)</option>", shown.text)[-4:] == ["v2.4.0-rc.1", "v2.3.1", "v2.3.0", "latest"]
    found = form_of(browser.post(EDIT, {**form_of(shown), "tags": "v2.3.1", "act": "take"}))
    assert (found["f.oci_artifact.tag"], found["f.oci_artifact.digest"]) == ("v2.3.1", "")
    assert 'tag = "v2.3.1"' in found["toml"]
    assert "digest" not in found["toml"]
    assert "# where it comes from" in found["toml"]


class _Slow(Samples):
    def look_up(self, asked: LookUp) -> LookedUp:
        raise StoreThrottled("Lambda is busy.")


class _Many(Samples):
    def look_up(self, asked: LookUp) -> LookedUp:
        tags = TagList(tags=[f"{number:04}-{'t' * 100}" for number in range(1000)], truncated=True)
        return LookedUp(organisation=asked.organisation, action="tags", artifacts=[], tags=tags)


def test_a_registry_that_is_slow_or_refuses_says_so_at_the_field_and_changes_nothing(browser: Browser) -> None:
    said = opened(browser)
    shown = browser.post(EDIT, {**said, "f.oci_artifact.url": "oci://ghcr.io/vendor/app:v1", "act": "tags"})
    assert "Tags are listed of a repository, and this names a tag or a digest." in listed(shown)
    browser.served.lasting = 60
    assert "The registry takes its time" in listed(browser.post(EDIT, {**said, "act": "tags"}))
    browser.served.lasting = 0
    browser.served.functions = _Slow(browser.served.clock)
    shown = browser.post(EDIT, {**said, "act": "tags"})
    assert "Lambda is busy." in listed(shown)
    assert 'id="notice"' in shown.text
    assert form_of(shown)["toml"] == FILE


def test_a_repository_of_many_tags_leaves_the_page_small(browser: Browser) -> None:
    said = opened(browser)
    browser.served.functions = _Many(browser.served.clock)
    shown = browser.post(EDIT, {**said, "act": "tags"})
    assert "There are more" in listed(shown)
    assert len(shown.text) < 50 * 1024


def listed(shown: Shown) -> str:
    return shown.text.partition('id="listed"')[2].partition("</div>\n</div>")[0]


def test_resolve_shows_what_it_is_what_it_holds_what_is_attached_and_who_could_use_it(browser: Browser) -> None:
    said = opened(browser)
    words = browser.post(EDIT, {**said, "act": "resolve"}).words
    for told in (
        "Digest sha256:", "Size 47.1 KiB in all", "Format flux", "Resources 1: Deployment web",
        "Images ghcr.io/vendor/app:2.3.1", "Attached signature sha256:",
        "Nobody has checked it: this platform verifies no signatures yet", "Usable by BYOA: yes Flux: yes Argo CD: yes",
    ):  # fmt: skip
        assert told in words, told


def test_a_component_keeps_its_name(browser: Browser) -> None:
    shown = browser.post(EDIT, {**opened(browser), "toml": FILE.replace('"web"', '"api"'), "act": "save"})
    assert shown.status == 422
    assert "this is the file of web" in shown.words


def test_a_session_that_ends_in_the_middle_loses_nothing(browser: Browser) -> None:
    said = {**opened(browser), "f.oci_artifact.tag": "v2", "act": "save"}
    browser.served.clock.moment += timedelta(hours=13)
    shown = browser.post(EDIT, said)
    assert shown.status == 401
    assert "what you typed is kept" in shown.words
    kept = {html.unescape(a): html.unescape(b) for a, b in re.findall(r'name="([^"]+)" value="([^"]*)"', shown.text)}
    assert kept["kept.toml"] == FILE
    wrong = browser.post("/auth/login", {**kept, "token": "none"})
    assert wrong.status == 401
    assert "kept.toml" in wrong.text
    signed_in = browser.post("/auth/login", {**kept, "token": browser.served.token()})
    assert signed_in.status == 200
    draft = {
        html.unescape(a): html.unescape(b) for a, b in re.findall(r'name="([^"]+)" value="([^"]*)"', signed_in.text)
    }
    found = form_of(browser.post(EDIT, draft))
    assert (found["f.oci_artifact.tag"], found["toml"]) == ("v2", FILE.replace('"v1"', '"v2"'))


def test_the_script_is_told_the_same_as_the_page(browser: Browser) -> None:
    said = {**opened(browser), "f.oci_artifact.tag": "v2", "f.namespace": "A b"}
    told: dict[str, Any] = json.loads(browser.post(f"{EDIT}/check", said).text)
    page = form_of(browser.post(EDIT, said))
    assert told["toml"] == page["toml"]
    assert all(page[f"f.{path}"] == text for path, text in told["typed"].items())
    assert [each["field"] for each in told["faults"]] == ["namespace"]
    assert ["oci_artifact.tag", "v1", "v2"] in told["changes"]
    assert browser.sent[1:] == [], "checking is done in the function's own process"
    assert [each for each in browser.served.ask("GET", "/v1/audit").json if "check" in each["operation"]] == []


def test_whoever_may_only_read_may_look_and_not_save(browser: Browser) -> None:
    said = opened(browser)
    reader = Browser(browser.served)
    reader.sign_in("read")
    assert reader.post(f"{EDIT}/check", said).status == 200
    assert reader.post(EDIT, {**said, "f.oci_artifact.tag": "v2", "act": "save"}).status == 403


def test_markup_that_is_typed_comes_back_as_text(browser: Browser) -> None:
    wrong = '</textarea><script>alert(1)</script>"><img src=x>'
    shown = browser.post(EDIT, {**opened(browser), "f.namespace": wrong})
    assert "<script>alert" not in shown.text
    assert "<img" not in shown.text
    assert form_of(shown)["f.namespace"] == wrong


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"max_auto_retries": "3"}, {"max_auto_retries": 3}),
        ({"max_auto_retries": "many"}, {"max_auto_retries": "many"}),
        ({"skip_noops": "true"}, {"skip_noops": True}),
        ({"dependencies": "a\n\n b \n"}, {"dependencies": ["a", "b"]}),
        ({"labels": "a=b=c\nd"}, {"labels": {"a": "b=c", "d": ""}}),
        ({"namespace": "  vendor "}, {}),
        ({"namespace": ""}, {"namespace": None}),
        ({"nothing": "a", "oci_artifact.tag": "v1"}, {}),
    ],
)
def test_what_a_field_s_text_means(typed: dict[str, str], said: dict[str, Any]) -> None:
    before = {"namespace": "vendor", "manifest": "a: 1"}
    assert forms.changes_of(before, before, typed, "manifest") == said


def test_every_field_of_the_form_is_one_of_the_format() -> None:
    schema = Browser().served.ask("GET", "/v1/general/config-schema?type=kubernetes-manifest").json
    for field in forms.FIELDS:
        part = schema
        for name in field.path.split("."):
            part = part.get("properties", part)
            part = part[name]
            if "$ref" in json.dumps(part):
                part = schema["$defs"][re.findall(r"#/\$defs/(\w+)", json.dumps(part))[0]]
