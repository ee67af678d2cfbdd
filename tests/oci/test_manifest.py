"""Manifests from strangers: what the image spec forbids, and what two readers could take for two things.

The numbers are those of the threat list.
"""

from __future__ import annotations

import base64
import json
from itertools import permutations

import pytest

from byoa.errors import (
    ByoaError,
    DigestMismatch,
    DigestUnsupported,
    ManifestAmbiguous,
    ManifestInvalid,
    ManifestTooLarge,
    MediaTypeUnsupported,
)
from byoa.oci.digest import Digest
from byoa.oci.graph import blobs_of, children_of
from byoa.oci.manifest import (
    ARTIFACT_MANIFEST,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    EMPTY_JSON,
    INDEX_TYPES,
    MANIFEST_LIMIT,
    OCI_INDEX,
    OCI_MANIFEST,
    Manifest,
    read_manifest,
    served_type,
)

TYPES = (OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST)
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def described(content: bytes = b"layer", media_type: str = LAYER, **fields: object) -> dict[str, object]:
    return {"mediaType": media_type, "digest": str(Digest.of(content)), "size": len(content)} | fields


EMPTY = described(b"{}", EMPTY_JSON)


def image(**fields: object) -> dict[str, object]:
    return {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": EMPTY, "layers": [described()]} | fields


def listing(**fields: object) -> dict[str, object]:
    child = described(b"child", OCI_MANIFEST)
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]} | fields


def read(document: object, media_type: str = OCI_MANIFEST) -> Manifest:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_manifest(content, media_type)


def with_size(size: str) -> bytes:
    """A manifest whose layer has a size that is written so."""
    return json.dumps(image(layers=[described(size="SIZE")])).replace('"SIZE"', size).encode()


@pytest.mark.parametrize("media_type", TYPES)
def test_each_of_the_four_types_is_read(media_type: str) -> None:
    document = listing() if media_type in INDEX_TYPES else image()
    manifest = read(document | {"mediaType": media_type}, media_type)
    assert manifest.descriptor.media_type == media_type
    assert manifest.is_index == (media_type in INDEX_TYPES)


def test_the_bytes_are_kept_as_they_came() -> None:
    content = b"\n  " + json.dumps(image(), indent=3).encode() + b"\n"
    manifest = read_manifest(content, OCI_MANIFEST, expected=Digest.of(content))
    assert manifest.content == content
    assert (manifest.digest, manifest.descriptor.size) == (Digest.of(content), len(content))


@pytest.mark.parametrize(
    ("document", "media_type"),
    [
        (image(manifests=[]), OCI_MANIFEST),
        (image(manifests=[described(b"child", OCI_MANIFEST)]), OCI_MANIFEST),
        (listing(layers=[]), OCI_INDEX),
        (listing(config=EMPTY), OCI_INDEX),
        (image() | listing(), OCI_INDEX),
    ],
)
def test_d1_a_manifest_that_reads_as_an_index_too_is_ambiguous(document: object, media_type: str) -> None:
    with pytest.raises(ManifestAmbiguous):
        read(document, media_type)


@pytest.mark.parametrize(("served", "stated"), list(permutations(TYPES, 2)))
def test_d2_a_manifest_of_another_type_than_it_is_served_as_is_ambiguous(served: str, stated: str) -> None:
    document = listing() if served in INDEX_TYPES else image()
    with pytest.raises(ManifestAmbiguous):
        read(document | {"mediaType": stated}, served)


@pytest.mark.parametrize(
    "media_type",
    [
        "",
        "text/plain",
        "application/json",
        "application/json; charset=utf-8",
        f"{OCI_MANIFEST}; charset=utf-8",
        OCI_MANIFEST.upper(),
        f" {OCI_MANIFEST}",
        f"{OCI_MANIFEST}\n",
    ],
)
def test_d3_only_the_exact_types_are_taken(media_type: str) -> None:
    with pytest.raises(MediaTypeUnsupported):
        read(image(), media_type)


@pytest.mark.parametrize(
    "header",
    [
        OCI_MANIFEST,
        f"{OCI_MANIFEST}; charset=utf-8",
        f"{OCI_MANIFEST};charset=UTF-8",
        f"{OCI_MANIFEST} ;a=b; c=d",
        OCI_MANIFEST.upper(),
        None,
        "",
        "application/json",
        "Application/JSON; charset=utf-8",
        "application/octet-stream",
        "binary/octet-stream",
        "text/plain",
    ],
)
def test_a_content_type_is_read_by_the_rfc_and_one_that_says_nothing_is_left_to_the_manifest(
    header: str | None,
) -> None:
    assert served_type(json.dumps(image()).encode(), header) == OCI_MANIFEST


