"""Who is let in to the dashboard, for how long, and what no other site can do."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from byoa.api.tokens import SESSION_MS, SESSIONS, parse_token
from byoa.errors import StoreThrottled
from byoa.web.app import ROUTES
from byoa.web.guards import POLICY
from tests.api.served import ORG
from tests.web.browsing import HOST, Browser

if TYPE_CHECKING:
    from byoa.api.ports import World

COOKIE = "__Host-session"
ID = "sec-fetch-site"


@pytest.fixture
def browser() -> Browser:
    return Browser()


# ---- the cookie --------------------------------------------------------------------------------------------------


def test_a_browser_keeps_a_session_and_not_the_token(browser: Browser) -> None:
    token = browser.served.token("sync")
    shown = browser.post("/auth/login", {"token": f" {token}\n", "next": ""})
    (cookie,) = shown.cookies
    assert cookie.startswith(f"{COOKIE}=byoa_{ORG}_tok")
    assert cookie.endswith("; Max-Age=43200; Path=/; Secure; HttpOnly; SameSite=Lax")
    secret = parse_token(token)
    assert secret
    assert secret.secret not in str(shown)
    session = browser.served.ask("GET", "/v1/account", token=browser.cookies[COOKIE]).json
    assert (session["name"], session["scopes"]) == ("session of test", ["sync"])


def test_a_session_is_known_as_one_and_never_longer_than_its_token(browser: Browser) -> None:
    token = browser.served.token("read", days=1)
    made = browser.served.ask("POST", "/v1/sessions", token=token).json
    assert made["token_type"] == "session"
    assert made["expires_at"] < browser.served.ask("GET", "/v1/account", token=token).json["expires_at"]
    browser.served.clock.moment += timedelta(hours=11)
    second = browser.served.ask("POST", "/v1/sessions", token=made["token"]).json
    assert second["expires_at"] == made["expires_at"], "a session is no way to a longer one"
    assert second["name"] == made["name"]
    assert [each["token_type"] for each in browser.served.ask("GET", "/v1/tokens").json].count("session") == 2


def test_a_session_lasts_half_a_day(browser: Browser) -> None:
    browser.sign_in()
    browser.served.clock.moment += timedelta(milliseconds=SESSION_MS - 1000)
    assert browser.get("/").status == 200
    browser.served.clock.moment += timedelta(seconds=1)
    shown = browser.get("/")
    assert (shown.status, shown.place) == (303, "/auth/login")
    assert browser.cookies == {}


def test_a_token_has_so_many_sessions_and_the_oldest_makes_room(browser: Browser) -> None:
    token = browser.served.token("read")
    first = browser.served.ask("POST", "/v1/sessions", token=token).json["token"]
    for _ in range(SESSIONS - 1):
        last = browser.served.ask("POST", "/v1/sessions", token=token).json["token"]
    assert browser.served.ask("GET", "/v1/account", token=first).status == 200
    browser.served.ask("POST", "/v1/sessions", token=last)
    told = [browser.served.ask("GET", "/v1/account", token=each).status for each in (first, last, token)]
    assert told == [401, 200, 200]


def test_a_session_ends_with_the_token_that_it_is_of(browser: Browser) -> None:
    presented = parse_token(browser.sign_in("read"))
    assert presented
    assert browser.get("/").status == 200
    assert browser.served.ask("DELETE", f"/v1/tokens/{presented.id}").status == 204
    session = browser.cookies[COOKIE]
    assert browser.get("/").place == "/auth/login"
    assert browser.served.ask("GET", "/v1/account", token=session).code == "token_refused"


def test_signing_out_ends_the_session_at_the_api_too_and_leaves_the_token(browser: Browser) -> None:
    token = browser.sign_in()
    session = browser.cookies[COOKIE]
    shown = browser.post("/auth/logout")
    assert (shown.status, shown.place) == (303, "/auth/login")
    assert browser.cookies == {}
    assert browser.served.ask("GET", "/v1/account", token=session).status == 401
    assert browser.served.ask("GET", "/v1/account", token=token).status == 200
    assert browser.served.ask("DELETE", "/v1/sessions/current", token=token).status == 204
    assert browser.served.ask("GET", "/v1/account", token=token).status == 200


@pytest.mark.parametrize("token", ["", "nonsense", "byoa_" + "a" * 5000, "<b>byoa_</b>"])
def test_a_token_that_is_none_is_said_to_be_none_and_not_shown_again(browser: Browser, token: str) -> None:
    shown = browser.post("/auth/login", {"token": token, "next": "/apps/shop"})
    assert shown.status == 401
    assert "The token is unknown, was revoked, or has expired" in shown.words
    assert 'value="/apps/shop"' in shown.text
    assert not token or token not in shown.text
    assert shown.cookies == []


def test_the_first_of_two_cookies_of_a_name_counts_and_others_are_ignored(browser: Browser) -> None:
    browser.sign_in()
    browser.cookies |= {"other": "1", "session": "2"}
    assert browser.get("/").status == 200
    browser.cookies[COOKIE] = browser.cookies[COOKIE][:-1]
    assert browser.get("/").status == 303


# ---- the way back ------------------------------------------------------------------------------------------------


def test_signing_in_leads_to_where_somebody_wanted_to_go(browser: Browser) -> None:
    wanted = browser.get("/apps/shop?q=a&page=2").place
    assert wanted == "/auth/login?next=/apps/shop%3Fq%3Da%26page%3D2"
    assert 'value="/apps/shop?q=a&amp;page=2"' in browser.get(wanted).text
    shown = browser.post("/auth/login", {"token": browser.served.token(), "next": "/apps/shop?q=a&page=2"})
    assert shown.place == "/apps/shop?q=a&page=2"
    assert browser.get(wanted).place == "/apps/shop?q=a&page=2"


@pytest.mark.parametrize(
    "place",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/a\nSet-Cookie: a", "javascript:x", "/ü", ""],
)
def test_and_never_to_elsewhere(browser: Browser, place: str) -> None:
    shown = browser.post("/auth/login", {"token": browser.served.token(), "next": place})
    assert shown.place == "/"


def test_a_script_is_told_that_the_session_ended_and_a_person_led_to_the_form(browser: Browser) -> None:
    assert browser.get("/apps/shop", sec_fetch_dest="empty").status == 401
    assert browser.get("/apps/shop", sec_fetch_dest="document").status == 303


# ---- what other sites can do -------------------------------------------------------------------------------------

WRITES = [route for route in ROUTES if route.method != "GET"]


@pytest.mark.parametrize(
    "headers",
    [
        {ID: "cross-site"}, {ID: "same-site"}, {ID: "none"}, {ID: "", "origin": "https://evil.example"},
        {ID: "", "origin": "null"}, {ID: "", "origin": f"http://{HOST}"}, {ID: "", "origin": ""},
        {ID: "", "origin": "", "host": ""},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("route", WRITES, ids=lambda route: route.path)
def test_a_form_of_another_site_does_nothing(browser: Browser, route: object, headers: dict[str, str]) -> None:
    browser.sign_in()
    browser.sent.clear()
    path = re.sub(r"<\w+>", "web", route.path)  # type: ignore[attr-defined]
    shown = browser.post(path, {"token": browser.served.token()}, **headers)
    assert shown.status == 403
    assert "was not sent by a page of the dashboard" in shown.words
    assert (browser.sent, shown.cookies) == ([], [])


def test_a_browser_without_fetch_metadata_says_its_origin(browser: Browser) -> None:
    shown = browser.post("/auth/login", {"token": browser.served.token()}, **{ID: "", "origin": f"https://{HOST}"})
    assert shown.status == 303


def test_every_answer_has_the_policy_and_keeps_others_out(browser: Browser) -> None:
    browser.sign_in()
    for place in ("/", "/auth/login", "/nothing", "/errors", "/json/v1/account", "/assets/a/page.css"):
        headers = browser.get(place).headers
        assert headers["Content-Security-Policy"] == POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "public" not in headers["Cache-Control"]
    assert "unsafe" not in POLICY
    assert "https:" not in POLICY


def test_nothing_on_a_page_is_inline_or_from_elsewhere(browser: Browser) -> None:
    browser.sign_in()
    build = browser.hand_in()["build_id"]
    for place in ("/", "/auth/login", "/apps/shop", "/apps/shop/components/web", f"/builds/{build}", "/errors"):
        text = browser.get(place).text
        assert " style=" not in text
        assert "<style" not in text
        assert " on" + "click" not in text
        assert "://" not in text.replace("https://dashboard.example", "").replace("oci://", "")


# ---- what is no request of ours ----------------------------------------------------------------------------------


def test_a_method_that_there_is_not_and_a_path_that_there_is_not(browser: Browser) -> None:
    browser.sign_in()
    assert browser.ask("PUT", "/auth/login").status == 405
    assert browser.get("/apps/shop/").status == 404
    assert browser.get("/apps/a%2Fb").status == 404
    head = browser.ask("HEAD", "/apps/shop")
    assert (head.status, head.text) == (200, "")


@pytest.mark.parametrize(
    ("raw", "kind"),
    [("token=%ff", None), ("a=1&" * 600, None), ("{}", "application/json"), ("token=" + "a" * 1_100_000, None)],
    ids=["no UTF-8", "many fields", "JSON", "long"],
)
def test_a_form_that_can_t_be_read_is_refused(browser: Browser, raw: str, kind: str | None) -> None:
    shown = browser.ask("POST", "/auth/login", None, raw, **({"content-type": kind} if kind else {}))
    assert shown.status == 400
    assert "The form can't be read" in shown.words


def test_a_store_that_is_busy_is_told_of_as_the_api_does(browser: Browser) -> None:
    browser.sign_in()

    def busy(organisation: str) -> None:
        raise StoreThrottled("The table is busy.")

    browser.dashboard._face._world = _with(browser.served.world, inventory=busy)
    shown = browser.get("/apps/shop")
    assert shown.status == 503
    assert "The table is busy." in shown.words


def test_a_fault_of_ours_tells_nothing_of_itself(browser: Browser) -> None:
    browser.sign_in()
    browser.dashboard._world = None  # type: ignore[assignment]
    shown = browser.get("/apps/shop")
    assert shown.status == 500
    assert "NoneType" not in shown.text


def _with(world: World, **changed: object) -> World:
    return replace(world, **changed)  # type: ignore[arg-type]
