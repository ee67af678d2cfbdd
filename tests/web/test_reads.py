"""What pages and writes ask of the table: nothing twice, and nothing for each of what they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from byoa.adapters.aws import reads
from byoa.api.tokens import parse_token, random_id
from byoa.installs.messages import Install
from byoa.installs.ports import Request
from tests.api.served import APP, ORG
from tests.api.tabled import Tabled, table
from tests.web.browsing import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIGS = f"/v1/apps/{APP}/components/{{}}/configs/kubernetes-manifest"
NAMES = [f"part-{number:02}" for number in range(12)]


@pytest.fixture
def tabled() -> Iterator[Tabled]:
    with table() as client:
        yield Tabled(client=client)


@pytest.fixture
def browser(tabled: Tabled) -> Browser:
    """Somebody who is signed in, and has seen a page."""
    tabled.look(ORG, "/v1/apps")
    browser = Browser(tabled)
    assert browser.post("/auth/login", {"token": tabled.callers[ORG], "next": ""}).status == 303
    assert asked(browser, "/")[:2] == ["GetItem", "GetItem"], "a session's own record names its token's"
    return browser


def asked(browser: Browser, path: str) -> list[str]:
    """What the table is asked for a page."""
    assert isinstance(browser.served, Tabled)
    browser.served.reads.clear()
    with reads.once():
        shown = browser.get(path)
        assert shown.status == 200, shown.words
    return [*browser.served.reads]


def installed(tabled: Tabled) -> str:
    """The id of an agent's install that a dozen components were deployed to."""
    for name in (*NAMES, *NAMES):
        tabled.submit(ORG, name)
    installs = tabled.installs_of(ORG)
    known = {"organisation": ORG, "app": APP, "name": "acme", "access": {"kind": "agent"}}
    install = Install(**known, id=random_id("inl"), created_at_ts=0, updated_at_ts=0)
    assert installs.create(install)
    for name in NAMES:
        installs.ask(install, name, Request("apply"))
    return install.id


def test_pages_ask_for_each_list_once_and_for_a_session_at_once(tabled: Tabled, browser: Browser) -> None:
    """Who has a page open asks for it every few seconds."""
    tabled.submit(ORG, "web")
    for place, cost in (
        ("/", ["Query", "Query", "BatchGetItem", "Query"]),
        (f"/apps/{APP}", ["Query", "BatchGetItem"]),
        (f"/apps/{APP}/components/web", ["GetItem", "Query", "GetItem", "Query"]),  # the last for names of tokens
    ):
        assert asked(browser, place) == ["BatchGetItem", *cost], place


def test_an_install_s_page_asks_for_each_thing_once_however_many_components_it_has(
    tabled: Tabled, browser: Browser
) -> None:
    install = installed(tabled)
    assert asked(browser, f"/installs/{install}") == [
        "BatchGetItem",  # the session and its token
        "GetItem",  # the install
        *("Query", "BatchGetItem"),  # its components and their newest deploys
        *("Query", "BatchGetItem"),  # the app's last builds, for those that are active
        "Query",  # its components, whose newest builds are among them
        "Query",  # what was deployed last
        "Query",  # names of tokens
        "GetItem",  # the agent
    ]


def test_a_session_ends_with_its_token_though_both_are_read_at_once(tabled: Tabled, browser: Browser) -> None:
    token = parse_token(tabled.callers[ORG])
    assert token
    assert tabled.say(ORG, "DELETE", f"/v1/tokens/{token.id}").status == 204
    assert browser.get("/").place.startswith("/auth/login")


def test_a_config_that_is_handed_in_is_answered_as_it_was_written(tabled: Tabled) -> None:
    say = {"namespace": "vendor", "manifest": "a: 1"}
    first = tabled.say(ORG, "POST", CONFIGS.format("web"), say)
    assert first.json == tabled.look(ORG, f"/v1/apps/{APP}/components/web/configs/latest").json | {
        "build_id": first.json["build_id"]
    }
    again = tabled.say(ORG, "POST", CONFIGS.format("web"), {**say, "manifest": "a: 2"})
    assert (again.status, again.json["version"]) == (201, 2)
    assert tabled.reads == [
        "GetItem",  # the token
        "PutItem",  # what is about to be done
        "GetItem",  # the newest version
        "TransactWriteItems",
        "PutItem",  # that it was done
    ]
