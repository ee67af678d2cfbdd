"""How much memory small artifacts can take that mean harm: the peak of a process of its own, measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from byoa.oci.digest import Digest
from byoa.oci.manifest import OCI_INDEX, OCI_MANIFEST
from local.registry import Request, Response
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


ARTIFACT: Final = Path(__file__).parents[1] / "data" / "artifacts" / "flux"
CEILING: Final = 256
"""MiB, of which some 25 are the interpreter's and ours."""

FULL: Final = 4 * 1024 * 1024
WATCHED: Final = """
import sys
from pathlib import Path
from byoa_cli.main import run
try:
    run()
finally:
    lines = Path("/proc/self/status").read_text().splitlines()
    sys.stderr.write("peak " + next(line.split()[1] for line in lines if line.startswith("VmHWM")))
"""
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read from /proc")


def measured(*arguments: str, home: Path) -> tuple[str, int]:
    """What was said, and the peak in MiB."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
    command = [sys.executable, "-c", WATCHED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    said, _, peak = done.stderr.rpartition("peak ")
    return done.stdout + said, int(peak) // 1024


@pytest.fixture
def registry() -> Iterator[Scripted]:
    with Scripted() as made:
        yield made


def entry(content: bytes, media_type: str = OCI_MANIFEST) -> dict[str, object]:
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content)}


def manifest(number: int, **more: object) -> bytes:
    """A manifest of nearly 4 MiB, of which each character takes four bytes in memory."""
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": entry(b"{}", "a/b"), "layers": [], **more}
    text = "\U0001f600" + "a" * (FULL - len(json.dumps(document)) - 100) + str(number)
    return json.dumps({**document, "annotations": {"k": text}}, ensure_ascii=False).encode()


def layered(number: int) -> bytes:
    """A manifest of as many layers as fit into it."""
    layers = [entry(f"{number} {each}".encode(), "a/b") for each in range(34_000)]
    return json.dumps(
        {"schemaVersion": 2, "config": entry(b"{}", "a/b"), "layers": layers}, separators=(",", ":")
    ).encode()


def dense(filling: str) -> Callable[[int], bytes]:
    """A manifest of nothing but small values, each of which is an object."""
    head = f'{{"schemaVersion": 2, "config": {json.dumps(entry(b"{}", "a/b"))}, "layers": [], "x": ['

    def made(number: int) -> bytes:
        count = (FULL - len(head) - 100) // (len(filling) + 1)
        return (head + f"{filling}," * count + f"{number}]}}").encode()

    return made


def serving(count: int, made: Callable[[int], bytes]) -> Callable[[Request], Response | None]:
    """An index ``v1`` of ``count`` manifests, each made when it is asked for."""
    numbers = {str(Digest.of(made(number))): number for number in range(count)}
    listed = [{"mediaType": OCI_MANIFEST, "digest": digest, "size": len(made(n))} for digest, n in numbers.items()]
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}).encode()

    def script(request: Request) -> Response | None:
        name = request.path.rpartition("/")[2]
        if request.method != "GET" or "/source/" not in request.path:
            return None
        if name == "v1":
            return Response(200, [("Content-Type", OCI_INDEX)], index)
        if name in numbers:
            return Response(200, [("Content-Type", OCI_MANIFEST)], made(numbers[name]))
        return Response(200, [], b"{}") if "/blobs/" in request.path else None

    return script


@pytest.mark.parametrize(
    ("count", "made", "end"),
    [
        (20, manifest, "sha256:"),
        (4, layered, "GraphLimit"),
        (4, dense("{}"), "sha256:"),
        (4, dense("[]"), "sha256:"),
        (4, dense('{"":0}'), "sha256:"),
        (4, dense("0.1"), "sha256:"),
    ],
    ids=["annotations", "layers", "objects", "lists", "pairs", "numbers"],
)
def test_large_manifests_take_little_memory(
    count: int, made: Callable[[int], bytes], end: str, registry: Scripted, tmp_path: Path
) -> None:
    registry.script = serving(count, made)
    source, target = (f"oci://{registry.address}/{name}:v1" for name in ("source/app", "target"))
    said, peak = measured("mirror", source, target, "--plain-http", registry.address, "--no-referrers", home=tmp_path)
    assert end in said
    assert peak <= CEILING


def pages(page: Callable[[int], bytes], what: str) -> Callable[[Request], Response | None]:
    """A list without end."""

    def script(request: Request) -> Response | None:
        if what not in request.path:
            return None
        number = int(request.first("last") or 0) + 1
        link = ("Link", f'<{request.path}?last={number}>; rel="next"')
        return Response(200, [("Content-Type", OCI_INDEX), link], page(number))

    return script


def tags(number: int) -> bytes:
    return json.dumps({"tags": [str(number) + "\U0001f600" + "a" * (FULL - 200)]}, ensure_ascii=False).encode()


def referrers(number: int) -> bytes:
    listed = [entry(f"{number} {each}".encode()) for each in range(24_000)]
    return json.dumps({"schemaVersion": 2, "manifests": listed}, separators=(",", ":")).encode()


def noted(number: int) -> bytes:
    text = "\U0001f600" + "a" * (FULL - 500)
    listed = [{**entry(str(number).encode()), "annotations": {"k": text}}]
    return json.dumps({"schemaVersion": 2, "manifests": listed}, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("page", "what", "option"),
    [(tags, "/tags/", "--all-tags"), (referrers, "/referrers/", "--json"), (noted, "/referrers/", "--json")],
    ids=["tags", "referrers", "their annotations"],
)
def test_long_lists_take_little_memory(
    page: Callable[[int], bytes], what: str, option: str, registry: Scripted, tmp_path: Path
) -> None:
    plain = ("--plain-http", registry.address)
    source = f"oci://{registry.address}/source"
    _, _ = measured("mirror", f"oci-layout:{ARTIFACT}", f"{source}:v1", *plain, home=tmp_path)
    registry.script = pages(page, what)
    named = source if option == "--all-tags" else f"{source}:v1"
    said, peak = measured("mirror", named, f"oci://{registry.address}/target", option, *plain, home=tmp_path)
    assert "GraphLimit" in said
    assert peak <= CEILING


def test_a_layout_s_index_is_not_read_beyond_what_it_may_have(tmp_path: Path) -> None:
    with (tmp_path / "index.json").open("wb") as file:
        file.truncate(300_000_000)
    said, peak = measured("inspect", f"oci-layout:{tmp_path}", home=tmp_path)
    assert "ManifestInvalid" in said
    assert peak <= 64
