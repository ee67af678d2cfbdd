"""A component of an install, and its deploys: asked for, followed, their plans looked at and answered, gone back to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from byoa.web.pages.builds import LATER, SOON
from byoa.web.pages.installs import CAUSES, RUNNING, SIZE, agent_of
from byoa.web.pages.who import names_of
from byoa.web.plans import ACTIONS, MARKS, NAMES, optional, optional_sets, sought, together, view
from byoa.web.routes import Here, Moved, Page, Routes

if TYPE_CHECKING:
    from byoa.web.asking import Reply

routes = Routes()
COMPONENT: Final = "/installs/<install>/components/<component>"
DEPLOY: Final = f"{COMPONENT}/deploys/<deploy>"
HEALTHS: Final = 50
"""Objects whose health a page shows: those that aren't well first."""

_SAID: Final = ("plan_only", "approve_all", "recover", "deploy_dependents")
"""Boxes of the form of a deploy."""

_OFFERED: Final = 50
_NAME: Final = "name."
_REFUSED: Final = (409, 422)


@routes.add("GET", COMPONENT)
def show_component(here: Here, install: str, component: str) -> Page:
    """A component of an install: how it is, what can be done with it, and all that was."""
    return _component(here, install, component)


@routes.add("POST", f"{COMPONENT}/deploy")
def deploy_component(here: Here, install: str, component: str) -> Moved | Page:
    """Deploy a build, an older one too."""
    said = here.request.form()
    body: dict[str, Any] = {name: bool(said.get(name)) for name in _SAID}
    body |= {"build_id": said["build"]} if said.get("build") else {}
    body["take_over"] = [line.strip() for line in said.get("take_over", "").splitlines() if line.strip()]
    return _asked(here, install, component, "deploys", body)


@routes.add("POST", f"{COMPONENT}/teardown")
def tear_down(here: Here, install: str, component: str) -> Moved | Page:
    """Delete what the component has there."""
    said = here.request.form()
    body = {"plan_only": bool(said.get("plan_only")), "approve_all": bool(said.get("approve_all"))}
    return _asked(here, install, component, "teardown", body)


@routes.add("POST", f"{COMPONENT}/drift")
def look_for_drift(here: Here, install: str, component: str) -> Moved | Page:
    """Look whether its objects are as they were applied."""
    return _asked(here, install, component, "drift", {})


@routes.add("GET", DEPLOY)
def show_deploy(here: Here, install: str, component: str, deploy: str) -> Page:
    """A deploy: how it goes, what it would do or did, and what came of it."""
    return _deploy(here, install, component, deploy)


@routes.add("POST", f"{DEPLOY}/cancel")
def cancel_deploy(here: Here, install: str, component: str, deploy: str) -> Moved:
    """Stop a deploy that waits or runs."""
    here.api.write("POST", f"{_api(install, component)}/deploys/{deploy}/cancel").held()
    return Moved(_place(install, component, deploy))


@routes.add("POST", f"{DEPLOY}/answer")
def answer_plan(here: Here, install: str, component: str, deploy: str) -> Moved | Page:
    """Say yes or no to the plan that the page showed: to this one and no other."""
    said = here.request.form()
    names = [value for name, value in said.items() if name.startswith(_NAME)]
    if said.get("every"):  # of the plan of this fingerprint
        names += together(here.api.get(f"{_api(install, component)}/deploys/{deploy}/plan"))
    body = {
        "response_type": "approve" if said.get("act") == "approve" else "deny",
        "note": said.get("note", "").strip(),
        "fingerprint": said.get("fingerprint", ""),
        "names": names,
    }
    made = here.api.write("POST", f"{_api(install, component)}/deploys/{deploy}/approval", body)
    if made.status in _REFUSED:
        return _deploy(here, install, component, deploy, made)
    made.held()
    return Moved(_place(install, component, deploy))


def _asked(here: Here, install: str, component: str, what: str, body: dict[str, Any]) -> Moved | Page:
    made = here.api.write("POST", f"{_api(install, component)}/{what}", body)
    if made.status in _REFUSED:
        return _component(here, install, component, made)
    return Moved(_place(install, component, made.held().document["id"]))


