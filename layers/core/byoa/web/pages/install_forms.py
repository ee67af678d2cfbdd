"""Installs made, changed and deleted. A token of a cluster goes to the API, and comes back from nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.web.clusters import (
    KINDS,
    OF_KINDS,
    changed_cluster,
    cluster_of,
    followed,
    inputs_of,
    shown_of,
    text_of_inputs,
    typed,
    where,
)
from byoa.web.pages.installs import INSTALL, every
from byoa.web.routes import Here, Moved, Page, Routes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from byoa.web.asking import Reply

routes = Routes()
CREATE: Final = "/apps/<app>/installs/create"
SETTINGS: Final = f"{INSTALL}/settings"
OPTIONS: Final = {"prompt": "ask somebody before a plan is applied", "approve-all": "apply without asking"}
_REFUSED: Final = (400, 409, 422)
_CHANGED: Final = (409, 412)


@routes.add("GET", CREATE)
def show_form(here: Here, app: str) -> Page:
    """The form of a new one."""
    return _create(here, app, {**typed({}), "approval": "prompt"})


@routes.add("POST", CREATE)
def create_install(here: Here, app: str) -> Page | Moved:
    """Make it; or show what was typed before somebody had to sign in again."""
    said = here.request.form()
    if said.get("act") == "check":
        return _create(here, app, typed(said))
    inputs, wrong = inputs_of(said.get("inputs", ""), {})
    if wrong:
        return _create(here, app, typed(said), _invalid(wrong), 422)
    body = {"name": said.get("name", "").strip(), "cluster": cluster_of(said), **_settings(said), "inputs": inputs}
    made = here.api.write("POST", f"/v1/apps/{app}/installs", body)
    if made.status in _REFUSED:
        return _create(here, app, typed(said), made.document, made.status)
    return Moved(f"/installs/{made.held().document['id']}")


@routes.add("GET", SETTINGS)
def show_settings(here: Here, install: str) -> Page:
    """An install's settings, and the way to delete it."""
    found = here.api.listing(f"/v1/installs/{install}")
    return _settled(here, found, shown_of(found.document))


@routes.add("POST", SETTINGS)
def change_install(here: Here, install: str) -> Page | Moved:
    """Change what differs; of a cluster also its token, if one is typed. The same of what was typed before."""
    said = here.request.form()
    found = here.api.listing(f"/v1/installs/{install}")
    if said.get("act") == "check":
        return _settled(here, found, typed(said), match=said.get("match", ""))
    now = found.document
    inputs, wrong = inputs_of(said.get("inputs", ""), now["inputs"])
    if wrong:
        return _settled(here, found, typed(said), _invalid(wrong), 422, said.get("match", ""))
    body: dict[str, Any] = {**_settings(said)}
    if said.get("inputs", "").strip() != text_of_inputs(now["inputs"]).strip():
        body["inputs"] = inputs
    cluster = changed_cluster(now["cluster"], said)
    if cluster:
        body |= {"cluster": cluster, **({"same_cluster": True} if said.get("same_cluster") else {})}
    made = here.api.write("PATCH", f"/v1/installs/{install}", body, if_match=said.get("match", ""))
    if made.status in (*_REFUSED, *_CHANGED):
        match = "" if made.status in _CHANGED else said.get("match", "")
        return _settled(here, found, typed(said), _told(made), made.status, match)
    made.held()
    return Moved(f"/installs/{install}")


@routes.add("POST", f"{INSTALL}/delete")
def delete_install(here: Here, install: str) -> Page | Moved:
    """Forget an install whose name somebody has typed; the API refuses it while objects of it are tracked."""
    said = here.request.form()
    found = here.api.listing(f"/v1/installs/{install}")
    if said.get("name", "").strip() != found.document["name"]:
        wrong = {"detail": "That isn't the install's name.", "remedy": "Type its name to delete it.", "errors": []}
        return _settled(here, found, shown_of(found.document), wrong, 422)
    here.api.write("DELETE", f"/v1/installs/{install}", if_match=said.get("match", "")).held()
    return Moved(f"/apps/{found.document['app_id']}/installs")


def _settings(said: Mapping[str, str]) -> dict[str, Any]:
    return {
        "install_config": {"approval_option": said.get("approval", "")},
        "follow": followed(said),
        "deploy_dependents": bool(said.get("deploy_dependents")),
        "mend": bool(said.get("mend")),
    }


def _create(
    here: Here, app: str, shown: dict[str, Any], problem: Mapping[str, Any] | None = None, status: int = 200
) -> Page:
    return _form(here, app, None, shown, problem, status)


def _settled(  # noqa: PLR0913, PLR0917 - what is there, what is typed, what is wrong
    here: Here,
    found: Reply,
    shown: dict[str, Any],
    problem: Mapping[str, Any] | None = None,
    status: int = 200,
    match: str = "",
) -> Page:
    """``match`` is the ETag of what was changed; what is there now where somebody is to decide anew."""
    data = {**shown, "match": match or found.headers["etag"]}
    return _form(here, found.document["app_id"], found.document, data, problem, status)


def _form(  # noqa: PLR0913, PLR0917 - the same
    here: Here,
    app: str,
    install: dict[str, Any] | None,
    shown: dict[str, Any],
    problem: Mapping[str, Any] | None,
    status: int,
) -> Page:
    known = [each["name"] for each in every(here, f"/v1/apps/{app}/components", 100)]
    organisation = here.api.reply("/v1/orgs/current")
    data = {
        "app": app, "install": install, "shown": shown, "kinds": KINDS, "of_kinds": OF_KINDS, "options": OPTIONS,
        "components": [*known, *(name for name in shown["follow"] if name not in known)], "problem": problem,
        "wrong": where((problem or {}).get("errors") or []), "match": shown.get("match", ""),
        "trusting": organisation.document if organisation.good else {},
        "tracked": _tracked(here, install["id"]) if install else 0,
    }  # fmt: skip
    title = f"Settings of {install['name']}" if install else "New install"
    return Page("installs/form.html", title, data, status)


def _tracked(here: Here, install: str) -> int:
    """How many objects of an install are tracked."""
    return sum(each["objects"] for each in every(here, f"/v1/installs/{install}/components"))


def _invalid(wrong: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return {"detail": "The inputs can't be read.", "remedy": "Write NAME=VALUE, one a line.", "errors": [*wrong]}


def _told(made: Reply) -> Mapping[str, Any]:
    if made.status not in _CHANGED:
        found: dict[str, Any] = made.document
        return found
    return {
        "detail": "Somebody changed the install meanwhile.",
        "remedy": "What you typed is kept; saving again puts it over theirs.",
        "errors": [],
    }
