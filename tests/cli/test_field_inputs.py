"""What people have in their first hour: lists from other editors, layouts of other tools, options half remembered."""

from __future__ import annotations

import json
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from local.demo import ARTIFACTS
from local.registry import Registry
from tests.terminal import BYOA, byoa, document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FLUX = f"oci-layout:{ARTIFACTS / 'flux'}"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as made:
        yield made


def plain(registry: Registry) -> tuple[str, ...]:
    return ("--plain-http", registry.address)


# Lists of artifacts, as editors and people write them


@pytest.mark.parametrize(
    ("encode", "ends"),
    [
        (lambda text: text.encode("utf-8-sig"), "\r\n"),
        (lambda text: text.encode("utf-8-sig"), "\n"),
        (lambda text: text.encode("utf-16"), "\r\n"),
        (lambda text: "\ufeff".encode("utf-16-be") + text.encode("utf-16-be"), "\r\n"),
        (lambda text: text.encode(), "\r"),
        (lambda text: text.encode().replace(b"# two", "\ufeff# two".encode()), "\n"),
    ],
    ids=["bom, windows", "bom", "utf-16", "utf-16-be", "old mac", "joined files"],
)
@pytest.mark.parametrize("piped", [False, True], ids=["file", "stdin"])
def test_a_list_is_read_as_editors_write_it(
    encode: Callable[[str], bytes], ends: str, tmp_path: Path, *, piped: bool
) -> None:
    targets = [f"oci-layout:{tmp_path / name}:v1" for name in ("one", "two")]
    lines = ["# one", f"{FLUX} {targets[0]}", "", "# two", f"\t{FLUX}\t{targets[1]}   # a remark, with: signs", ""]
    content = encode(ends.join(lines))
    (tmp_path / "list.txt").write_bytes(content)
    command = [BYOA, "mirror", "--json", "--from", "-" if piped else str(tmp_path / "list.txt")]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, input=content, capture_output=True, env=environment, check=False)
    found = json.loads(done.stdout)
    assert (done.returncode, [each["target"] for each in found["artifacts"]]) == (0, targets)


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\n\n", b"\xff\xfe\xff", b"\xe9\n"])
def test_a_list_of_nothing_and_one_that_is_no_text_are_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    code, found = document("mirror", "--from", str(tmp_path / "list.txt"), home=tmp_path)
    assert (code, found["error"]["code"]) == (1, "ReferenceInvalid")


def test_a_filter_that_matches_nothing_is_told(tmp_path: Path) -> None:
    arguments = ("mirror", FLUX, f"oci-layout:{tmp_path / 'copy'}", "--all-tags", "--filter", "v9*")
    code, found = document(*arguments, home=tmp_path)
    assert (code, found["error"]["code"]) == (1, "ReferenceNotFound")
    assert "v9*" in found["error"]["cause"]


# Layouts by their names


def test_a_layout_of_one_artifact_is_named_in_each_way(tmp_path: Path) -> None:
    place = tmp_path / "with:colon"
    byoa("mirror", FLUX, f"oci-layout:{place}:v1", home=tmp_path)
    code, found = document("resolve", f"oci-layout:{place}", home=tmp_path)
    assert code == 0
    index = place / "index.json"
    listing = json.loads(index.read_bytes())
    for name in (None, "registry.example.com:5000/team/app:v1", "latest release", "v2"):
        listing["manifests"][0]["annotations"] = {"org.opencontainers.image.ref.name": name} if name else {}
        index.write_text(json.dumps(listing))
        for suffix in ("", f"@{found['digest']}", f":{name}" if name else ""):
            shown = document("resolve", f"oci-layout:{place}{suffix}", home=tmp_path)[1]
            assert shown["digest"] == found["digest"]


@pytest.mark.parametrize("suffix", ["", ":v1"])
def test_a_layout_s_folder_alone_is_told_how_it_is_named(suffix: str, tmp_path: Path) -> None:
    code, found = document("inspect", f"{FLUX.removeprefix('oci-layout:')}{suffix}", home=tmp_path)
    error = found["error"]
    assert (code, error["code"], error["cause"]) == (1, "ReferenceInvalid", "This is a folder with an OCI layout.")
    assert f"{FLUX}{suffix}" in error["remedy"]


@pytest.mark.parametrize("suffix", ["@sha256:abc", "@md5:" + "0" * 32, "@sha256:" + "0" * 64])
def test_a_digest_that_is_none_or_isnt_there_is_told(suffix: str, tmp_path: Path) -> None:
    code, found = document("resolve", f"{FLUX}{suffix}", home=tmp_path)
    assert code == 1
    assert found["error"]["code"] in ("ReferenceInvalid", "DigestUnsupported", "ReferenceNotFound")


