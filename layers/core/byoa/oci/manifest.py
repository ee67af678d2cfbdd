"""Descriptors, manifests and indexes, read strictly (image-spec manifest.md, image-index.md, descriptor.md).

A manifest is kept as the bytes it came in; what they say is read beside and never written back, because any other
rendering would have another digest.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
from contextlib import nullcontext
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, TypeGuard, cast

from byoa.errors import (
    DigestMismatch,
    ManifestAmbiguous,
    ManifestInvalid,
    ManifestTooLarge,
    MediaTypeUnsupported,
)
from byoa.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
ARTIFACT_MANIFEST: Final = "application/vnd.oci.artifact.manifest.v1+json"
"""What image-spec 1.1 had before its release: signatures of that time are still attached to artifacts."""

EMPTY_JSON: Final = "application/vnd.oci.empty.v1+json"

INDEX_TYPES: Final = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFEST_TYPES: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST, ARTIFACT_MANIFEST}) | INDEX_TYPES
ACCEPT: Final = f"{OCI_MANIFEST}, {OCI_INDEX}, {DOCKER_MANIFEST}, {DOCKER_LIST}, {ARTIFACT_MANIFEST}"
"""All types, always: a registry that lacks one in Accept may convert, and a conversion has another digest."""

MANIFEST_LIMIT: Final = 4 * 1024 * 1024

_LARGE: Final = 64 * 1024
"""Bytes from which a manifest's values are counted, and it is read alone."""

_VALUES: Final = 400_000
"""Brackets, braces and commas; the largest graph that is copied has a quarter of that in one manifest."""

_one_large: Final = threading.Lock()
"""Bytes; what the distribution spec asks every registry to take ("Pushing Manifests")."""

TITLE: Final = "org.opencontainers.image.title"
CHECKSUM: Final = "kustomizer.dev/checksum"
_READ: Final = (TITLE, CHECKSUM)
"""The annotations that anybody here reads. All others are checked and not kept: they may be megabytes, and four times
as much in memory as in the manifest, which has them anyway."""

_PLATFORM_LIMIT: Final = 64
"""Characters of a part of a platform's name: longer ones are no platform that could be asked for."""

_SIZE_LIMIT: Final = 2**63 - 1
_TYPE_LIMIT: Final = 255
_SCHEMA_1: Final = "application/vnd.docker.distribution.manifest.v1"
_GENERIC: Final = frozenset(
    {"", "application/json", "text/json", "text/plain", "application/octet-stream", "binary/octet-stream"}
)
"""What servers say of files whose type they don't know."""


def _folded(*names: str) -> dict[str, str]:
    return {name.casefold(): name for name in names}


_MANIFEST_KEYS: Final = _folded(
    "schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "blobs", "subject", "annotations",
)  # fmt: skip
_DESCRIPTOR_KEYS: Final = _folded(
    "mediaType", "artifactType", "digest", "size", "urls", "annotations", "data", "platform",
)  # fmt: skip
_PLATFORM_KEYS: Final = _folded("os", "architecture", "variant")
_EMPTY_SIZE: Final = 2
_WHOLE: Final = "Push the artifact with all of its layers in the registry itself."

type Json = dict[str, object]

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class Descriptor(NamedTuple):
    """What one content reference says: media type, digest, size in bytes. By these alone two are the same or not.

    Of ``annotations`` there are those that are read (``TITLE``, ``CHECKSUM``).
    """

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = _NOTHING
    artifact_type: str | None = None
    platform: Mapping[str, str] = _NOTHING

    @property
    def is_manifest(self) -> bool:
        """Whether this points at a manifest or an index rather than at a blob: an index may list either."""
        return self.media_type in MANIFEST_TYPES

    @property
    def is_index(self) -> bool:
        """Whether this points at an index."""
        return self.media_type in INDEX_TYPES

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Descriptor) and self[:3] == other[:3]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self[:3])


class Manifest(NamedTuple):
    """A manifest or an index: its descriptor, its bytes, and what they refer to; ``annotations`` as a descriptor's."""

    descriptor: Descriptor
    content: bytes
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    manifests: tuple[Descriptor, ...] = ()
    subject: Descriptor | None = None
    artifact_type: str | None = None
    annotations: Mapping[str, str] = _NOTHING

    @property
    def digest(self) -> Digest:
        """The digest of the bytes."""
        return self.descriptor.digest

    @property
    def is_index(self) -> bool:
        """Whether this lists manifests instead of layers."""
        return self.descriptor.media_type in INDEX_TYPES

    @property
    def kind(self) -> str | None:
        """The artifact's type: ``artifactType``, else the config's media type (image-spec, manifest.md)."""
        return self.artifact_type or (self.config.media_type if self.config else None)