def test_a_manifest_that_nobody_names_a_type_of_is_what_its_shape_says() -> None:
    for document, kind in ((image(), OCI_MANIFEST), (listing(), OCI_INDEX)):
        del document["mediaType"]
        assert served_type(json.dumps(document).encode(), "application/json") == kind


@pytest.mark.parametrize("content", [b"", b"no JSON", b"[]", b"[" * 100_000, json.dumps(image(mediaType="x")).encode()])
def test_what_calls_itself_no_manifest_is_none(content: bytes) -> None:
    with pytest.raises((MediaTypeUnsupported, ManifestInvalid)):
        read_manifest(content, served_type(content, "application/json"))


def test_a_type_that_is_said_goes_before_what_the_manifest_calls_itself() -> None:
    content = json.dumps(image()).encode()
    assert served_type(content, "text/html") == "text/html"
    assert served_type(content, f"{OCI_INDEX}; a=b") == OCI_INDEX


def test_d3_a_manifest_need_not_say_its_type() -> None:
    document = image()
    del document["mediaType"]
    assert read(document).descriptor.media_type == OCI_MANIFEST


@pytest.mark.parametrize("kind", ["json", "prettyjws"])
def test_a_docker_schema_1_manifest_is_called_so(kind: str) -> None:
    with pytest.raises(MediaTypeUnsupported, match="schema 1"):
        read({"schemaVersion": 1}, f"application/vnd.docker.distribution.manifest.v1+{kind}")


@pytest.mark.parametrize(
    "twice",
    [
        b'{"schemaVersion": 2, "config": {}, "layers": [], "layers": []}',
        b'{"schemaVersion": 2, "schemaVersion": 2, "config": {}, "layers": []}',
        b'{"schemaVersion": 2, "config": {"size": 1, "size": 2}, "layers": []}',
        b'{"schemaVersion": 2, "config": {}, "layers": [], "annotations": {"a": "1", "a": "2"}}',
        b'{"schemaVersion": 2, "config": {}, "layers": [], "l\\u0061yers": []}',
    ],
)
def test_d5_a_name_that_stands_twice_is_ambiguous(twice: bytes) -> None:
    with pytest.raises(ManifestAmbiguous):
        read(twice)


@pytest.mark.parametrize("name", ["Layers", "LAYERS", "MANIFESTS", "Config", "mediatype", "SchemaVersion", "Subject"])
def test_d6_a_name_that_differs_in_case_alone_is_ambiguous(name: str) -> None:
    with pytest.raises(ManifestAmbiguous):
        read(image() | {name: []})


@pytest.mark.parametrize("name", ["Size", "Digest", "Platform", "Data", "MediaType", "LAYERS", "urls"])
def test_the_keys_of_annotations_are_free(name: str) -> None:
    noted = {"annotations": {name: "eks"}}
    assert read(image(layers=[described() | noted]) | noted).layers
    assert read(image(**{"vendor.example": {name: 1, "Layers": 2}})).layers


def test_d6_names_that_readers_in_go_would_fold_are_ambiguous_too() -> None:
    with pytest.raises(ManifestAmbiguous):
        read(image() | {"layer\u017f": []})


def test_d6_a_platform_is_read_in_one_way_alone() -> None:
    platform = {"os": "linux", "OS": "windows", "architecture": "amd64"}
    with pytest.raises(ManifestAmbiguous):
        read(listing(manifests=[described(b"child", OCI_MANIFEST, platform=platform)]), OCI_INDEX)


@pytest.mark.parametrize("name", ["Digest", "SIZE", "Urls", "Data"])
def test_d6_the_same_holds_within_descriptors(name: str) -> None:
    with pytest.raises(ManifestAmbiguous):
        read(image(layers=[described() | {name: None}]))


@pytest.mark.parametrize(
    "size",
    [
        "-1", "1.5", "5.0", "5e0", "true", "null", '"5"', "1e400", "NaN", "Infinity", "-Infinity", "[]",
        str(2**63), "9" * 5000,
    ],
)  # fmt: skip
def test_d7_a_size_that_is_no_count_of_bytes_is_invalid(size: str) -> None:
    with pytest.raises(ManifestInvalid):
        read(with_size(size))


