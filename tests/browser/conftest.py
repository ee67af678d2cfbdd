from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from byoa.adapters.memory.clocks import SystemClock
from byoa.api.doorkeeping import IssuerRule
from tests.api.served import ORG, Served
from tests.browser.chromium import chromium, window
from tests.browser.loopback import Site, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, StorageState

    from byoa.adapters.memory.clocks import SteppingClock


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def site() -> Iterator[Site]:
    served = Served(clock=cast("SteppingClock", SystemClock()))  # browsers have the real time
    with listening(Site(served)) as found:
        yield found


def sign_in(page: Page, site: Site, *scopes: str) -> str:
    """With a new token; the token."""
    token = site.served.token(*(scopes or ("admin",)))
    page.goto(site.address)
    page.get_by_label("API token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Overview").wait_for()
    return token


def way_to_sign_in(name: str) -> IssuerRule:
    """A rule with a button of this name."""
    return IssuerRule(
        ORG, "issexample2222222222222222", name, "https://vendor.okta.example", "0oa1", {"groups": ("platform",)},
        ("sync",), 0, "tokexample2222222222222222", "https://vendor.okta.example/authorize",
    )  # fmt: skip


@pytest.fixture
def signed_in(browser: Browser, site: Site) -> StorageState:
    with window(browser) as page:
        sign_in(page, site)
        return page.context.storage_state()
