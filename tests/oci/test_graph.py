"""How much an artifact may consist of, and how little of it is kept."""

from __future__ import annotations

import json

import pytest

from byoa.errors import ContentTooLarge, GraphLimit
from byoa.oci.digest import Digest
from byoa.oci.graph import PLAIN, GraphLimits, Walk, blobs_of, described
from byoa.oci.manifest import CHECKSUM, OCI_INDEX, OCI_MANIFEST, TITLE, Manifest, read_manifest
from byoa.trust.limits import STAGED


def entry(number: int, media_type: str = "application/yaml", **more: object) -> dict[str, object]:
    return {"mediaType": media_type, "digest": str(Digest.of(str(number).encode())), "size": 10, **more}


def image(*layers: dict[str, object], **more: object) -> Manifest:
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": entry(-1), "layers": layers, **more}
    return read_manifest(json.dumps(document).encode(), OCI_MANIFEST)


def listing(*children: dict[str, object]) -> Manifest:
    return read_manifest(
        json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": children}).encode(), OCI_INDEX
    )


def child(number: int, size: int) -> dict[str, object]:
    return entry(number, OCI_MANIFEST) | {"size": size}


def test_the_bytes_of_all_manifests_have_a_sum_that_what_is_listed_counts_in() -> None:
    top = listing(child(1, 600), child(2, 500))
    with pytest.raises(GraphLimit, match="1000 bytes together"):
        Walk(GraphLimits(manifest_bytes=1000)).enter(top, 0)


def test_a_manifest_that_stands_in_two_indexes_has_its_bytes_once() -> None:
    walk = Walk(GraphLimits(manifest_bytes=2000))
    for index in (listing(child(1, 900)), listing(child(1, 900), child(2, 100))):
        walk.enter(index, 0)


def test_the_blobs_of_all_manifests_have_a_sum() -> None:
    walk = Walk(GraphLimits(blobs=5))
    walk.enter(image(entry(1), entry(2)), 0)
    with pytest.raises(GraphLimit, match="more than 5 blobs"):
        walk.enter(image(entry(3), entry(4)), 0)


@pytest.mark.parametrize(
    ("limits", "made", "error"),
    [
        (PLAIN, image(*[entry(number) for number in range(10_001)]), GraphLimit),
        (PLAIN, listing(*[child(number, 1) for number in range(10_000)]), GraphLimit),
        (PLAIN, listing(child(1, 256 * 1024 * 1024)), GraphLimit),
        (STAGED, listing(child(1, 16 * 1024 * 1024)), GraphLimit),
        (STAGED, image(entry(1) | {"size": 100 * 1024 * 1024 + 1}), ContentTooLarge),
    ],
    ids=["layers", "manifests", "their bytes", "their bytes in a build", "a blob in a build"],
)
def test_nothing_is_without_a_limit(limits: GraphLimits, made: Manifest, error: type[Exception]) -> None:
    with pytest.raises(error):
        Walk(limits).enter(made, 0)


def test_a_large_image_of_today_is_within_the_limits_of_the_plain_copy() -> None:
    walk = Walk(PLAIN)
    walk.enter(listing(*[child(number, 50_000) for number in range(100)]), 0)
    for number in range(100):
        walk.enter(image(*[entry(number * 127 + each) for each in range(127)]), 1)


def test_of_annotations_those_are_kept_that_are_read() -> None:
    made = image(entry(1, annotations={TITLE: "a.yaml", "note": "x" * 1000}), annotations={CHECKSUM: "c", "note": "y"})
    assert made.annotations == {CHECKSUM: "c"}
    assert made.layers[0].annotations == {TITLE: "a.yaml"}
    assert described(made).annotations == {}
    assert [blob.annotations for blob in blobs_of(made)] == [{}, {}]


def test_a_platform_of_which_nobody_could_ask_is_not_kept() -> None:
    made = listing(entry(1, OCI_MANIFEST, platform={"os": "linux", "architecture": "a" * 65, "variant": 8}))
    assert made.manifests[0].platform == {"os": "linux"}
