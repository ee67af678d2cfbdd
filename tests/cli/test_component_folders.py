"""Folders as people have them: components of all types, files named by path, leftovers of editors and systems."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from byoa_cli.files import read_components

if TYPE_CHECKING:
    from collections.abc import Callable

BYOA = Path(sys.executable).with_name("byoa")

SOUND = 'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "web"\n'
ARTIFACT = SOUND + '[oci_artifact]\nurl = "oci://r.io/a"\ntag = "v1"\n'
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\n"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


type Byoa = Callable[..., Done]


@pytest.fixture
def byoa(tmp_path: Path) -> Byoa:
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "COLUMNS": "200"}

    def run(*arguments: str | Path) -> Done:
        done = subprocess.run(
            [BYOA, *arguments], capture_output=True, text=True, env=environment, timeout=60, check=False
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "app" / "components").mkdir(parents=True)
    write(tmp_path / "app", "web", ARTIFACT.format(name="web"))
    return tmp_path / "app"


def write(app: Path, name: str, text: str) -> Path:
    path = app / "components" / f"{name}.toml"
    path.write_text(text)
    return path


def faults(place: Path) -> dict[str, list[str]]:
    return {file.path.name: [fault.code for fault in file.faults] for file in read_components(place).files}


def manifest(app: Path, named: str) -> tuple[str | None, list[str]]:
    """The manifests of a component that names ``named``, and its faults' sentences."""
    write(app, "inline", SOUND.format(name="inline") + f"manifest = {named!r}\n")
    file = next(file for file in read_components(app).files if file.path.stem == "inline")
    config = file.checked.config
    return config.manifest if config else None, [fault.message for fault in file.faults]


# ---- components of all types ---------------------------------------------------------------------------------------


def test_components_of_other_types_are_passed_over_in_one_line(app: Path, byoa: Byoa) -> None:
    for number, kind in enumerate(["helm_chart", "terraform_module", "container_image", "docker_build", "job"]):
        write(app, f"other-{number}", f'name = "other-{number}"\ntype = "{kind}"\nanything = [1]\n')
    done = byoa("validate", app)
    assert (done.code, done.out) == (0, "all configs valid (1)\n")
    assert done.err == "5 components of other types are Nuon's: passed over\n"
    document = byoa("validate", app, "--json").json()
    assert [Path(each["file"]).name for each in document["components"]] == ["web.toml"]
    assert [Path(each).name for each in document["passed_over"]] == [f"other-{number}.toml" for number in range(5)]


def test_an_app_without_a_component_of_ours_is_valid(tmp_path: Path, byoa: Byoa) -> None:
    (tmp_path / "components").mkdir()
    write(tmp_path, "chart", 'name = "chart"\ntype = "helm_chart"\n')
    assert byoa("validate", tmp_path).code == 0


def test_a_slip_in_the_type_is_still_a_fault(app: Path) -> None:
    write(app, "chart", 'name = "chart"\ntype = "helm_chrat"\n')
    assert faults(app) == {"chart.toml": ["type_unknown"], "web.toml": []}


# ---- a manifest by its path ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["components/manifests/web.yaml", "manifests/web.yaml"])
@pytest.mark.parametrize("named", ["./manifests/web.yaml", "manifests/web.yaml"])
def test_a_file_is_read_from_beside_the_component_or_from_the_apps_folder(app: Path, place: str, named: str) -> None:
    (app / place).parent.mkdir()
    (app / place).write_text(OBJECT)
    for folder in (app, app / "components", app / "components" / "inline.toml"):
        write(app, "inline", SOUND.format(name="inline") + f'manifest = "{named}"\n')
        file = next(file for file in read_components(folder).files if file.path.stem == "inline")
        assert file.faults == ()
        assert file.checked.config
        assert file.checked.config.manifest == OBJECT


def test_a_file_beside_the_component_comes_first(app: Path) -> None:
    (app / "a.yaml").write_text(OBJECT)
    (app / "components" / "a.yaml").write_text(OBJECT.replace("web", "near"))
    assert "near" in (manifest(app, "./a.yaml")[0] or "")
    assert "near" not in (manifest(app, "../a.yaml")[0] or "near")


@pytest.mark.parametrize(
    "named", ["../../outside.yaml", "./link.yaml", "./folder/outside.yaml", "{outside}", "/etc/passwd", "~/x.yaml"]
)
def test_no_file_outside_of_the_app_is_read(app: Path, named: str) -> None:
    outside = app.parent / "outside.yaml"
    outside.write_text(OBJECT)
    (app / "components" / "link.yaml").symlink_to(outside)
    (app / "components" / "folder").symlink_to(app.parent)
    found, told = manifest(app, named.format(outside=outside))
    assert found is None
    assert len(told) == 1
    assert OBJECT not in told[0]


def test_a_link_within_the_app_is_followed(app: Path) -> None:
    (app / "real.yaml").write_text(OBJECT)
    (app / "components" / "link.yaml").symlink_to(app / "real.yaml")
    assert manifest(app, "./link.yaml") == (OBJECT, [])


