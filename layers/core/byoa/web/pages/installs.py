"""Installs: the clusters that an app's components are applied to, what each of them runs, and how it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.web.pages.builds import interval
from byoa.web.pages.who import names_of
from byoa.web.routes import Here, Moved, Page, Routes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

routes = Routes()
INSTALL: Final = "/installs/<install>"
SIZE: Final = 10
COMPONENTS: Final = 20
"""Components of an install on a page."""

BUILDS: Final = 5
"""Active builds of a component that its row offers; its own page offers more."""

LOOKED_THROUGH: Final = 500
_PART: Final = 100
RUNNING: Final = frozenset({"pending", "queued", "planning", "executing"})
CAUSES: Final = {
    "asked": "somebody asked",
    "followed": "follows its builds",
    "schedule": "drift's schedule",
    "rollback": "back to an older build",
}
"""Why a deploy was made, in words."""

WRONG_NAME: Final = {
    "detail": "That isn't the install's name.",
    "remedy": "Type its name to tear all down.",
    "errors": [],
}
_INVALID: Final = 422


@routes.add("GET", "/installs")
def list_installs(here: Here) -> Page:
    """The organisation's."""
    apps: list[dict[str, Any]] = here.api.get("/v1/apps", limit=50)
    return _listed(here, "", apps)


@routes.add("GET", "/apps/<app>/installs")
def list_app_installs(here: Here, app: str) -> Page:
    """An app's."""
    return _listed(here, app, [])


@routes.add("GET", "/installs/create")
def choose_app(here: Here) -> Moved:
    """Where an install of an app is made."""
    app = here.request.query.get("app", "")
    fits = app.replace("-", "").replace("_", "").isalnum() and app.isascii()
    return Moved(f"/apps/{app}/installs/create" if fits else "/installs")


@routes.add("GET", INSTALL)
def show_install(here: Here, install: str) -> Page:
    """An install: its components, those that were never deployed to it among them, and what happened to it."""
    return _install(here, install)


def _install(here: Here, install: str, problem: Mapping[str, Any] | None = None) -> Page:
    place = f"/v1/installs/{install}"
    found = here.api.get(place)
    app, number = found["app_id"], page_of(here)
    parts = {each["component_id"]: each for each in every(here, f"{place}/components")}
    builds = active_builds(here, app)  # which has most of the newest ones that come with the next
    known = [each["name"] for each in every(here, f"/v1/apps/{app}/components")]
    history = here.api.listing(f"{place}/deploys", limit=SIZE)
    names = sorted({*parts, *known})
    shown = names[number * COMPONENTS : (number + 1) * COMPONENTS]
    running = [each for each in parts.values() if each["status"] in RUNNING]
    data = {
        "install": found, "app": app, "rows": [_row(name, parts, known, builds) for name in shown],
        "deploys": history.document, "more_deploys": history.more, "who": names_of(here), "causes": CAUSES,
        "number": number, "more": len(names) > (number + 1) * COMPONENTS, "count": len(names), "problem": problem,
        "tracked": [each["objects"] for each in parts.values() if each["objects"]], "agent": agent_of(here, found),
    }  # fmt: skip
    status, live = (_INVALID, 0) if problem else (200, interval(running))
    return Page("installs/install.html", found["name"], data, status, live)


@routes.add("POST", f"{INSTALL}/deploy-all")
def deploy_all(here: Here, install: str) -> Moved:
    """Deploy the newest active build of each component."""
    return _all(here, install, "deploy-all")


@routes.add("POST", f"{INSTALL}/teardown-all")
def teardown_all(here: Here, install: str) -> Moved | Page:
    """Delete what all components have in an install whose name somebody has typed."""
    if here.request.form().get("name", "").strip() != here.api.get(f"/v1/installs/{install}")["name"]:
        return _install(here, install, WRONG_NAME)
    return _all(here, install, "teardown-all")


def _all(here: Here, install: str, what: str) -> Moved:
    """The same with every component, a part of them in each call."""
    after: str | None = ""
    for _ in range(LOOKED_THROUGH // 25):
        place = f"/v1/installs/{install}/components/{what}"
        made = here.api.write("POST", f"{place}?after={after}" if after else place).held().document
        after = made["next_after"]
        if not after:
            break
    return Moved(f"/installs/{install}")


# ---- what pages of installs share ----------------------------------------------------------------------------------


def every(here: Here, path: str, most: int = LOOKED_THROUGH) -> list[dict[str, Any]]:
    """A list's items, page by page."""
    found: list[dict[str, Any]] = []
    for number in range(most // _PART):
        part = here.api.listing(path, limit=_PART, page=number) if number else here.api.listing(path, limit=_PART)
        found += part.document
        if not part.more:
            break
    return found


def active_builds(here: Here, app: str) -> dict[str, list[dict[str, Any]]]:
    """The app's active builds among its newest ones, by component, the newest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for build in here.api.get("/v1/builds", app_id=app, limit=_PART):
        if build["status"] == "active":
            found.setdefault(build["component_id"], []).append(build)
    return found


def agent_of(here: Here, install: dict[str, Any]) -> dict[str, Any] | None:
    """When the install's agent was heard of last; ``None`` where the platform runs its deploys."""
    agents = install["cluster"]["kind"] == "agent"
    found: dict[str, Any] | None = here.api.get(f"/v1/installs/{install['id']}/agent") if agents else None
    return found


def page_of(here: Here) -> int:
    """The number of the page that is asked for, from 0."""
    text = here.request.query.get("page", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0  # noqa: PLR2004 - some thousands


def _listed(here: Here, app: str, apps: Sequence[dict[str, Any]]) -> Page:
    query, number = here.request.query.get("q", "").strip().lower()[:63], page_of(here)
    place = f"/v1/apps/{app}/installs" if app else "/v1/installs"
    if query:
        named = [each for each in every(here, place) if query in each["name"]]
        shown, more = named[number * SIZE : (number + 1) * SIZE], len(named) > (number + 1) * SIZE
    else:
        found = here.api.listing(place, limit=SIZE, page=number)
        shown, more = found.document, found.more
    rows = [{"install": each, **_standing(here, each["id"])} for each in shown]
    data = {
        "app": app, "apps": apps, "rows": rows, "q": query, "number": number, "more": more, "most": LOOKED_THROUGH,
    }  # fmt: skip
    running = [row for row in rows if RUNNING & {*row["deploys"]}]
    return Page("installs/list.html", f"Installs of {app}" if app else "Installs", data, live=interval(running))


def _standing(here: Here, install: str) -> dict[str, Any]:
    """How many components of an install are in which state, on both axes, and how many drifted."""
    parts = here.api.get(f"/v1/installs/{install}/components", limit=_PART)
    return {
        "deploys": _counted(each["status"] for each in parts),
        "health": _counted(each["health_status"] for each in parts),
        "drifted": sum(each["drift_status"] == "drift-detected" for each in parts),
    }


def _counted(states: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for state in states:
        found[state] = found.get(state, 0) + 1
    return found


def _row(
    name: str, parts: dict[str, dict[str, Any]], known: list[str], builds: dict[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    """A component of an install: how it is, where anything ever was, and which builds could be put there."""
    part, able = parts.get(name), builds.get(name, [])
    runs = next((each for each in able if part and each["id"] == part["build_id"]), None)
    return {"name": name, "part": part, "known": name in known, "builds": able[:BUILDS], "runs": runs}
