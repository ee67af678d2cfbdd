"""Which files `byoa push` packs, and under which names."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.pushes import CONFIG, POD, names_in, push, write

if TYPE_CHECKING:
    from pathlib import Path

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


def test_what_is_not_there_is_told_so(here: Path) -> None:
    assert refused(here, "ap") == ("FileUnreadable", "ap")
    assert "It can't be read: No such file or directory." in push(OUT, "ap", folder=here).err


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


def test_a_file_without_an_object_is_no_fault_beside_others(here: Path) -> None:
    write(here, {"app/empty.yaml": "# nothing yet\n"})
    assert packed(here, "app") == ["empty.yaml", "web.yaml"]
