"""The first page: what runs, what failed and what to do about it, what was pinned."""

from __future__ import annotations

from typing import Any, Final

from byoa.web.pages.builds import interval, is_running
from byoa.web.routes import Here, Moved, Page, Routes

routes = Routes()
APPS: Final = 5
"""Apps whose builds the overview shows; all are listed."""

COMPONENTS: Final = 100
"""Of each app: the first by name are looked through for tags that moved."""

BUILDS: Final = 20
SHOWN: Final = 10


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
    newest = _newest(builds)
    running = [build for build in builds if is_running(build)]
    data = {
        "apps": apps,
        "left_out": max(0, len(apps) - APPS),
        "running": running[:SHOWN],
        "moved": moved[:SHOWN],
        "failed": [build for build in newest if build["status"] == "error"][:SHOWN],
        "pinned": [build for build in newest if build["status"] == "active" and build["resolved"]][:SHOWN],
    }
    return Page("overview.html", "Overview", data, live=interval(running))


@routes.add("GET", "/open")
def open_app(here: Here) -> Moved:
    """Go to an app by its name."""
    name = here.request.query.get("app", "").strip().lower()
    return Moved(f"/apps/{name}" if name.replace("-", "").replace("_", "").isalnum() and name.isascii() else "/")


def _newest(builds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each component the newest build that ended: what failed before it was mended needs nobody."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for build in builds:
        if not is_running(build) and build["status"] != "superseded":
            found.setdefault((build["app_id"], build["component_id"]), build)
    return list(found.values())
