"""The first page: what runs, what failed and what to do about it, what was pinned.

It is asked for every few seconds by whoever has it open, so it is made of few lists: what of them is a build comes with
its component.
"""

from __future__ import annotations

from typing import Any, Final

from byoa.web.pages.builds import interval, is_running
from byoa.web.pages.installs import every
from byoa.web.routes import Here, Moved, Page, Routes

routes = Routes()
COMPONENTS: Final = 300
"""The first by app and name are looked through, each with its newest build; of the others the newest builds are."""

SHOWN: Final = 10
PARTS: Final = 300
"""Components of installs that are looked through for those that somebody has to look at."""

_PART: Final = 100


@routes.add("GET", "/")
def show_overview(here: Here) -> Page:
    """All apps, and what became last of their components: of each its newest build tells."""
    apps: list[dict[str, Any]] = here.api.find("/v1/apps", limit=50) or []
    components = every(here, "/v1/components", COMPONENTS)
    cut = len(components) >= COMPONENTS
    known = [each["latest_build"] for each in components if each["latest_build"]]
    if cut:
        known += here.api.get("/v1/builds", limit=_PART)
    builds = sorted({each["id"]: each for each in known}.values(), key=lambda each: each["created_at"], reverse=True)
    wanting = _wanting(here)
    newest = _newest(builds)
    running = [build for build in builds if is_running(build)]
    data = {
        "apps": apps,
        "cut": cut,
        "most": COMPONENTS,
        "running": running[:SHOWN],
        "moved": [each for each in components if each["tag_moved"]][:SHOWN],
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
    listed = here.api.get("/v1/installs", limit=_PART) if shown else []  # one alone would be told with its components
    installs = {each["id"]: each for each in listed}
    for name in {each["install_id"] for each in shown} - installs.keys():
        installs[name] = here.api.find(f"/v1/installs/{name}")
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