@pytest.mark.parametrize("size", [0, 2**63 - 1])
def test_d7_the_least_and_the_largest_size_are_read(size: int) -> None:
    assert read(with_size(str(size))).layers[0].size == size


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_d9_the_bytes_are_hashed_with_the_algorithm_they_were_asked_for_by(algorithm: str) -> None:
    content = json.dumps(image()).encode()
    expected = Digest.of(content, algorithm)
    assert read_manifest(content, OCI_MANIFEST, expected=expected).digest == expected
    with pytest.raises(DigestMismatch):
        read_manifest(content + b" ", OCI_MANIFEST, expected=expected)


def test_d9_wrong_bytes_are_called_so_before_anything_is_read_from_them() -> None:
    with pytest.raises(DigestMismatch):
        read_manifest(b"no JSON", "text/plain", expected=Digest.of(b"other"))


@pytest.mark.parametrize("where", ["layers", "config", "manifests"])
def test_d14_one_digest_with_two_sizes_is_invalid(where: str) -> None:
    change = {"size": 6}
    if where == "manifests":
        child = described(b"child", OCI_MANIFEST)
        document, media_type = listing(manifests=[child, child | change]), OCI_INDEX
    elif where == "config":
        document, media_type = image(config=described() | change), OCI_MANIFEST
    else:
        document, media_type = image(layers=[described(), described() | change]), OCI_MANIFEST
    with pytest.raises(ManifestInvalid):
        read(document, media_type)


def test_d14_one_digest_may_be_read_in_two_ways() -> None:
    found = read(image(layers=[described(media_type="application/yaml"), described(media_type="text/yaml")]))
    assert [layer.media_type for layer in found.layers] == ["application/yaml", "text/yaml"]
    assert len(blobs_of(found)) == 2  # the config, and the one blob


def test_d14_the_same_layer_may_stand_twice_and_the_empty_object_under_many_types() -> None:
    assert len(read(image(layers=[described(), described()])).layers) == 2
    assert read(image(layers=[described(b"{}", "application/json")])).layers[0].size == 2


def test_d17_the_empty_object_has_two_bytes() -> None:
    with pytest.raises(ManifestInvalid):
        read(image(config=described(b"{ }", EMPTY_JSON)))


@pytest.mark.parametrize("kind", ["example", "no type", "a/b/c", "a/b; c=d", "/"])
def test_a_type_is_any_word_for_who_copies(kind: str) -> None:
    found = read(image(artifactType=kind, layers=[described(media_type=kind)]))
    assert (found.kind, found.layers[0].media_type) == (kind, kind)


@pytest.mark.parametrize("kind", ["a\n/b", "a\x1b[2J", "é", 7, ["a/b"], "a/" + "b" * 300])
def test_d17_an_artifact_type_is_a_text_that_may_be_one(kind: object) -> None:
    with pytest.raises(ManifestInvalid):
        read(image(artifactType=kind))


def test_d17_the_artifacts_kind_is_its_type_or_else_its_configs() -> None:
    assert read(image(artifactType="application/vnd.vendor.v1")).kind == "application/vnd.vendor.v1"
    assert read(image(config=described(b"config", "application/vnd.vendor.config"))).kind == (
        "application/vnd.vendor.config"
    )
    assert read(listing(), OCI_INDEX).kind is None


def test_d18_embedded_data_that_is_the_content_is_taken() -> None:
    data = base64.b64encode(b"layer").decode()
    assert read(image(layers=[described(data=data)])).layers[0].digest == Digest.of(b"layer")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (base64.b64encode(b"other").decode(), DigestMismatch),
        (base64.b64encode(b"layer and more").decode(), DigestMismatch),
        ("", DigestMismatch),
        (base64.b64encode(bytes(3 * 1024 * 1024 - 4096)).decode()[:1024], DigestMismatch),
        ("!!!!", ManifestInvalid),
        ("bGF5ZXI", ManifestInvalid),
        ("bGF5\nZXI=", ManifestInvalid),
        ("é", ManifestInvalid),
        (7, ManifestInvalid),
        ({}, ManifestInvalid),
    ],
)
def test_d18_embedded_data_that_is_not_the_content_is_refused(data: object, error: type[ByoaError]) -> None:
    with pytest.raises(error):
        read(image(layers=[described(data=data)]))


