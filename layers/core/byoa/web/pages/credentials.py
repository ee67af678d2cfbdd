"""Stored credentials: what there is, and new ones. What they say goes to the API and comes back from nowhere."""

from __future__ import annotations

import json
from typing import Any, Final

from byoa.web.routes import Here, Moved, Page, Routes

routes = Routes()
KINDS: Final = {
    "basic": ("username", "password"),
    "token": ("registry_token",),
    "aws_ecr": ("role_arn",),
    "gcp_gar": ("key",),
    "azure_acr": ("client_id", "client_secret"),
    "dockerconfigjson": ("dockerconfigjson",),
}
"""Kinds, and what each has beside its host (``trust.kinds``); for the rest of a kind's fields there is the API."""

_REFUSED: Final = (400, 409, 422)
_SHOWN_AGAIN: Final = ("ref", "kind", "host", "username", "client_id", "role_arn")


@routes.add("GET", "/credentials")
def list_credentials(here: Here) -> Page:
    """All by name, and a form to store some."""
    return _page(here, {})


@routes.add("POST", "/credentials")
def store_credentials(here: Here) -> Page | Moved:
    """Store some under a new name."""
    said = here.request.form()
    kind = said.get("kind", "") if said.get("kind") in KINDS else "basic"
    value: dict[str, Any] = {name: said.get(name, "") for name in KINDS[kind]}
    if kind in ("gcp_gar", "dockerconfigjson"):
        value = {name: _document(text) for name, text in value.items()}
    body = {"ref": said.get("ref", "").strip(), "kind": kind, "host": said.get("host", "").strip(), "value": value}
    made = here.api.write("POST", "/v1/credentials", body)
    if made.status in _REFUSED:
        return _page(here, {name: said.get(name, "") for name in _SHOWN_AGAIN}, made.document, made.status)
    made.held()
    return Moved("/credentials")


@routes.add("POST", "/credentials/<ref>/delete")
def delete_credentials(here: Here, ref: str) -> Moved:
    """Delete some."""
    here.api.write("DELETE", f"/v1/credentials/{ref}", if_match=here.request.form().get("match", "")).held()
    return Moved("/credentials")


@routes.add("GET", "/credentials/<ref>")
def show_credentials(here: Here, ref: str) -> Page:
    """What is shown of them, and the way to delete them."""
    found = here.api.listing(f"/v1/credentials/{ref}")
    return Page("credential.html", ref, {"found": found.document, "match": found.headers["etag"]})


def _document(text: str) -> Any:  # noqa: ANN401 - JSON data, or a text that the API refuses
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _page(here: Here, said: dict[str, str], problem: dict[str, Any] | None = None, status: int = 200) -> Page:
    listed = here.api.get("/v1/credentials", limit=100)
    data = {"listed": listed, "kinds": KINDS, "said": said, "problem": problem}
    return Page("credentials.html", "Credentials", data, status)
