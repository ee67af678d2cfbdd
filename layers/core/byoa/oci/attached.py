"""What something that is attached to an artifact is, as its type says; whether it is that, nobody has checked.

Sources: cosign's SIGNATURE_SPEC.md and its tag scheme, sigstore's bundle format, Notary Project's signature
specification, in-toto's attestations, and the media types of SPDX and CycloneDX.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from byoa.oci.manifest import Manifest

type Kind = Literal["signature", "attestation", "sbom", "other"]

_TYPES: Final[tuple[tuple[str, Kind], ...]] = (
    ("application/vnd.dev.cosign.artifact.sig", "signature"),
    ("application/vnd.dev.cosign.simplesigning", "signature"),
    ("application/vnd.cncf.notary.signature", "signature"),
    ("application/vnd.dev.sigstore.bundle", "signature"),
    ("application/vnd.dev.cosign.artifact.att", "attestation"),
    ("application/vnd.in-toto", "attestation"),
    ("application/vnd.dsse.envelope", "attestation"),
    ("application/vnd.dev.cosign.artifact.sbom", "sbom"),
    ("application/spdx", "sbom"),
    ("text/spdx", "sbom"),
    ("application/vnd.cyclonedx", "sbom"),
)
_TAGS: Final[dict[str, Kind]] = {".sig": "signature", ".att": "attestation", ".sbom": "sbom"}


def kind_of(manifest: Manifest, tag: str | None) -> Kind:
    """By cosign's tag, else by the manifest's type, else by the types of its layers."""
    if tag:
        return next((kind for end, kind in _TAGS.items() if tag.endswith(end)), "other")
    types = [manifest.kind or "", *(layer.media_type for layer in manifest.layers)]
    return next((kind for each in types for begins, kind in _TYPES if each.startswith(begins)), "other")
