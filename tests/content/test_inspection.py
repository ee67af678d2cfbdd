"""What artifacts hold: those of the real tools, and those that nobody should have made."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import random
import tarfile
from typing import TYPE_CHECKING

import pytest
from backports import zstd

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.layout import LayoutRepository
from byoa.builds.inspect import look_into as inspect
from byoa.content.formats import Format
from byoa.content.inspection import inspect as look_inside
from byoa.content.packing import pack
from byoa.engine.contents import VerifiedContents
from byoa.errors import (
    ArchiveInvalid,
    ByoaError,
    ContentNotFound,
    DigestMismatch,
    DocumentInvalid,
    DocumentLimit,
    GraphLimit,
    MediaTypeUnsupported,
)
from byoa.oci.digest import Digest
from byoa.oci.manifest import (
    CHECKSUM,
    DOCKER_MANIFEST,
    EMPTY_JSON,
    OCI_INDEX,
    OCI_MANIFEST,
    TITLE,
    Manifest,
    read_manifest,
)
from byoa.trust.limits import STAGED
from local.demo import ARTIFACTS

if TYPE_CHECKING:
    from collections.abc import Callable

TAR_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
TAR = "application/vnd.oci.image.layer.v1.tar"
YAML = "application/yaml"
OBJECT = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"
OTHER = b"apiVersion: v1\nkind: Secret\nmetadata: {name: web}\n"
IMAGE_CONFIG = "application/vnd.oci.image.config.v1+json"

TAKEN = {
    "flux": (Format.FLUX, {"flux"}),
    "index": (Format.INDEX, set()),
    "kustomizer": (Format.KUSTOMIZER, {"flux"}),
    "oras-directory": (Format.ORAS, {"flux", "argo_cd"}),
    "oras-file": (Format.ORAS, set()),
    "oras-many": (Format.ORAS, set()),
    "signed-notation": (Format.FLUX, {"flux"}),
    "signed-v2": (Format.FLUX, {"flux"}),
    "signed-v3": (Format.FLUX, {"flux"}),
}
REFUSED = {
    "chart": ("Helm chart", "helm"),
    "image": ("container image", "manifests"),
}


class Made:
    """An artifact in memory, and the repository that holds it."""

    def __init__(self) -> None:
        self.source = MemoryRepository()

    def blob(self, content: bytes, media_type: str, name: str = "") -> dict[str, object]:
        digest = Digest.of(content)
        self.source.blobs[digest] = content
        named = {"annotations": {TITLE: name}} if name else {}
        return {"mediaType": media_type, "digest": str(digest), "size": len(content)} | named

    def artifact(self, *layers: dict[str, object], **fields: object) -> Manifest:
        config = self.blob(b"{}", EMPTY_JSON)
        return self.manifest({"schemaVersion": 2, "config": config, "layers": layers} | fields, OCI_MANIFEST)

    def image(self, config: bytes, *layers: dict[str, object], **fields: object) -> Manifest:
        return self.artifact(*layers, config=self.blob(config, IMAGE_CONFIG), **fields)

    def index(self, *children: Manifest) -> Manifest:
        listed = [
            {"mediaType": each.descriptor.media_type, "digest": str(each.digest), "size": each.descriptor.size}
            for each in children
        ]
        return self.manifest({"schemaVersion": 2, "manifests": listed}, OCI_INDEX)

    def manifest(self, document: dict[str, object], media_type: str) -> Manifest:
        made = read_manifest(json.dumps(document).encode(), media_type)
        self.source.push_manifest(made)
        return made


@pytest.fixture
def made() -> Made:
    return Made()


def tar(**files: bytes) -> bytes:
    """A tar archive; in the names two underscores are a dot."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.replace("__", "."))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def tagged(folder: str) -> tuple[LayoutRepository, Manifest]:
    entries = json.loads((ARTIFACTS / folder / "index.json").read_text())["manifests"]
    source = LayoutRepository(ARTIFACTS / folder)
    return source, source.fetch_manifest(Digest.parse(entries[0]["digest"]))


# The real tools' artifacts


def test_every_folder_of_artifacts_is_spoken_for() -> None:
    folders = {path.name for path in ARTIFACTS.iterdir() if path.is_dir()}
    assert folders == {*TAKEN, *REFUSED, "kustomizer-encrypted"}


