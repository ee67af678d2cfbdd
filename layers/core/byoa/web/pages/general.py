"""What no resource has to itself: assets, the API's own answers, and what errors mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from byoa.errors import Transient, leaves
from byoa.web.assets import KINDS, files, packed, version
from byoa.web.routes import Here, Page, Routes, Sent

if TYPE_CHECKING:
    from collections.abc import Mapping

routes = Routes()
_JSON: Final = "application/json; charset=utf-8"


@routes.add("GET", "/assets/<built>/<name>", open=True)
def send_asset(here: Here, built: str, name: str) -> Sent:
    """A style or a script."""
    if name not in files():
        return Sent(b"not found", "text/plain; charset=utf-8", 404)
    lasting = built == version()  # who asks by an older name has an older page
    headers: Mapping[str, str] = {"Cache-Control": "public, max-age=31536000, immutable" if lasting else "no-cache"}
    kind = KINDS["." + name.rpartition(".")[2]]
    if "gzip" in here.request.header("accept-encoding"):
        return Sent(packed(name), kind, 200, {**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
    return Sent(files()[name], kind, 200, headers)


@routes.add("GET", "/json/<path:rest>")
def show_json(here: Here, path: str) -> Sent:
    """What the API answers at a path, as it is."""
    if not path.startswith("v1/"):
        path = "v1/nothing"
    found = here.api.reply(f"/{path}", **here.request.query)
    text = (
        found.document if isinstance(found.document, str) else json.dumps(found.document, indent=2, ensure_ascii=False)
    )
    return Sent(f"{text}\n".encode(), _JSON, found.status)


@routes.add("GET", "/errors", open=True)
def list_errors(here: Here) -> Page:  # noqa: ARG001 - the same for all
    """What each code means, and what to do."""
    rows = [
        {
            "code": leaf.__name__,
            "cause": " ".join((leaf.__doc__ or "").split()),
            "remedy": leaf.default_remedy,
            "retried": issubclass(leaf, Transient),
        }
        for leaf in leaves()
    ]
    return Page("errors.html", "Errors", {"rows": rows})
