"""What `byoa push` packs is pulled by the clients whose formats it writes, and gives the same files."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.interop.machine import BYOA, contents, needs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.interop.machine import Machine
    from tests.interop.registries import Place

FILES = {
    "web.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {greeting: hällo}\n",
    "deep/er/service.yml": "apiVersion: v1\r\nkind: Service\r\nmetadata: {name: web}\r\n",
    "deep/Zoë.json": '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "zoe"}}\n',
}
BYTES = {name: text.encode() for name, text in FILES.items()}
REGISTRIES = ("desk", "olareg", "olareg with passwords", "docker-registry")


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    for name, content in BYTES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(params=REGISTRIES)
def place(request: pytest.FixtureRequest, machine: Machine) -> Place:
    return machine.place(request.param)


def push(machine: Machine, place: Place, name: str, *arguments: str | Path) -> dict[str, Any]:
    call = ("push", f"oci://{place.address}/{name}", *arguments, "--plain-http", place.address, "--json")
    return dict(json.loads(machine.run(BYOA, *call)))


def test_flux_pulls_the_same_files(machine: Machine, place: Place, app: Path, tmp_path: Path) -> None:
    noted = ("--source", "https://example.com/app.git", "--revision", "main@sha1:0a1b2c")
    pushed = push(machine, place, "push/flux:v1", app, *noted)
    out = tmp_path / "out"
    out.mkdir()
    about = machine.run("flux-artifact", "pull", f"{place.address}/push/flux:v1", out)
    assert contents(out) == BYTES
    assert all(text in about for text in (pushed["digest"], *noted[1::2]))


def test_oras_pulls_the_same_files(machine: Machine, place: Place, app: Path, tmp_path: Path) -> None:
    push(machine, place, "push/oras:v1", app, "--format", "oras")
    machine.run("oras", "pull", "--plain-http", f"{place.address}/push/oras:v1", "-o", tmp_path / "out")
    assert contents(tmp_path / "out" / "manifests") == BYTES


def test_kustomizer_s_reader_gets_all_documents_and_the_checksum_holds(
    machine: Machine, place: Place, app: Path, tmp_path: Path
) -> None:
    """Its pull: the first layer decompressed, the text of its regular files, and the checksum noted in the manifest."""
    push(machine, place, "push/kustomizer:v1", app, "--format", "kustomizer")
    reference = f"{place.address}/push/kustomizer:v1"
    noted = json.loads(machine.run("crane", "manifest", reference))["annotations"]
    machine.run("crane", "export", reference, tmp_path / "image.tar")  # it unpacks the layer, as kustomizer does
    with tarfile.open(tmp_path / "image.tar") as archive:
        files = {each.name: (archive.extractfile(each) or io.BytesIO()).read() for each in archive if each.isreg()}
    text = files["all.yaml"]
    assert files.keys() == {"all.yaml"}
    assert text == b"---\n".join(BYTES[name] for name in sorted(BYTES))
    assert hashlib.sha256(text).hexdigest() == noted["kustomizer.dev/checksum"]
    assert {"kustomizer.dev/version", "kustomizer.dev/created"} < noted.keys()


def test_a_kustomization_is_what_its_rendering_through_a_pipe_is(machine: Machine, app: Path) -> None:
    needs("kustomize")
    place = machine.place("desk")
    (app / "kustomization.yaml").write_text("namespace: vendor\nresources: [web.yaml, deep/er/service.yml]\n")
    rendered = push(machine, place, "push/rendered:v1", "-k", app, "--reproducible")
    command = f'kustomize build "$1" | "$2" push "oci://{place.address}/push/piped:v1" - --reproducible --json "$3"'
    piped = json.loads(machine.run("sh", "-c", command, "sh", app, BYOA, f"--plain-http={place.address}"))
    assert piped["digest"] == rendered["digest"]
    assert [resource["namespace"] for resource in rendered["resources"]] == ["vendor", "vendor"]


def test_kubectl_renders_what_kustomize_renders(machine: Machine, app: Path) -> None:
    needs("kustomize", "kubectl")
    (app / "kustomization.yaml").write_text("namePrefix: my-\nresources: [web.yaml]\n")
    assert machine.run("kustomize", "build", app) == machine.run("kubectl", "kustomize", app)


@pytest.mark.parametrize("form", ["flux", "oras", "kustomizer"])
def test_the_clients_see_no_other_digest(machine: Machine, place: Place, form: str, app: Path) -> None:
    pushed = push(machine, place, f"push/digest-{form}:v1", app, "--format", form)
    assert machine.run("crane", "digest", f"{place.address}/push/digest-{form}:v1").strip() == pushed["digest"]