@pytest.mark.parametrize("folder", TAKEN)
def test_the_three_objects_of_an_artifact_are_found_whatever_made_it(folder: str) -> None:
    report = inspect(*tagged(folder))
    kind, others = TAKEN[folder]
    assert (report.format, report.encrypted, len(report.resources)) == (kind, False, 3)
    assert {each.kind for each in report.resources} == {"ConfigMap", "Service", "Deployment"}
    assert report.images == ("ghcr.io/vendor/web:v2.3.1",)
    assert {name for name, usable in report.usable_by.items() if usable} == {"byoa"} | others
    assert all(obstacle is None or obstacle.endswith(".") for obstacle in report.obstacles.values())


def test_encrypted_manifests_are_reported_and_not_read() -> None:
    report = inspect(*tagged("kustomizer-encrypted"))
    assert (report.format, report.encrypted, report.resources) == (Format.KUSTOMIZER, True, ())
    assert report.usable_by == {"byoa": True, "flux": False, "argo_cd": False}
    assert "age" in (report.obstacles["flux"] or "")


@pytest.mark.parametrize("folder", REFUSED)
def test_what_holds_no_manifests_is_refused_by_its_name(folder: str) -> None:
    with pytest.raises(MediaTypeUnsupported) as caught:
        inspect(*tagged(folder))
    cause, remedy = REFUSED[folder]
    assert cause in caught.value.cause
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("folder", ["signed-notation", "signed-v2", "signed-v3"])
def test_a_signature_is_called_a_signature(folder: str) -> None:
    entries = json.loads((ARTIFACTS / folder / "index.json").read_text())["manifests"]
    source = LayoutRepository(ARTIFACTS / folder)
    with pytest.raises(MediaTypeUnsupported, match="signature"):
        inspect(source, source.fetch_manifest(Digest.parse(entries[1]["digest"])))


def test_an_inline_component_is_usable_by_all() -> None:
    packed = pack(OBJECT.decode())
    report = inspect(MemoryRepository.holding(packed), packed.manifest)
    assert report.format is Format.INLINE
    assert report.usable_by == {"byoa": True, "flux": True, "argo_cd": True}


# Layers


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (OBJECT, YAML),
        (OBJECT, TAR),
        (gzip.compress(OBJECT, mtime=0), YAML),
        (gzip.compress(OBJECT, mtime=0), TAR_GZIP),
        (tar(app__yaml=OBJECT), TAR),
        (tar(app__yml=OBJECT), YAML),
        (gzip.compress(tar(app__yaml=OBJECT), mtime=0), TAR_GZIP),
        (gzip.compress(tar(app__yaml=OBJECT), mtime=0), "application/octet-stream"),
        (b'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}}', "application/json"),
    ],
)
def test_what_a_layer_is_its_bytes_decide(made: Made, content: bytes, media_type: str) -> None:
    (found,) = inspect(made.source, made.artifact(made.blob(content, media_type))).resources
    assert (found.kind, found.name) == ("ConfigMap", "web")


@pytest.mark.parametrize("media_type", [TAR_GZIP, "application/vnd.docker.image.rootfs.diff.tar.gzip"])
@pytest.mark.parametrize("content", [OBJECT, tar(app__yaml=OBJECT), b"", b"\x28\xb5\x2f\xfd rest"])
def test_plain_bytes_that_are_called_gzip_are_refused(made: Made, content: bytes, media_type: str) -> None:
    with pytest.raises(ArchiveInvalid):
        inspect(made.source, made.artifact(made.blob(content, media_type)))


@pytest.mark.parametrize("cut", [1, 8, 20])
def test_gzip_that_is_cut_off_is_refused(made: Made, cut: int) -> None:
    content = gzip.compress(tar(app__yaml=OBJECT))[:-cut]
    with pytest.raises(ArchiveInvalid):
        inspect(made.source, made.artifact(made.blob(content, TAR_GZIP)))


def test_a_layer_of_another_kind_of_file_is_passed_over(made: Made) -> None:
    readme = made.blob(b"# Not: [YAML", "text/markdown", "README.md")
    report = inspect(made.source, made.artifact(readme, made.blob(OBJECT, YAML, "app.yaml")))
    assert [each.name for each in report.resources] == ["web"]


