"""The first page: what runs, what failed and what to do about it, what was pinned."""

from __future__ import annotations

from typing import Any, Final

from byoa.web.pages.builds import interval, is_running
from byoa.web.pages.installs import every
from byoa.web.routes import Here, Moved, Page, Routes

routes = Routes()
APPS: Final = 5
"""Apps whose builds the overview shows; all are listed."""

COMPONENTS: Final = 100
"""Of each app: the first by name are looked through for tags that moved."""

BUILDS: Final = 20
SHOWN: Final = 10
PARTS: Final = 300
"""Components of installs that are looked through for those that somebody has to look at."""


@routes.add("GET", "/")
def show_overview(here: Here) -> Page:
    """All apps, and what happened last in the first of them."""
    apps: list[dict[str, Any]] = here.api.find("/v1/apps", limit=50) or []
    builds: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for app in apps[:APPS]:
        builds += here.api.get("/v1/builds", app_id=app["id"], limit=BUILDS)
        components = here.api.get(f"/v1/apps/{app['id']}/components", limit=COMPONENTS)
        moved += [each for each in components if each["tag_moved"]]
    builds.sort(key=lambda build: build["created_at"], reverse=True)
    wanting = _wanting(here)
    newest = _newest(builds)
    running = [build for build in builds if is_running(build)]
    data = {
        "apps": apps,
        "left_out": max(0, len(apps) - APPS),
        "running": running[:SHOWN],
        "moved": moved[:SHOWN],
        "failed": [build for build in newest if build["status"] == "error"][:SHOWN],
        "wanting": wanting,
        "pinned": [build for build in newest if build["status"] == "active" and build["resolved"]][:SHOWN],
    }
    return Page("overview.html", "Overview", data, live=interval(running))


@routes.add("GET", "/open")
def open_app(here: Here) -> Moved:
    """Go to an app by its name."""
    name = here.request.query.get("app", "").strip().lower()
    return Moved(f"/apps/{name}" if name.replace("-", "").replace("_", "").isalnum() and name.isascii() else "/")


def _wanting(here: Here) -> list[dict[str, Any]]:
    """Components of installs that somebody has to look at: plans that wait first, then what failed, then the rest."""
    every_one = every(here, "/v1/install-components", PARTS)
    parts = sorted(((rank, each) for each in every_one if (rank := _want(each)) is not None), key=lambda pair: pair[0])
    shown = [each for _, each in parts[:SHOWN]]
    names = dict.fromkeys(each["install_id"] for each in shown)
    installs = {name: here.api.find(f"/v1/installs/{name}") for name in names}
    found = [{**each, "install": installs[each["install_id"]], "failure": None} for each in shown]
    for each in found:
        if each["status"] == "error":
            place = f"/v1/installs/{each['install_id']}/components/{each['component_id']}/deploys"
            each["failure"] = (here.api.find(f"{place}/{each['latest_deploy_id']}") or {}).get("failure")
    return [each for each in found if each["install"]]


def _want(part: dict[str, Any]) -> int | None:
    """How soon somebody has to look at a component of an install; ``None`` where nobody has."""
    if part["status"] == "pending-approval":
        return 0
    if part["status"] == "error":
        return 1
    if part["drift_status"] == "drift-detected":
        return 2
    return 3 if part["health_status"] in ("degraded", "unhealthy") else None


def _newest(builds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each component the newest build that ended: what failed before it was mended needs nobody."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for build in builds:
        if not is_running(build) and build["status"] != "superseded":
            found.setdefault((build["app_id"], build["component_id"]), build)
    return list(found.values())
