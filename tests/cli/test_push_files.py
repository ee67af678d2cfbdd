"""Which files `byoa push` packs, under which names, and where they come from otherwise: stdin, a kustomization."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.pushes import CONFIG, POD, manifest_of, names_in, push, write

OUT = "oci-layout:out:v1"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return write(tmp_path, {"app/web.yaml": CONFIG, "more/web.yaml": POD})


def packed(here: Path, *paths: str | Path) -> list[str]:
    done = push(OUT, *paths, folder=here)
    assert done.code == 0, done.err
    return names_in(here / "out", "v1")


def refused(here: Path, *paths: str | Path) -> tuple[str, str]:
    done = push(OUT, *paths, "--json", folder=here)
    assert done.code == 1
    assert not (here / "out").exists()
    return done.document["error"]["code"], done.document["error"]["where"]


def test_a_folder_s_files_are_named_from_the_folder_on(here: Path) -> None:
    write(here, {"app/sub/b.json": '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}}'})
    assert packed(here, "app") == packed(here, here / "app") == ["sub/b.json", "web.yaml"]


def test_several_paths_are_named_from_the_folder_of_them_all_on(here: Path) -> None:
    assert packed(here, "app/web.yaml", here / "more") == ["app/web.yaml", "more/web.yaml"]


def test_what_is_named_twice_is_packed_once(here: Path) -> None:
    assert packed(here, "app/web.yaml", "app", "./app") == ["web.yaml"]


def test_what_editors_and_systems_leave_is_passed_over(here: Path) -> None:
    leftovers = ("._web.yaml", ".#web.yaml", "web.yaml~", "#web.yaml#", ".git/config.yaml", ".github/x.yml", "a.txt")
    write(here, {f"app/{name}": "not: {yaml" for name in leftovers})
    (here / "app" / ".#other.yaml").symlink_to("/nonexistent/somebody@host.1")
    assert packed(here, "app") == ["web.yaml"]


def test_what_is_passed_over_and_not_hidden_is_told(here: Path) -> None:
    write(here, {f"app/{number}.txt": "" for number in range(7)})
    said = push(OUT, "app", folder=here).err
    assert said == "note no manifests, passed over: app/0.txt, app/1.txt, app/2.txt, app/3.txt, app/4.txt and 2 more\n"


def test_a_link_within_the_folder_is_read(here: Path) -> None:
    (here / "app" / "base").mkdir()
    (here / "app" / "web.yaml").rename(here / "app" / "base" / "web.txt")
    (here / "app" / "web.yaml").symlink_to("base/web.txt")
    assert packed(here, "app") == ["web.yaml"]


@pytest.mark.parametrize(
    ("link", "to", "code"),
    [
        ("x.yaml", "/etc/hostname", "ArchiveEntryForbidden"),
        ("x.yaml", "../more/web.yaml", "ArchiveEntryForbidden"),
        ("x", "../more", "ArchiveEntryForbidden"),
        ("x.yaml", "gone.yaml", "FileUnreadable"),
        ("x.yaml", "x.yaml", "FileUnreadable"),
    ],
    ids=["to the system", "beside the folder", "a folder", "to nothing", "to itself"],
)
def test_a_link_out_of_the_folder_is_refused(here: Path, link: str, to: str, code: str) -> None:
    (here / "app" / link).symlink_to(to)
    assert refused(here, "app") == (code, f"app/{link}")


def test_a_pipe_among_the_files_is_refused_and_not_waited_for(here: Path) -> None:
    os.mkfifo(here / "app" / "pipe.yaml")
    assert refused(here, "app") == ("FileUnreadable", "app/pipe.yaml")


def test_a_folder_that_ends_in_yaml_is_a_folder(here: Path) -> None:
    write(here, {"app/old.yaml/web.yml": POD})
    assert packed(here, "app") == ["old.yaml/web.yml", "web.yaml"]


@pytest.mark.parametrize("path", ["nowhere.yaml", "app/nowhere.json"])
def test_a_file_that_there_isnt_is_told(here: Path, path: str) -> None:
    assert refused(here, path) == ("FileUnreadable", path)


@pytest.mark.parametrize("name", ["app/values.txt", "app/.web.yaml"])
def test_a_named_file_that_would_be_passed_over_is_refused(here: Path, name: str) -> None:
    write(here, {name: CONFIG})
    assert refused(here, name) == ("ContentNotFound", name)


def test_a_file_in_a_hidden_folder_beside_others_is_refused(here: Path) -> None:
    write(here, {".hidden/web.yaml": CONFIG})
    assert packed(here, ".hidden") == ["web.yaml"]
    shutil.rmtree(here / "out")
    assert refused(here, ".hidden", "app") == ("ArchiveEntryForbidden", ".hidden/web.yaml")


def test_a_folder_without_manifests_is_refused(here: Path) -> None:
    write(here, {"none/README.md": ""})
    assert refused(here, "none") == ("ContentNotFound", "none")


def test_a_name_that_is_no_text_is_refused(here: Path) -> None:
    with open(os.fsencode(here / "app") + b"/\xff.yaml", "w") as file:  # noqa: PTH123 - bytes are no path
        file.write(CONFIG)
    assert refused(here, "app") == ("ArchiveEntryForbidden", "app/\\udcff.yaml")


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_a_kustomization_is_refused_with_the_way_to_render_it(here: Path, name: str) -> None:
    write(here, {f"app/{name}": "resources: [web.yaml]\n"})
    done = push(OUT, "app", "--json", folder=here)
    assert done.code == 1
    fault = done.document["error"]
    assert fault["where"] == f"app/{name}"
    assert "-k" in fault["remedy"]


def test_a_chart_is_refused_as_one(here: Path) -> None:
    write(here, {"app/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n"})
    assert refused(here, "app") == ("MediaTypeUnsupported", "app/Chart.yaml")


# ---- streams -----------------------------------------------------------------------------------------------------


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


# ---- git ---------------------------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> str:
    if shutil.which("git") is None:
        pytest.skip("git is not on the PATH")
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    when = {"GIT_AUTHOR_DATE": "1700000000 +0900", "GIT_COMMITTER_DATE": "1700000000 +0900", "HOME": str(folder)}
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    return subprocess.check_output(command, cwd=folder, env={**os.environ, **who, **when}, text=True).strip()


@pytest.fixture
def checkout(here: Path) -> Path:
    git(here, "init", "-q")
    git(here, "remote", "add", "origin", "git@github.com:vendor/app.git")
    git(here, "add", "app")
    git(here, "commit", "-q", "-m", "one")
    return here


def noted(here: Path, *arguments: str, stdin: bytes = b"") -> dict[str, str]:
    done = push(OUT, *arguments, folder=here, stdin=stdin)
    assert done.code == 0, done.err
    prefix = "org.opencontainers.image."
    return {key.removeprefix(prefix): text for key, text in manifest_of(here / "out", "v1")["annotations"].items()}


def test_a_checkout_tells_source_revision_and_time(checkout: Path) -> None:
    known = {
        "source": "https://github.com/vendor/app",
        "revision": f"sha1:{git(checkout, 'rev-parse', 'HEAD')}",
        "created": "2023-11-14T22:13:20Z",
    }
    assert noted(checkout, "app") == noted(checkout, "-", stdin=CONFIG.encode()) == known
    assert noted(checkout, "app", "--source", "a", "--revision", "b") == known | {"source": "a", "revision": "b"}
    assert noted(checkout, "app", "--reproducible")["created"] == "1970-01-01T00:00:00Z"


def test_a_changed_checkout_says_so_and_has_no_commit_s_time(checkout: Path) -> None:
    write(checkout, {"app/web.yaml": POD})
    found = noted(checkout, "app")
    assert found["revision"].endswith("-dirty")
    assert not found["created"].startswith("2023")


def test_a_login_in_a_remote_is_not_told(checkout: Path) -> None:
    git(checkout, "remote", "set-url", "origin", "https://user:secret@example.com:8443/vendor/app")
    assert noted(checkout, "app")["source"] == "https://example.com/vendor/app"


@pytest.mark.parametrize("remote", ["/srv/git/app.git", "../app", "file:///srv/git/app.git"])
def test_a_remote_on_this_machine_is_no_source(checkout: Path, remote: str) -> None:
    git(checkout, "remote", "set-url", "origin", remote)
    assert "source" not in noted(checkout, "app")
