"""The documentation as a site: it builds without a complaint, and its pages ask no other host for anything."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.docs.blocks import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

ZENSICAL: Final = Path(sys.executable).with_name("zensical")
CONFIG: Final = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]


def _pages(entries: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Titles with their pages; an entry may be a list of entries."""
    for title, page in (each for entry in entries for each in entry.items()):
        yield from [(title, page)] if isinstance(page, str) else _pages(page)


NAVIGATION: Final = dict(_pages(CONFIG["nav"]))
GENERATED: Final = (
    "api-reference.md", "component-config.md", "command-line.md", "messages.md",
    "figures.md", "decisions/index.md", "registries/kinds.md",
)  # fmt: skip
LOADED: Final = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
ASKED_FOR_BY_SCRIPTS: Final = ("mermaid", "glightbox", "pyodide", "data-md-source")
"""What the theme's script would load from elsewhere if a page had it."""


class Loads(HTMLParser):
    """What a browser loads with a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        place = attributes.get(LOADED.get(tag, "")) or (attributes.get("href") if tag == "link" else None)
        if place and attributes.get("rel") not in {"canonical", "next", "prev"}:
            self.found.append(place)


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(ZENSICAL), "build", "--strict", "--clean"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, so that no build of the user's is touched."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "zensical.toml", folder)
    return folder


@pytest.fixture(scope="module")
def site(project: Path) -> Path:
    done = build(project)
    assert done.returncode == 0, done.stdout + done.stderr
    return project / ".site"


@pytest.mark.parametrize("title", NAVIGATION)
def test_every_page_of_the_navigation_is_there_with_its_title(title: str, site: Path) -> None:
    page = (site / NAVIGATION[title]).with_suffix(".html")
    assert re.search(rf'<h1 id="[^"]+">{title}', page.read_text())


def test_every_page_is_in_the_navigation_or_listed_with_the_decisions() -> None:
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    listed = re.findall(r"\]\(([^)]+\.md)\)", (ROOT / "docs" / "decisions" / "index.md").read_text())
    assert pages == {*NAVIGATION.values(), *(f"decisions/{name}" for name in listed)}


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    loads = {place for page in site.rglob("*.html") for place in Loads(page).found}
    assert any(place.endswith(".css") for place in loads)
    assert any(place.endswith(".js") for place in loads)
    assert not [place for place in loads if re.match(r"[a-z]+:|//", place)]


def test_no_style_loads_anything_from_another_host(site: Path) -> None:
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style.read_text())


@pytest.mark.parametrize("word", ASKED_FOR_BY_SCRIPTS)
def test_no_page_has_what_the_scripts_would_load_from_another_host(word: str, site: Path) -> None:
    for page in site.rglob("*.html"):
        assert not re.search(rf'<[^>]+\b(?:class|data-md-component)="[^"]*{word}', page.read_text()), page


@pytest.mark.parametrize("link", ["[there](nowhere.md)", "[there](errors.md#nowhere)"])
def test_a_broken_link_fails_the_build_that_succeeds_without_it(link: str, site: Path, tmp_path: Path) -> None:
    shutil.copytree(site.parent / "docs", tmp_path / "docs")
    shutil.copy(site.parent / "zensical.toml", tmp_path)
    with (tmp_path / "docs" / "index.md").open("a") as page:
        page.write(f"\n{link}\n")
    assert build(tmp_path).returncode != 0


@pytest.fixture(scope="module")
def made_anew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated pages, by a user who has a stack's variables set and a narrow terminal."""
    folder = tmp_path_factory.mktemp("pages")
    environment = {"PATH": "/usr/bin:/bin", "BYOA_ORG": "org_000000000000", "BYOA_TABLE": "table", "COLUMNS": "40"}
    command = [sys.executable, "-m", "local.pages", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("page", GENERATED)
def test_a_generated_page_says_what_the_code_says(page: str, made_anew: Path) -> None:
    assert (ROOT / "docs" / page).read_text() == (made_anew / page).read_text(), "`make docs` writes it anew"


def test_no_other_page_is_generated(made_anew: Path) -> None:
    assert {str(path.relative_to(made_anew)) for path in made_anew.rglob("*.md")} == set(GENERATED)
