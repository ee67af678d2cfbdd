"""What something attached says that it is: by cosign's tag, by its type, by its layers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byoa.oci.attached import kind_of
from byoa.oci.manifest import OCI_MANIFEST, Manifest, read_manifest

PLAIN: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": OCI_MANIFEST,
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{'0' * 64}", "size": 2},
    "layers": [],
}


def manifest(layer: str = "", **more: Any) -> Manifest:
    layers = [{"mediaType": layer, "digest": f"sha256:{'1' * 64}", "size": 2}] if layer else []
    return read_manifest(json.dumps({**PLAIN, "layers": layers, **more}).encode(), OCI_MANIFEST)


@pytest.mark.parametrize(
    ("end", "kind"), [(".sig", "signature"), (".att", "attestation"), (".sbom", "sbom"), ("", "other")]
)
def test_by_the_end_of_cosign_s_tag(end: str, kind: str) -> None:
    assert kind_of(manifest("application/spdx+json"), f"sha256-{'0' * 64}{end}") == kind


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("application/vnd.cncf.notary.signature", "signature"),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", "signature"),
        ("application/vnd.dev.cosign.artifact.sig.v1+json", "signature"),
        ("application/vnd.in-toto+json", "attestation"),
        ("application/spdx+json", "sbom"),
        ("application/vnd.cyclonedx+json", "sbom"),
        ("application/vnd.example", "other"),
    ],
)
def test_by_its_type_or_by_that_of_a_layer(said: str, kind: str) -> None:
    assert kind_of(manifest(artifactType=said), None) == kind
    assert kind_of(manifest(said), None) == kind
