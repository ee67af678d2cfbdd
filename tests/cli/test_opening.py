"""`byoa open`: which page of the dashboard, and what opens it."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from byoa.web.app import ROUTES
from byoa_cli.opening import path_of
from tests.api.served import APP
from tests.cli.homes import FINE, MEND, USAGE, Home

if TYPE_CHECKING:
    from pathlib import Path

DASHBOARD = "https://dashboard.example.com"


@pytest.mark.parametrize(
    ("words", "app", "path"),
    [
        (("web",), "shop", "/apps/shop/components/web"),
        (("web", "--app", "other"), "shop", "/apps/other/components/web"),
        ((), "shop", "/apps/shop"),
        ((), "", "/"),
    ],
)
def test_a_page_s_address_is_printed(words: tuple[str, ...], app: str, path: str, stranger: Home) -> None:
    for place in (DASHBOARD, f"{DASHBOARD}/"):
        done = stranger.byoa("open", *words, "--print", BYOA_DASHBOARD=place, BYOA_APP=app)
        assert (done.code, done.out, done.err) == (FINE, f"{DASHBOARD}{path}\n", "")


@pytest.mark.parametrize(
    ("app", "component", "name"),
    [(None, None, "show_overview"), ("shop", None, "list_components"), ("my_shop-2", "web-1", "show_component")],
)
def test_the_dashboard_has_such_a_page(app: str | None, component: str | None, name: str) -> None:
    path = path_of(app, component)
    found = [route.function.__name__ for route in ROUTES if route.method == "GET" and route.match(path) is not None]
    assert found == [name]


def test_a_browser_is_given_the_page(stranger: Home, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    done = stranger.byoa("open", "web", BYOA_DASHBOARD=DASHBOARD, BYOA_APP=APP, BROWSER=str(browser))
    assert (done.code, done.out) == (FINE, "")
    assert (tmp_path / "opened").read_text() == f"{DASHBOARD}/apps/shop/components/web"


def test_where_no_browser_starts_the_address_is_told(stranger: Home) -> None:
    done = stranger.byoa("open", BYOA_DASHBOARD=DASHBOARD, BROWSER="/nowhere/browser", PATH="/nowhere")
    assert (done.code, done.out) == (MEND, f"{DASHBOARD}/\n")
    assert "no browser" in done.err


def test_without_a_dashboard_it_says_what_names_one(stranger: Home) -> None:
    done = stranger.byoa("open", "--print")
    assert (done.code, done.out) == (USAGE, "")
    for word in ("--dashboard", "BYOA_DASHBOARD", "DashboardUrl"):
        assert word in done.err
    done = stranger.byoa("open", "web", "--print", BYOA_DASHBOARD=DASHBOARD)
    assert (done.code, "BYOA_APP" in done.err) == (USAGE, True)


def test_a_login_keeps_the_dashboard_for_its_api_alone(stranger: Home) -> None:
    assert stranger.login("--app", APP, "--dashboard", DASHBOARD).code == FINE
    assert tomllib.loads(stranger.file.read_text())["profiles"]["default"]["dashboard"] == DASHBOARD
    assert stranger.byoa("open", "web", "--print").out == f"{DASHBOARD}/apps/shop/components/web\n"
    assert stranger.login().code == FINE
    assert stranger.byoa("open", "--print").out == f"{DASHBOARD}/apps/shop\n", "another token changes nothing of it"
    assert stranger.byoa("open", "--print", BYOA_API="https://api.example.com").code == USAGE


@pytest.mark.parametrize("place", [
    "http://dashboard.example.com", "dashboard", "javascript:alert(1)", "file:///etc/passwd", "https://a.example/?x",
    "https://me:word@a.example",
])  # fmt: skip
def test_what_is_no_page_over_https_is_refused(place: str, home: Home) -> None:
    assert home.byoa("open", "--print", BYOA_DASHBOARD=place).code == USAGE
    home.file.write_text(home.file.read_text() + f'dashboard = "{place}"\n')
    done = home.byoa("open", "--print", "--profile", "default")
    assert (done.code, "ProfileUnreadable" in done.err) == (MEND, True)


def test_a_desk_s_dashboard_is_on_this_machine(stranger: Home) -> None:
    for place in ("http://b40a0b40.execute-api.localhost:4666", "http://127.0.0.1:8080", "http://localhost:8080"):
        assert stranger.byoa("open", "--print", BYOA_DASHBOARD=place).out == f"{place}/\n"
    done = stranger.byoa("whoami", BYOA_API="http://a.localhost:1", BYOA_TOKEN=stranger.token)
    assert done.code == USAGE, "a token goes to no name that a resolver may have elsewhere"
