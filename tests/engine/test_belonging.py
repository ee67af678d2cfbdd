"""What a source lists as attached is attached if its own subject says so; signatures in the target are not lost."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.content.packing import pack
from byoa.engine.attachments import find_attachments
from byoa.engine.mirroring import Mirrored, Wanted, mirror, plan
from byoa.errors import GraphLimit
from byoa.oci.digest import Digest
from byoa.oci.graph import described
from byoa.oci.manifest import OCI_INDEX, OCI_MANIFEST, Manifest, read_manifest

if TYPE_CHECKING:
    from byoa.oci.manifest import Descriptor

WANTED = Wanted("v1", "v1")


@dataclass(slots=True)
class Lying(MemoryRepository):
    """A source that lists what it likes."""

    lists: dict[Digest, list[Manifest]] = field(default_factory=dict)

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        return tuple(described(each) for each in self.lists.get(subject, []))


def manifest(note: str, subject: Manifest | None = None, layers: tuple[bytes, ...] = (b"layer",)) -> Manifest:
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": part(b"{}"),
        "layers": [part(layer) for layer in layers],
        "annotations": {"note": note},
    }
    if subject:
        document["subject"] = entry(subject)
    return read_manifest(json.dumps(document).encode(), OCI_MANIFEST)


def part(content: bytes) -> dict[str, object]:
    return {"mediaType": "application/octet-stream", "digest": str(Digest.of(content)), "size": len(content)}


def entry(made: Manifest) -> dict[str, object]:
    return {"mediaType": made.descriptor.media_type, "digest": str(made.digest), "size": made.descriptor.size}


def holding(*manifests: Manifest) -> Lying:
    """A repository with ``manifests``, the first as ``v1``, and the layers that the tests use."""
    contents = (b"{}", b"layer", b"one", b"two", b"three")
    made = Lying({Digest.of(each): each for each in contents}, {each.digest: each for each in manifests})
    made.tags["v1"] = manifests[0].digest
    return made


ROOT = manifest("the artifact")
TRUSTED = manifest("somebody else's artifact")


def mirrored(source: MemoryRepository, target: MemoryRepository) -> Mirrored:
    return mirror(source, target, WANTED)


# Subjects


@pytest.mark.parametrize("stranger", [manifest("of another", TRUSTED), manifest("of nothing"), TRUSTED])
def test_what_is_listed_and_refers_to_something_else_is_passed_over_and_told(stranger: Manifest) -> None:
    source, target = holding(ROOT, stranger), holding(TRUSTED)
    source.lists = {ROOT.digest: [stranger]}
    before = set(target.manifests)
    done = mirrored(source, target)
    assert set(target.manifests) == before | {ROOT.digest}
    assert stranger.digest in done.copied.strays or stranger is TRUSTED
    assert not [each for each in done.attachments if each.digest in done.copied.strays]


def test_what_refers_to_something_else_that_is_listed_is_passed_over_as_well() -> None:
    """The target has the trusted artifact, so that nothing of it is copied and nothing seems wrong."""
    lie = manifest("a bill of materials of another", TRUSTED)
    source, target = holding(ROOT, TRUSTED, lie), holding(TRUSTED)
    source.lists = {ROOT.digest: [TRUSTED], TRUSTED.digest: [lie]}
    done = mirrored(source, target)
    assert lie.digest not in target.manifests
    assert done.copied.strays == [lie.digest]


def test_what_only_the_source_has_lost_doesnt_open_the_door_to_what_refers_to_it() -> None:
    lie = manifest("a bill of materials of another", TRUSTED)
    source, target = holding(ROOT, lie), holding(TRUSTED)
    source.lists = {ROOT.digest: [TRUSTED], TRUSTED.digest: [lie]}
    assert mirrored(source, target).copied.strays == [lie.digest]
    assert lie.digest not in target.manifests


def test_a_signature_by_tag_that_refers_to_something_else_is_passed_over() -> None:
    lie = manifest("signature", TRUSTED)
    source, target = holding(ROOT, lie), holding(TRUSTED)
    source.tags[f"sha256-{ROOT.digest.hex}.sig"] = lie.digest
    assert mirrored(source, target).copied.strays == [lie.digest]
    assert list(target.tags.values()).count(lie.digest) == 0


def test_the_signature_of_something_else_that_is_listed_stays_as_it_is_in_the_target() -> None:
    forged, honest = manifest("forged", layers=(b"one", b"two")), manifest("honest", layers=(b"one",))
    tag = f"sha256-{TRUSTED.digest.hex}.sig"
    source, target = holding(ROOT, TRUSTED, forged), holding(TRUSTED, honest)
    source.lists, source.tags[tag], target.tags[tag] = {ROOT.digest: [TRUSTED]}, forged.digest, honest.digest
    mirrored(source, target)
    assert target.tags[tag] == honest.digest


def test_a_signature_of_what_the_target_has_already_goes_along() -> None:
    bill = manifest("bill of materials", ROOT)
    signature = manifest("its signature", bill)
    source, target = holding(ROOT, bill, signature), holding(ROOT, bill)
    source.lists = {ROOT.digest: [bill], bill.digest: [signature]}
    done = mirrored(source, target)
    assert signature.digest in target.manifests
    assert done.copied.strays == []


def test_who_refers_to_itself_in_a_circle_of_lists_is_no_attachment() -> None:
    one = manifest("one", TRUSTED)
    source, target = holding(ROOT, one), MemoryRepository()
    source.lists = {ROOT.digest: [one], one.digest: [one, ROOT]}
    assert mirrored(source, target).copied.strays == [one.digest]
    assert set(target.manifests) == {ROOT.digest}


def test_a_plan_names_nothing_that_only_seems_to_be_attached() -> None:
    lie, bill, lost = manifest("of another", TRUSTED), manifest("bill of materials", ROOT), manifest("lost", ROOT)
    source = holding(ROOT, lie, bill)
    source.lists = {ROOT.digest: [lie, bill, lost]}
    steps = {step.descriptor.digest for step in plan(source, MemoryRepository(), WANTED).steps}
    assert bill.digest in steps
    assert not steps & {lie.digest, lost.digest}


# How much


def test_referrers_of_referrers_come_to_an_end() -> None:
    class Bottomless(MemoryRepository):
        def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
            content = json.dumps({**json.loads(ROOT.content), "annotations": {"of": str(subject)}}).encode()
            return (read_manifest(content, OCI_MANIFEST).descriptor,)

    source = Bottomless.holding(pack("a: 1\n"))
    with pytest.raises(GraphLimit, match="deep"):
        find_attachments(source, source.fetch_manifest("inline"))


def test_more_attachments_than_anybody_has_are_refused() -> None:
    source = holding(ROOT)
    source.lists = {ROOT.digest: [manifest(str(number), ROOT) for number in range(1001)]}
    with pytest.raises(GraphLimit, match="1000"):
        find_attachments(source, ROOT)


# Signatures' tags

TAG = f"sha256-{ROOT.digest.hex}.sig"
ONE, BOTH, OTHER = (
    manifest("one", layers=(b"one",)),
    manifest("both", layers=(b"one", b"two")),
    manifest("other", layers=(b"three",)),
)
INDEXES = [
    read_manifest(json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": each}).encode(), OCI_INDEX)
    for each in ([entry(ONE)], [entry(ONE), entry(BOTH)])
]


def signed(source_has: Manifest, target_has: Manifest) -> tuple[Mirrored, MemoryRepository]:
    everything = (ROOT, ONE, BOTH, OTHER, *INDEXES)
    source, target = holding(*everything), holding(ROOT, ONE, target_has)
    source.tags[TAG], target.tags[TAG] = source_has.digest, target_has.digest
    return mirrored(source, target), target


@pytest.mark.parametrize(("source_has", "target_has"), [(BOTH, ONE), (INDEXES[1], INDEXES[0])])
def test_a_signature_that_was_added_moves_the_tag(source_has: Manifest, target_has: Manifest) -> None:
    done, target = signed(source_has, target_has)
    assert target.tags[TAG] == source_has.digest
    assert done.copied.kept == []


@pytest.mark.parametrize(("source_has", "target_has"), [(OTHER, ONE), (ONE, BOTH), (INDEXES[0], INDEXES[1])])
def test_a_tag_whose_signatures_would_be_lost_stays_and_is_told(source_has: Manifest, target_has: Manifest) -> None:
    done, target = signed(source_has, target_has)
    assert target.tags[TAG] == target_has.digest
    assert done.copied.kept == [TAG]
    assert source_has.digest in target.manifests, "under its digest it is there all the same"


def test_a_tag_that_stays_is_told_each_time() -> None:
    source, target = holding(ROOT, OTHER), holding(ROOT, ONE)
    source.tags[TAG], target.tags[TAG] = OTHER.digest, ONE.digest
    assert [mirrored(source, target).copied.kept for _ in range(2)] == [[TAG], [TAG]]
