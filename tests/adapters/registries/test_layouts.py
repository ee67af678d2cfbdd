"""Layouts in folders of strangers: pipes, devices, links, indexes that are none. Each is an error, at once."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.layout import LayoutRepository
from byoa.content.packing import pack
from byoa.engine.mirroring import Wanted, mirror
from byoa.errors import (
    DigestMismatch,
    GraphLimit,
    ManifestInvalid,
    ManifestTooLarge,
    ReferenceInvalid,
    ReferenceNotFound,
    ReferenceUnsupported,
    TargetForbidden,
)
from byoa.oci.manifest import MANIFEST_LIMIT, OCI_MANIFEST, read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.mark.parametrize("most", [None, 2, 1])
def test_the_first_tags_will_do_where_somebody_says_so(folder: Path, most: int | None) -> None:
    (folder / "index.json").write_bytes(index(named("v1"), named("v2")))
    repository = MemoryRepository(tags=dict.fromkeys(("v1", "v2"), PACKED.manifest.digest))
    for found in (LayoutRepository(folder).all_tags(most=most), repository.all_tags(most=most)):
        assert (found.names, found.truncated) == (("v1", "v2")[:most], most == 1)
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


def unnamed(**annotations: str) -> dict[str, object]:
    return {**ENTRY, "annotations": annotations}


def test_one_artifact_without_a_name_is_the_one(folder: Path) -> None:
    for entry in (ENTRY, unnamed(), {**ENTRY, "annotations": None}):
        (folder / "index.json").write_bytes(index(entry))
        assert LayoutRepository(folder).only() == PACKED.manifest.digest


def test_a_whole_reference_may_be_a_name(folder: Path) -> None:
    (folder / "index.json").write_bytes(index(named("registry.example.com/team/app:v1"), named("v2")))
    layout = LayoutRepository(folder)
    assert layout.digest_of("registry.example.com/team/app:v1") == PACKED.manifest.digest
    with pytest.raises(ReferenceInvalid, match=re.escape("registry.example.com/team/app:v1, v2")):
        layout.only()
    with pytest.raises(ReferenceNotFound) as caught:
        layout.digest_of("v1")
    assert "v2" in caught.value.remedy


def test_what_is_attached_is_not_the_artifact_where_nothing_has_a_name(tmp_path: Path) -> None:
    document = json.loads(PACKED.manifest.content)
    subject = {"mediaType": OCI_MANIFEST, "digest": ENTRY["digest"], "size": ENTRY["size"]}
    referring = read_manifest(json.dumps({**document, "subject": subject}).encode(), OCI_MANIFEST)
    source = MemoryRepository.holding(PACKED)
    source.push_manifest(referring)
    layout = LayoutRepository(tmp_path)
    mirror(source, layout, Wanted(PACKED.manifest.digest))
    layout.keep(PACKED.manifest.digest)
    assert layout.only() == PACKED.manifest.digest
    layout.keep(PACKED.manifest.digest)
    assert len(json.loads((tmp_path / "index.json").read_bytes())["manifests"]) == 2


def test_an_index_may_say_null_for_nothing(folder: Path) -> None:
    (folder / "index.json").write_bytes(b'{"schemaVersion": 2, "manifests": null}')
    assert LayoutRepository(folder).all_tags().names == ()
    with pytest.raises(ReferenceInvalid, match="no artifact"):
        LayoutRepository(folder).only()


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_files_have_the_mode_that_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        mirror(MemoryRepository.holding(PACKED), LayoutRepository(tmp_path / "copy"), Wanted("inline", "v1"))
    finally:
        os.umask(before)
    modes = {place.stat().st_mode & 0o777 for place in (tmp_path / "copy").rglob("*") if place.is_file()}
    assert modes == {0o666 & ~umask}
    assert not list((tmp_path / "copy").rglob(".part-*"))


def test_what_an_index_says_besides_stays(folder: Path) -> None:
    place = folder / "index.json"
    document = {**json.loads(place.read_bytes()), "annotations": {"org.example.release": "2026"}, "x": [1]}
    place.write_text(json.dumps(document))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0", "x": 1}')
    LayoutRepository(folder).push_manifest(PACKED.manifest, "v2")
    found = json.loads(place.read_bytes())
    assert (found["annotations"], found["x"]) == (document["annotations"], [1])
    assert json.loads((folder / "oci-layout").read_bytes())["x"] == 1


def test_a_folder_a_file_and_nothing_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ReferenceNotFound, match="There is no folder"):
        LayoutRepository(tmp_path / "nope").check_readable()
    with pytest.raises(ReferenceNotFound, match="no OCI layout"):
        LayoutRepository(tmp_path).check_readable()
    archive = tmp_path / "artifact.tar"
    archive.write_bytes(bytes(10240))
    with pytest.raises(ReferenceUnsupported) as caught:
        LayoutRepository(archive).check_readable()
    assert "tar -xf" in caught.value.remedy


@pytest.mark.parametrize("place", ["/proc/layout", "/dev/full/layout", "/dev/null/layout"])
def test_where_nothing_can_be_written_is_named(place: str) -> None:
    with pytest.raises(TargetForbidden, match=place):
        mirror(MemoryRepository.holding(PACKED), LayoutRepository(Path(place)), Wanted("inline", "v1"))
