"""What each client pushes, mirrored, and pulled by the same client from both ends: the same files."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from tests.interop.machine import contents
from tests.interop.registries import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.interop.machine import Machine, Route

OBJECTS: Final = {
    "config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {greeting: hello}\n",
    "service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n",
}
KUSTOMIZATION: Final = "namespace: vendor\nresources: [config.yaml, service.yaml]\n"
CHART: Final = "apiVersion: v2\nname: web\nversion: 1.0.0\n"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """What a vendor keeps: objects, a kustomization of them, and a chart."""
    folder = tmp_path / "app"
    (folder / "objects").mkdir(parents=True)
    (folder / "web" / "templates").mkdir(parents=True)
    (folder / "web" / "Chart.yaml").write_text(CHART)
    (folder / "objects" / "kustomization.yaml").write_text(KUSTOMIZATION)
    for name, text in OBJECTS.items():
        (folder / "objects" / name).write_text(text)
        (folder / "web" / "templates" / name).write_text(text)
    return folder


@dataclass(frozen=True)
class Client:
    """How a client pushes the app under a reference, and pulls what is under one into a folder."""

    name: str
    push: Callable[[Machine, Path, str], object]
    pull: Callable[[Machine, str, Path], object]


def _push_rendered(machine: Machine, app: Path, reference: str) -> None:
    (app / "app.yaml").write_text(machine.run("kustomize", "build", app / "objects"))
    machine.run("oras", "push", "--plain-http", reference, "app.yaml:application/yaml", folder=app)


def _push_folder(machine: Machine, app: Path, reference: str) -> None:
    kind = ("--artifact-type", "application/vnd.vendor.manifests")
    machine.run("oras", "push", "--plain-http", *kind, reference, "./objects", folder=app)


def _oras_pull(machine: Machine, reference: str, folder: Path) -> None:
    machine.run("oras", "pull", "--plain-http", reference, "-o", folder)


def _flux_push(machine: Machine, app: Path, reference: str) -> None:
    machine.run("flux-artifact", "push", reference, app / "objects", "https://example.com/app.git", "main@sha1:0a1b2c")


def _flux_pull(machine: Machine, reference: str, folder: Path) -> None:
    about = machine.run("flux-artifact", "pull", reference, folder)
    (folder / "about.json").write_text(about.replace(reference.rpartition(":")[0], ""))


def _crane_append(machine: Machine, app: Path, reference: str) -> None:
    layer = app / "layer.tar"
    with tarfile.open(layer, "w") as tar:
        tar.add(app / "objects", "objects")
    machine.run("crane", "append", "-f", layer, "-t", reference)


def _crane_export(machine: Machine, reference: str, folder: Path) -> None:
    (folder / "manifest.json").write_text(machine.run("crane", "manifest", reference))
    machine.run("crane", "export", reference, folder / "image.tar")


def _helm_push(machine: Machine, app: Path, reference: str) -> None:
    machine.run("helm", "package", app / "web", "-d", app)
    machine.run("helm", "push", "--plain-http", app / "web-1.0.0.tgz", f"oci://{reference.rpartition('/')[0]}")


def _helm_pull(machine: Machine, reference: str, folder: Path) -> None:
    chart, _, version = reference.rpartition(":")
    machine.run("helm", "pull", "--plain-http", f"oci://{chart}", "--version", version, "-d", folder)


def _regctl_put(machine: Machine, app: Path, reference: str) -> None:
    kind = ("--artifact-type", "application/vnd.vendor.manifests", "--file-media-type", "application/yaml")
    machine.run("regctl", "artifact", "put", *kind, "-f", app / "objects" / "config.yaml", reference)


def _regctl_get(machine: Machine, reference: str, folder: Path) -> None:
    machine.run("regctl", "artifact", "get", reference, "-o", folder)


CLIENTS: Final = (
    Client("kustomize and oras", _push_rendered, _oras_pull),
    Client("oras with a folder", _push_folder, _oras_pull),
    Client("flux", _flux_push, _flux_pull),
    Client("crane", _crane_append, _crane_export),
    Client("helm", _helm_push, _helm_pull),
    Client("regctl", _regctl_put, _regctl_get),
)
BOTH: Final = tuple(
    (route, client)
    for number, client in enumerate(CLIENTS)
    for route in (ROUTES[number], ROUTES[(number + len(ROUTES) // 2) % len(ROUTES)])
)


@pytest.mark.parametrize(
    ("route", "client"), BOTH, indirect=["route"], ids=[f"{who.name}, {one} to {two}" for (one, two), who in BOTH]
)
def test_a_client_pulls_from_the_mirror_what_it_pushed(route: Route, client: Client, app: Path, tmp_path: Path) -> None:
    name = f"{client.name.replace(' ', '-')}/web:1.0.0"
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    ours.mkdir()
    client.push(route.machine, app, route.origin(name))
    assert route.mirror(name)["blobs"]["copied"] > 0
    client.pull(route.machine, route.origin(name), theirs)
    client.pull(route.machine, route.mirrored(name), ours)
    assert contents(ours) == contents(theirs) != {}
