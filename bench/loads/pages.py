"""The load on the dashboard: how soon its pages come over the desk, one after the other, as a browser asks for them."""

from __future__ import annotations

import statistics
import time
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlencode, urlsplit

from bench.figures import OURS, Figure, Load, percentile
from bench.pipeline import deployed
from byoa.adapters.aws.deploys import DynamoDeploys
from byoa.adapters.aws.installs import DynamoInstalls
from byoa.adapters.aws.rows import Rows
from byoa.adapters.memory.clocks import SystemClock
from byoa.api.tokens import random_id
from byoa.installs.contents import pack
from byoa.installs.messages import Install
from byoa.installs.ports import Request
from byoa.installs.records import entry, moved
from local import members
from local.desk import APP, ORGANISATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.pipeline import Pipeline
    from bench.stand import Stand
    from byoa.installs.messages import Deploy, InstallComponent

NAMES: Final = ("page, over the desk", "page, not modified")

_GOAL_SECONDS: Final = 0.05
_COMPONENTS: Final = 12
"""More than a page of them shows."""
_WARM: Final = 5
_TIMEOUT_SECONDS: Final = 60


class NoPage(Exception):
    """The dashboard answered something else than the page."""


class Browser:
    """Somebody who is signed in, on a connection that stays open."""

    def __init__(self, dashboard: str, token: str) -> None:
        place = urlsplit(dashboard)
        self._connection = HTTPConnection("127.0.0.1", place.port or 80, timeout=_TIMEOUT_SECONDS)
        self._headers = {"Host": place.netloc, "Origin": f"http://{place.netloc}", "Sec-Fetch-Site": "same-origin"}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        status, headers, _ = self._ask("POST", "/auth/login", urlencode({"token": token}), form)
        if status != 303:  # noqa: PLR2004 - HTTP's own
            raise NoPage(f"signing in was answered {status}")
        self._headers["Cookie"] = headers["set-cookie"].split(";")[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def open(self, path: str) -> tuple[float, str]:
        """Seconds to the last byte, and the page's ETag."""
        return self._timed(path, 200)

    def again(self, path: str, etag: str) -> float:
        """Seconds to the answer that nothing changed."""
        return self._timed(path, 304, {"If-None-Match": etag})[0]

    def _timed(self, path: str, wanted: int, more: Mapping[str, str] = MappingProxyType({})) -> tuple[float, str]:
        begun = time.perf_counter()
        status, headers, _ = self._ask("GET", path, None, more)
        seconds = time.perf_counter() - begun
        if status != wanted:
            raise NoPage(f"{path} was answered {status}")
        return seconds, headers.get("etag", "")

    def _ask(
        self, method: str, path: str, body: str | None, more: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        self._connection.request(method, path, body, {**self._headers, **more})
        answer = self._connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def pages(stand: Stand) -> list[Load]:
    """Whole pages, and the answers to the polls of open ones; the goal is the slowest one's 95th percentile."""
    with deployed(stand.folder / "pages") as running:
        places = _places(running)
        places |= _of_install(running, list(range(stand.sizes.planned)))
        with Browser(running.desk.dashboard, members.bootstrap(running.desk)) as browser:
            whole = {name: _whole(browser, path, stand.sizes.calls) for name, path in places.items()}
            still = {name: _still(browser, path, stand.sizes.calls) for name, path in places.items()}
    return [_load(NAMES[0], whole), _load(NAMES[1], still)]


def _places(running: Pipeline) -> dict[str, str]:
    """What is opened, by name; a dozen components were built then."""
    builds = [running.submit(f"page-{number}") for number in range(_COMPONENTS)]
    running.seconds(builds)
    of_one = f"/apps/{APP}/components/{builds[0].component}"
    return {
        "overview": "/",
        "components": f"/apps/{APP}",
        "component": of_one,
        "build": f"{of_one}/builds/{builds[0].build_id}",
        "editor": f"{of_one}/edit",
        **{name: f"/{name}" for name in ("credentials", "policies", "hooks-in", "tokens", "audit")},
    }


def _of_install(running: Pipeline, objects: Sequence[int]) -> dict[str, str]:
    """Pages of an install with a dozen deployed components, one of whose plans has all ``objects`` in it and waits.

    They are written by the shipped adapters, as of an install with an agent: no state machine begins them.
    """
    with closing(running.desk.client("dynamodb")) as client:
        deploys = DynamoDeploys(ORGANISATION, Rows(client, running.desk.outputs["TableName"]), SystemClock())
        installs = DynamoInstalls(deploys)
        install = Install(
            organisation=ORGANISATION, app=APP, id=random_id("inl"), name=f"acme-{len(objects)}",
            access={"kind": "agent"}, created_at_ts=0, updated_at_ts=0,
        )  # fmt: skip
        installs.create(install)
        asked = [installs.ask(install, f"page-{number}", Request("apply")) for number in range(_COMPONENTS)]
        for number, each in enumerate(asked):
            deploys.begin(each.key, "bench")
            deploys.finish(each.key, "bench", _planned, pack(_plan(objects if number == 0 else objects[:5])))
    home = f"/installs/{install.id}"
    return {
        "installs": "/installs",
        "install": home,
        f"deploy of {len(objects)} objects": f"{home}/components/page-0/deploys/{asked[0].id}",
    }


def _planned(deploy: Deploy, part: InstallComponent) -> tuple[Deploy, InstallComponent]:
    line = entry("pending-approval", "the plan waits for somebody", datetime.now(UTC))
    return moved(deploy, line, counts={"change": 1}, fingerprint="plan-bench"), part


def _plan(objects: Sequence[int]) -> dict[str, Any]:
    """A plan as it is kept (``installs.contents``), of objects that have one changed field each."""
    change = {"path": "/data/colour", "op": "replace", "before": '"blue"', "after": '"green"', "lines": []}
    known = {
        "group": "", "api_version": "v1", "kind": "ConfigMap", "resource": "configmaps", "namespace": "vendor",
        "action": "change", "unchecked": False, "why": "", "needs": None, "changes": [change], "left_out": 0,
        "left_to": [], "taken_from": [], "warnings": [],
    }  # fmt: skip
    named = [{**known, "object": f"ConfigMap/vendor/{each}", "name": f"conf-{each}"} for each in objects]
    return {"plan": "plan-bench", "counts": {"change": len(named)}, "objects": named, "needs": [], "errors": []}


def _whole(browser: Browser, path: str, count: int) -> list[float]:
    for _ in range(_WARM):
        browser.open(path)
    return [browser.open(path)[0] for _ in range(count)]


def _still(browser: Browser, path: str, count: int) -> list[float]:
    etag = browser.open(path)[1]
    return [browser.again(path, etag) for _ in range(count)]


def _load(name: str, seconds: dict[str, list[float]]) -> Load:
    figures = [
        Figure(
            page, percentile(each, 0.95), more={"p50_seconds": round(statistics.median(each), 5), "calls": len(each)}
        )
        for page, each in seconds.items()
    ]
    slowest = max(figures, key=lambda figure: figure.seconds or 0.0)
    shown = {figure.tool: f"p50 {figure.more['p50_seconds'] * 1000:.1f} ms, p95 {(figure.seconds or 0) * 1000:.1f} ms"
             for figure in figures}  # fmt: skip
    no_peers = frozenset(each.tool for each in figures)
    return Load(name, [Figure(OURS, slowest.seconds), *figures], _GOAL_SECONDS, "seconds", shown, no_peers=no_peers)