def test_a_file_of_another_kind_within_an_archive_is_passed_over(made: Made) -> None:
    layer = made.blob(tar(README__md=b"# Not: [YAML", app__yaml=OBJECT, __hidden__yaml=b"[", x__sh=b"exit"), TAR)
    assert len(inspect(made.source, made.artifact(layer)).resources) == 1


def test_a_layer_that_is_passed_over_is_verified_all_the_same(made: Made) -> None:
    readme = made.blob(b"# Hello", "text/markdown", "README.md")
    root = made.artifact(readme, made.blob(OBJECT, YAML, "app.yaml"))
    made.source.blobs[Digest.of(b"# Hello")] = b"# Hullo"
    with pytest.raises(DigestMismatch):
        inspect(made.source, root)


def test_a_layer_that_stands_twice_counts_once(made: Made) -> None:
    layer = made.blob(OBJECT, YAML)
    assert len(inspect(made.source, made.artifact(layer, layer)).resources) == 1


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "base/kustomization.yaml"])
def test_a_kustomization_is_refused_with_a_way_out(made: Made, name: str) -> None:
    layer = made.blob(tar(app__yaml=OBJECT, **{name: b"resources: [app.yaml]\n"}), TAR)
    with pytest.raises(DocumentInvalid, match="kustomization") as caught:
        inspect(made.source, made.artifact(layer))
    assert "kustomize build" in caught.value.remedy


def test_a_layer_named_kustomization_is_refused_too(made: Made) -> None:
    with pytest.raises(DocumentInvalid, match="kustomization"):
        inspect(made.source, made.artifact(made.blob(b"resources: []\n", YAML, "kustomization.yaml")))


def test_a_chart_in_a_plain_archive_is_called_a_chart(made: Made) -> None:
    layer = made.blob(tar(web__Chart__yaml=b"", **{"web/Chart.yaml": b"name: web\n"}), TAR)
    with pytest.raises(MediaTypeUnsupported, match="Helm chart"):
        inspect(made.source, made.artifact(layer))


@pytest.mark.parametrize("layers", [[], [b"# nothing\n"], [b"---\n---\n"], [tar(README__md=b"hello")]])
def test_an_artifact_without_an_object_is_refused(made: Made, layers: list[bytes]) -> None:
    with pytest.raises(ContentNotFound):
        inspect(made.source, made.artifact(*[made.blob(content, YAML) for content in layers]))


def test_manifests_of_more_than_64_mebibytes_together_are_refused(made: Made) -> None:
    padding = b"#" * (33 * 1024 * 1024)
    layers = [made.blob(OBJECT + b"---\n" + padding + str(each).encode(), YAML) for each in range(2)]
    with pytest.raises(DocumentLimit):
        inspect(made.source, made.artifact(*layers))


def test_ten_layers_are_read_and_eleven_are_not(made: Made) -> None:
    layers = [made.blob(OBJECT.replace(b"web", f"web-{each}".encode()), YAML) for each in range(11)]
    assert len(inspect(made.source, made.artifact(*layers[:10])).resources) == 10
    with pytest.raises(GraphLimit):
        inspect(made.source, made.artifact(*layers))


@pytest.mark.parametrize("content", [OBJECT, tar(app__yaml=OBJECT)])
@pytest.mark.parametrize("media_type", [TAR, TAR + "+zstd", "application/vnd.docker.image.rootfs.diff.tar.zstd", YAML])
def test_zstd_layers_are_read(made: Made, content: bytes, media_type: str) -> None:
    packed = zstd.compress(content)
    assert [each.name for each in inspect(made.source, made.artifact(made.blob(packed, media_type))).resources] == [
        "web"
    ]
    incompressible = bytes(random.Random(1).randbytes(300_000)).hex().encode()
    large = zstd.compress(tar(app__yaml=OBJECT + b"data: {a: " + incompressible + b"}\n"))
    assert len(inspect(made.source, made.artifact(made.blob(large, media_type))).resources) == 1


