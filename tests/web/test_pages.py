"""Pages, asked in this process: what they show, of what, and to whom."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from byoa.adapters.memory.inventory import MemoryInventory
from byoa.tracking.messages import Moved
from byoa.web import app
from byoa.web.app import ROUTES
from byoa.web.assets import files, packed, version
from tests.api.served import APP, OTHER
from tests.web.browsing import Browser, links

ARTIFACT = {"oci_artifact": {"url": "oci://ghcr.io/vendor/app-manifests", "tag": "v2.3.1", "credentials_ref": "ghcr"}}
COMPONENT = f"/apps/{APP}/components/web"


@pytest.fixture
def browser() -> Browser:
    found = Browser()
    found.sign_in()
    return found


def built(browser: Browser, name: str = "web") -> str:
    build_id: str = browser.hand_in(name, **ARTIFACT, dependencies=["database"])["build_id"]
    browser.go_well(build_id)
    return build_id


# ---- what is shown -----------------------------------------------------------------------------------------------


def test_a_component_tells_its_source_its_pin_and_its_mirrors(browser: Browser) -> None:
    built(browser)
    words = browser.get(COMPONENT).words
    for each in ("OCI artifact", "oci://ghcr.io/vendor/app-manifests", "v2.3.1 → sha256:fac2bf4015b3", "ghcr",
                 "3 objects, flux", "not required", "database", "no component of shop has this name"):  # fmt: skip
        assert each in words, each


def test_a_pin_is_of_the_newest_version_or_not_there_yet(browser: Browser) -> None:
    built(browser)
    browser.hand_in(oci_artifact={**ARTIFACT["oci_artifact"], "tag": "v2.3.2"})
    words = browser.get(COMPONENT).words
    assert "v2.3.2 → not pinned yet" in words
    assert "of version 1" in words


def test_a_build_tells_the_artifact_in_nuons_order_and_how_it_went(browser: Browser) -> None:
    build = built(browser)
    shown = browser.get(f"{COMPONENT}/builds/{build}")
    names = re.findall(r"<dt>([^<]+)</dt>", shown.text.partition("OCI artifact</h2>")[2].partition("</dl>")[0])
    assert names[:6] == ["Created", "Tag", "Repository", "Size", "Digest", "Media type"]
    timeline = shown.words.partition("Timeline")[2].partition("OCI artifact")[0]
    places = [timeline.index(each) for each in ("waiting for the pipeline", "mirrored to ecr", "ready to install")]
    assert places == sorted(places)
    for each in ("oras pull ", "crane export ", "flux pull artifact oci://", "kustomize build "):
        assert re.search(rf"{each}\S*@sha256:fac2bf4015b35638|{each}manifests", shown.words), each
    assert "Deployment 1" in shown.words
    assert "ghcr.io/vendor/web:v2.3.1" in shown.words


def test_a_build_names_its_objects_and_how_many_more_there_are(browser: Browser) -> None:
    build = browser.hand_in("web", **ARTIFACT)["build_id"]
    names = [f"vendor/{number:03}" for number in range(480)]
    browser.go_well(build, objects={"by_kind": {"ConfigMap": names, "Namespace": ["vendor"]}, "left_out": 20})
    shown = browser.get(f"{COMPONENT}/builds/{build}")
    assert "ConfigMap vendor/000" in shown.words
    assert "vendor/200" not in shown.words
    assert "And 301 more" in shown.words
    assert len(browser.served.ask("GET", f"/v1{COMPONENT}/builds/{build}/resources").json["resources"]) == 481
    assert len(shown.text) < 50 * 1024


def test_a_failure_has_its_cause_its_remedy_and_where_to_read_on(browser: Browser) -> None:
    browser.fail(browser.hand_in()["build_id"], cause="There is no such tag.", remedy="Push it first.")
    for place in (COMPONENT, "/apps/shop/components/web"):
        shown = browser.get(place)
        assert "There is no such tag. Push it first." in shown.words
        assert "/errors#ReferenceNotFound" in links(shown)
    assert 'id="ReferenceNotFound"' in browser.get("/errors").text
    assert "Run <code>byoa validate</code> and mend" in browser.get("/errors").text


def test_the_overview_does_not_say_of_an_older_mirror_that_there_never_was_one(browser: Browser) -> None:
    assert "byoa sync" in browser.get("/").words
    built(browser)
    browser.hand_in(oci_artifact={**ARTIFACT["oci_artifact"], "tag": "v2.3.2"})
    pinned = browser.get("/").words.partition("Pinned last")[2].partition("Open an app")[0]
    assert "No component's newest build has a mirror." in pinned.replace("&#39;", "'")
    assert "byoa sync" not in pinned


def test_a_tag_that_moved_is_told_with_both_digests(browser: Browser) -> None:
    built(browser)
    place, was = next((place, each) for place, each in browser.served.components.items() if each.name == "web")
    at_ts = was.updated_at_ts + 1
    moved = Moved(
        version=was.version, tag="v2.3.1", before="sha256:" + "a" * 64, after="sha256:" + "b" * 64, at_ts=at_ts
    )
    browser.served.components[place] = replace(was, moved=moved)
    words = browser.get(COMPONENT).words
    assert "v2.3.1 was sha256:aaaaaaaaaaaa and is sha256:bbbbbbbbbbbb" in words
    assert "the tag moved" in browser.get("/apps/shop").words


def test_components_are_ten_a_page_and_searched_by_what_names_begin_with(browser: Browser) -> None:
    for number in range(12):
        browser.hand_in(f"service-{number:02}")
    browser.hand_in("other")
    first, second = browser.get("/apps/shop"), browser.get("/apps/shop?q=&page=1")
    assert first.text.count('<li class="component">') == 10
    assert 'rel="next"' in first.text
    assert 'rel="prev"' not in first.text
    assert second.text.count('<li class="component">') == 3
    assert 'rel="next"' not in second.text
    found = browser.get("/apps/shop?q=oth")
    assert found.text.count('<li class="component">') == 1
    assert 'value="oth"' in found.text
    assert "Show all of shop" in browser.get("/apps/shop?q=none").words


def test_components_of_a_status_are_found_among_all(browser: Browser) -> None:
    for number in range(12):
        browser.hand_in(f"service-{number:02}")
    browser.fail(browser.hand_in("zebra")["build_id"])
    shown = browser.get("/apps/shop?status=error")
    assert re.findall(r'components/([^/"?]+)"', shown.text.partition("rows card")[2])[:1] == ["zebra"]
    assert browser.get("/apps/shop?status=nonsense&page=x").status == 200


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("/", "hands in a folder of components"),
        ("/apps/empty", "byoa sync --app empty"),
        ("/apps/shop?q=zzz", "Show all of shop"),
    ],
)
def test_an_empty_page_names_the_next_step(browser: Browser, place: str, told: str) -> None:
    assert told in browser.get(place).words


def test_every_page_leads_to_the_same_as_json_and_as_curl(browser: Browser) -> None:
    build = built(browser)
    for place in ("/apps/shop", COMPONENT, f"{COMPONENT}/builds/{build}"):
        shown = browser.get(place)
        found = [each for each in links(shown) if each.startswith("/json/v1/")]
        assert found, place
        for each in found:
            answer = browser.get(each.replace("&amp;", "&"))
            assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json; charset=utf-8")
            json.loads(answer.text)
        assert 'curl -H "Authorization: Bearer $BYOA_TOKEN" \'https://dashboard.example/v1/apps/shop' in shown.words
    assert browser.get("/json/v1/apps/shop/components/none").status == 404
    assert browser.get("/json/healthz").status == 404
    assert browser.get("/json/v1/account?path=a&self=b").status == 200, "names of ours are names like others"


def test_a_build_is_found_by_its_id_alone(browser: Browser) -> None:
    build = built(browser)
    assert browser.get(f"/builds/{build}").place == f"{COMPONENT}/builds/{build}"
    assert browser.get("/builds/bld7q362lqznuy44m52dmsrxgu").status == 404


# ---- what is done ------------------------------------------------------------------------------------------------


def test_a_build_is_made_anew_and_cancelled_by_the_api_s_own_function(browser: Browser) -> None:
    built(browser)
    made = browser.post(f"{COMPONENT}/build")
    assert made.status == 303
    shown = browser.get(made.place)
    assert "version 2" in shown.words
    assert 'data-live="2"' in shown.text
    assert browser.post(f"{made.place}/cancel").place == made.place
    assert "Somebody cancelled the build." in browser.get(made.place).words
    assert [each["rawPath"].rpartition("/")[2] for each in browser.sent] == ["sessions", "builds", "cancel"]


def test_whoever_may_only_read_is_told_so(browser: Browser) -> None:
    built(browser)
    reader = Browser(browser.served)
    reader.sign_in("read")
    refused = reader.post(f"{COMPONENT}/build")
    assert refused.status == 403
    assert "The token lacks the scope sync." in refused.words
    assert "<code>byoa tokens create NAME --scope sync</code>" in refused.text, "what is to be typed"


def test_writes_are_noted_with_the_reader_s_own_address_and_session(browser: Browser) -> None:
    built(browser)
    browser.post(f"{COMPONENT}/build")
    deed = browser.served.ask("GET", "/v1/audit").json[0]
    assert (deed["operation"], deed["source_address"], deed["status"]) == ("create_build", "192.0.2.1", 201)
    assert deed["token_name"] == "session of test"


# ---- not twice ---------------------------------------------------------------------------------------------------


def test_a_page_that_has_not_changed_is_not_made_again(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("/", "/apps/shop", COMPONENT):
        browser.hand_in()
        etag = browser.get(place).headers["ETag"]
        with monkeypatch.context() as patched:
            patched.setattr(app, "render", None)  # whoever renders fails
            again = browser.get(place, if_none_match=etag)
        assert (again.status, again.text) == (304, "")
    browser.fail(browser.hand_in()["build_id"])
    assert browser.get(COMPONENT, if_none_match=etag).status == 200


def test_what_is_attached_stands_below_what_it_refers_to(browser: Browser) -> None:
    build = browser.hand_in("web", **ARTIFACT)["build_id"]
    root, child, sbom, signature, other = (f"sha256:{each * 64}" for each in "fabcd")
    attached = [
        {"digest": sbom, "subject": root, "kind": "sbom"},
        {"digest": other, "subject": child, "kind": "attestation"},
        {"digest": signature, "subject": sbom, "kind": "signature", "tag": f"sha256-{'b' * 64}.sig"},
    ]
    pinned = "fac2bf4015b35638ed9d43cff4f53e09743639903d7b6f839127b6589d27b581"
    browser.go_well(build, {pinned: "f" * 64}, attachments=attached)
    shown = browser.get(f"{COMPONENT}/builds/{build}")
    (part,) = re.findall(r"<h3>Attached to it</h3>(.*?)</section>", shown.text, re.DOTALL)
    depth, found = 0, []
    for tag, digest in re.findall(r'(</?ul)|title="(sha256:[a-f0-9]{64})"', part):
        depth += {"<ul": 1, "</ul": -1}.get(tag, 0)
        found += [(depth, digest)] if digest else []
    assert found == [(1, sbom), (2, signature), (1, child), (2, other)]
    assert "SBOM" in shown.words
    assert "below the artifact:" in shown.words
    told = browser.served.ask("GET", f"/v1{COMPONENT}/builds/{build}/attachments").json["attachments"]
    assert [(each["digest"], each["subject"]) for each in told] == [(sbom, root), (other, child), (signature, sbom)]


def test_of_a_build_that_kept_no_subjects_attachments_are_listed(browser: Browser) -> None:
    build = browser.hand_in("web", **ARTIFACT)["build_id"]
    one = f"sha256:{'b' * 64}"
    browser.go_well(build, attachments=[{"digest": one, "tag": "x.sig", "subject": one, "kind": "sbom"}])
    (objects,) = browser.served.ledger.named.values()
    for name, left in list(browser.served.ledger.named.items()):
        browser.served.ledger.named[name] = left.model_copy(update={"attached": None})
    told = browser.served.ask("GET", f"/v1{COMPONENT}/builds/{build}/attachments").json["attachments"]
    assert told == [{"digest": one, "tag": "x.sig", "subject": None, "kind": "other"}], objects
    assert "x.sig" in browser.get(f"{COMPONENT}/builds/{build}").words


def test_for_a_build_that_has_not_changed_nothing_is_read_but_the_build(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"{COMPONENT}/builds/{built(browser)}"
    etag = browser.get(place).headers["ETag"]
    for name in ("receipt", "objects"):
        monkeypatch.setattr(MemoryInventory, name, None)  # whoever reads them fails
    monkeypatch.setattr(app, "render", None)
    assert browser.get(place, if_none_match=etag).status == 304


def test_the_overview_is_made_of_one_list_of_each_kind(browser: Browser) -> None:
    for number in range(7):
        made = browser.served.ask("POST", f"/v1/apps/app{number}/components", {"name": "web"})
        assert made.status == 201
    shown = browser.get("/")
    asked = re.findall(r'href="/json(/v1/[^"]*)"', shown.text)
    assert {each.partition("?")[0] for each in asked} == {"/v1/apps", "/v1/components", "/v1/install-components"}
    assert len(asked) == 3


def test_another_reader_s_page_is_another(browser: Browser) -> None:
    browser.hand_in()
    etag = browser.get(COMPONENT).headers["ETag"]
    browser.sign_in("read")
    assert browser.get(COMPONENT, if_none_match=etag).status == 200


def test_assets_are_kept_for_good_under_a_name_of_their_own() -> None:
    browser = Browser()
    for name, content in files().items():
        shown = browser.get(f"/assets/{version()}/{name}")
        assert "immutable" in shown.headers["Cache-Control"]
        assert shown.text == content.decode()
        assert browser.get(f"/assets/older0000000/{name}").headers["Cache-Control"] == "no-cache"
        zipped = browser.get(f"/assets/{version()}/{name}", accept_encoding="gzip, br")
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert len(packed(name)) < len(content) or len(content) < 400
    assert browser.get(f"/assets/{version()}/none.js").status == 404


def test_pages_are_small(browser: Browser) -> None:
    for number in range(50):
        browser.hand_in(f"service-{number:02}", **ARTIFACT)
    build = built(browser)
    for number in range(50):
        browser.served.ask("POST", "/v1/tokens", {"name": f"token-{number:02}", "scopes": ["sync"]})
        browser.served.ask("POST", "/v1/hooks", {"name": f"hook-{number:02}", "kind": "github"})
    for place in ("/", "/apps/shop?status=queued", "/tokens", "/hooks-in", "/audit", f"{COMPONENT}/compare"):
        assert len(browser.get(place).text) < 50 * 1024, place
    assets = sum(len(content) for content in files().values())
    for place in ("/apps/shop", COMPONENT, f"{COMPONENT}/builds/{build}", "/errors"):
        assert len(browser.get(place).text) + assets < 100 * 1024, place


# ---- whose session it is -----------------------------------------------------------------------------------------

CLOSED = [route for route in ROUTES if not route.open]


@pytest.mark.parametrize("route", CLOSED, ids=lambda route: f"{route.method} {route.path}")
def test_nobody_who_is_not_signed_in_sees_anything(route: object) -> None:
    browser = Browser()
    build = browser.hand_in()["build_id"]
    names = {
        "app": APP,
        "component": "web",
        "build": build,
        "path:rest": "v1/apps/shop/components",
        "ref": "ghcr",
        "token": "tok",
        "hook": "hok",
    }
    path = re.sub(r"<([\w:]+)>", lambda found: names.get(found[1], "x"), route.path)  # type: ignore[attr-defined]
    before = len(browser.served.deeds)
    shown = browser.ask(route.method, path)  # type: ignore[attr-defined]
    assert shown.status in (303, 401)
    assert shown.place.startswith("/auth/login") or "API token" in shown.words
    assert build not in shown.text
    assert browser.sent == []
    assert len(browser.served.deeds) == before


def test_what_is_another_organisation_s_is_as_if_there_were_none(browser: Browser) -> None:
    build = built(browser)
    stranger = Browser(browser.served)
    stranger.sign_in(org=OTHER)
    for place in (COMPONENT, f"{COMPONENT}/builds/{build}", f"/builds/{build}", f"/json/v1/builds/{build}"):
        assert stranger.get(place).status == 404, place
    assert "no component yet" in stranger.get("/apps/shop").words
