"""The command line as a program: what it prints, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from local.demo import ARTIFACTS
from local.processes import free_port
from local.registry import Registry, Settings
from tests.terminal import byoa, document

if TYPE_CHECKING:
    from pathlib import Path

FLUX = "sha256:fac2bf4015b35638ed9d43cff4f53e09743639903d7b6f839127b6589d27b581"


@pytest.mark.parametrize(
    ("layout", "form", "resources", "usable_by"),
    [
        ("kustomizer", "kustomizer", 3, {"byoa": True, "flux": True, "argo_cd": False}),
        ("flux", "flux", 3, {"byoa": True, "flux": True, "argo_cd": False}),
        ("oras-directory", "oras", 3, {"byoa": True, "flux": True, "argo_cd": True}),
        ("oras-file", "oras", 3, {"byoa": True, "flux": False, "argo_cd": False}),
        ("oras-many", "oras", 3, {"byoa": True, "flux": False, "argo_cd": False}),
        ("index", "index", 3, {"byoa": True, "flux": False, "argo_cd": False}),
        ("kustomizer-encrypted", "kustomizer", 0, {"byoa": True, "flux": False, "argo_cd": False}),
    ],
)
def test_inspect_knows_every_format_by_its_contents(
    layout: str, form: str, resources: int, usable_by: dict[str, bool]
) -> None:
    code, found = document("inspect", f"oci-layout:{ARTIFACTS / layout}")
    assert (code, found["format"], len(found["resources"])) == (0, form, resources)
    assert found["usable_by"] == usable_by
    assert found["encrypted"] is (layout == "kustomizer-encrypted")
    assert found["images"] == (["ghcr.io/vendor/web:v2.3.1"] if resources else [])
    assert found["errors"] == []
    kinds = sorted(each["kind"] for each in found["resources"])
    assert kinds == (["ConfigMap", "Deployment", "Service"] if resources else [])


@pytest.mark.parametrize(("layout", "word"), [("chart", "Helm chart"), ("image", "container image")])
def test_inspect_says_what_it_is_instead_and_what_to_use(layout: str, word: str) -> None:
    code, found = document("inspect", f"oci-layout:{ARTIFACTS / layout}")
    assert code == 1
    (error,) = found["errors"]
    assert error["code"] == "MediaTypeUnsupported"
    assert word in error["cause"]
    assert error["remedy"]


def test_a_signature_is_refused_as_one() -> None:
    tag = f"{FLUX.replace(':', '-')}.sig"
    code, found = document("inspect", f"oci-layout:{ARTIFACTS / 'signed-v2'}:{tag}")
    assert code == 1
    assert "signature" in found["errors"][0]["cause"]


def test_mirror_goes_from_a_layout_through_registries_to_a_layout_and_back(tmp_path: Path) -> None:
    with Registry() as one, Registry(Settings(auth="bearer")) as two:
        (tmp_path / ".docker").mkdir()
        auth = {"auths": {two.address: {"auth": "YnlvYTpkZXNr"}}}
        (tmp_path / ".docker" / "config.json").write_text(json.dumps(auth))
        plain = ("--plain-http", one.address, "--plain-http", two.address)
        first, second = f"oci://{one.address}/vendor/flux:v1", f"oci://{two.address}/vendor/flux"
        code, found = document("mirror", f"oci-layout:{ARTIFACTS / 'flux'}", first, *plain, home=tmp_path)
        assert (code, found["digest"], found["blobs"]) == (0, FLUX, {"copied": 2, "mounted": 0, "skipped": 0})
        assert found["bytes_copied"] == 477
        code, found = document("mirror", first, second, *plain, home=tmp_path)
        assert (code, found["blobs"]["copied"]) == (0, 2)
        code, found = document("mirror", first, second, *plain, home=tmp_path)
        assert (code, found["blobs"]["copied"], found["requests"]["source"]) == (0, 0, 5)
        code, found = document("mirror", first, second, *plain, "--no-referrers", home=tmp_path)
        assert (code, found["requests"]["source"]) == (0, 1)
        code, found = document("resolve", f"{second}:v1", *plain, home=tmp_path)
        assert found == {
            "reference": f"{second}:v1",
            "digest": FLUX,
            "media_type": "application/vnd.oci.image.manifest.v1+json",
            "size": 634,
            "artifact_type": "application/vnd.cncf.flux.config.v1+json",
        }
        code, _, _ = byoa("mirror", f"{second}:v1", f"oci-layout:{tmp_path / 'out'}:v1", *plain, home=tmp_path)
        assert code == 0
    original = (ARTIFACTS / "flux" / "blobs" / "sha256" / FLUX[7:]).read_bytes()
    assert (tmp_path / "out" / "blobs" / "sha256" / FLUX[7:]).read_bytes() == original


def test_validate_tells_all_faults_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('name = "one"\ntype = "kubernetes_manifest"\nnamespace = "a"\n')
    (tmp_path / "two.toml").write_text(
        'name = "two"\ntype = "kubernetes_manifest"\nnamespace = "a"\nmanifest = "a: 1"\n'
        '[oci_artifact]\nurl = "oci://ghcr.io/a/b"\ntag = "v1"\ncredential_ref = "x"\n'
    )
    code, found = document("validate", str(tmp_path))
    assert (code, found["valid"]) == (1, False)
    one, two = found["components"]
    wording = "'manifest', 'kustomize' or 'oci_artifact'"
    assert [error["message"] for error in one["errors"]] == [f"one of {wording} must be specified"]
    messages = [error["message"] for error in two["errors"]]
    assert f"only one of {wording} can be specified" in messages
    assert any("did you mean 'credentials_ref'" in message for message in messages)
    assert set(two["errors"][0]) == {"code", "field", "message", "remedy", "line", "column"}


def test_the_examples_are_valid_and_the_schema_is_json() -> None:
    code, found = document("validate", str(ARTIFACTS.parents[2] / "examples"))
    assert (code, found["valid"]) == (0, True)
    code, printed, _ = byoa("schema")
    assert json.loads(printed)["additionalProperties"] is False


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("resolve", "ghcr.io/vendor/app:v1"), 1, "oci://"),
        (("resolve", "oci://ghcr.io/vendor/app"), 1, "neither a tag nor a digest"),
        (("inspect", "oci-layout:/nonexistent/folder:v1"), 1, "There is no folder /nonexistent/folder"),
        (("nonsense",), 2, "nonsense"),
        (("sync", ".", "--org", "me", "--app", "a", "--table", "t"), 2, "org_"),
        (("validate", "/nonexistent"), 2, "/nonexistent"),
    ],
)
def test_a_users_mistake_is_a_sentence_and_an_exit_code(arguments: tuple[str, ...], code: int, word: str) -> None:
    ended, printed, said = byoa(*arguments)
    assert ended == code, said
    assert word in said + printed


def test_a_registry_that_is_down_is_no_fault_of_the_users() -> None:
    host = f"127.0.0.1:{free_port()}"
    code, found = document("resolve", f"oci://{host}/a/b:v1", "--plain-http", host)
    assert (code, found["error"]["code"]) == (3, "RegistryUnavailable")


def test_every_command_shows_examples() -> None:
    for command in ("validate", "schema", "sync", "resolve", "inspect", "diff", "push", "mirror"):
        code, printed, _ = byoa(command, "--help")
        assert code == 0
        assert "Example" in printed, command