def served_type(content: bytes, header: str | None) -> str:
    """The media type of a manifest that came with this Content-Type: without its parameters, in lower case (RFC 9110).

    Where that says nothing of a manifest, what the manifest calls itself stands in, or else its shape.
    """
    served = (header or "").partition(";")[0].strip(" \t").lower()
    if served not in _GENERIC:
        return served
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return served
    stated = document.get("mediaType")
    if stated is None:
        return OCI_INDEX if document.get("manifests") is not None else OCI_MANIFEST
    return stated if isinstance(stated, str) and stated in MANIFEST_TYPES else served


def read_manifest(content: bytes, media_type: str, *, expected: Digest | None = None) -> Manifest:
    """Read the bytes of a manifest that was served, or described, as ``media_type``.

    ``expected`` is the digest it was asked for by. Raises ``DigestMismatch`` when the bytes are others,
    ``ManifestTooLarge`` over 4 MiB, ``MediaTypeUnsupported`` for types that are no manifest's and for content that
    must not be copied, ``ManifestAmbiguous`` and ``ManifestInvalid`` for what the image spec forbids.
    """
    if len(content) > MANIFEST_LIMIT:
        raise ManifestTooLarge("The manifest is larger than 4 MiB.")
    digest = Digest.of(content, expected.algorithm if expected else "sha256")
    if expected and digest != expected:
        raise DigestMismatch("The manifest's bytes don't hash to the digest it was asked for by.")
    _check_media_type(media_type)
    document = _read_json(content)
    _check_shape(document, media_type)
    manifest = Manifest(
        descriptor=Descriptor(media_type, digest, len(content)),
        content=content,
        config=_descriptor(document["config"], "config") if document.get("config") is not None else None,
        layers=_descriptors(document, "blobs" if media_type == ARTIFACT_MANIFEST else "layers"),
        manifests=_descriptors(document, "manifests"),
        subject=_descriptor(document["subject"], "subject") if document.get("subject") is not None else None,
        artifact_type=_text(document, "artifactType"),
        annotations=_annotations(document),
    )
    _check_copyable((manifest.config, *manifest.layers) if manifest.config else manifest.layers, manifest.manifests)
    return manifest


def read_listed(document: Json) -> tuple[Descriptor, ...]:
    """The manifests that an index lists which has no digest of its own: a registry's answer, already parsed.

    Raises what ``read_manifest`` raises for an index.
    """
    _check_shape(document, OCI_INDEX)
    found = _descriptors(document, "manifests")
    _check_consistent(found)
    return found


def _check_media_type(media_type: str) -> None:
    if media_type.startswith(_SCHEMA_1):
        raise MediaTypeUnsupported(
            "This is a Docker schema 1 manifest, which holds no digests of its own.",
            remedy="Push the artifact again with a current client; it will be Docker schema 2 or OCI.",
        )
    if media_type not in MANIFEST_TYPES:
        raise MediaTypeUnsupported(
            "What is served as a manifest is of a type that no manifest has.",
            remedy="See that host and repository are a registry's, and what was pushed under this name.",
        )


