"""What the vendors' tools made, in tests/data, through the command line over every route.

Each route's mirror is pulled into a layout by a client that isn't ours, and holds the bytes that the tools made.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pytest

from local.demo import ARTIFACTS
from tests.interop.machine import contents, needs
from tests.interop.registries import ROUTES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.machine import Route

LAYOUTS: Final = tuple(sorted(path.name for path in ARTIFACTS.iterdir() if path.is_dir()))
CLIENTS: Final = ("crane", "oras", "regctl")
BOTH: Final = tuple((route, CLIENTS[number % len(CLIENTS)]) for number, route in enumerate(ROUTES))


@pytest.mark.parametrize(
    ("route", "client"), BOTH, indirect=["route"], ids=[f"{one} to {two}, {who}" for (one, two), who in BOTH]
)
def test_a_client_pulls_from_the_mirror_what_the_vendors_tools_made(route: Route, client: str, tmp_path: Path) -> None:
    needs(client)
    _fill(route, tmp_path / "fill.txt")
    report = _mirror_all(route, tmp_path / "mirror.txt")
    assert [artifact["attached"] for artifact in report] == [_attached(layout) for layout in LAYOUTS]
    for layout in LAYOUTS:
        pulled = tmp_path / layout
        for name in _names(layout, client):
            route.machine.run(*_pull(client, route.mirrored(f"{layout}{name}"), pulled))
        assert _blobs(pulled).items() >= _blobs(ARTIFACTS / layout).items(), layout


def _fill(route: Route, lines: Path) -> None:
    """Put every layout into the vendor's registry."""
    pairs = [(f"oci-layout:{ARTIFACTS / each}:{_tag(each)}", f"oci://{route.origin(each)}") for each in LAYOUTS]
    lines.write_text("".join(f"{source} {target}\n" for source, target in pairs))
    assert route.machine.mirror("--from", lines)["ok"]


def _mirror_all(route: Route, lines: Path) -> list[dict[str, int]]:
    names = [f"{each}:{_tag(each)}" for each in LAYOUTS]
    lines.write_text("".join(f"oci://{route.origin(name)} oci://{route.mirrored(name)}\n" for name in names))
    report: list[dict[str, int]] = route.machine.mirror("--from", lines)["artifacts"]
    return report


def _manifests(layout: str) -> list[tuple[str, str | None]]:
    """The digest and the tag of each manifest that the layout's index lists, the artifact first."""
    listed = json.loads((ARTIFACTS / layout / "index.json").read_bytes())["manifests"]
    return [(each["digest"], each.get("annotations", {}).get("org.opencontainers.image.ref.name")) for each in listed]


def _tag(layout: str) -> str:
    return str(_manifests(layout)[0][1])


def _attached(layout: str) -> int:
    return int(layout.startswith("signed"))


def _names(layout: str, client: str) -> list[str]:
    """What to pull: oras and regctl find what is attached by themselves, crane doesn't look for it."""
    by_name = [(f":{tag}" if tag else f"@{digest}", tag) for digest, tag in _manifests(layout)]
    return [name for name, tag in by_name if tag or client == "crane"]


def _pull(client: str, reference: str, folder: Path) -> tuple[str | Path, ...]:
    """The command that pulls into a layout, under the tag or the digest that the reference ends with."""
    layout = f"{folder}:{reference.rpartition(':')[2]}"
    return {
        "crane": ("crane", "pull", "--format=oci", reference, folder),
        "oras": ("oras", "cp", "-r", "--from-plain-http", reference, "--to-oci-layout", layout),
        "regctl": ("regctl", "image", "copy", "--referrers", reference, f"ocidir://{layout}"),
    }[client]


def _blobs(layout: Path) -> dict[str, bytes]:
    return contents(layout / "blobs")
