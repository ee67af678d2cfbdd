"""What `byoa push` packs that is no file: stdin, and what a kustomization stands for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.pushes import CONFIG, names_in, push, write

OUT = "oci-layout:out:v1"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return write(tmp_path, {"app/web.yaml": CONFIG})


def test_stdin_is_one_file(here: Path) -> None:
    assert push(OUT, "-", folder=here, stdin=CONFIG.encode()).code == 0
    assert names_in(here / "out", "v1") == ["manifests.yaml"]


@pytest.mark.parametrize("stdin", [b"", b" \n"])
def test_an_empty_stdin_is_told(here: Path, stdin: bytes) -> None:
    done = push(OUT, "-", "--json", folder=here, stdin=stdin)
    assert (done.code, done.document["error"]["where"]) == (1, "stdin")


def test_a_fault_of_stdin_is_one_of_stdin(here: Path) -> None:
    done = push(OUT, "-", folder=here, stdin=b"kind: Pod\n")
    assert done.code == 1
    assert "error DocumentInvalid (stdin): " in done.err


def program(folder: Path, name: str, text: str) -> str:
    """A folder for the PATH with one program of this name, beside what is anywhere."""
    write(folder / "bin", {name: f"#!/bin/sh\n{text}\n"})
    (folder / "bin" / name).chmod(0o755)
    return f"{folder / 'bin'}:{Path('/bin')}"


@pytest.mark.parametrize(("name", "word"), [("kustomize", "build"), ("kubectl", "kustomize")])
def test_a_kustomization_is_rendered_by_whichever_is_there(here: Path, name: str, word: str) -> None:
    path = program(here, name, f'[ "$1 $2" = "{word} ./app" ] && cat app/web.yaml')
    (here / "bin" / "cat").symlink_to(shutil.which("cat") or "")
    done = push(OUT, "-k", "app", folder=here, PATH=path.partition(":")[0])
    assert done.code == 0, done.err
    assert names_in(here / "out", "v1") == ["manifests.yaml"]


def test_where_neither_is_there_both_are_named(here: Path) -> None:
    done = push(OUT, "-k", "app", folder=here, PATH="/nonexistent")
    assert done.code == 1
    assert "Neither kustomize nor kubectl is on the PATH" in done.err


def test_what_the_renderer_says_is_shown_where_it_fails(here: Path) -> None:
    path = program(here, "kustomize", "printf 'no such base\\033[2J' >&2; exit 7")
    done = push(OUT, "-k", "app", "--json", folder=here, PATH=path)
    assert (done.code, done.document["error"]["code"]) == (1, "RenderFailed")
    assert "ended with 7" in done.document["error"]["cause"]
    assert done.err == "no such base\\x1b[2J\n"


def test_a_renderer_without_an_end_is_ended(here: Path) -> None:
    path = program(here, "kustomize", "exec yes '# no end'")
    done = push(OUT, "-k", "app", "--json", folder=here, PATH=f"{path}:/usr/bin")
    assert (done.code, done.document["error"]["code"]) == (1, "ContentTooLarge")
