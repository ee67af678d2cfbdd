"""What a build will fetch is known, and within its sums, before the first of its blobs is asked for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.builds.survey import survey
from byoa.engine.copying import copy
from byoa.errors import ContentTooLarge, GraphLimit, ReferenceNotFound
from byoa.trust.limits import ATTACHED, STAGED, WHOLE
from tests.builds.vast import Vast

if TYPE_CHECKING:
    from byoa.builds.survey import Survey
    from byoa.oci.digest import Digest
    from byoa.oci.manifest import Manifest

MEBIBYTE = 1024 * 1024


def look(vast: Vast, root: Manifest) -> Survey:
    return survey(root, vast.repository, MemoryRepository())


def test_all_that_is_attached_is_counted_in() -> None:
    vast = Vast()
    root = vast.image(vast.blob(b"a"))
    for number in range(5):
        vast.index(*vast.images(49, 10, f"of {number}"), subject=root)
    with pytest.raises(GraphLimit, match="more than 100 manifests"):
        look(vast, root)


def test_blobs_are_counted_with_manifests() -> None:
    vast = Vast()
    assert len(look(vast, vast.index(*vast.images(45, 10))).nodes) <= WHOLE.nodes
    with pytest.raises(GraphLimit, match="500 manifests and blobs"):
        look(vast, vast.index(*vast.images(46, 10)))


def test_bytes_have_a_sum_and_none_of_them_is_fetched() -> None:
    vast = Vast()
    hundred = [vast.blob(bytes([number]), size=100 * MEBIBYTE) for number in range(11)]
    look(vast, vast.image(*hundred[:10]))
    with pytest.raises(ContentTooLarge, match="attached"):
        look(vast, vast.index(vast.image(*hundred[:10]), vast.image(hundred[10])))
    root = vast.image(*hundred[:9])
    vast.image(hundred[9], hundred[10], subject=root)
    with pytest.raises(ContentTooLarge):
        look(vast, root)


def test_manifests_which_are_held_in_memory_have_a_sum_of_their_own() -> None:
    vast = Vast()
    long: dict[str, Any] = {"annotations": {"a": "x" * (3 * MEBIBYTE)}}
    children = [vast.image(vast.blob(bytes([number])), **long) for number in range(3)]
    look(vast, vast.index(*children[:2]))
    with pytest.raises(ContentTooLarge, match="manifests"):
        look(vast, vast.index(*children))


def test_each_attached_artifact_is_held_to_the_limits_of_one() -> None:
    vast = Vast()
    root = vast.image(vast.blob(b"a"))
    vast.image(*(vast.blob(bytes([number])) for number in range(11)), subject=root)
    with pytest.raises(GraphLimit, match="layers"):
        look(vast, root)


def test_more_attached_manifests_than_a_message_names_are_refused() -> None:
    vast = Vast()
    root = vast.image(vast.blob(b"a"))
    for number in range(ATTACHED + 1):
        vast.image(vast.blob(bytes([number])), subject=root)
    with pytest.raises(GraphLimit, match="attached"):
        look(vast, root)


class Counting(MemoryRepository):
    """A repository that counts how often each manifest is fetched."""

    fetched: Counter[str]

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        self.fetched[str(name)] += 1
        return super().fetch_manifest(name)


def test_each_manifest_is_fetched_once_and_not_at_all_where_the_quarantine_has_it() -> None:
    vast = Vast()
    root = vast.index(*vast.images(3, 2))
    vast.image(vast.blob(b"of the root"), subject=root)
    vast.sign(root)
    source = Counting(vast.repository.blobs, vast.repository.manifests, vast.repository.tags)
    source.fetched = Counter()
    quarantine = MemoryRepository()
    found = survey(root, source, quarantine)
    copy(found.source, quarantine, root, limits=STAGED, absent=True)
    assert len(found.attachments) == 4
    assert set(source.fetched.values()) == {1}
    assert source.fetched.total() == 3 + 4
    source.fetched.clear()
    again = survey(root, source, quarantine)
    assert (again.nodes, again.attachments) == (found.nodes, found.attachments)
    assert source.fetched.total() == 4  # what is attached was not copied


def test_what_is_listed_as_attached_and_lost_is_left_out() -> None:
    class Lossy(MemoryRepository):
        def fetch_manifest(self, name: str | Digest) -> Manifest:
            if name == lost.digest:
                raise ReferenceNotFound("It is gone.")
            return super().fetch_manifest(name)

    vast = Vast()
    root = vast.image(vast.blob(b"a"))
    kept, lost = (vast.image(vast.blob(name), subject=root) for name in (b"kept", b"lost"))
    source = Lossy(vast.repository.blobs, vast.repository.manifests)
    found = survey(root, source, MemoryRepository())
    assert [each.digest for each in found.attachments] == [kept.digest]
    assert lost.digest not in {node.digest for node in found.nodes}


def test_a_child_that_is_lost_fails_the_build() -> None:
    vast = Vast()
    root = vast.index(*vast.images(2, 1))
    del vast.repository.manifests[root.manifests[1].digest]
    with pytest.raises(ReferenceNotFound) as caught:
        look(vast, root)
    assert caught.value.where == "source"
