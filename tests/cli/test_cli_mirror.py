"""`byoa mirror` beyond one artifact: plans, lists of artifacts, all tags, and what it says when something is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from local.demo import ARTIFACTS
from local.registry import Registry, Settings
from tests.terminal import byoa, document

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLUX = f"oci-layout:{ARTIFACTS / 'flux'}"


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as made:
        yield made


def plain(*registries: Registry) -> tuple[str, ...]:
    return tuple(part for each in registries for part in ("--plain-http", each.address))


def test_a_plan_writes_nothing_and_the_mirror_then_does_what_it_says(registry: Registry, tmp_path: Path) -> None:
    goal = f"oci://{registry.address}/mirror/flux:v1"
    code, planned = document("mirror", FLUX, goal, "--plan", *plain(registry), home=tmp_path)
    assert code == 0
    assert not any(seen.method == "PUT" for seen in registry.requests)
    assert [(step["kind"], step["action"]) for step in planned["steps"]] == [
        ("blob", "copy"), ("blob", "copy"), ("manifest", "copy"),
    ]  # fmt: skip
    assert planned["missing_permissions"] == []
    _, done = document("mirror", FLUX, goal, *plain(registry), home=tmp_path)
    assert planned["digest"] == done["digest"]
    assert planned["bytes_to_copy"] == done["bytes_copied"] + planned["size"]
    _, planned = document("mirror", FLUX, goal, "--plan", *plain(registry), home=tmp_path)
    assert {step["action"] for step in planned["steps"]} == {"skip"}


def test_a_plan_for_people_names_every_node(registry: Registry, tmp_path: Path) -> None:
    code, out, _ = byoa("mirror", FLUX, f"oci://{registry.address}/a:v1", "--plan", *plain(registry), home=tmp_path)
    assert code == 0
    assert out.count("copy") == 4  # three nodes, and the sum
    assert "bytes to copy" in out


def test_a_plan_names_a_missing_permission_and_ends_with_one(tmp_path: Path) -> None:
    with Registry(Settings(auth="basic", anonymous_pull=True)) as guarded:
        goal = f"oci://{guarded.address}/a:v1"
        code, planned = document("mirror", FLUX, goal, "--plan", *plain(guarded), home=tmp_path)
    assert code == 1
    assert planned["missing_permissions"]


def listed(folder: Path, *pairs: tuple[str, str]) -> str:
    place = folder / "artifacts.txt"
    place.write_text("# what the clusters need\n\n" + "".join(f"{source} {target}\n" for source, target in pairs))
    return str(place)


def test_a_file_of_pairs_is_mirrored_in_one_process(registry: Registry, tmp_path: Path) -> None:
    pairs = [
        (f"oci-layout:{ARTIFACTS / name}:v2.3.1", f"oci://{registry.address}/mirror/{name}:v1")
        for name in ("flux", "oras-many", "signed-v3")
    ]
    code, done = document("mirror", "--from", listed(tmp_path, *pairs), *plain(registry), home=tmp_path)
    assert (code, done["ok"], done["failed"]) == (0, True, 0)
    assert [each["source"] for each in done["artifacts"]] == [source for source, _ in pairs]
    assert [each["attached"] for each in done["artifacts"]] == [0, 0, 1]
    code, out, _ = byoa("mirror", "--from", listed(tmp_path, *pairs), *plain(registry), home=tmp_path)
    assert code == 0
    assert "3 of 3 artifacts mirrored: 0 blobs copied" in out


def test_one_failure_ends_no_other_and_is_told_with_its_code(registry: Registry, tmp_path: Path) -> None:
    pairs = [
        (f"oci-layout:{ARTIFACTS / 'flux'}:v9", f"oci://{registry.address}/a:v1"),
        (FLUX, f"oci://{registry.address}/b:v1"),
    ]
    code, done = document("mirror", "--from", listed(tmp_path, *pairs), *plain(registry), home=tmp_path)
    assert (code, done["ok"], done["failed"]) == (1, False, 1)
    assert done["artifacts"][0]["error"]["code"] == "ReferenceNotFound"
    assert done["artifacts"][1]["blobs"]["copied"] == 2


def test_lines_that_are_no_pairs_are_all_named_before_anything_is_copied(registry: Registry, tmp_path: Path) -> None:
    place = tmp_path / "artifacts.txt"
    place.write_text(f"{FLUX} oci://{registry.address}/a:v1\nalone\nthree are many\n")
    code, done = document("mirror", "--from", str(place), *plain(registry), home=tmp_path)
    assert code == 1
    assert "line 2, 3" in done["error"]["cause"]
    assert registry.requests == []


def test_a_file_that_isnt_there_is_told_of(tmp_path: Path) -> None:
    code, done = document("mirror", "--from", str(tmp_path / "missing.txt"), home=tmp_path)
    assert (code, done["error"]["code"]) == (1, "ReferenceInvalid")


def test_all_tags_that_match_are_mirrored_under_their_names(registry: Registry, tmp_path: Path) -> None:
    for tag in ("v2.0", "v2.1", "v3.0"):
        byoa("mirror", FLUX, f"oci://{registry.address}/app:{tag}", *plain(registry), home=tmp_path)
    source, target = f"oci://{registry.address}/app", f"oci://{registry.address}/copy"
    arguments = ("mirror", source, target, "--all-tags", "--filter", "v2.*", *plain(registry))
    code, done = document(*arguments, home=tmp_path)
    assert code == 0
    assert [each["target"].rpartition(":")[2] for each in done["artifacts"]] == ["v2.0", "v2.1"]
    repository = registry.store.repository("copy")
    assert repository
    assert sorted(repository.tags) == ["v2.0", "v2.1"]


def test_blobs_are_mounted_within_one_registry(registry: Registry, tmp_path: Path) -> None:
    byoa("mirror", FLUX, f"oci://{registry.address}/one:v1", *plain(registry), home=tmp_path)
    arguments = (f"oci://{registry.address}/one:v1", f"oci://{registry.address}/two:v1")
    _, done = document("mirror", *arguments, *plain(registry), home=tmp_path)
    assert done["blobs"] == {"copied": 0, "mounted": 2, "skipped": 0}
    assert done["bytes_copied"] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("mirror",),
        ("mirror", FLUX),
        ("mirror", FLUX, "oci://a.example/b", "--from", "x"),
        ("mirror", "--from", "x", "--plan"),
        ("mirror", FLUX, "oci://a.example/b", "--jobs", "0"),
    ],
    ids=["nothing", "no target", "both", "plan of many", "no jobs"],
)
def test_what_makes_no_sense_is_a_matter_of_usage(arguments: tuple[str, ...], tmp_path: Path) -> None:
    code, _, err = byoa(*arguments, home=tmp_path)
    assert code == 2
    assert "Traceback" not in err


@pytest.mark.parametrize("named", [":v1", f"@sha256:{'0' * 64}"])
def test_all_tags_and_one_name_dont_go_together(named: str, registry: Registry, tmp_path: Path) -> None:
    source = f"oci://{registry.address}/app{named}"
    arguments = ("mirror", source, f"oci://{registry.address}/copy", "--all-tags", *plain(registry))
    code, found = document(*arguments, home=tmp_path)
    assert (code, found["error"]["code"]) == (1, "ReferenceInvalid")


def test_platforms_are_asked_for_by_name(registry: Registry, tmp_path: Path) -> None:
    goal = f"oci://{registry.address}/a:v1"
    index = f"oci-layout:{ARTIFACTS / 'index'}:v2"
    code, found = document("mirror", index, goal, "--platform", "linux/s390x", *plain(registry), home=tmp_path)
    assert (code, found["error"]["code"]) == (1, "ReferenceNotFound")


def test_the_answer_is_one_json_document(registry: Registry, tmp_path: Path) -> None:
    code, out, _ = byoa("mirror", FLUX, f"oci://{registry.address}/a", *plain(registry), "--json", home=tmp_path)
    found: dict[str, Any] = json.loads(out)
    assert code == 0
    assert found.keys() >= {"digest", "blobs", "bytes_copied", "requests", "seconds"}


SLOW: Final = frozenset(
    [
        "asyncio",
        "boto3",
        "botocore",
        "concurrent",
        "dataclasses",
        "email",
        "encodings.idna",
        "http",
        "inspect",
        "jsonschema",
        "logging",
        "oras",
        "pathlib",
        "pydantic",
        "random",
        "requests",
        "rich",
        "rich_argparse",
        "shtab",
        "ssl",
        "subprocess",
        "yaml",
    ]
)
WATCHED: Final = """
import sys
from byoa_cli.main import run
try:
    run()
finally:
    sys.stderr.write(" ".join(sys.modules))
"""


def test_a_mirror_imports_nothing_that_is_slow_to_import(registry: Registry, tmp_path: Path) -> None:
    """Each of these costs as much as the copy itself (decision 11)."""
    one, two = f"oci://{registry.address}/one:v1", f"oci://{registry.address}/two:v1"
    byoa("mirror", FLUX, one, *plain(registry), home=tmp_path)
    command = [sys.executable, "-c", WATCHED, "mirror", one, two, "--json", *plain(registry)]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert json.loads(done.stdout)["blobs"]["mounted"] == 2
    assert SLOW.isdisjoint(done.stderr.split())
