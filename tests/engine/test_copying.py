"""Copies between two repositories in memory: what is asked, what is written, and in which order."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.content.packing import pack
from byoa.engine.copying import copy
from byoa.errors import (
    ByoaError,
    ContentTooLarge,
    GraphLimit,
    ManifestAmbiguous,
    ReferenceNotFound,
    RegistryUnavailable,
    ShortRead,
    SizeMismatch,
    TargetIncomplete,
)
from byoa.oci.graph import GraphLimits, blobs_of
from byoa.oci.manifest import OCI_INDEX, Descriptor, Manifest, read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.engine.ports import BlobReader, Fate, Offer, Upload
    from byoa.oci.digest import Digest


class Recording:
    """A target that notes what it is asked and told; ``before`` may raise instead of an answer."""

    def __init__(self, before: Callable[[str], None] = lambda _: None) -> None:
        self.inner = MemoryRepository()
        self.calls: list[str] = []
        self._before = before

    def find_manifest(self, name: str | Digest) -> Digest | None:
        self._note(f"find {name}")
        return self.inner.find_manifest(name)

    def has_blob(self, descriptor: Descriptor) -> bool:
        self._note(f"has {descriptor.digest}")
        return self.inner.has_blob(descriptor)

    def offer_blob(self, descriptor: Descriptor, offer: Offer) -> Fate | Upload:
        if not offer.unasked:
            self._note(f"has {descriptor.digest}")
        found = self.inner.offer_blob(descriptor, offer)
        if not isinstance(found, str):
            self._note(f"blob {descriptor.digest}")
        return found

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        self._note(f"manifest {manifest.digest} {tag}")
        self.inner.push_manifest(manifest, tag)

    def _note(self, call: str) -> None:
        self.calls.append(call)
        self._before(call)

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if call.startswith(("blob", "manifest"))]


class Forgetful(MemoryRepository):
    """A target that says it has every blob, until it misses them."""

    def offer_blob(self, descriptor: Descriptor, offer: Offer) -> Fate | Upload:
        return super().offer_blob(descriptor, offer) if offer.unasked else "skipped"


class Hopeless(Recording):
    """A target that always misses something."""

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        super().push_manifest(manifest, tag)
        raise TargetIncomplete("The target misses a part of the manifest.")


class Unreadable(MemoryRepository):
    """A source that can't be reached when a blob is wanted."""

    @contextmanager
    def open_blob(self, descriptor: Descriptor, start: int = 0) -> Iterator[BlobReader]:
        raise RegistryUnavailable("The registry can't be reached, or hung up.")
        yield


class BrokenOff:
    """A blob whose connection breaks."""

    def readinto(self, buffer: memoryview, /) -> int:
        raise ShortRead("The connection broke while the registry was sending.")


class Breaking(MemoryRepository):
    """A source whose blobs break off."""

    @contextmanager
    def open_blob(self, descriptor: Descriptor, start: int = 0) -> Iterator[BlobReader]:
        yield BrokenOff()


class Counter:
    def __init__(self) -> None:
        self.heard: list[int] = []

    def advance(self, count: int) -> None:
        self.heard.append(count)


def described(manifest: Manifest) -> dict[str, object]:
    descriptor = manifest.descriptor
    return {"mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size}


def index(*children: dict[str, object]) -> Manifest:
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children}
    return read_manifest(json.dumps(document).encode(), OCI_INDEX)


def shop() -> tuple[MemoryRepository, Manifest, Manifest, Manifest]:
    """A source with an index of two artifacts: the source, the index, and the two."""
    one, two = pack("a: 1\n"), pack("a: 2\n")
    root = index(described(one.manifest), described(two.manifest))
    source = MemoryRepository({**one.blobs, **two.blobs})
    for manifest in (one.manifest, two.manifest, root):
        source.push_manifest(manifest)
    return source, root, one.manifest, two.manifest


def test_blobs_come_first_then_children_then_their_index_and_the_tag_last() -> None:
    source, root, one, two = shop()
    target = Recording()
    done = copy(source, target, root, tag="v1")
    empty, first = (blob.digest for blob in blobs_of(one))
    second = two.layers[0].digest
    assert target.writes == [
        f"blob {empty}",
        f"blob {first}",
        f"blob {second}",
        f"manifest {one.digest} None",
        f"manifest {two.digest} None",
        f"manifest {root.digest} v1",
    ]
    assert (done.digest, done.copied, done.skipped, done.manifests) == (root.digest, 3, 0, 3)


def test_each_digest_is_asked_for_and_written_once() -> None:
    source, root, _, _ = shop()
    target = Recording()
    copy(source, target, root, tag="v1")
    assert len(target.calls) == len(set(target.calls))


def test_a_root_that_the_tag_names_already_costs_one_question() -> None:
    source, root, _, _ = shop()
    target = Recording()
    copy(source, target, root, tag="v1")
    target.calls.clear()
    done = copy(source, target, root, tag="v1")
    assert target.calls == ["find v1"]
    assert (done.copied, done.manifests, done.bytes_copied) == (0, 0, 0)


