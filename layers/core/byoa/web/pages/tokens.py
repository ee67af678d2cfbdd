"""Tokens of the organisation, sessions among them: made, shown once, and revoked."""

from __future__ import annotations

from typing import Any, Final

from byoa.api.tokens import AGENT, SCOPES
from byoa.web.pages.installs import every
from byoa.web.routes import Here, Moved, Page, Routes

routes = Routes()
SIZE: Final = 50


@routes.add("GET", "/tokens")
def list_tokens(here: Here) -> Page:
    """All of them, and a form to make one."""
    return _page(here)


@routes.add("POST", "/tokens")
def create_token(here: Here) -> Page:
    """Make one; this page shows it, and no other ever does."""
    said = here.request.form()
    days = said.get("days", "")
    body = {
        "name": said.get("name", "").strip(),
        "scopes": [scope for scope in SCOPES if scope == said.get("scope")],
        "install_ids": [said["install"]] if said.get("scope") == AGENT and said.get("install") else [],
        "expires_in_days": int(days) if days.isdecimal() and len(days) < 5 else days,  # noqa: PLR2004 - an integer
    }
    made = here.api.write("POST", "/v1/tokens", body)
    if made.status == 422:  # noqa: PLR2004 - RFC 9110, 15.5.21
        return _page(here, problem=made.document, status=made.status)
    return _page(here, made=made.held().document, status=201)


@routes.add("POST", "/tokens/<token>/revoke")
def revoke_token(here: Here, token: str) -> Moved:
    """Let nobody in with it from now on."""
    here.api.write("DELETE", f"/v1/tokens/{token}").held()
    return Moved("/tokens")


def _page(
    here: Here, *, made: dict[str, Any] | None = None, problem: dict[str, Any] | None = None, status: int = 200
) -> Page:
    asked = here.request.query.get("page", "")
    number = int(asked) if asked.isdecimal() and len(asked) < 4 else 0  # noqa: PLR2004 - some hundreds
    found = here.api.listing("/v1/tokens", limit=SIZE, page=number)
    own = here.api.caller.id if here.api.caller else ""
    agents = {each["id"]: each for each in every(here, "/v1/installs") if each["cluster"]["kind"] == AGENT}
    data = {
        "listed": found.document, "more": found.more, "number": number, "made": made, "problem": problem,
        "scopes": [scope for scope in SCOPES if agents or scope != AGENT], "agents": agents, "own": own,
    }  # fmt: skip
    return Page("tokens.html", "Tokens", data, status)
