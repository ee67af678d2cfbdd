"""Packed manifests: the same text makes the same bytes, on every machine, in every release."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from byoa.content.archive import File, read_archive
from byoa.content.packing import ARTIFACT_TYPE, LAYER_TYPE, pack
from byoa.oci.digest import Digest
from byoa.oci.graph import blobs_of
from byoa.oci.manifest import EMPTY_JSON, OCI_MANIFEST

TEXTS = {
    "empty": "",
    "short": "a: 1\n",
    "not ASCII": "name: Zoë\n",
    "a whole tar block": "#" * 512,
    "one gzip block": "#" * (65_535 - 3 * 512),
    "more than one gzip block": "# a line of a comment\n" * 10_000,
}


def layer(text: str) -> bytes:
    packed = pack(text)
    return packed.blobs[packed.manifest.layers[0].digest]


def test_the_digests_of_a_known_text_never_change() -> None:
    packed = pack("a: 1\n")
    assert str(packed.manifest.digest) == "sha256:dfd1c1f2571b5c35f12f4554e6bb8b07a6037f21ada1f1945afbc0d46354ab3a"
    assert (
        str(packed.manifest.layers[0].digest)
        == "sha256:c06424c6f97c92c3ac58815b98f289eca11bb48512129f3bcd762df4dca3f410"
    )


def test_the_manifest_describes_its_two_blobs() -> None:
    packed = pack("a: 1\n")
    manifest = packed.manifest
    assert (manifest.descriptor.media_type, manifest.kind) == (OCI_MANIFEST, ARTIFACT_TYPE)
    assert [blob.media_type for blob in blobs_of(manifest)] == [EMPTY_JSON, LAYER_TYPE]
    assert manifest.digest == Digest.of(manifest.content)
    for blob in blobs_of(manifest):
        content = packed.blobs[blob.digest]
        assert (blob.digest, blob.size) == (Digest.of(content), len(content))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_what_is_packed_is_read_again(text: str) -> None:
    assert list(read_archive([layer(text)])) == [File("manifest.yaml", text.encode())]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_the_standard_library_reads_it_too(text: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer(text)))) as archive:
        (member,) = archive.getmembers()
        file = archive.extractfile(member)
        assert file
        assert file.read() == text.encode()
    assert (member.name, member.mode, member.mtime, member.uid, member.uname) == ("manifest.yaml", 0o644, 0, 0, "")
    assert member.isfile()