@pytest.mark.parametrize(
    ("packed", "name"),
    [
        (lzma.compress(OBJECT), "xz"),
        (bz2.compress(OBJECT), "bzip2"),
        (b"\x04\x22\x4d\x18 rest", "lz4"),
        (b"PK\x03\x04 rest of it", "zip"),
    ],
)
@pytest.mark.parametrize(
    ("media_type", "title"), [(YAML, ""), (TAR, "app.tar"), (YAML, "app.yaml"), (YAML, "app.tar.xz")]
)
def test_other_compressions_are_refused_by_name(
    made: Made, packed: bytes, name: str, media_type: str, title: str
) -> None:
    with pytest.raises(ArchiveInvalid, match=f"packed with {name}") as caught:
        inspect(made.source, made.artifact(made.blob(packed, media_type, title)))
    assert "tar+zstd" in caught.value.remedy
    assert caught.value.where == "layer 1"


@pytest.mark.parametrize("said", ["xz", "bzip2", "lz4", "br"])
def test_a_media_type_of_another_compression_is_refused_by_its_name(made: Made, said: str) -> None:
    with pytest.raises(ArchiveInvalid, match=f"packed with {said}"):
        inspect(made.source, made.artifact(made.blob(b"anything", f"{TAR}+{said}")))


@pytest.mark.parametrize("inner", [gzip.compress, zstd.compress, lzma.compress, bz2.compress])
def test_a_layer_that_is_packed_twice_is_refused(made: Made, inner: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ArchiveInvalid, match="unpacks to"):
        inspect(made.source, made.artifact(made.blob(gzip.compress(inner(tar(app__yaml=OBJECT))), TAR_GZIP)))


def test_a_picture_beside_the_manifests_is_passed_over(made: Made) -> None:
    logo, archive = made.blob(b"\x89PNG", "image/png"), made.blob(b"PK\x03\x04 rest", "application/zip", "logo.svg")
    assert len(inspect(made.source, made.artifact(made.blob(OBJECT, YAML), logo, archive)).resources) == 1


# What lies beside manifests


@pytest.mark.parametrize(
    ("media_type", "title"),
    [
        ("application/spdx+json", "sbom.json"),
        ("text/spdx", ""),
        ("application/vnd.cyclonedx+json", ""),
        ("application/vnd.cyclonedx+xml", "bom.xml"),
        ("application/vnd.syft+json", ""),
        ("application/vnd.in-toto+json", "provenance.json"),
        ("application/vnd.in-toto.provenance+dsse", ""),
        ("application/vnd.dsse.envelope.v1+json", ""),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", ""),
        ("application/vnd.dev.cosign.simplesigning.v1+json", ""),
        ("application/vnd.cncf.notary.signature", ""),
        ("application/json", "app.spdx.json"),
        ("application/json", "app.cdx.json"),
        ("application/json", "app.intoto.json"),
        ("application/octet-stream", "app.sigstore.json"),
    ],
)
def test_what_speaks_of_the_manifests_is_none_of_them(made: Made, media_type: str, title: str) -> None:
    beside = made.blob(b'{"spdxVersion": "SPDX-2.3"}', media_type, title)
    for layers in ((made.blob(OBJECT, YAML, "app.yaml"), beside), (beside, made.blob(OBJECT, YAML, "app.yaml"))):
        report = inspect(made.source, made.artifact(*layers))
        assert [each.name for each in report.resources] == ["web"]
        assert len(report.notes) == 1
        assert "1 layer was passed over" in report.notes[0]


def test_a_bill_within_an_archive_is_none_of_the_manifests(made: Made) -> None:
    layer = made.blob(tar(**{"app.yaml": OBJECT, "sbom.spdx.json": b"{}", "bom.cdx.json": b"{}"}), TAR)
    assert len(inspect(made.source, made.artifact(layer)).resources) == 1


@pytest.mark.parametrize(
    "name",
    [".github/workflows/build.yml", ".argocd-source.yaml", "a/.git/config.yaml", "./.circleci/config.yml",
     ".hidden/kustomization.yaml", "cloudbuild.yaml", "a/appveyor.yml", "a/.app.yaml", "._app.yaml"],
)  # fmt: skip
def test_hidden_folders_and_files_of_builders_are_passed_over(made: Made, name: str) -> None:
    layer = made.blob(tar(**{name: b"on: push\n", "app.yaml": OBJECT}), TAR)
    assert [each.kind for each in inspect(made.source, made.artifact(layer)).resources] == ["ConfigMap"]
    hidden = made.blob(OTHER, YAML, name)
    assert [each.kind for each in inspect(made.source, made.artifact(made.blob(OBJECT, YAML), hidden)).resources] == [
        "ConfigMap"
    ]