def _component(here: Here, install: str, component: str, refused: Reply | None = None) -> Page:
    place = _api(install, component)
    found = here.api.get(f"/v1/installs/{install}")
    app = found["app_id"]
    part = here.api.find(place)
    builds = here.api.reply(f"/v1/apps/{app}/components/{component}/builds", limit=_OFFERED)
    if part is None:
        builds.held()  # neither there nor in the app
    history = here.api.listing(f"{place}/deploys", limit=SIZE) if part else None
    able = [each for each in builds.document if each["status"] == "active"] if builds.good else []
    data = {
        "install": found, "app": app, "component": component, "part": part, "able": able, "known": builds.good,
        "runs": next((each for each in able if part and each["id"] == part["build_id"]), None),
        "deploys": history.document if history else [], "more": bool(history and history.more), "causes": CAUSES,
        "who": names_of(here), "problem": refused.document if refused else None,
    }  # fmt: skip
    live = 0 if refused else SOON if part and part["status"] in RUNNING else LATER
    status = refused.status if refused else 200
    return Page("installs/component.html", f"{component} in {found['name']}", data, status, live)


def _deploy(here: Here, install: str, component: str, deploy: str, refused: Reply | None = None) -> Page:
    place = _api(install, component)
    history = here.api.reply(f"{place}/deploys", limit=SIZE)  # which has the deploys that the next two show
    found = here.api.get(f"{place}/deploys/{deploy}")
    part = here.api.find(place)
    running, waits = found["status"] in RUNNING, found["status"] == "pending-approval"
    queued = here.api.find(f"/v1/installs/{install}") if found["status"] == "queued" else None
    data = {
        "app": found["app_id"], "component": component, "deploy": found, "part": part, "actions": ACTIONS,
        "marks": MARKS, "most": NAMES, "running": running, "health": _health(found["health"]), "waits": waits,
        "lines": timeline(found["status_v2"]["history"]), "causes": CAUSES,
        "deploys": history.document if history.good else [], "more": history.good and history.more,
        "problem": refused.document if refused else None,
        "agent": agent_of(here, queued) if queued else None,  # which asks again and again, while nothing else changes
    }  # fmt: skip
    title = f"{_WORDS[found['operation']]} {component}"
    live = 0 if refused else SOON if running else LATER if waits else 0
    late = partial(_planned, here, install, found, f"{place}/deploys/{deploy}/plan")
    return Page("installs/deploy.html", title, data, refused.status if refused else 200, live, late=late)


def _planned(here: Here, install: str, deploy: dict[str, Any], place: str) -> dict[str, Any]:
    """A deploy's plan, which is written with a line of its history; and names, which stay as they are."""
    plan = here.api.find(place) if deploy["counts"] or deploy["failure"] else None
    wanted = sought(here.request.query)
    return {
        "install": here.api.find(f"/v1/installs/{install}"), "plan": plan, "wanted": wanted,
        "view": view(plan["objects"], wanted) if plan else None, "optional": optional(plan) if plan else [],
        "sets": optional_sets(plan) if plan else {},
        "who": names_of(here),
    }  # fmt: skip


_WORDS: Final = {"apply": "Deploy of", "teardown": "Teardown of", "drift": "Drift of"}


def timeline(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The history, each line with how long it lasted."""
    ends = [*(line["created_at_ts"] for line in history[1:]), None]
    return [
        {**line, "lasted": max(0, end - line["created_at_ts"]) if end else None}
        for line, end in zip(history, ends, strict=True)
    ]


def _health(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Objects that aren't well, then others, as many as there is room for; and how many there are of each."""
    counts: dict[str, int] = {}
    for each in found:
        counts[each["state"]] = counts.get(each["state"], 0) + 1
    order = sorted(found, key=lambda each: each["state"] == "healthy")
    return {"shown": order[:HEALTHS], "counts": counts, "left_out": max(0, len(order) - HEALTHS)}


def _api(install: str, component: str) -> str:
    return f"/v1/installs/{install}/components/{component}"


def _place(install: str, component: str, deploy: str) -> str:
    return f"/installs/{install}/components/{component}/deploys/{deploy}"