def test_a_root_that_is_there_untagged_gets_its_tag_and_nothing_else() -> None:
    source, root, _, _ = shop()
    target = Recording()
    copy(source, target, root)
    target.calls.clear()
    copy(source, target, root, tag="v1")
    assert target.writes == [f"manifest {root.digest} v1"]


def test_a_child_that_is_there_is_passed_over_with_all_below_it() -> None:
    source, root, one, two = shop()
    target = Recording()
    copy(source, target, one)
    target.calls.clear()
    done = copy(source, target, root, tag="v1")
    second = two.layers[0].digest
    assert target.writes == [f"blob {second}", f"manifest {two.digest} None", f"manifest {root.digest} v1"]
    assert f"has {one.layers[0].digest}" not in target.calls
    assert (done.copied, done.skipped) == (1, 1)


def test_a_target_that_misses_what_it_said_it_has_is_pushed_to_once_more_unasked() -> None:
    packed = pack("a: 1\n")
    target = Forgetful()
    done = copy(MemoryRepository.holding(packed), target, packed.manifest, tag="v1")
    assert target.blobs == packed.blobs
    assert target.tags == {"v1": packed.manifest.digest}
    assert done.copied == 2


def test_a_child_that_is_refused_for_a_missing_part_is_pushed_once_more_too() -> None:
    source, root, _, _ = shop()
    target = Forgetful()
    copy(source, target, root, tag="v1", limits=GraphLimits(manifests=3))
    assert target.blobs == source.blobs
    assert target.tags == {"v1": root.digest}


def test_a_target_that_still_misses_something_is_an_error_placed_there() -> None:
    packed = pack("a: 1\n")
    target = Hopeless()
    with pytest.raises(TargetIncomplete) as caught:
        copy(MemoryRepository.holding(packed), target, packed.manifest, tag="v1", target_name="cluster")
    assert caught.value.where == "cluster"
    assert [call for call in target.calls if call.startswith("manifest")] == [
        f"manifest {packed.manifest.digest} v1"
    ] * 2
    assert len([call for call in target.calls if call.startswith("has")]) == 2


@pytest.mark.parametrize("source", [Unreadable, Breaking])
def test_what_fails_while_reading_a_blob_is_placed_at_the_source(source: type[MemoryRepository]) -> None:
    packed = pack("a: 1\n")
    target = MemoryRepository()
    with pytest.raises(ByoaError) as caught:
        copy(source.holding(packed), target, packed.manifest, target_name="cluster")
    assert caught.value.where == "source"
    assert target == MemoryRepository()


@pytest.mark.parametrize("call", ["find", "has", "blob", "manifest"])
def test_what_the_target_refuses_is_placed_at_the_target_by_its_name(call: str) -> None:
    def refuse(asked: str) -> None:
        if asked.startswith(call):
            raise RegistryUnavailable("The registry failed (status 500).")

    packed = pack("a: 1\n")
    with pytest.raises(RegistryUnavailable) as caught:
        copy(MemoryRepository.holding(packed), Recording(refuse), packed.manifest, target_name="cluster")
    assert caught.value.where == "cluster"


def test_a_child_that_the_source_lacks_is_missing_at_the_source() -> None:
    source, root, one, _ = shop()
    del source.manifests[one.digest]
    with pytest.raises(ReferenceNotFound) as caught:
        copy(source, MemoryRepository(), root)
    assert caught.value.where == "source"


@pytest.mark.parametrize(
    ("change", "error"), [({"size": 1}, SizeMismatch), ({"mediaType": OCI_INDEX}, ManifestAmbiguous)]
)
def test_a_child_that_is_not_as_its_index_says_is_refused(change: dict[str, object], error: type[ByoaError]) -> None:
    source, _, one, _ = shop()
    root = index({**described(one), **change})
    target = MemoryRepository()
    with pytest.raises(error) as caught:
        copy(source, target, root)
    assert caught.value.where == "source"
    assert target == MemoryRepository()


def test_progress_adds_up_to_the_bytes_of_the_blobs_that_crossed() -> None:
    source, root, _, _ = shop()
    progress = Counter()
    done = copy(source, MemoryRepository(), root, progress=progress)
    assert sum(progress.heard) == done.bytes_copied == sum(len(blob) for blob in source.blobs.values())


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (GraphLimits(manifests=2), GraphLimit),
        (GraphLimits(depth=0), GraphLimit),
        (GraphLimits(layers=0), GraphLimit),
        (GraphLimits(blob=100), ContentTooLarge),
    ],
)
def test_what_is_over_the_limits_is_not_written(limits: GraphLimits, error: type[ByoaError]) -> None:
    source, root, _, _ = shop()
    target = MemoryRepository()
    with pytest.raises(error):
        copy(source, target, root, limits=limits)
    assert target == MemoryRepository()


def test_indexes_nest_eight_deep_and_no_deeper() -> None:
    packed = pack("a: 1\n")
    source = MemoryRepository.holding(packed)
    root = packed.manifest
    for _ in range(8):
        root = index(described(root))
        source.push_manifest(root)
    copy(source, MemoryRepository(), root)
    deeper = index(described(root))
    target = MemoryRepository()
    with pytest.raises(GraphLimit):
        copy(source, target, deeper)
    assert target == MemoryRepository()