@pytest.mark.parametrize("name", ["Kustomization", "kustomization.YAML", "overlay/Kustomization"])
def test_a_kustomization_is_known_by_all_its_names(made: Made, name: str) -> None:
    layer = made.blob(tar(**{"app.yaml": OBJECT, name: b"resources: [app.yaml]\n"}), TAR)
    with pytest.raises(DocumentInvalid, match="kustomization"):
        inspect(made.source, made.artifact(layer))


# Which file it is


def test_a_fault_is_told_by_its_layer_and_file_and_by_its_name_only_where_it_may(made: Made) -> None:
    files = {"README.md": b"", "a.yaml": OBJECT, "broken.yaml": b"kind: ["}
    layers = [made.blob(OTHER, YAML), made.blob(gzip.compress(tar(**files)), TAR_GZIP)]
    root = made.artifact(*layers)
    with pytest.raises(DocumentInvalid) as caught:
        inspect(made.source, root)
    assert caught.value.where == "layer 2, file 3"
    with pytest.raises(DocumentInvalid) as caught:
        look_inside(VerifiedContents(made.source), root, STAGED, named=True)
    assert caught.value.where == "layer 2, file 3 (broken.yaml)"


def test_a_fault_of_a_layer_that_is_one_file_or_no_archive_is_told_by_its_layer(made: Made) -> None:
    for broken in (made.blob(b"kind: [", YAML, "b.yaml"), made.blob(gzip.compress(tar(a=b""))[:-9], TAR_GZIP)):
        with pytest.raises(ByoaError) as caught:
            inspect(made.source, made.artifact(made.blob(OBJECT, YAML, "a.yaml"), broken))
        assert caught.value.where == "layer 2"


def test_what_stands_for_an_image_and_is_none_is_said(made: Made) -> None:
    pod = OBJECT + b"spec: {containers: [{image: '*'}, {image: '${A}'}, {image: a}]}\n"
    report = inspect(made.source, made.artifact(made.blob(pod, YAML)))
    assert report.images == ("a",)
    assert report.notes == (
        "2 texts that stand where images do are no image's name (a pattern, a variable) and not listed.",
    )


# Kustomizer, images, other tools


def test_kustomizers_checksum_must_hold(made: Made) -> None:
    layer = made.blob(gzip.compress(tar(all__yaml=OBJECT)), TAR_GZIP)
    good = made.artifact(layer, annotations={CHECKSUM: hashlib.sha256(OBJECT).hexdigest()})
    assert inspect(made.source, good).format is Format.KUSTOMIZER
    for wrong in ("0" * 64, "nonsense", hashlib.sha256(OBJECT).hexdigest().upper()):
        with pytest.raises(DigestMismatch):
            inspect(made.source, made.artifact(layer, annotations={CHECKSUM: wrong}))


def test_an_image_that_names_a_platform_is_an_image_whatever_it_holds(made: Made) -> None:
    layer = made.blob(tar(app__yaml=OBJECT), TAR)
    with pytest.raises(MediaTypeUnsupported, match="container image"):
        inspect(made.source, made.image(b'{"architecture": "amd64", "os": "linux"}', layer))


@pytest.mark.parametrize("config", [b"{}", b"no JSON", b"[]", b"[" * 100_000, b'{"config": {"Labels": []}}'])
def test_manifests_under_an_images_types_are_manifests(made: Made, config: bytes) -> None:
    layer = made.blob(tar(app__yaml=OBJECT), TAR)
    assert inspect(made.source, made.image(config, layer)).format is Format.PLAIN


def test_an_imgpkg_bundle_is_called_so(made: Made) -> None:
    config = b'{"config": {"Labels": {"dev.carvel.imgpkg.bundle": "true"}}}'
    with pytest.raises(MediaTypeUnsupported, match="imgpkg"):
        inspect(made.source, made.image(config, made.blob(tar(app__yaml=OBJECT), TAR)))