def test_what_goes_into_a_layout_without_a_name_is_found_there(registry: Registry, tmp_path: Path) -> None:
    _, found = document("mirror", FLUX, f"oci://{registry.address}/app:v1", *plain(registry), home=tmp_path)
    source = f"oci://{registry.address}/app@{found['digest']}"
    for _ in range(2):
        code, _ = document("mirror", source, f"oci-layout:{tmp_path / 'copy'}", *plain(registry), home=tmp_path)
        assert code == 0
    assert document("inspect", f"oci-layout:{tmp_path / 'copy'}", home=tmp_path)[1]["digest"] == found["digest"]


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("inspect", "oci-layout:nope"), "ReferenceNotFound", "There is no folder nope"),
        (("inspect", "oci-layout:FILE"), "ReferenceUnsupported", "is a file"),
        (("inspect", "oci-layout:FILE:v1"), "ReferenceUnsupported", "is a file"),
        (("inspect", "oci-layout:EMPTY"), "ReferenceNotFound", "is no OCI layout"),
        (("mirror", FLUX, "oci-layout:FILE"), "ReferenceUnsupported", "is a file"),
        (("mirror", FLUX, "oci-layout:/proc/x"), "TargetForbidden", "/proc/x"),
        (("mirror", "oci-layout:nope", "oci-layout:x", "--all-tags"), "ReferenceNotFound", "There is no folder nope"),
    ],
    ids=str,
)
def test_places_that_are_no_layouts_are_told_apart(
    arguments: tuple[str, ...], code: str, word: str, tmp_path: Path
) -> None:
    (tmp_path / "FILE").write_text("x")
    (tmp_path / "EMPTY").mkdir()
    placed = [each.replace("layout:FILE", f"layout:{tmp_path}/FILE") for each in arguments]
    placed = [each.replace("layout:EMPTY", f"layout:{tmp_path}/EMPTY") for each in placed]
    _, found = document(*placed, home=tmp_path)
    assert found["error"]["code"] == code
    assert word in found["error"]["cause"]


# Platforms, options


def test_a_platform_of_what_has_none_is_noted(tmp_path: Path) -> None:
    goal = f"oci-layout:{tmp_path / 'copy'}:v1"
    code, found = document("mirror", FLUX, goal, "--platform", "linux/amd64", home=tmp_path)
    assert code == 0
    assert found["notes"] == ["the artifact is no index, so --platform chose nothing: it is mirrored as it is"]
    _, _, said = byoa("mirror", FLUX, goal, "--platform", "linux/amd64", home=tmp_path)
    assert said.startswith("note the artifact is no index")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--plain-http", "http://127.0.0.1:5000"), "--plain-http: a host and a port are wanted, as in 127.0.0.1:5000"),
        (("--plain-http", "127.0.0.1:5000/app"), "--plain-http"),
        (("--token-host", "https://auth.example.com/token"), "--token-host"),
        (("--platform", "linux"), "OS/ARCH"),
        (("--filter", "v*"), "--all-tags"),
        (("--all-tags", "--plan"), "--plan"),
        (("--plain-htp", "x"), "did you mean --plain-http?"),
    ],
    ids=str,
)
def test_a_mistake_in_an_option_names_it_and_what_to_write(
    arguments: tuple[str, ...], word: str, tmp_path: Path
) -> None:
    code, printed, said = byoa("mirror", FLUX, "oci-layout:x", *arguments, home=tmp_path)
    assert (code, printed) == (2, "")
    assert word in said


@pytest.mark.parametrize(("word", "meant"), [("miror", "mirror"), ("validat", "validate"), ("build", "builds")])
def test_a_command_that_isnt_there_may_be_one_that_is(word: str, meant: str, tmp_path: Path) -> None:
    code, _, said = byoa(word, "x", home=tmp_path)
    assert code == 2
    assert f"there is no command {word}; did you mean {meant}?" in said


def test_a_forgotten_plain_http_is_told_with_the_very_option(registry: Registry, tmp_path: Path) -> None:
    code, found = document("resolve", f"oci://{registry.address}/app:v1", home=tmp_path)
    assert code == 3
    assert f"--plain-http {registry.address}" in found["error"]["remedy"]


def test_a_proxy_of_the_environment_is_gone_through(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy = f"http://127.0.0.1:{listening.getsockname()[1]}"
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "HTTPS_PROXY": proxy}
        command = [BYOA, "resolve", "oci://registry.example.test/app:v1", "--json"]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        peer, _ = listening.accept()
        with peer:
            assert peer.recv(4096).startswith(b"CONNECT registry.example.test:443 HTTP/1.1\r\n")
            peer.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        said, _ = child.communicate(timeout=30)
    assert child.returncode == 3
    assert "status 403" in json.loads(said)["error"]["cause"]
