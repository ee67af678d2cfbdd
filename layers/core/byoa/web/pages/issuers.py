"""Issuers whose tokens let in jobs and people. A client's secret goes to the API, and comes back from nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.api.issuers import default_audience
from byoa.api.tokens import AGENT, SCOPES
from byoa.web.pages.installs import every
from byoa.web.pages.providers import CALLBACK
from byoa.web.pages.who import names_of
from byoa.web.routes import Here, Moved, Page, Routes

if TYPE_CHECKING:
    from collections.abc import Mapping

routes = Routes()
KNOWN: Final = ("https://token.actions.githubusercontent.com", "https://gitlab.com", "https://accounts.google.com")
"""Issuers that many have; any other is typed."""

_MOST: Final = 20
"""Rules of an organisation (``api.issuers``): all are on the page."""

_REFUSED: Final = (409, 422, 429)
_SHOWN_AGAIN: Final = ("name", "issuer", "audience", "claims", "scope", "install", "sign_in")


@routes.add("GET", "/issuers")
def list_issuers(here: Here) -> Page:
    """All rules, and a form to add one."""
    return _page(here)


@routes.add("POST", "/issuers")
def add_issuer(here: Here) -> Page | Moved:
    """Add a rule. What was typed stays where it is refused, but for the secret."""
    said = here.request.form()
    made = here.api.write("POST", "/v1/issuers", _rule(said))
    if made.status in _REFUSED:
        return _page(here, said, made.document, made.status)
    made.held()
    return Moved("/issuers")


@routes.add("POST", "/issuers/<issuer>/secret")
def store_secret(here: Here, issuer: str) -> Page | Moved:
    """Store another secret of a rule's client, in place of the one that expires."""
    body = {"client_secret": here.request.form().get("secret", "")}
    made = here.api.write("PUT", f"/v1/issuers/{issuer}/client-secret", body)
    if made.status in _REFUSED:
        return _page(here, {}, made.document, made.status)
    made.held()
    return Moved("/issuers")


@routes.add("POST", "/issuers/<issuer>/delete")
def delete_issuer(here: Here, issuer: str) -> Moved:
    """Let nobody in by a rule from now on."""
    here.api.write("DELETE", f"/v1/issuers/{issuer}").held()
    return Moved("/issuers")


def _rule(said: Mapping[str, str]) -> dict[str, Any]:
    """What was typed, as the API takes it; what can't be meant it refuses."""
    scope, install = said.get("scope", ""), said.get("install", "")
    body: dict[str, Any] = {
        "name": said.get("name", "").strip(),
        "issuer": said.get("issuer", "").strip(),
        "claims": _claims(said.get("claims", "")),
        "scopes": [each for each in SCOPES if each == scope],
        "install_ids": [install] if scope == AGENT and install else [],
        "sign_in": bool(said.get("sign_in")),
    }
    optional = {"audience": said.get("audience", "").strip(), "client_secret": said.get("secret", "")}
    return body | {name: value for name, value in optional.items() if value}


def _claims(text: str) -> dict[str, list[str]]:
    """NAME=PATTERN, one a line; of a name that stands twice either pattern may be met."""
    found: dict[str, list[str]] = {}
    for line in (each.strip() for each in text.splitlines()):
        if line:
            name, _, pattern = line.partition("=")
            found.setdefault(name.strip(), []).append(pattern.strip())
    return found


def _page(
    here: Here, said: Mapping[str, str] | None = None, problem: dict[str, Any] | None = None, status: int = 200
) -> Page:
    listed = here.api.get("/v1/issuers", limit=_MOST)
    agents = {each["id"]: each for each in every(here, "/v1/installs") if each["cluster"]["kind"] == AGENT}
    organisation = here.api.caller.organisation if here.api.caller else ""
    data = {
        "listed": listed, "agents": agents, "who": names_of(here), "problem": problem, "known": KNOWN,
        "scopes": [scope for scope in SCOPES if agents or scope != AGENT],
        "said": {name: (said or {}).get(name, "") for name in _SHOWN_AGAIN},
        "audience": default_audience(organisation), "callback": f"{here.request.origin}{CALLBACK}",
    }  # fmt: skip
    return Page("issuers.html", "Issuers", data, status)