def test_an_images_docker_types_are_known_too(made: Made) -> None:
    config = made.blob(b"{}", "application/vnd.docker.container.image.v1+json")
    layer = made.blob(tar(bin=b"ELF"), TAR)
    document = {"schemaVersion": 2, "config": config, "layers": [layer]}
    with pytest.raises(MediaTypeUnsupported, match="container image"):
        inspect(made.source, made.manifest(document, DOCKER_MANIFEST))


@pytest.mark.parametrize(
    ("media_type", "name"),
    [
        ("application/vnd.cncf.helm.config.v1+json", "Helm chart"),
        ("application/vnd.timoni.config.v1+json", "Timoni module"),
        ("application/vnd.zarf.config.v1+json", "Zarf package"),
        ("application/vnd.dev.cosign.simplesigning.v1+json", "signature"),
        ("application/vnd.cncf.notary.signature", "signature"),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", "signature"),
    ],
)
@pytest.mark.parametrize("where", ["artifactType", "config", "layer"])
def test_other_tools_artifacts_are_called_by_their_names(made: Made, media_type: str, name: str, where: str) -> None:
    layer = made.blob(OBJECT, media_type if where == "layer" else YAML)
    fields: dict[str, object] = {}
    if where == "artifactType":
        fields["artifactType"] = media_type
    if where == "config":
        fields["config"] = made.blob(b"{ }", media_type)
    with pytest.raises(MediaTypeUnsupported, match=name):
        inspect(made.source, made.artifact(layer, **fields))


# Indexes


def test_an_index_of_artifacts_that_hold_the_same_is_as_good_as_they_are(made: Made) -> None:
    one = made.artifact(made.blob(OBJECT, YAML))
    two = made.artifact(made.blob(gzip.compress(OBJECT), TAR_GZIP))
    report = inspect(made.source, made.index(one, two))
    assert (report.format, len(report.resources)) == (Format.INDEX, 1)
    assert report.manifest.is_index


def test_an_index_of_artifacts_that_differ_is_refused(made: Made) -> None:
    children = [made.artifact(made.blob(content, YAML)) for content in (OBJECT, OTHER)]
    with pytest.raises(MediaTypeUnsupported, match="different manifests") as caught:
        inspect(made.source, made.index(*children))
    assert "Name one of them" in caught.value.remedy


def test_an_index_with_one_image_in_it_is_refused(made: Made) -> None:
    good = made.artifact(made.blob(OBJECT, YAML))
    image = made.image(b'{"architecture": "amd64"}', made.blob(tar(bin=b"ELF"), TAR))
    with pytest.raises(MediaTypeUnsupported, match="container image"):
        inspect(made.source, made.index(good, image))


LARGE = OBJECT + (b"---\n#" + b"-" * (17 * 1024 * 1024) + b"\n") * 2


def test_all_artifacts_of_an_index_have_the_limits_of_one_together(made: Made) -> None:
    plain, packed = (made.artifact(made.blob(LARGE, YAML)), made.artifact(made.blob(tar(app__yaml=LARGE), TAR)))
    for each in (plain, packed):
        assert inspect(made.source, each).resources
    with pytest.raises(DocumentLimit):
        inspect(made.source, made.index(plain, packed))


def test_layers_that_many_artifacts_of_an_index_have_are_read_once(made: Made) -> None:
    layer = made.blob(LARGE, YAML)
    children = [made.artifact(layer, annotations={"built": str(each)}) for each in range(3)]
    assert len(inspect(made.source, made.index(*children)).resources) == 1


def test_an_index_of_nothing_is_refused(made: Made) -> None:
    with pytest.raises(ContentNotFound):
        inspect(made.source, made.index())


def test_indexes_nest_twice_and_no_deeper(made: Made) -> None:
    once = made.index(made.artifact(made.blob(OBJECT, YAML)))
    twice = made.index(once)
    assert len(inspect(made.source, twice).resources) == 1
    with pytest.raises(GraphLimit):
        inspect(made.source, made.index(twice))


@pytest.mark.parametrize("content", [b"secret-canary: [", b"secret-canary", b"kind: secret-canary\n"])
def test_no_error_quotes_what_it_read(made: Made, content: bytes) -> None:
    with pytest.raises(ByoaError) as caught:
        inspect(made.source, made.artifact(made.blob(content, YAML)))
    assert "canary" not in caught.value.as_json()
