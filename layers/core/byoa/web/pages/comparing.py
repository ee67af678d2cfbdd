"""Two builds of a component, compared by the objects of their artifacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from byoa.web.routes import Here, Page, Routes

if TYPE_CHECKING:
    from byoa.web.asking import Reply

routes = Routes()
COMPARE: Final = "/apps/<app>/components/<component>/compare"
SHOWN: Final = 50


@routes.add("GET", COMPARE)
def choose(here: Here, app: str, component: str) -> Page:
    """Which two."""
    return _page(here, app, component, "", "")


@routes.add("POST", COMPARE)
def compare(here: Here, app: str, component: str) -> Page:
    """Have the platform read both, and show what differs; values of Secrets are never shown."""
    said = here.request.form()
    return _page(here, app, component, said.get("before", ""), said.get("after", ""))


def _page(here: Here, app: str, component: str, before: str, after: str) -> Page:
    history = here.api.get(f"/v1/apps/{app}/components/{component}/builds", limit=SHOWN)
    able = [each for each in history if each["resolved"] and each["reference"]]
    chosen = {each["id"]: each for each in able}
    data: dict[str, Any] = {
        "app": app, "component": component, "able": able, "found": None, "problem": None,
        "before": before or (able[1]["id"] if len(able) > 1 else ""), "after": after or (able[0]["id"] if able else ""),
    }  # fmt: skip
    status = 200
    if before in chosen and after in chosen:
        pair = {"before": _artifact(chosen[before]), "after": _artifact(chosen[after])}
        status = _fill(data, here.api.write("POST", "/v1/artifacts/diff", pair))
    return Page("compare.html", f"Compare builds of {component}", data, status)


def _fill(data: dict[str, Any], reply: Reply) -> int:
    if reply.good and "objects" in reply.document:
        data["found"] = reply.document
        return 200
    late = {"detail": "The registry takes its time.", "remedy": "Compare again in a minute.", "code": "Timeout"}
    data["problem"] = late if reply.good else reply.document
    return 200 if reply.good else reply.status


def _artifact(build: dict[str, Any]) -> dict[str, Any]:
    """Where the vendor has what was built."""
    url = str(build["reference"]).partition("@")[0]
    tag = build["resolved"]["tag"]
    named = {"credentials_ref": build["credentials_ref"]} if build["credentials_ref"] else {}
    return {"url": url.removesuffix(f":{tag}") if tag else url, "digest": build["resolved"]["digest"], **named}