@pytest.mark.parametrize(
    "layer",
    [
        described(media_type="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
        described(media_type="application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"),
        described(media_type="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
        described(urls=["https://cdn.example.com/layer"]),
        described(urls=["http://169.254.169.254/latest/meta-data"]),
        described(urls="https://cdn.example.com/layer"),
    ],
)
def test_d19_content_that_is_not_to_be_copied_from_here_is_refused(layer: dict[str, object]) -> None:
    with pytest.raises(MediaTypeUnsupported):
        read(image(layers=[layer]))
    with pytest.raises(MediaTypeUnsupported):
        read(image(config=layer))


def test_what_an_index_lists_beside_manifests_is_a_blob_of_it() -> None:
    found = read(listing(manifests=[described(), described(b"child", OCI_MANIFEST)]), OCI_INDEX)
    assert [each.digest for each in blobs_of(found)] == [Digest.of(b"layer")]
    assert [each.digest for each in children_of(found)] == [Digest.of(b"child")]


def test_null_is_an_empty_list_as_writers_in_go_have_it() -> None:
    alone = image(layers=None, manifests=None)
    for document in (alone, {name: value for name, value in alone.items() if name != "layers"}):
        assert [each.media_type for each in blobs_of(read(document))] == [EMPTY_JSON]
    assert read(listing(manifests=None, layers=None), OCI_INDEX).manifests == ()


def test_an_artifact_manifest_of_the_time_before_the_spec_is_read() -> None:
    old = {"mediaType": ARTIFACT_MANIFEST, "artifactType": "application/vnd.cncf.notary.signature"}
    found = read(old | {"blobs": [described()], "subject": described(b"root", OCI_MANIFEST)}, ARTIFACT_MANIFEST)
    assert [each.digest for each in blobs_of(found)] == [Digest.of(b"layer")]
    assert found.subject
    assert (found.subject.digest, found.kind) == (Digest.of(b"root"), "application/vnd.cncf.notary.signature")
    with pytest.raises(ManifestAmbiguous):
        read(old | {"layers": [described()]}, ARTIFACT_MANIFEST)


def test_d19_an_empty_list_of_urls_names_no_other_place() -> None:
    assert read(image(layers=[described(urls=[])])).layers


@pytest.mark.parametrize(
    "content",
    [b"", b"no JSON", b"[]", b"null", b'"text"', b"\xff\xfe{}", b"[" * 100_000, b'{"a":' * 100_000, b"\xef\xbb\xbf{}"],
)
def test_what_is_no_json_object_is_invalid(content: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        read(content)


@pytest.mark.parametrize(
    "document",
    [
        image(schemaVersion=1),
        image(schemaVersion=2.0),
        image(schemaVersion=True),
        image(schemaVersion="2"),
        {"schemaVersion": 2, "layers": []},
        {"schemaVersion": 2},
        {"config": EMPTY, "layers": []},
        image(config=None),
        image(config=[]),
        image(layers={}),
        image(layers=["sha256:abc"]),
        image(layers=[described(digest="sha256:../../secret")]),
        image(layers=[described(digest="sha256:" + "A" * 64)]),
        image(layers=[described(digest=7)]),
        image(layers=[described(media_type="")]),
        image(layers=[described(media_type="text/plain\r\nX: y")]),
        image(layers=[described(annotations=["a"])]),
        image(annotations={"a": 1}),
        image(annotations=[]),
        image(subject=[]),
        image(subject="sha256:abc"),
    ],
)
def test_what_the_image_spec_forbids_is_invalid(document: object) -> None:
    with pytest.raises(ManifestInvalid):
        read(document)


def test_digests_of_other_algorithms_are_unsupported() -> None:
    with pytest.raises(DigestUnsupported):
        read(image(layers=[described(digest="md5:" + "0" * 32)]))


def test_a_manifest_of_four_mebibytes_is_read_and_a_larger_one_is_not() -> None:
    content = json.dumps(image()).encode().ljust(MANIFEST_LIMIT)
    assert read_manifest(content, OCI_MANIFEST).descriptor.size == MANIFEST_LIMIT
    with pytest.raises(ManifestTooLarge):
        read_manifest(content + b" ", OCI_MANIFEST)


@pytest.mark.parametrize("document", [b'{"secret-canary": 1e', image(layers=[described(digest="secret-canary")])])
def test_no_error_quotes_what_it_read(document: object) -> None:
    with pytest.raises(ByoaError) as caught:
        read(document)
    assert "canary" not in caught.value.as_json()
