"""Several artifacts at once, parts of one, and copies within a registry, as clients that aren't ours see them."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING, Final

import pytest

from tests.interop.machine import Route, needs
from tests.interop.registries import ROUTES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.machine import Machine

TO_API, TO_TAGS, TO_ECR, TO_TOKENS = ROUTES[0], ROUTES[1], ROUTES[3], ROUTES[6]
ALONE: Final = ("docker-registry", "olareg", "desk with tokens")
PLATFORMS: Final = ("linux/amd64", "linux/arm64")


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    (tmp_path / "web").write_text("a program\n")
    with tarfile.open(tmp_path / "layer.tar", "w") as tar:
        tar.add(tmp_path / "web", "web")
    return tmp_path / "layer.tar"


@pytest.mark.parametrize("route", [TO_TAGS, TO_ECR], indirect=True, ids=" to ".join)
def test_all_tags_that_match_are_mirrored_and_no_other(route: Route) -> None:
    needs("crane")
    origin, run = route.origin("tags"), route.machine.run
    route.put("signed-v2", "tags")
    run("crane", "tag", f"{origin}:v2.3.1", "v2.4.0")
    run("crane", "tag", f"{origin}:v2.3.1", "v3.0.0")
    route.mirror("tags", "--all-tags", "--filter", "v2.*")
    mirrored = sorted(run("crane", "ls", route.mirrored("tags")).split())
    assert [tag for tag in mirrored if tag.startswith("v")] == ["v2.3.1", "v2.4.0"]
    assert (
        [tag for tag in mirrored if tag.endswith(".sig")]
        == [tag for tag in run("crane", "ls", origin).split() if tag.endswith(".sig")]
        != []
    )


@pytest.mark.parametrize(
    ("route", "maker"),
    [(TO_API, "crane"), (TO_ECR, "regctl"), (TO_TOKENS, "regctl")],
    indirect=["route"],
    ids=["crane's", "regctl's to ECR", "regctl's with tokens"],
)
def test_one_platform_of_an_index_is_mirrored_when_another_digest_is_welcome(
    route: Route, layer: Path, maker: str
) -> None:
    needs("crane", maker)
    name = f"{maker}-index:v1"
    _push_index(route.machine, route.origin(name), layer, maker)
    switch = ("--platform", "linux/arm64")
    said = route.machine.refuses_to_mirror(f"oci://{route.origin(name)}", f"oci://{route.mirrored(name)}", *switch)
    assert "PlatformChanged" in said
    child = route.machine.run("crane", "digest", *switch, route.origin(name))
    assert route.mirror(name, *switch, "--new-digest")["digest"] == child.strip()
    assert route.machine.run("crane", "digest", route.mirrored(name)) == child
    assert json.loads(route.machine.run("crane", "config", route.mirrored(name)))["architecture"] == "arm64"


@pytest.mark.parametrize("route", [TO_API, TO_ECR], indirect=True, ids=" to ".join)
def test_every_platform_of_an_index_is_mirrored(route: Route, layer: Path) -> None:
    needs("crane")
    _push_index(route.machine, route.origin("platforms:v1"), layer, "crane")
    route.mirror("platforms:v1")
    for platform in PLATFORMS:
        ask = ("crane", "digest", "--platform", platform)
        here, there = route.mirrored("platforms:v1"), route.origin("platforms:v1")
        assert route.machine.run(*ask, here) == route.machine.run(*ask, there)
        route.machine.run("crane", "validate", "--platform", platform, "--remote", here)


def _push_index(machine: Machine, reference: str, layer: Path, maker: str) -> None:
    repository = reference.rpartition(":")[0]
    for platform in PLATFORMS:
        tag = f"{repository}:{platform.replace('/', '-')}"
        machine.run("crane", "append", "-f", layer, "-t", f"{tag}-bare")
        machine.run("crane", "mutate", "--set-platform", platform, f"{tag}-bare", "-t", tag)
    images = [f"{repository}:{platform.replace('/', '-')}" for platform in PLATFORMS]
    if maker == "crane":
        named = [word for image in images for word in ("-m", image)]
        machine.run("crane", "index", "append", *named, "-t", reference)
    else:
        named = [word for image in images for word in ("--ref", image)]
        machine.run("regctl", "index", "create", reference, *named)


@pytest.mark.parametrize("kind", ALONE)
def test_within_one_registry_blobs_are_mounted_and_not_sent(machine: Machine, kind: str) -> None:
    needs("oras")
    place = machine.place(kind)
    route = Route(machine, place, place)
    route.put("oras-many", "mounted")
    report = route.mirror("mounted:v2.3.1")
    assert report["blobs"] == {"copied": 0, "mounted": 4, "skipped": 0}
    machine.run("oras", "pull", "--plain-http", route.mirrored("mounted:v2.3.1"), "-o", machine.home / "mounted" / kind)
