"""Large artifacts are shared out to an invocation per blob; what is attached to an artifact reaches the mirror."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from byoa.adapters.memory.repository import MemoryRepository, read_whole
from byoa.adapters.registries.layout import LayoutRepository
from byoa.bootstrap import terminal as bootstrap
from byoa.engine import mirroring
from byoa.engine.copying import copy
from byoa.engine.mirroring import Wanted
from byoa.oci.digest import Digest
from byoa.oci.graph import blobs_of
from byoa.oci.manifest import OCI_MANIFEST, Manifest, read_manifest
from byoa.oci.reference import Reference
from local.demo import ARTIFACTS

if TYPE_CHECKING:
    from byoa.engine.ports import Repository


def large(layers: int, objects: int) -> tuple[MemoryRepository, Manifest]:
    """An artifact of plain YAML layers, each with so many ConfigMaps of about 300 bytes."""
    texts = ["".join(_config_map(layer, number) for number in range(objects)) for layer in range(layers)]
    blobs = {Digest.of(content): content for content in (b"{}", *(text.encode() for text in texts))}
    described = [{"mediaType": "application/yaml", "digest": str(d), "size": len(c)} for d, c in blobs.items()]
    config = described[0] | {"mediaType": "application/vnd.oci.empty.v1+json"}
    document = {
        "schemaVersion": 2, "mediaType": OCI_MANIFEST, "artifactType": "application/vnd.vendor.large",
        "config": config, "layers": described[1:],
    }  # fmt: skip
    manifest = read_manifest(json.dumps(document).encode(), OCI_MANIFEST)
    return MemoryRepository(blobs=blobs, manifests={manifest.digest: manifest}, tags={"v1": manifest.digest}), manifest


def _config_map(layer: int, number: int) -> str:
    name = f"flags-{layer}-{number}"
    return f"---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  text: {'x' * 250}\n"


def vendor(pipeline: Any, name: str) -> Repository:
    reference = Reference.parse(f"oci://{pipeline.desk.vendor}/vendor/{name}")
    return bootstrap.repository(reference, "target", None, plain_http=True)


def test_a_large_artifact_is_shared_out_and_arrives_byte_for_byte(pipeline: Any) -> None:
    source, manifest = large(layers=3, objects=200)
    assert sum(blob.size for blob in blobs_of(manifest)) > 100_000
    copy(source, vendor(pipeline, "large"), manifest, tag="v1")
    build = pipeline.wait(pipeline.submit_artifact("large", "large", "v1").build)
    assert build.status == "active", build.outcome
    told = [entry.status_human_description for entry in build.history]
    shared = [text for text in told if text.endswith("blobs by an invocation each")]
    assert len(shared) == 1, told
    assert int(shared[0].split()[1]) >= len(manifest.layers)  # the config may be in quarantine from another build
    assert len([text for text in told if text.startswith("mirroring to ecr: ")]) == 2, told
    mirror = pipeline.mirrored(build)
    for blob in blobs_of(manifest):
        with mirror.open_blob(blob) as content:
            assert read_whole(content) == source.blobs[blob.digest]
    assert mirror.fetch_manifest(manifest.digest).content == manifest.content


def test_signatures_of_both_kinds_reach_the_mirror(pipeline: Any) -> None:
    for layout in ("signed-v3", "signed-v2"):
        source = LayoutRepository(ARTIFACTS / layout)
        mirroring.mirror(source, vendor(pipeline, layout), Wanted("v2.3.1", "v2.3.1"))
        build = pipeline.wait(pipeline.submit_artifact(layout, layout, "v2.3.1").build)
        assert build.status == "active", build.outcome
        root = source.fetch_manifest("v2.3.1")
        mirror = pipeline.mirrored(build)
        if layout == "signed-v3":
            (signature,) = mirror.referrers(root.digest)
            assert signature.artifact_type == "application/vnd.dev.sigstore.bundle.v0.3+json"
        else:
            tag = f"sha256-{root.digest.hex}.sig"
            assert mirror.fetch_manifest(tag).content == source.fetch_manifest(tag).content
