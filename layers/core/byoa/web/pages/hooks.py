"""Hooks: where registries tell that something was pushed."""

from __future__ import annotations

from typing import Any, Final

from byoa.web.routes import Here, Moved, Page, Routes

routes = Routes()
KINDS: Final = ("github", "dockerhub", "quay", "harbor", "acr", "gar", "generic", "ecr")
OF_ONE_KIND: Final = {
    "service_account": "Service account (gar)",
    "account": "Account (ecr)",
    "region": "Region (ecr)",
    "repository": "Repository (ecr, else all)",
}
ACTIONS: Final = {"note": "note that the tag moved", "build": "build the component anew"}


@routes.add("GET", "/hooks-in")
def list_hooks(here: Here) -> Page:
    """All of them, and a form to make one."""
    return _page(here)


@routes.add("POST", "/hooks-in")
def create_hook(here: Here) -> Page:
    """Make one; this page shows its address and its secret, and no other ever does."""
    said = here.request.form()
    body = {"name": said.get("name", "").strip(), "kind": said.get("kind", ""), "action": said.get("action", "")}
    body |= {name: said[name].strip() for name in OF_ONE_KIND if said.get(name, "").strip()}
    made = here.api.write("POST", "/v1/hooks", body)
    if made.status in (409, 422):
        return _page(here, problem=made.document, status=made.status)
    return _page(here, made=made.held().document, status=201)


@routes.add("POST", "/hooks-in/<hook>/delete")
def delete_hook(here: Here, hook: str) -> Moved:
    """Take nothing at its address from now on."""
    here.api.write("DELETE", f"/v1/hooks/{hook}").held()
    return Moved("/hooks-in")


def _page(
    here: Here, *, made: dict[str, Any] | None = None, problem: dict[str, Any] | None = None, status: int = 200
) -> Page:
    listed = here.api.get("/v1/hooks", limit=100)
    data = {"listed": listed, "kinds": KINDS, "actions": ACTIONS, "more": OF_ONE_KIND, "made": made, "problem": problem}
    return Page("hooks.html", "Hooks", data, status)
