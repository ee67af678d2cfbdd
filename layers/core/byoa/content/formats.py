"""What an artifact is, as far as its manifest tells, and who else could use it.

Media types lie: a client's default type for a single file says tar, and kustomizer's artifacts have the types of
container images. So this names what is certain; contents decide the rest (``inspection``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from byoa.content.packing import ARTIFACT_TYPE
from byoa.errors import MediaTypeUnsupported
from byoa.oci.manifest import CHECKSUM, TITLE

if TYPE_CHECKING:
    from byoa.oci.manifest import Descriptor, Manifest

_IMAGE_CONFIGS: Final = frozenset(
    {"application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json"}
)


class Format(StrEnum):
    """What made an artifact, or what it is instead of manifests."""

    KUSTOMIZER = "kustomizer"
    FLUX = "flux"
    ORAS = "oras"
    INLINE = "inline"
    PLAIN = "plain"
    INDEX = "index"
    IMAGE = "container-image"
    IMGPKG = "imgpkg"
    HELM = "helm-chart"
    TIMONI = "timoni-module"
    ZARF = "zarf-package"
    SIGNATURE = "signature"


_REFUSED: Final = {
    Format.IMAGE: (
        "This is a container image, not a set of Kubernetes manifests.",
        "Name the artifact that holds the manifests; images are pulled by the clusters themselves.",
    ),
    Format.IMGPKG: (
        "This is an imgpkg bundle, whose manifests are rendered with its own tools.",
        "Render it with the tools it was made for (ytt, kbld) and push the output.",
    ),
    Format.HELM: (
        "This is a Helm chart, not a set of rendered manifests.",
        'Use a component of type "helm_chart", or push the output of `helm template`.',
    ),
    Format.TIMONI: (
        "This is a Timoni module, not a set of rendered manifests.",
        "Push the output of `timoni build` as an artifact.",
    ),
    Format.ZARF: (
        "This is a Zarf package, which installs through its own tool.",
        "Push the manifests that it deploys as an artifact of their own.",
    ),
    Format.SIGNATURE: (
        "This is a signature or an attestation, not what it signs.",
        "Name the artifact itself; what is attached to it goes along.",
    ),
}

_BY_TYPE: Final = (
    ("application/vnd.cncf.helm.", Format.HELM),
    ("application/vnd.timoni.", Format.TIMONI),
    ("application/vnd.zarf.", Format.ZARF),
    ("application/vnd.dev.sigstore.", Format.SIGNATURE),
    ("application/vnd.dev.cosign.", Format.SIGNATURE),
    ("application/vnd.cncf.notary.", Format.SIGNATURE),
    ("application/vnd.cncf.flux.", Format.FLUX),
)


def recognise(manifest: Manifest) -> Format:
    """What the manifest alone tells. ``IMAGE`` is a suspicion: manifests may come with an image's types."""
    if manifest.is_index:
        return Format.INDEX
    if CHECKSUM in manifest.annotations:
        return Format.KUSTOMIZER
    types = [manifest.kind or "", manifest.config.media_type if manifest.config else ""]
    types += [layer.media_type for layer in manifest.layers]
    for prefix, found in _BY_TYPE:
        some = [media_type.startswith(prefix) for media_type in types]
        # A signature may lie beside the manifests that it signs, as a layer of its own.
        if any(some[:2]) or (all(some[2:]) if found is Format.SIGNATURE and some[2:] else any(some)):
            return found
    if manifest.artifact_type == ARTIFACT_TYPE:
        return Format.INLINE
    if any(TITLE in layer.annotations for layer in manifest.layers):
        return Format.ORAS
    return Format.IMAGE if types[1] in _IMAGE_CONFIGS else Format.PLAIN


def check_format(found: Format) -> None:
    """Raise ``MediaTypeUnsupported``, with what it is and what to use instead, for what is known to be no manifests."""
    if found in _REFUSED:
        cause, remedy = _REFUSED[found]
        raise MediaTypeUnsupported(cause, remedy=remedy)


_ARGO_ALLOWED: Final = frozenset(
    {
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    }
)
_ARGO_CONTENT: Final = ("tar+gzip", "tar.gzip", "tar")
_ARGO_LAYERS: Final = 10


def why_not_flux(manifest: Manifest, *, first_layer_is_gzip: bool) -> str | None:
    """Why Flux's source-controller would not take it: it unpacks the first layer, of any type, as tar+gzip."""
    if manifest.is_index:
        return "Flux picks one manifest of an index by its platform, and these have none."
    if not manifest.layers:
        return "There is no layer to unpack."
    return None if first_layer_is_gzip else "Flux unpacks the first layer as tar+gzip, and this is none."


def why_not_argo_cd(manifest: Manifest) -> str | None:
    """Why Argo CD would not take it as it is installed by default (its repo server's flags, util/oci)."""
    if manifest.is_index:
        return "Argo CD takes no index."
    if len(manifest.layers) > _ARGO_LAYERS:
        return f"Argo CD takes at most {_ARGO_LAYERS} layers."
    content = [layer for layer in manifest.layers if layer.media_type.endswith(_ARGO_CONTENT)]
    if len(content) != 1:
        return f"Argo CD wants exactly one layer of content and finds {len(content)}."
    return None if _allowed(content[0]) else "The layer's media type is not on Argo CD's default list."


def _allowed(layer: Descriptor) -> bool:
    return layer.media_type in _ARGO_ALLOWED