def test_what_is_no_file_of_manifests_is_told(app: Path) -> None:
    components = app / "components"
    (components / "folder.yaml").mkdir()
    os.mkfifo(components / "pipe.yaml")
    (components / "large.yaml").write_bytes(b"#" * (256 * 1024 + 1))
    (components / "binary.yaml").write_bytes(b"\xff\xfe")
    (components / "empty.yaml").touch()
    (components / "comment.yaml").write_text("# nothing\n")
    (components / "loop.yaml").symlink_to("loop.yaml")
    (components / "broken.yaml").write_text("kind: [\n")
    for name, word in {
        "folder": "directory", "pipe": "device", "large": "256 KiB", "binary": "UTF-8", "empty": "empty",
        "comment": "no Kubernetes object", "loop": "can't be read", "broken": "line 2", "gone": "can't be read",
    }.items():  # fmt: skip
        _, told = manifest(app, f"./{name}.yaml")
        assert len(told) == 1
        assert word in told[0]


def test_an_address_is_refused_in_words(app: Path, byoa: Byoa) -> None:
    write(app, "inline", SOUND.format(name="inline") + 'manifest = "https://example.com/web.yaml"\n')
    done = byoa("validate", app)
    assert done.code == 1
    assert "inline.toml:4:1: manifest: manifest is an address, and addresses are not fetched (manifest_url)" in done.err


def test_manifests_that_a_build_would_refuse_are_not_valid(app: Path) -> None:
    write(app, "inline", SOUND.format(name="inline") + 'manifest = "apiVersion: v1"\n')
    assert faults(app)["inline.toml"] == ["manifest_invalid"]
    template = '"""\n' + OBJECT.replace("web", "{{ .nuon.install.id }}-{{\n    .nuon.app.id }}") + '"""\n'
    write(app, "inline", SOUND.format(name="inline") + f"manifest = {template}")
    assert faults(app)["inline.toml"] == []


# ---- folders and files ---------------------------------------------------------------------------------------------


def test_what_editors_and_systems_leave_is_passed_over(app: Path) -> None:
    (app / "components" / ".#web.toml").symlink_to("user@host.1:2")
    (app / "components" / "._web.toml").write_bytes(b"\0\5\x16\7")
    (app / "components" / ".toml").write_text("[")
    (app / "components" / "old.toml").mkdir()
    (app / "components" / "web.toml~").write_text("[")
    assert faults(app) == {"web.toml": []}


def test_what_cannot_be_read_is_a_fault_of_its_file(app: Path, byoa: Byoa) -> None:
    (app / "components" / "gone.toml").symlink_to("missing.toml")
    (app / "components" / "loop.toml").symlink_to("loop.toml")
    os.mkfifo(app / "components" / "pipe.toml")
    unreadable = ["file_unreadable"]
    assert faults(app) == {"gone.toml": unreadable, "loop.toml": unreadable, "pipe.toml": unreadable, "web.toml": []}
    done = byoa("validate", app)
    assert done.code == 1
    assert "gone.toml:1:1: the file can't be read: No such file or directory (file_unreadable)" in done.err


def test_a_huge_file_is_told_without_being_read(app: Path) -> None:
    with (app / "components" / "huge.toml").open("wb") as file:
        file.truncate(1 << 40)
    assert faults(app)["huge.toml"] == ["text_too_large"]


def test_a_name_that_is_no_text_is_no_obstacle(app: Path, byoa: Byoa) -> None:
    Path(os.fsdecode(os.fsencode(app / "components") + b"/\xff.toml")).write_text("[")
    assert byoa("validate", app, "--json").code == 1
    assert "toml_invalid" in byoa("validate", app).err


def test_a_folder_without_components_takes_only_what_looks_like_one(app: Path, tmp_path: Path, byoa: Byoa) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    (tmp_path / "samconfig.toml").write_text("version = 0.1\n[default]\n")
    (tmp_path / "broken.toml").write_text("[")
    done = byoa("validate", tmp_path)
    assert done.code == 1
    assert done.err.splitlines()[0] == "error ConfigInvalid: There is no components/ here."
    (tmp_path / "web.toml").write_text((app / "components" / "web.toml").read_text())
    (tmp_path / "slip.toml").write_text('type = "kubernetes_manifest"\n[')
    assert faults(tmp_path) == {"slip.toml": ["toml_invalid"], "web.toml": []}


def test_the_components_folder_may_be_named_itself(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(app, "broken", "[")
    assert faults(app / "components") == {"broken.toml": ["toml_invalid"], "web.toml": []}
    monkeypatch.chdir(app / "components")
    assert faults(Path()) == {"broken.toml": ["toml_invalid"], "web.toml": []}


def test_a_single_file_is_checked_alone(app: Path, byoa: Byoa) -> None:
    write(app, "broken", "[")
    assert byoa("validate", app / "components" / "web.toml").code == 0
    assert byoa("validate", app / "components" / "broken.toml").code == 1
    assert byoa("validate", app / "components" / "absent.toml").code == 2
    assert byoa("sync", app / "components" / "web.toml").code == 2


def test_a_folder_without_a_component_says_which_it_is(tmp_path: Path, byoa: Byoa) -> None:
    (tmp_path / "components").mkdir()
    assert "The folder components/ holds no component file." in byoa("validate", tmp_path).err
