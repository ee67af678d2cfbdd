"""An app's components, and each with its newest config and its history."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from byoa.web.pages.builds import interval, is_running
from byoa.web.pages.who import names_of
from byoa.web.routes import Here, Moved, Page, Routes

routes = Routes()
COMPONENT: Final = "/apps/<app>/components/<component>"
STATUSES: Final = ("active", "error", "queued", "planning", "building", "superseded", "pending")
SIZE: Final = 10
LOOKED_THROUGH: Final = 500
"""Components that are looked through for those of a status: the table doesn't keep them by it."""

_PART: Final = 100
_UNSAID: Final = {"url": None, "tag": None, "digest": None, "credentials_ref": None, "path": None}


@routes.add("GET", "/apps/<app>")
def list_components(here: Here, app: str) -> Page:
    """The app's components by name, ten a page, with what the search and the filter leave."""
    asked = here.request.query
    query, status = asked.get("q", "").strip()[:63], asked.get("status", "")
    number = int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 5 else 0  # noqa: PLR2004
    status = status if status in STATUSES else ""
    if status:
        shown, cut = _of_status(here, app, query, status)
        more = False
    else:
        found = here.api.listing(f"/v1/apps/{app}/components", q=query, limit=SIZE, page=number)
        shown, more, cut = found.document, found.more, False
    running = [each for each in shown if each["latest_build"] and is_running(each["latest_build"])]
    data = {
        "app": app, "components": shown, "q": query, "status": status, "statuses": STATUSES,
        "number": number, "more": more, "cut": cut, "most": LOOKED_THROUGH,
    }  # fmt: skip
    return Page("components.html", app, data, live=interval(running))


def _of_status(here: Here, app: str, query: str, status: str) -> tuple[list[dict[str, Any]], bool]:
    """The first components of a status, and whether there were more to look through."""
    shown: list[dict[str, Any]] = []
    for number in range(LOOKED_THROUGH // _PART):
        found = here.api.listing(f"/v1/apps/{app}/components", q=query, limit=_PART, page=number)
        shown += [each for each in found.document if each["status"] == status]
        if not found.more:
            return shown, False
    return shown, True


@routes.add("GET", COMPONENT)
def show_component(here: Here, app: str, component: str) -> Page:
    """A component: what it is made of, where it is, what became of it."""
    place = f"/v1/apps/{app}/components/{component}"
    history = here.api.listing(f"{place}/builds", limit=SIZE)  # which has the newest build that the next one shows
    found = here.api.get(place)
    config = here.api.find(f"{place}/configs/latest") if found["config_versions"] else None
    running = [build for build in history.document if is_running(build)]
    good = next((build for build in history.document if build["status"] == "active"), None)
    data = {
        "app": app, "component": found, "config": config, "source": _source(config), "builds": history.document,
        "latest": history.document[0] if history.document else None, "good": good, "more": history.more,
        "dependencies": _dependencies(here, app, found["dependencies"]),
    }  # fmt: skip
    late = partial(_named, here)
    return Page("component.html", component, data, live=interval(running), late=late)


def _named(here: Here) -> dict[str, Any]:
    """Names never change: they go with their tokens."""
    return {"who": names_of(here)}


def _source(config: dict[str, Any] | None) -> tuple[str, Any]:
    """Which of the three kinds a config's manifests come from, and what it says of it."""
    said = config["kubernetes_manifest"] if config else {}
    for kind, words in (("oci_artifact", "OCI artifact"), ("kustomize", "kustomize"), ("manifest", "inline")):
        if said.get(kind):
            return words, {**_UNSAID, **said[kind]} if isinstance(said[kind], dict) else said[kind]
    return "", None


def _dependencies(here: Here, app: str, names: list[str]) -> list[dict[str, Any]]:
    """Each with its status, or with none where there is no such component here."""
    if not names:
        return []
    found = here.api.get(f"/v1/apps/{app}/components", component_ids=",".join(names[:50]), limit=50)
    known = {each["id"]: each for each in found}
    return [{"name": name, "known": known.get(name)} for name in names]


@routes.add("POST", f"{COMPONENT}/build")
def build_component(here: Here, app: str, component: str) -> Moved | Page:
    """Build its newest config anew, and follow that build."""
    place = f"/v1/apps/{app}/components/{component}/builds"
    made = here.api.write("POST", place, {"use_latest": True}).held().document
    return Moved(f"/apps/{app}/components/{component}/builds/{made['id']}")
