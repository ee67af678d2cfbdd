"""Nothing that an artifact or a component says can become markup, or pass for what it is not."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from byoa.web import texts
from byoa.web.rendering import FOLDER, environment
from tests.web.browsing import Browser

HOSTILE = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>{{7*7}}&lt;b&gt;"
STEERING = "a\u202eb\u200bc\x1bd\x00"


@pytest.mark.parametrize("said", [HOSTILE, STEERING], ids=["markup", "steering"])
def test_a_hostile_artifact_is_text_wherever_it_is_printed(said: str) -> None:
    browser = Browser()
    browser.sign_in()
    source = {"url": "oci://ghcr.io/vendor/app-manifests", "tag": "v2.3.1"}
    build = browser.hand_in("web", oci_artifact=source, labels={"team": "a"})["build_id"]
    browser.go_well(
        build, format=said, kinds={said: 1, **{f"{said}{n}": n for n in range(9)}}, namespaces=[said], images=[said],
        usable_by={said: True},
    )  # fmt: skip
    failed = browser.hand_in("api")["build_id"]
    browser.fail(failed, cause=said, remedy=said, where=said)
    component = "/apps/shop/components/"
    for place in (
        "/", "/apps/shop", f"{component}web", f"{component}web/builds/{build}",
        f"{component}api", f"{component}api/builds/{failed}",
    ):  # fmt: skip
        shown = browser.get(place)
        assert shown.status == 200
        elements = elements_of(shown.text)
        assert [name for name, _ in elements].count("script") == 1, place
        assert not {"img", "b"} & {name for name, _ in elements}, place
        assert not [each for _, names in elements for each in names if each.startswith("on")], place
        assert not set("\u202e\u200b\x1b\x00") & set(shown.text), place
    words = browser.get(f"{component}web/builds/{build}").words
    assert (said in words) if said is HOSTILE else (r"a\u202eb\u200bc\x1bd\x00" in words)


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))


def elements_of(text: str) -> list[tuple[str, list[str]]]:
    parser = _Elements()
    parser.feed(text)
    return parser.found


def test_what_a_name_may_be_keeps_paths_apart() -> None:
    browser = Browser()
    browser.sign_in()
    for place in ("/apps/..%2f..", "/apps/<b>", "/apps/a b", "/apps/shop/components/x/y", "/apps/" + "a" * 300):
        shown = browser.get(place)
        assert shown.status == 404, place
        assert "<b>" not in shown.text


def test_no_template_leaves_the_escapes_out() -> None:
    for path in FOLDER.rglob("*.html"):
        assert not re.search(r"\|\s*safe|autoescape|Markup", path.read_text()), path.name
    assert environment().autoescape is True


def test_a_text_of_a_field_comes_back_as_it_is() -> None:
    assert texts.visible(texts.Exact(STEERING)) == STEERING
    assert texts.visible(STEERING) == r"a\u202eb\u200bc\x1bd\x00"
    assert texts.visible("two\nlines\t") == "two\nlines\t"
    assert texts.visible(None) == ""
    assert texts.visible(3) == 3


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1024**3, "1.0 GiB"),
        (5 * 1024**5, "5120.0 TiB"), (None, ""),
    ],
)  # fmt: skip
def test_sizes(count: int | None, shown: str) -> None:
    assert texts.size(count) == shown


@pytest.mark.parametrize(
    ("taken", "shown"), [(0, "0.0 s"), (59_900, "59.9 s"), (61_000, "1 min 1 s"), (3_700_000, "1 h 1 min"), (None, "")]
)
def test_durations(taken: int | None, shown: str) -> None:
    assert texts.duration(taken) == shown


def test_moments_say_when_exactly_and_in_which_zone() -> None:
    told = '<time datetime="2026-01-01T00:00:00.000+00:00">2026-01-01 00:00:00 UTC</time>'
    assert texts.when(1767225600000) == texts.when("2026-01-01T00:00:00Z") == texts.when("2026-01-01T00:00:00") == told
    assert texts.when(None) == ""


def test_a_digest_is_told_by_its_first_figures() -> None:
    assert texts.short("sha256:fac2bf4015b35638ed9d") == "sha256:fac2bf4015b3"
    assert texts.short(None) == ""
