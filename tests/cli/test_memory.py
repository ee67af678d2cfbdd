"""How much memory small artifacts can take that mean harm: the peak of a process of its own, measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from bench.hostile import dense, layered, manifest, noted, pages, referrers, serving, tags
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


ARTIFACT: Final = Path(__file__).parents[1] / "data" / "artifacts" / "flux"
CEILING: Final = 256
"""MiB, of which some 25 are the interpreter's and ours."""

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


@pytest.mark.parametrize(
    ("count", "made", "end"),
    [
        (20, manifest, "sha256:"),
        (4, layered, "GraphLimit"),
        (4, dense("{}"), "ManifestInvalid"),
        (4, dense("[]"), "ManifestInvalid"),
        (4, dense('{"":0}'), "ManifestInvalid"),
        (4, dense("0.1"), "ManifestInvalid"),
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
