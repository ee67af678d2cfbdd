"""A build: how it went, what it is, where it is, and what stopped it."""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from byoa.web.pages.who import names_of
from byoa.web.routes import Here, Moved, Page, Routes

if TYPE_CHECKING:
    from collections.abc import Sequence

routes = Routes()
BUILD: Final = "/apps/<app>/components/<component>/builds/<build>"
SOON: Final = 2
LATER: Final = 20
"""Seconds after which a page is asked for again: while something runs, and else."""

OBJECTS: Final = 200
"""Objects that a page names; the API names more."""

_RUNNING: Final = frozenset({"queued", "planning", "building"})
_SIGNATURES: Final = "application/vnd.dev.cosign", "application/vnd.cncf.notary", "application/vnd.dev.sigstore"
_TOOLS: Final = (
    ("oras", "oras pull {}"),
    ("crane", "crane export {} manifests.tar"),
    ("flux", "flux pull artifact oci://{} --output manifests"),
    ("kustomize", "oras pull {} --output manifests && kustomize build manifests"),
)


def is_running(build: dict[str, Any]) -> bool:
    """Whether something more will happen to it."""
    return build["status"] in _RUNNING


def interval(running: Sequence[object]) -> int:
    """How often a page is to be looked at again."""
    return SOON if running else LATER


@routes.add("GET", BUILD)
def show_build(here: Here, app: str, component: str, build: str) -> Page:
    """A build with all that is known of it."""
    place = f"/v1/apps/{app}/components/{component}/builds/{build}"
    found = here.api.get(place)
    running = is_running(found)
    data = {
        "app": app, "component": component, "build": found, "lines": _lines(found["status_v2"]["history"]),
        "took": _took(found), "running": running, "commands": _commands(found), "place": place, "most": OBJECTS,
    }  # fmt: skip
    late = partial(_recorded, here, place, found)
    return Page("build.html", f"Build {build}", data, live=SOON if running else 0, late=late)


@routes.add("GET", "/builds/<build>")
def find_build(here: Here, build: str) -> Moved:
    """A build by its id alone."""
    found = here.api.get(f"/v1/builds/{build}")
    return Moved(f"/apps/{found['app_id']}/components/{found['component_id']}/builds/{found['id']}")


@routes.add("POST", f"{BUILD}/cancel")
def cancel_build(here: Here, app: str, component: str, build: str) -> Moved:
    """Stop a build that waits or runs."""
    here.api.write("POST", f"/v1/apps/{app}/components/{component}/builds/{build}/cancel").held()
    return Moved(f"/apps/{app}/components/{component}/builds/{build}")


def _recorded(here: Here, place: str, build: dict[str, Any]) -> dict[str, Any]:
    """What was written down of a build when it ended, and never changes; and who wanted it."""
    envelope = here.api.find(f"{place}/receipt") if build["receipt_id"] else None
    receipt = json.loads(base64.b64decode(envelope["payload"])) if envelope else None
    return {
        "receipt": receipt, "signed": _signed(envelope), "row": _row(build, receipt), "who": names_of(here),
        "attached": _tree(here.api.find(f"{place}/attachments") if receipt else None, receipt),
        "objects": here.api.find(f"{place}/resources") if build["status"] == "active" else None,
    }  # fmt: skip


def _signed(envelope: dict[str, Any] | None) -> bool:
    return bool(envelope and envelope["signatures"])


def _row(build: dict[str, Any], receipt: dict[str, Any] | None) -> list[tuple[str, Any]]:
    """What Nuon shows of an OCI artifact (dashboard-ui, OCIArtifactCard.tsx), in its order, where it is known."""
    row, top = build["oci_artifact"], _top(receipt)
    if row is None:
        return []
    fields = (
        ("Created", build["updated_at"]), ("Tag", row["tag"]), ("Repository", row["repository"]),
        ("Size", top.get("size")), ("Digest", row["digest"]), ("Artifact type", row["artifact_type"]),
        ("Media type", top.get("media_type")),
    )  # fmt: skip
    return [(name, value) for name, value in fields if value is not None]


def _top(receipt: dict[str, Any] | None) -> dict[str, Any]:
    """The artifact's own manifest among all that a receipt names."""
    nodes = receipt["nodes"] if receipt else []
    return next((node for node in nodes if node["digest"] == receipt["source"]["digest"]), {}) if receipt else {}


def _tree(found: dict[str, Any] | None, receipt: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What is attached to the artifact, each with its size and with what is attached to itself.

    What refers to a manifest below the artifact stands under that one, which is none of its ``kinds`` itself.
    """
    if not found or not receipt:
        return []
    sizes = {node["digest"]: node["size"] for node in receipt["nodes"]}
    every: dict[str, dict[str, Any]] = {}
    for each in found["attachments"]:
        one = every.setdefault(each["digest"], {**each, "size": sizes.get(each["digest"]), "below": [], "tags": []})
        one["tags"] += [each["tag"]] if each["tag"] else []
    roots: dict[str, dict[str, Any]] = {}
    for one in every.values():
        subject = one["subject"]
        if subject in every and subject != one["digest"]:
            every[subject]["below"].append(one)
        elif subject in (None, receipt["source"]["digest"]):
            roots[one["digest"]] = one
        else:
            part = {"digest": subject, "kind": None, "size": sizes.get(subject), "below": [], "tags": []}
            roots.setdefault(subject, part)["below"].append(one)
    return list(roots.values())


def _lines(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The history, each line with how long it lasted."""
    ends = [*(line["created_at_ts"] for line in history[1:]), None]
    return [
        {**line, "lasted": max(0, end - line["created_at_ts"]) if end else None}
        for line, end in zip(history, ends, strict=True)
    ]


def _took(build: dict[str, Any]) -> int | None:
    lines = build["status_v2"]["history"]
    return None if is_running(build) or not lines else lines[-1]["created_at_ts"] - lines[0]["created_at_ts"]


def _commands(build: dict[str, Any]) -> list[tuple[str, str]]:
    """What pulls the mirror by its digest, for each tool that can use it."""
    row = build["oci_artifact"]
    if row is None:
        return []
    reference = f"{row['repository']}@{row['digest']}"
    return [(tool, command.format(reference)) for tool, command in _TOOLS]
