"""The layers' Makefiles, run as SAM runs them, find a uv or a Python 3.13 that works, or say what to install."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM = ("make", "sh", "dirname", "sed", "mkdir", "cp", "find", "rm")
UV = next((path for path in (shutil.which("uv"), ROOT / ".uv/bin/uv") if path and Path(path).exists()), None)


class Machine:
    """A machine with a copy of the layers, a home, and just the programs that it is given."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.programs = folder / "programs"
        self.layers = folder / "a project" / "layers"
        self.home.mkdir()
        self.programs.mkdir()
        shutil.copytree(ROOT / "layers", self.layers)
        for name in SYSTEM:
            self.give(name, Path(shutil.which(name) or name))
        wheel = self.layers / "dependencies" / "tiny-1-py3-none-any.whl"
        _write_wheel(wheel)
        self.lock(hashlib.sha256(wheel.read_bytes()).hexdigest())

    def lock(self, digest: str) -> None:
        """Let the layer be built of the wheel that has this digest."""
        line = f"./tiny-1-py3-none-any.whl --hash=sha256:{digest}\n"
        (self.layers / "dependencies" / "requirements.txt").write_text(line)

    def give(self, name: str, program: Path) -> None:
        (self.programs / name).symlink_to(program)

    def build(self, layer: str, *first: Path, **environment: str) -> tuple[Path, subprocess.CompletedProcess[str]]:
        """What ``layer`` became, and how the build went, with ``first`` before the other programs on PATH."""
        source, made = self.layers / layer, self.home / layer
        path = ":".join(str(folder) for folder in (*first, self.programs))
        done = subprocess.run(
            ["make", "--makefile", str(source / "Makefile"), f"build-{layer.capitalize()}Layer"],
            cwd=shutil.copytree(source, self.home / f"copy of {layer}"),
            env={"HOME": str(self.home), "PATH": path, "ARTIFACTS_DIR": str(made), **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return made / "python", done


def _write_wheel(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny.py", "SIZE = 'tiny'\n")
        wheel.writestr("tiny-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        wheel.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.dist-info/RECORD", "")


@pytest.fixture(scope="module")
def with_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a Python 3.13 that has pip, which Python brings along."""
    folder = tmp_path_factory.mktemp("pip")
    venv.create(folder, with_pip=True)
    return folder / "bin"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def _assert_built(machine: Machine, *first: Path, **environment: str) -> None:
    core, done = machine.build("core", *first, **environment)
    assert done.returncode == 0, done.stderr
    assert list((core / "byoa" / "__pycache__").glob("errors.cpython-313.pyc"))
    dependencies, done = machine.build("dependencies", *first, **environment)
    assert done.returncode == 0, done.stderr
    assert list((dependencies / "__pycache__").glob("tiny.cpython-313.pyc"))


def test_a_python_with_pip_builds_both_layers(machine: Machine, with_pip: Path) -> None:
    _assert_built(machine, with_pip)


@pytest.mark.parametrize("installer", ["pip", pytest.param("uv", marks=pytest.mark.skipif(UV is None, reason="no uv"))])
def test_a_package_that_is_not_the_locked_one_is_not_installed(
    machine: Machine, with_pip: Path, installer: str
) -> None:
    if installer == "uv":
        machine.give("uv", Path(str(UV)))
    machine.lock("0" * 64)
    made, done = machine.build("dependencies", with_pip)
    assert done.returncode != 0
    assert not (made / "tiny.py").exists()


def test_a_shim_that_fails_is_passed_over(machine: Machine, with_pip: Path, tmp_path: Path) -> None:
    shims = tmp_path / "shims"
    shims.mkdir()
    for name in ("python3.13", "uv"):
        (shims / name).write_text("#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n")
        (shims / name).chmod(0o755)
    _assert_built(machine, shims, with_pip)


def test_a_python_of_pyenv_s_that_is_not_chosen_is_found(machine: Machine, with_pip: Path) -> None:
    versions = machine.home / ".pyenv" / "versions"
    versions.mkdir(parents=True)
    (versions / "3.13.1").symlink_to(with_pip.parent)
    _assert_built(machine)


@pytest.mark.skipif(UV is None, reason="no uv on this machine")
@pytest.mark.skipif(sys.platform != "linux", reason="what uv calls the folders of its Pythons is known for Linux alone")
def test_uv_builds_both_layers_with_a_python_of_its_own(machine: Machine, tmp_path: Path) -> None:
    machine.give("uv", Path(str(UV)))
    programs = tmp_path / "pythons" / f"cpython-3.13.0-linux-{platform.machine()}-gnu" / "bin"
    programs.mkdir(parents=True)
    (programs / "python3.13").symlink_to(Path(sys.base_prefix) / "bin" / "python3.13")
    _assert_built(machine, UV_PYTHON_INSTALL_DIR=str(tmp_path / "pythons"), UV_PYTHON_DOWNLOADS="never")


@pytest.mark.skipif(UV is None, reason="no uv on this machine")
def test_uv_takes_a_python_that_has_no_pip(machine: Machine, tmp_path: Path) -> None:
    machine.give("uv", Path(str(UV)))
    venv.create(tmp_path / "bare", with_pip=False)
    _assert_built(machine, tmp_path / "bare" / "bin")


@pytest.mark.parametrize(("layer", "missing"), [("core", "Python 3.13"), ("dependencies", "uv nor a Python 3.13")])
def test_a_machine_with_neither_is_told_what_to_install(machine: Machine, layer: str, missing: str) -> None:
    _, done = machine.build(layer)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if "runs here" in line]
    assert len(said) == 1
    assert missing in said[0]
    assert "install" in said[0]


def test_a_python_without_pip_is_not_enough_for_the_dependencies(machine: Machine, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    _, done = machine.build("dependencies", tmp_path / "bare" / "bin")
    assert "with pip" in done.stderr
