"""What somebody does with deploys on their pages, and what a state machine does with them."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from byoa.adapters.memory.installs import MemoryDeploys

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.installs.messages import Deploy
    from tests.web.browsing import Shown
    from tests.web.installing import Runner


def deploy(runner: Runner, install: str, build: str = "", name: str = "web", **said: str) -> str:
    """Where the page of a new deploy is."""
    made = runner.browser.post(f"/installs/{install}/components/{name}/deploy", {"build": build, **said})
    assert made.status == 303, made.words
    return made.place


def fields(shown: Shown) -> dict[str, str]:
    """What a page's fields hold."""
    return {name: html.unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', shown.text)}


def id_of(place: str) -> str:
    return place.rpartition("/")[2]


def approve(runner: Runner, place: str, *names: str, act: str = "approve", note: str = "") -> Shown:
    """With what the page's form has."""
    shown = runner.browser.get(place)
    (fingerprint,) = re.findall(r'name="fingerprint" value="([^"]+)"', shown.text)
    said = {f"name.{number}": name for number, name in enumerate(names)}
    return runner.browser.post(f"{place}/answer", {"fingerprint": fingerprint, "act": act, "note": note, **said})


def deployed(runner: Runner, install: str, build: str) -> str:
    """The same, approved and done."""
    place = deploy(runner, install, build)
    if runner.run(id_of(place)).status == "pending-approval":
        assert approve(runner, place).status == 303
        assert runner.run(id_of(place)).status == "active"
    return place


def stop(runner: Runner, deploy_id: str, becomes: Callable[[Deploy], Deploy], plan: str | None = None) -> None:
    """As an execution that ends by it does."""
    store = runner.browser.served.installing
    key = next(each.key for each in store.deploys.values() if each.id == deploy_id)
    MemoryDeploys(store).begin(key, "one")
    MemoryDeploys(store).finish(key, "one", lambda found, part: (becomes(found), part), plan)
