"""What the organisation's builds may read."""

from __future__ import annotations

from typing import Any, Final

from byoa.web.routes import Here, Moved, Page, Routes

routes = Routes()
_REFUSED: Final = (412, 422)


@routes.add("GET", "/policies")
def show_policies(here: Here) -> Page:
    """The list, in a field."""
    found = here.api.listing("/v1/policies")
    return _page(found.document, "\n".join(found.document["references"]), found.headers["etag"])


@routes.add("POST", "/policies")
def replace_policies(here: Here) -> Page | Moved:
    """Replace it, unless somebody else did meanwhile."""
    said = here.request.form()
    text = said.get("references", "")
    body = {"references": [line.strip() for line in text.splitlines() if line.strip()]}
    made = here.api.write("PUT", "/v1/policies", body, if_match=said.get("match", ""))
    if made.status in _REFUSED:
        now = here.api.listing("/v1/policies")
        return _page(now.document, text, now.headers["etag"], made.document, made.status)
    made.held()
    return Moved("/policies")


def _page(
    found: dict[str, Any], text: str, match: str, problem: dict[str, Any] | None = None, status: int = 200
) -> Page:
    return Page("policies.html", "Policies", {"found": found, "text": text, "match": match, "problem": problem}, status)
