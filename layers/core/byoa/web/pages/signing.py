"""Signing in by an API token, which is given for a session, and signing out; ``providers`` has the other way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from byoa.api.tokens import is_organisation
from byoa.web.asking import Refused
from byoa.web.beginnings import ORGANISATION
from byoa.web.routes import Here, Moved, Page, Routes, Sent
from byoa.web.sessions import GONE, kept

if TYPE_CHECKING:
    from collections.abc import Mapping

routes = Routes()
LOGIN: Final = "/auth/login"
_INSIDE: Final = re.compile(r"/(?![/\\])[!-~]{0,1000}", re.ASCII)
"""A place of ours: two slashes, or a slash and what browsers take for one, would begin a host's name."""

_UNAUTHENTICATED: Final = 401
_DRAFTS: Final = ("/edit", "/new", "/installs/create", "/settings")
_NEVER_SHOWN: Final = "token"
"""A field that no page is filled with."""

_KEPT: Final = "kept."
_NONE: Final = "The token is unknown, was revoked, or has expired."
_NOT_YET: Final = "You are not signed in yet."


def wanted(here: Here) -> Page | Moved | Sent:
    """What somebody gets who isn't signed in: the way to do it, and back."""
    if here.request.by_script:
        return Sent(b"", "text/plain; charset=utf-8", _UNAUTHENTICATED)
    if here.request.method != "GET":
        said = here.request.form() if here.request.path.endswith(_DRAFTS) else {}
        draft = {name: value for name, value in said.items() if name != _NEVER_SHOWN}
        told = "Your session has ended. Sign in; what you typed is kept." if draft else "Sign in, then do it again."
        return form(here, here.request.path if draft else "", told, _UNAUTHENTICATED, draft)
    place = here.request.place
    gone = (GONE,) if here.api.token else ()
    return Moved(LOGIN if place == "/" else f"{LOGIN}?next={quote(place, safe='/')}", gone)


@routes.add("GET", LOGIN, open=True)
def show_login(here: Here) -> Page | Moved:
    """The form, or where somebody who is signed in wanted to go."""
    following = inside(here.request.query.get("next", ""))
    return Moved(following or "/") if here.api.caller else form(here, following)


@routes.add("POST", LOGIN, open=True)
def log_in(here: Here) -> Page | Moved:
    """Make a session of the token, and go where was asked for; who signed in elsewhere meanwhile goes on with that."""
    said = here.request.form()
    following = inside(said.get("next", ""))
    draft = {name.removeprefix(_KEPT): value for name, value in said.items() if name.startswith(_KEPT)}
    if said.get("act") == "go on":
        if here.api.caller is None:
            return form(here, following, _NOT_YET, _UNAUTHENTICATED, draft)
        return _going_on(following, draft, ())
    here.api.token = said.get("token", "").strip()
    made = here.api.write("POST", "/v1/sessions")
    if made.good:
        return _going_on(following, draft, (kept(made.document["token"]),))
    if made.status != _UNAUTHENTICATED:
        raise Refused(made)
    return form(here, following, _NONE, _UNAUTHENTICATED, draft)


@routes.add("POST", "/auth/logout", open=True)
def log_out(here: Here) -> Moved:
    """End the session, here and at the API."""
    if here.api.caller:
        here.api.write("DELETE", "/v1/sessions/current")
    return Moved(LOGIN, (GONE,))


def _going_on(following: str, draft: Mapping[str, str], cookies: tuple[str, ...]) -> Page | Moved:
    if draft and following.endswith(_DRAFTS):
        data = {"action": following, "draft": {**draft, "act": "check"}}
        return Page("again.html", "Signed in", data, cookies=cookies)
    return Moved(following or "/", cookies)


def inside(place: str) -> str:
    """A place of the dashboard's own; an empty text for every other."""
    return place if _INSIDE.fullmatch(place) else ""


def form(here: Here, following: str, fault: str = "", status: int = 200, draft: Mapping[str, str] = {}) -> Page:
    """The page to sign in at."""
    asked = here.request.query.get("org", "").strip()
    organisation = asked or here.request.cookies.get(ORGANISATION, "")
    organisation = organisation if is_organisation(organisation) else ""
    ways = _ways(here, organisation)
    unknown = bool(asked) and not any(way["organisation"] == asked for way in ways)
    data = {
        "next": following, "fault": fault, "draft": draft, "ways": ways, "organisation": organisation or asked,
        "several": len({way["organisation"] for way in ways}) > 1, "unknown": unknown,
    }  # fmt: skip
    return Page("login.html", "Sign in", data, status)


def _ways(here: Here, organisation: str) -> list[dict[str, Any]]:
    """The issuers that people sign in with, each client once, of one organisation and of those that all are shown."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for each in dict.fromkeys([*([organisation] if organisation else []), *here.door.organisations]):
        for rule in here.door.rules(each):
            if rule.signs_in:
                way = {"organisation": each, "id": rule.id, "name": rule.name}
                found.setdefault((each, rule.issuer, rule.audience), way)
    return list(found.values())
