"""Files as an artifact, as Flux, oras or kustomizer packs them. Layers and manifests are built by oras's builders.

The bytes are the same on every machine: what the builders leave open (the order of keys, blanks, the tar, the gzip) is
settled here and in ``byoa.content``.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from byoa.content.archive import File
from byoa.content.archiving import FOR_ALL, FOR_THE_OWNER, tar
from byoa.content.packing import LAYER_TYPE, Packed, gzip_stored
from byoa.errors import InternalFault
from byoa.oci.digest import Digest
from byoa.oci.manifest import CHECKSUM, DOCKER_MANIFEST, EMPTY_JSON, OCI_MANIFEST, TITLE, read_manifest
from byoa_cli.provenance import CREATED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMATS: Final = ("flux", "oras", "kustomizer")

_FLUX: Final = "application/vnd.cncf.flux"
_DOCKER: Final = "application/vnd.docker"

_FOLDER: Final = "manifests"
"""What oras unpacks: one name for all, because that of a checkout differs from machine to machine."""

_NO_KIND: Final = "application/vnd.unknown.artifact.v1"
"""What oras calls an artifact whose kind nobody named."""

_KUSTOMIZER_RELEASE: Final = "2.2.1"
_BOM: Final = b"\xef\xbb\xbf"


class _Parts(NamedTuple):
    """What a format makes of files."""

    manifest_type: str
    config_type: str
    config: bytes
    layer_type: str
    layer: bytes
    titles: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    kind: str | None = None


def package(files: Sequence[File], form: str, annotations: Mapping[str, str]) -> Packed:
    """Pack ``files`` in one of ``FORMATS``. Raises ``InternalFault`` where no temporary file can be written."""
    return _build(_PARTS[form](files, annotations), annotations)


def _flux(files: Sequence[File], _: Mapping[str, str]) -> _Parts:
    content = tar(files)
    config, layer = f"{_FLUX}.config.v1+json", f"{_FLUX}.content.v1.tar+gzip"
    return _Parts(OCI_MANIFEST, config, _image_config(content), layer, gzip_stored(content))


def _oras(files: Sequence[File], _: Mapping[str, str]) -> _Parts:
    """As `oras push` of a folder."""
    content = tar([File(f"{_FOLDER}/{file.path}", file.content) for file in files], FOR_ALL)
    titles = {
        TITLE: _FOLDER,
        "io.deis.oras.content.digest": str(Digest.of(content)),
        "io.deis.oras.content.unpack": "true",
    }
    return _Parts(OCI_MANIFEST, EMPTY_JSON, b"{}", LAYER_TYPE, gzip_stored(content), titles, kind=_NO_KIND)


def _kustomizer(files: Sequence[File], annotations: Mapping[str, str]) -> _Parts:
    """A Docker image of one file with all documents, and their checksum."""
    text = _joined(files)
    content = tar([File("all.yaml", text)], FOR_THE_OWNER)
    noted = {
        "kustomizer.dev/version": _KUSTOMIZER_RELEASE,
        CHECKSUM: hashlib.sha256(text).hexdigest(),
        "kustomizer.dev/created": annotations[CREATED],
    }
    config, layer = f"{_DOCKER}.container.image.v1+json", f"{_DOCKER}.image.rootfs.diff.tar.gzip"
    return _Parts(DOCKER_MANIFEST, config, _image_config(content), layer, gzip_stored(content), annotations=noted)


_PARTS: Final = {"flux": _flux, "oras": _oras, "kustomizer": _kustomizer}


def _joined(files: Sequence[File]) -> bytes:
    """The files one after the other; a single one as it is."""
    if len(files) == 1:
        return files[0].content
    contents = (file.content.removeprefix(_BOM) for file in files)
    return b"---\n".join(content if content.endswith(b"\n") else content + b"\n" for content in contents)


def _image_config(content: bytes) -> bytes:
    """A container image's config that names no platform, and its one layer as it is unpacked."""
    rootfs = {"type": "layers", "diff_ids": [str(Digest.of(content))]}
    return _as_json({"architecture": "", "os": "", "config": {}, "rootfs": rootfs})


def _build(parts: _Parts, annotations: Mapping[str, str]) -> Packed:
    from oras.oci import NewManifest

    document: dict[str, Any] = NewManifest()
    config, layer = _describe(parts)
    document |= {
        "mediaType": parts.manifest_type,
        "config": config,
        "layers": [layer | {"annotations": dict(parts.titles)} if parts.titles else layer],
        "annotations": {**annotations, **parts.annotations},
    }
    if parts.kind:
        document["artifactType"] = parts.kind
    manifest = read_manifest(_as_json(document), parts.manifest_type)
    return Packed(manifest, {Digest.of(blob): blob for blob in (parts.config, parts.layer)})


def _describe(parts: _Parts) -> tuple[dict[str, Any], dict[str, Any]]:
    """The descriptors of the config and the layer. The builders read files, so both are files for a moment."""
    from oras.oci import ManifestConfig, NewLayer

    try:
        with TemporaryDirectory(prefix="byoa-") as folder:
            config, layer = Path(folder, "config"), Path(folder, "layer")
            config.write_bytes(parts.config)
            layer.write_bytes(parts.layer)
            described, _ = ManifestConfig(str(config), parts.config_type)
            return described, NewLayer(str(layer), parts.layer_type)
    except OSError as error:
        remedy = "Make room, or name another folder for temporary files with TMPDIR."
        raise InternalFault(f"No temporary file can be written: {error.strerror}.", remedy=remedy) from error


def _as_json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
