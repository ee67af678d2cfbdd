"""Signing in by an API token, which is given for a session, and signing out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from byoa.web.asking import Refused
from byoa.web.routes import Here, Moved, Page, Routes, Sent
from byoa.web.sessions import GONE, kept

if TYPE_CHECKING:
    from collections.abc import Mapping

routes = Routes()
LOGIN: Final = "/auth/login"
_INSIDE: Final = re.compile(r"/(?![/\\])[!-~]{0,2000}", re.ASCII)
"""A place of ours: two slashes, or a slash and what browsers take for one, would begin a host's name."""

_UNAUTHENTICATED: Final = 401
_DRAFTS: Final = ("/edit", "/new")
_KEPT: Final = "kept."


def wanted(here: Here) -> Page | Moved | Sent:
    """What somebody gets who isn't signed in: the way to do it, and back."""
    if here.request.by_script:
        return Sent(b"", "text/plain; charset=utf-8", _UNAUTHENTICATED)
    if here.request.method != "GET":
        draft = here.request.form() if here.request.path.endswith(_DRAFTS) else {}
        told = "Your session has ended. Sign in; what you typed is kept." if draft else "Sign in, then do it again."
        return _form(here.request.path if draft else "", told, _UNAUTHENTICATED, draft)
    place = here.request.place
    return Moved(LOGIN if place == "/" else f"{LOGIN}?next={quote(place, safe='/')}", GONE if here.api.token else "")


@routes.add("GET", LOGIN, open=True)
def show_login(here: Here) -> Page | Moved:
    """The form, or where somebody who is signed in wanted to go."""
    following = _inside(here.request.query.get("next", ""))
    return Moved(following or "/") if here.api.caller else _form(following)


@routes.add("POST", LOGIN, open=True)
def log_in(here: Here) -> Page | Moved:
    """Make a session of the token, and go where was asked for."""
    said = here.request.form()
    following = _inside(said.get("next", ""))
    here.api.token = said.get("token", "").strip()
    draft = {name.removeprefix(_KEPT): value for name, value in said.items() if name.startswith(_KEPT)}
    made = here.api.write("POST", "/v1/sessions")
    if made.good and draft and following.endswith(_DRAFTS):
        data = {"action": following, "draft": {**draft, "act": "check"}}
        return Page("again.html", "Signed in", data, cookie=kept(made.document["token"]))
    if made.good:
        return Moved(following or "/", kept(made.document["token"]))
    if made.status != _UNAUTHENTICATED:
        raise Refused(made)
    return _form(following, "The token is none, was revoked, or has expired.", _UNAUTHENTICATED, draft)


@routes.add("POST", "/auth/logout", open=True)
def log_out(here: Here) -> Moved:
    """End the session, here and at the API."""
    if here.api.caller:
        here.api.write("DELETE", "/v1/sessions/current")
    return Moved(LOGIN, GONE)


def _inside(place: str) -> str:
    return place if _INSIDE.fullmatch(place) else ""


def _form(following: str, fault: str = "", status: int = 200, draft: Mapping[str, str] = {}) -> Page:
    return Page("login.html", "Sign in", {"next": following, "fault": fault, "draft": draft}, status)
