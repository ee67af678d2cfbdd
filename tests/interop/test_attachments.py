"""What is attached to what is attached, and what is attached later, is found in the mirror as at the vendor's."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

import pytest

from local.demo import TAG
from tests.interop.machine import needs
from tests.interop.registries import ROUTES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.machine import Machine, Route

SBOM: Final = "application/spdx+json"
REVIEW: Final = "application/vnd.vendor.review"


@pytest.mark.parametrize("route", [*ROUTES[:2], ROUTES[3]], indirect=True, ids=" to ".join)
def test_attachments_of_attachments_are_mirrored_at_first_and_later(route: Route, tmp_path: Path) -> None:
    needs("oras")
    digest = route.put("oras-file", "attached")
    artifact, name = route.origin(f"attached@{digest}"), f"attached:{TAG}"
    sbom = _attach(route.machine, tmp_path, SBOM, artifact)
    assert route.mirror(name)["attached"] == 1
    _attach(route.machine, tmp_path, REVIEW, sbom)
    _attach(route.machine, tmp_path, SBOM, artifact)
    assert route.mirror(name)["attached"] == 3
    mirrored = _discover(route.machine, route.mirrored(f"attached@{digest}"))
    assert mirrored == _discover(route.machine, artifact)
    assert sorted(len(each) for each in mirrored.values()) == [0, 0, 1, 2]


def _attach(machine: Machine, folder: Path, kind: str, subject: str) -> str:
    """Attach something to a subject that isn't there yet, and tell its reference."""
    (folder / "attached.json").write_text(f'{{"subject": "{subject}", "made": {time.time_ns()}}}')
    what = ("--artifact-type", kind, subject, "attached.json:application/json")
    report = machine.run("oras", "attach", "--plain-http", "--format", "json", *what, folder=folder)
    return str(json.loads(report)["reference"])


def _discover(machine: Machine, reference: str) -> dict[str, dict[str, str]]:
    """What is attached to the artifact and to all that is attached, by digest: digests and their types."""
    waiting = [json.loads(machine.run("oras", "discover", "--plain-http", "--format", "json", reference))]
    found: dict[str, dict[str, str]] = {}
    for node in waiting:
        found[node["digest"]] = {each["digest"]: each["artifactType"] for each in node.get("referrers", ())}
        waiting += node.get("referrers", ())
    return found
