"""Layouts in folders of strangers: pipes, devices, links, indexes that are none. Each is an error, at once."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.layout import LayoutRepository
from byoa.content.packing import pack
from byoa.engine.mirroring import Wanted, mirror
from byoa.errors import DigestMismatch, GraphLimit, ManifestInvalid, ManifestTooLarge
from byoa.oci.manifest import MANIFEST_LIMIT, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKED = pack("a: 1\n")
TAGGED = {"annotations": {"org.opencontainers.image.ref.name": "v1"}}
ENTRY = {"mediaType": OCI_MANIFEST, "digest": str(PACKED.manifest.digest), "size": len(PACKED.manifest.content)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound layout of one artifact, ``v1``."""
    mirror(MemoryRepository.holding(PACKED), LayoutRepository(tmp_path), Wanted("inline", "v1"))
    return tmp_path


def index(*entries: object) -> bytes:
    return json.dumps({"schemaVersion": 2, "manifests": entries}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"manifests":' * 100_000,
        index(TAGGED),
        index({**TAGGED, "digest": 7}),
        index({**TAGGED, "digest": "sha256:../../../etc/passwd"}),
        index({**TAGGED, "digest": f"../{ENTRY['digest']}"}),
        index("v1"),
        index(7),
        b'{"manifests": {}, "manifests": 7}',
        b"{}",
        b"[]",
        b"7",
        b"",
        b"\xff\xfe",
        b'{"manifests": []' + b" " * MANIFEST_LIMIT + b"}",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_an_index_that_is_none_is_invalid(folder: Path, content: bytes) -> None:
    (folder / "index.json").write_bytes(content)
    with pytest.raises(ManifestInvalid):
        LayoutRepository(folder).fetch_manifest("v1")


def pipe(place: Path) -> None:
    os.mkfifo(place)


def device(place: Path) -> None:
    place.symlink_to("/dev/zero")


def directory(place: Path) -> None:
    place.mkdir()


def circle(place: Path) -> None:
    place.symlink_to(place)


@pytest.mark.parametrize("odd", [pipe, device, directory, circle])
@pytest.mark.parametrize("part", ["index.json", "manifest", "layer"])
def test_nothing_is_read_but_regular_files(folder: Path, part: str, odd: Callable[[Path], None]) -> None:
    digest = PACKED.manifest.digest if part == "manifest" else PACKED.manifest.layers[0].digest
    place = folder / part if part == "index.json" else folder / "blobs" / digest.algorithm / digest.hex
    place.unlink()
    odd(place)
    with pytest.raises(ManifestInvalid):
        mirror(LayoutRepository(folder), MemoryRepository(), Wanted("v1", "v1"))


def test_a_link_to_a_regular_file_is_followed_because_tools_make_them(folder: Path, tmp_path: Path) -> None:
    digest = PACKED.manifest.layers[0].digest
    place = folder / "blobs" / digest.algorithm / digest.hex
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    target = MemoryRepository()
    mirror(LayoutRepository(folder), target, Wanted("v1", "v1"))
    assert digest in target.blobs


def test_a_link_to_what_has_other_bytes_is_found_out(folder: Path, tmp_path: Path) -> None:
    digest = PACKED.manifest.layers[0].digest
    place = folder / "blobs" / digest.algorithm / digest.hex
    (tmp_path / "secret").write_bytes(b"s" * place.stat().st_size)
    place.unlink()
    place.symlink_to(tmp_path / "secret")
    target = MemoryRepository()
    with pytest.raises(DigestMismatch):
        mirror(LayoutRepository(folder), target, Wanted("v1", "v1"))
    assert digest not in target.blobs
    assert not target.manifests


def test_a_manifest_of_more_than_four_mebibytes_is_not_read_to_its_end(folder: Path) -> None:
    digest = PACKED.manifest.digest
    with (folder / "blobs" / digest.algorithm / digest.hex).open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ManifestTooLarge):
        LayoutRepository(folder).fetch_manifest("v1")


def named(tag: str) -> dict[str, object]:
    return {**ENTRY, "annotations": {"org.opencontainers.image.ref.name": tag}}


def test_names_that_are_no_tags_are_counted_and_nowhere_kept(folder: Path) -> None:
    (folder / "index.json").write_bytes(index(named("v1"), named("\x1b[2J")))
    found = LayoutRepository(folder).all_tags()
    assert (found.names, found.passed_over) == (("v1",), 1)
    (folder / "index.json").write_bytes(index(named("v1")))
    assert LayoutRepository(folder).only() == "v1"


def test_a_layout_is_not_written_larger_than_it_can_be_read(folder: Path) -> None:
    full = index(named("v1"), {**named("v2"), "note": "x" * (MANIFEST_LIMIT - 600)})
    (folder / "index.json").write_bytes(full)
    with pytest.raises(GraphLimit):
        LayoutRepository(folder).push_manifest(PACKED.manifest, "v3")
    assert (folder / "index.json").read_bytes() == full
    assert LayoutRepository(folder).find_manifest("v1")


def test_a_file_that_cant_be_read_is_an_error_and_no_traceback(folder: Path) -> None:
    (folder / "index.json").unlink()
    (folder / "index.json").symlink_to("/proc/self/mem")
    with pytest.raises(ManifestInvalid):
        LayoutRepository(folder).fetch_manifest("v1")
