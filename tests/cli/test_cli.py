"""The command line as people and scripts meet it: a process, its stdout, its stderr, its exit code."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.registries.layout import LayoutRepository
from byoa_cli.builds import builds
from local.registry import Registry, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "tests" / "data" / "artifacts"
BYOA = Path(sys.executable).with_name("byoa")
FLUX = f"oci-layout:{ARTIFACTS / 'flux'}"
DIGEST = "sha256:fac2bf4015b35638ed9d43cff4f53e09743639903d7b6f839127b6589d27b581"
FINE, MEND, USAGE, FAULT = 0, 1, 2, 3

SOUND = 'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "vendor"\n'
SOUND += '[oci_artifact]\nurl = "oci://ghcr.io/vendor/web"\ntag = "v1"\n'


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.out.count("\n") == 1, "one document on one line"
        return json.loads(self.out)


type Byoa = Callable[..., Done]


@pytest.fixture
def byoa(tmp_path: Path) -> Byoa:
    """Runs the command with no home, no AWS and no Docker login but what the test puts into tmp_path."""
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path), "COLUMNS": "200"}

    def run(*arguments: str | Path) -> Done:
        done = subprocess.run(
            [BYOA, *arguments], capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60, check=False
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as running:
        yield running


@pytest.fixture
def closed() -> Iterator[Registry]:
    with Registry(Settings(auth="basic", username="vendor", password="s3cret-word")) as running:
        yield running


def _app(folder: Path, **files: str) -> Path:
    inner = folder / "app" / "components"
    inner.mkdir(parents=True)
    for name, text in files.items():
        (inner / f"{name}.toml").write_text(text)
    return folder / "app"


def _log_in(folder: Path, host: str, login: str) -> None:
    auth = base64.b64encode(login.encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))


# ---- validate ----------------------------------------------------------------------------------------------------


def test_sound_components_are_valid(byoa: Byoa, tmp_path: Path) -> None:
    folder = _app(tmp_path, web=SOUND)
    done = byoa("validate", folder, "--json")
    assert done.code == FINE
    assert done.json() == {
        "valid": True,
        "components": [
            {
                "file": str(folder / "components" / "web.toml"),
                "name": "web",
                "source_type": "oci_artifact",
                "errors": [],
            }
        ],
        "passed_over": [],
    }


def test_all_faults_of_all_files_are_told_at_once(byoa: Byoa, tmp_path: Path) -> None:
    folder = _app(tmp_path, a=SOUND.replace("v1", "-"), b=SOUND.replace('"vendor"\n', "7\n", 1), c=SOUND)
    done = byoa("validate", folder, "--json")
    assert done.code == MEND
    document = done.json()
    assert document.keys() == {"valid", "components", "passed_over"}
    assert document["valid"] is False
    assert [bool(each["errors"]) for each in document["components"]][:2] == [True, True]
    for component in document["components"]:
        assert component.keys() == {"file", "name", "source_type", "errors"}
        for fault in component["errors"]:
            assert fault.keys() == {"code", "field", "message", "remedy", "line", "column"}
            assert [type(value) for value in fault.values()] == [str, str, str, str, int, int]


def test_two_components_of_one_name_are_told(byoa: Byoa, tmp_path: Path) -> None:
    done = byoa("validate", _app(tmp_path, a=SOUND, b=SOUND), "--json")
    assert done.code == MEND
    assert [[fault["code"] for fault in each["errors"]] for each in done.json()["components"]] == [
        [],
        ["name_duplicate"],
    ]
    (fault,) = done.json()["components"][1]["errors"]
    assert (fault["line"], fault["column"]) == (1, 1)


def test_people_read_the_fault_and_the_next_step(byoa: Byoa, tmp_path: Path) -> None:
    done = byoa("validate", _app(tmp_path, web=SOUND.replace("kubernetes_manifest", "terraform")))
    assert done.code == MEND
    assert done.out == ""
    assert done.err.startswith(f"{tmp_path}/app/components/web.toml:2:1: type: ")
    assert "type_unknown" in done.err
    assert "terraform_module" in done.err
    assert "next:" in done.err


def test_a_folder_without_components_is_the_user_s_to_mend(byoa: Byoa, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    done = byoa("validate", tmp_path / "app", "--json")
    assert done.code == MEND
    assert done.json()["error"]["code"] == "ConfigInvalid"


def test_the_examples_are_valid(byoa: Byoa) -> None:
    done = byoa("validate", ROOT / "examples")
    assert (done.code, done.err) == (FINE, "")
    assert "all configs valid" in done.out


# ---- resolve -----------------------------------------------------------------------------------------------------


def test_a_tag_resolves_to_its_digest(byoa: Byoa, registry: Registry) -> None:
    reference = f"oci://{registry.address}/vendor/flux:v2.3.1"
    assert byoa("mirror", FLUX, reference, "--plain-http", registry.address).code == FINE
    done = byoa("resolve", reference, "--plain-http", registry.address, "--json")
    assert done.code == FINE
    assert done.json() == {
        "reference": reference,
        "digest": DIGEST,
        "media_type": "application/vnd.oci.image.manifest.v1+json",
        "size": 634,
        "artifact_type": LayoutRepository(ARTIFACTS / "flux").fetch_manifest("v2.3.1").kind,
    }


def test_for_people_and_shells_the_digest_is_all_there_is(byoa: Byoa) -> None:
    assert byoa("resolve", FLUX) == Done(FINE, f"{DIGEST}\n", "")


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        (f"{FLUX}:v9", "ReferenceNotFound"),
        ("oci-layout:/nowhere:v1", "ReferenceNotFound"),
        ("oci-layout:", "ReferenceInvalid"),
        ("oci://ghcr.io/vendor/app", "ReferenceInvalid"),
        ("oci://GHCR.io/Vendor/App:v1", "ReferenceInvalid"),
        ("https://github.com/vendor/app", "ReferenceUnsupported"),
        ("", "ReferenceInvalid"),
    ],
)
def test_a_mistaken_reference_is_explained(reference: str, code: str, byoa: Byoa) -> None:
    done = byoa("resolve", reference, "--json")
    assert done.code == MEND
    error = done.json()["error"]
    assert error.keys() == {"code", "cause", "remedy", "where"}
    assert error["code"] == code
    assert error["remedy"]


def test_the_same_mistake_is_a_sentence_for_people(byoa: Byoa) -> None:
    done = byoa("resolve", f"{FLUX}:v9")
    assert (done.code, done.out) == (MEND, "")
    assert done.err.startswith("error ReferenceNotFound")
    assert "next:" in done.err


def test_an_unreachable_registry_is_not_the_user_s_fault(byoa: Byoa, registry: Registry) -> None:
    address = registry.address
    registry.close()
    done = byoa("resolve", f"oci://{address}/vendor/flux:v2.3.1", "--plain-http", address, "--json")
    assert done.code == FAULT
    assert done.json()["error"]["code"] == "RegistryUnavailable"


def test_a_registry_without_tls_is_not_spoken_to_unasked(byoa: Byoa, registry: Registry) -> None:
    done = byoa("resolve", f"oci://{registry.address}/vendor/flux:v2.3.1", "--json")
    assert done.code != FINE
    assert registry.requests == []


# ---- inspect -----------------------------------------------------------------------------------------------------


def test_an_artifact_s_resources_are_listed(byoa: Byoa) -> None:
    done = byoa("inspect", FLUX, "--json")
    assert done.code == FINE
    document = done.json()
    assert document.keys() >= {"digest", "format", "encrypted", "resources", "images", "usable_by", "errors"}
    assert document["digest"] == DIGEST
    assert (document["format"], document["encrypted"], document["errors"]) == ("flux", False, [])
    assert document["images"] == ["ghcr.io/vendor/web:v2.3.1"]
    assert document["usable_by"] == {"byoa": True, "flux": True, "argo_cd": False}
    assert sorted(each["kind"] for each in document["resources"]) == ["ConfigMap", "Deployment", "Service"]
    for each in document["resources"]:
        assert each.keys() == {"api_version", "kind", "namespace", "name"}


def test_an_encrypted_artifact_is_called_so(byoa: Byoa) -> None:
    done = byoa("inspect", f"oci-layout:{ARTIFACTS / 'kustomizer-encrypted'}", "--json")
    assert done.code == FINE
    assert (done.json()["encrypted"], done.json()["resources"]) == (True, [])


def test_what_can_t_be_installed_is_described_all_the_same(byoa: Byoa) -> None:
    done = byoa("inspect", f"oci-layout:{ARTIFACTS / 'image'}", "--json")
    assert done.code == MEND
    document = done.json()
    assert document["digest"].startswith("sha256:d112ee9f")
    assert [error["code"] for error in document["errors"]] == ["MediaTypeUnsupported"]
    assert document["errors"][0].keys() == {"code", "cause", "remedy", "where"}
    assert document["resources"] == []


# ---- mirror ------------------------------------------------------------------------------------------------------


def test_a_mirror_counts_what_it_did_and_does_nothing_twice(byoa: Byoa, registry: Registry) -> None:
    goal = f"oci://{registry.address}/mirror/flux"
    first = byoa("mirror", FLUX, goal, "--plain-http", registry.address, "--json")
    assert first.code == FINE
    document = first.json()
    assert document.keys() >= {"digest", "blobs", "bytes_copied", "requests", "seconds"}
    assert document["digest"] == DIGEST
    assert document["blobs"] == {"copied": 2, "mounted": 0, "skipped": 0}
    assert document["bytes_copied"] == 477
    assert document["requests"] == {"source": 0, "target": len(registry.requests)}
    assert document["seconds"] >= 0
    again = byoa("mirror", FLUX, goal, "--plain-http", registry.address, "--json").json()
    assert again["digest"] == DIGEST
    assert (again["blobs"]["copied"], again["bytes_copied"]) == (0, 0)


def test_a_mirror_into_a_folder_keeps_every_byte(byoa: Byoa, tmp_path: Path) -> None:
    assert byoa("mirror", FLUX, f"oci-layout:{tmp_path / 'copy'}").code == FINE
    copied, original = LayoutRepository(tmp_path / "copy"), LayoutRepository(ARTIFACTS / "flux")
    assert copied.fetch_manifest("v2.3.1").content == original.fetch_manifest("v2.3.1").content
    for blob in (ARTIFACTS / "flux" / "blobs" / "sha256").iterdir():
        assert (tmp_path / "copy" / "blobs" / "sha256" / blob.name).read_bytes() == blob.read_bytes()


def test_a_target_takes_no_digest(byoa: Byoa, registry: Registry) -> None:
    done = byoa("mirror", FLUX, f"oci://{registry.address}/a@{DIGEST}", "--plain-http", registry.address, "--json")
    assert done.code == MEND
    assert done.json()["error"]["code"] == "ReferenceInvalid"


def test_a_missing_source_is_placed_at_the_source(byoa: Byoa, tmp_path: Path) -> None:
    done = byoa("mirror", f"{FLUX}:v9", f"oci-layout:{tmp_path / 'copy'}", "--json")
    assert done.code == MEND
    assert (done.json()["error"]["code"], done.json()["error"]["where"]) == ("ReferenceNotFound", "source")
    assert not (tmp_path / "copy").exists()


# ---- Docker's logins ---------------------------------------------------------------------------------------------


def test_docker_s_login_is_used_for_its_registry(byoa: Byoa, closed: Registry, tmp_path: Path) -> None:
    _log_in(tmp_path, closed.address, "vendor:s3cret-word")
    goal = f"oci://{closed.address}/vendor/flux"
    assert byoa("mirror", FLUX, goal, "--plain-http", closed.address).code == FINE
    done = byoa("resolve", f"{goal}:v2.3.1", "--plain-http", closed.address)
    assert done == Done(FINE, f"{DIGEST}\n", "")


def test_without_a_login_the_registry_s_refusal_is_explained(byoa: Byoa, closed: Registry) -> None:
    done = byoa("resolve", f"oci://{closed.address}/vendor/flux:v2.3.1", "--plain-http", closed.address, "--json")
    assert done.code == MEND
    assert done.json()["error"]["code"] == "AuthFailed"


def test_a_login_for_another_registry_is_not_lent(byoa: Byoa, closed: Registry, tmp_path: Path) -> None:
    _log_in(tmp_path, "ghcr.io", "vendor:s3cret-word")
    done = byoa("resolve", f"oci://{closed.address}/vendor/flux:v2.3.1", "--plain-http", closed.address, "--json")
    assert (done.code, done.json()["error"]["code"]) == (MEND, "AuthFailed")


def test_a_refused_login_shows_nowhere(byoa: Byoa, closed: Registry, tmp_path: Path) -> None:
    _log_in(tmp_path, closed.address, "vendor:wrong-word")
    done = byoa("resolve", f"oci://{closed.address}/vendor/flux:v2.3.1", "--plain-http", closed.address)
    assert done.code == MEND
    assert "AuthFailed" in done.err
    assert "wrong-word" not in done.out + done.err


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"auths": 7}', '{"auths": ["HOST"]}', '{"auths": {"HOST": {"auth": "%%%"}}}',
     '{"auths": {"HOST": {"auth": "dmVuZG9y"}}}', "\x00"],
)  # fmt: skip
def test_a_broken_docker_config_is_explained(text: str, byoa: Byoa, closed: Registry, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text.replace("HOST", closed.address))
    done = byoa("resolve", f"oci://{closed.address}/vendor/flux:v2.3.1", "--plain-http", closed.address, "--json")
    assert done.code == MEND
    assert done.json()["error"]["code"] == "CredentialMalformed"
    assert closed.requests == []


# ---- usage and help ----------------------------------------------------------------------------------------------

COMMANDS = [
    ["validate"], ["schema"], ["sync"], ["builds", "list"], ["builds", "get"],
    ["builds", "create"], ["builds", "cancel"], ["builds", "logs"],
    ["login"], ["logout"], ["whoami"], ["components", "list"], ["components", "get"], ["components", "delete"],
    ["configs", "list"], ["configs", "get"], ["tokens", "list"], ["tokens", "create"], ["tokens", "revoke"],
    ["hooks", "add"], ["hooks", "list"], ["hooks", "delete"], ["audit", "list"], ["resolve"], ["inspect"], ["mirror"],
    ["completion"], ["diff"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_an_example(command: list[str], byoa: Byoa) -> None:
    done = byoa(*command, "--help")
    assert done.code == FINE
    assert "Example" in done.out
    assert f"byoa {' '.join(command)}" in done.out.partition("Example")[2]


def test_help_is_readable_in_a_terminal_that_doesn_t_know_its_width(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "0")
    with pytest.raises(SystemExit):
        builds.call("byoa builds", ["list", "--help"])
    assert "The organisation's id (org_…); at an API it is the token's. [env: BYOA_ORG]" in capsys.readouterr().out


def test_help_tells_the_exit_codes(byoa: Byoa) -> None:
    done = byoa("--help")
    assert done.code == FINE
    assert "Exit codes" in done.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["resolve"],
        ["resolve", FLUX, "--no-such-option"],
        ["validate", "/no/such/folder"],
        ["builds", "list", "--org", "ORG", "--app", "demo", "--table", "t"],
        ["builds", "list", "--org", "org_demo00000000", "--app", "no_good_", "--table", "t"],
        ["sync", "--org", "org_demo00000000", "--app", "demo"],
    ],
    ids=" ".join,
)
def test_a_wrong_call_is_a_matter_of_usage(arguments: list[str], byoa: Byoa) -> None:
    done = byoa(*arguments)
    assert (done.code, done.out) == (USAGE, "")
    assert "usage: byoa" in done.err


@pytest.mark.parametrize("arguments", [[], ["builds"], ["receipt"]], ids=str)
def test_without_a_command_the_help_is_shown(arguments: list[str], byoa: Byoa) -> None:
    done = byoa(*arguments)
    assert (done.code, done.out) == (USAGE, "")
    assert "commands:" in done.err


def test_a_wrong_call_says_where_the_right_one_is_shown(byoa: Byoa) -> None:
    done = byoa("mirror", "oci://a.example/b:v1")
    assert done.code == USAGE
    assert "next: `byoa mirror --help`" in done.err


def test_options_may_stand_between_the_arguments(byoa: Byoa, registry: Registry) -> None:
    goal = f"oci://{registry.address}/vendor/flux:v1"
    done = byoa("mirror", FLUX, "--plain-http", registry.address, goal, "--json")
    assert (done.code, done.json()["manifests"]) == (FINE, 1)


def test_the_beginning_of_an_option_is_no_option(byoa: Byoa) -> None:
    done = byoa("mirror", FLUX, "oci://a.example/b", "--plat", "linux/amd64")
    assert done.code == USAGE
    assert "--plat" in done.err


def test_what_the_environment_says_stands_in_for_an_option(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BYOA_APP", "no_good_")
    with pytest.raises(SystemExit) as ended:
        builds.call("byoa builds", ["list", "--org", "org_demo00000000", "--table", "t"])
    assert ended.value.code == USAGE
    assert "an app's name is" in capsys.readouterr().err


def test_the_schema_is_printed_as_one_document(byoa: Byoa) -> None:
    done = byoa("schema")
    assert done.code == FINE
    assert done.json()["$schema"]
