"""Who did what."""

from __future__ import annotations

from typing import Final

from byoa.web.routes import Here, Page, Routes

routes = Routes()
SIZE: Final = 25


@routes.add("GET", "/audit")
def list_audit(here: Here) -> Page:
    """Writes of the organisation, the newest first."""
    asked = here.request.query.get("page", "")
    number = int(asked) if asked.isdecimal() and len(asked) < 4 else 0  # noqa: PLR2004 - some hundreds
    found = here.api.listing("/v1/audit", limit=SIZE, page=number)
    return Page("audit.html", "Audit", {"listed": found.document, "more": found.more, "number": number})