def _read_json(content: bytes) -> Json:
    """One JSON object without duplicate names (image-spec, considerations.md).

    Each value takes up to a hundred bytes while it is read, so they are counted first, roughly; and of large manifests
    one is read at a time, however many threads there are.
    """
    if len(content) > _LARGE and sum(map(content.count, (b"[", b"{", b","))) > _VALUES:
        raise ManifestInvalid(f"The manifest has more than {_VALUES} values.")
    try:
        with _one_large if len(content) > _LARGE else nullcontext():
            document = json.loads(content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ManifestInvalid("The manifest is not JSON in UTF-8.") from error
    if not isinstance(document, dict):
        raise ManifestInvalid("The manifest is not a JSON object.")
    return cast("Json", document)


def _unique(pairs: list[tuple[str, object]]) -> Json:
    found: Json = {}
    for name, value in pairs:
        if name in found:
            raise ManifestAmbiguous("The manifest has a name twice.")
        found[name] = value
    return found


def _check_names(document: Json, known: Mapping[str, str]) -> None:
    """Readers written in Go match fields' names whatever their case, so ``Layers`` beside ``layers`` has two readings.

    Of a map's keys that isn't so: annotations may be called as anybody likes.
    """
    if any(known.get(name.casefold(), name) != name for name in document):
        raise ManifestAmbiguous("The manifest has a name that differs from a known name in case alone.")


def _refuse_constant(_: str) -> object:
    raise ManifestInvalid("The manifest holds a number that JSON doesn't have.")


def _check_shape(document: Json, media_type: str) -> None:
    _check_names(document, _MANIFEST_KEYS)
    stated = document.get("mediaType")
    if stated is not None and stated != media_type:
        raise ManifestAmbiguous("The manifest calls itself another media type than the registry does.")
    artifact = media_type == ARTIFACT_MANIFEST
    version = document.get("schemaVersion", 2 if artifact else None)
    if version != 2 or isinstance(version, bool | float):  # noqa: PLR2004 - the only version there is
        raise ManifestInvalid("The manifest's schemaVersion is not 2.")
    own = ("manifests",) if media_type in INDEX_TYPES else ("blobs",) if artifact else ("config", "layers")
    if any(document.get(name) is not None for name in {"config", "layers", "manifests"}.difference(own)):
        raise ManifestAmbiguous("The manifest reads both as an image manifest and as an index.")
    if not artifact and own[0] not in document:
        raise ManifestInvalid("The manifest lacks its config, or its manifests.")
    if own[0] == "config" and document["config"] is None:
        raise ManifestInvalid("The manifest lacks its config.")


def _descriptors(document: Json, name: str) -> tuple[Descriptor, ...]:
    """The descriptors under ``name``; writers in Go have ``null`` for an empty list."""
    values = document.get(name)
    if values is None:
        return ()
    if not isinstance(values, list):
        raise ManifestInvalid(f"The manifest's {name} is not a list.")
    return tuple(_descriptor(value, name) for value in values)


def _descriptor(value: object, where: str) -> Descriptor:
    if not isinstance(value, dict):
        raise ManifestInvalid(f"A descriptor under {where} is not an object.")
    _check_names(value, _DESCRIPTOR_KEYS)
    media_type, digest, size = value.get("mediaType"), value.get("digest"), value.get("size")
    if not _is_type(media_type):
        raise ManifestInvalid(f"A descriptor under {where} has no sound mediaType.")
    if not isinstance(digest, str):
        raise ManifestInvalid(f"A descriptor under {where} has no digest.")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _SIZE_LIMIT:
        raise ManifestInvalid(f"A descriptor under {where} has no sound size.")
    if value.get("urls"):
        raise MediaTypeUnsupported("A part of the artifact is to be fetched from somewhere else (urls).", remedy=_WHOLE)
    found = Descriptor(
        media_type,
        Digest.parse(digest, malformed=ManifestInvalid),
        size,
        _annotations(value),
        _text(value, "artifactType"),
        _platform(value),
    )
    _check_embedded(value.get("data"), found)
    return found


def _check_embedded(data: object, descriptor: Descriptor) -> None:
    """``data`` must be the content itself (descriptor.md, "Embedded Content"); it is checked and then not used."""
    if data is None:
        return
    if not isinstance(data, str):
        raise ManifestInvalid("A descriptor's data is not text.")
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ManifestInvalid("A descriptor's data is not base64.") from error
    if len(content) != descriptor.size or not descriptor.digest.matches(content):
        raise DigestMismatch("A descriptor's embedded data is not what its digest says.")


def _annotations(document: Json) -> dict[str, str]:
    values = document.get("annotations")
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(value, str | None) for value in values.values()):
        raise ManifestInvalid("Annotations are not a map of strings.")
    return {name: values[name] for name in _READ if values.get(name) is not None}


def _platform(document: Json) -> dict[str, str]:
    """``os``, ``architecture`` and ``variant`` of an index's entry, as far as they are text that names one."""
    value = document.get("platform")
    if not isinstance(value, dict):
        return {}
    _check_names(value, _PLATFORM_KEYS)
    found = {name: value.get(name) for name in _PLATFORM_KEYS}
    return {name: text for name, text in found.items() if isinstance(text, str) and len(text) <= _PLATFORM_LIMIT}


def _text(document: Json, name: str) -> str | None:
    value = document.get(name)
    if value is None or value == "":
        return None
    if not _is_type(value):
        raise ManifestInvalid(f"The manifest's {name} is not a media type.")
    return value


def _is_type(value: object) -> TypeGuard[str]:
    """Whether it may pass for a media type: a plain word, or parameters behind it, are nothing to who copies."""
    return isinstance(value, str) and 0 < len(value) <= _TYPE_LIMIT and value.isascii() and value.isprintable()


def _check_copyable(blobs: tuple[Descriptor, ...], children: tuple[Descriptor, ...]) -> None:
    for descriptor in (*blobs, *children):
        if "foreign" in descriptor.media_type or "nondistributable" in descriptor.media_type:
            raise MediaTypeUnsupported(
                "A layer is of a type that must not be distributed (a foreign layer).", remedy=_WHOLE
            )
    _check_consistent((*blobs, *children))


def _check_consistent(descriptors: Iterable[Descriptor]) -> None:
    """One digest has one size. It may have several types: those say how to read it, and two may read it in two ways."""
    sizes: dict[Digest, int] = {}
    for descriptor in descriptors:
        if sizes.setdefault(descriptor.digest, descriptor.size) != descriptor.size:
            raise ManifestInvalid("The manifest names one digest with two sizes.")
        if descriptor.media_type == EMPTY_JSON and descriptor.size != _EMPTY_SIZE:
            raise ManifestInvalid("The empty JSON object has two bytes, and the manifest says otherwise.")
