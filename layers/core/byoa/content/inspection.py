"""Looks into an artifact for Kubernetes objects, whatever format they came in, through bounded readers.

Contents are sniffed: gzip, tar or text, never believed from a media type. Nothing is extracted, rendered or fetched,
and nothing of a document is kept but what ``documents.Resource`` holds.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Final

from byoa.content.archive import File, expand, is_gzip, looks_like_tar, read_archive
from byoa.content.documents import Spent, read_resources
from byoa.content.formats import (
    Format,
    check_format,
    recognise,
    why_not_argo_cd,
    why_not_flux,
)
from byoa.errors import (
    ArchiveInvalid,
    ByoaError,
    ContentNotFound,
    ContentTooLarge,
    DigestMismatch,
    DocumentInvalid,
    DocumentLimit,
    MediaTypeUnsupported,
    Rejected,
)
from byoa.oci.graph import Walk, children_of
from byoa.oci.manifest import CHECKSUM, TITLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from byoa.content.documents import Resource
    from byoa.content.ports import Contents
    from byoa.oci.graph import GraphLimits
    from byoa.oci.manifest import Descriptor, Manifest

_TEXT_LIMIT: Final = 10 * 1024 * 1024
_CONFIG_LIMIT: Final = 1024 * 1024
_TAR_BLOCK: Final = 512
_YAML: Final = (".yaml", ".yml", ".json")
_AGE: Final = ".age"
_KUSTOMIZATIONS: Final = frozenset({"kustomization.yaml", "kustomization.yml"})
_CHART: Final = "Chart.yaml"


@dataclass(frozen=True, slots=True)
class Report:
    """What an artifact holds.

    ``obstacles`` has a name for each known consumer, and the reason where it couldn't take the artifact. ``content`` is
    a digest of what would be applied.
    """

    manifest: Manifest
    format: Format
    encrypted: bool
    resources: tuple[Resource, ...]
    obstacles: Mapping[str, str | None]
    content: str

    @property
    def usable_by(self) -> dict[str, bool]:
        """Who could take the artifact as it is."""
        return {name: obstacle is None for name, obstacle in self.obstacles.items()}

    @property
    def images(self) -> tuple[str, ...]:
        """The container images that the objects name, each once."""
        return tuple(dict.fromkeys(image for resource in self.resources for image in resource.images))

    @property
    def templated(self) -> bool:
        """Whether an install has placeholders to fill in."""
        return any(resource.templated for resource in self.resources)


def inspect(contents: Contents, root: Manifest, limits: GraphLimits) -> Report:
    """Read the artifact under ``root``, held to ``limits``, and say what it holds.

    Raises ``MediaTypeUnsupported`` for what is something else, ``ContentNotFound`` where there is no object, and what
    the readers of archives and documents raise. Encrypted content is reported, not read.
    """
    return _inspect(contents, root, Walk(limits), 0)


def _inspect(contents: Contents, manifest: Manifest, walk: Walk, depth: int) -> Report:
    walk.enter(manifest, depth)
    found = recognise(manifest)
    if found is Format.INDEX:
        return _inspect_index(contents, manifest, walk, depth)
    if found is Format.IMAGE:
        return _inspect_suspect(contents, manifest)
    check_format(found)
    return _inspect_layers(contents, manifest, found)


def _inspect_index(contents: Contents, manifest: Manifest, walk: Walk, depth: int) -> Report:
    """An index is as good as its manifests, if an install may take any of them: all must hold the same content."""
    children = (contents.fetch_manifest(child.digest) for child in children_of(manifest))
    reports = [_inspect(contents, child, walk, depth + 1) for child in children]
    if not reports:
        raise ContentNotFound("The index lists nothing.")
    if len({report.content for report in reports}) > 1:
        raise MediaTypeUnsupported(
            "This is an index of artifacts that hold different manifests.",
            remedy="Name one of them by its own tag or digest.",
        )
    obstacles = _obstacles(manifest, first_layer_is_gzip=False, encrypted=reports[0].encrypted)
    return replace(reports[0], manifest=manifest, format=Format.INDEX, obstacles=obstacles)


def _inspect_suspect(contents: Contents, manifest: Manifest) -> Report:
    """Something with the types of a container image: one that names a platform is, others show by their contents."""
    config = _read_config(contents, manifest)
    if config.get("architecture") or config.get("os"):
        check_format(Format.IMAGE)
    settings = config.get("config")
    labels = settings.get("Labels") if isinstance(settings, dict) else None
    if isinstance(labels, dict) and "dev.carvel.imgpkg.bundle" in labels:
        check_format(Format.IMGPKG)
    try:
        return _inspect_layers(contents, manifest, Format.PLAIN)
    except Rejected:
        check_format(Format.IMAGE)
        raise


def _read_config(contents: Contents, manifest: Manifest) -> dict[str, object]:
    config = manifest.config
    if config is None or config.size > _CONFIG_LIMIT:
        return {}
    try:
        document = json.loads(b"".join(contents.read_blob(config)))
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _inspect_layers(contents: Contents, manifest: Manifest, found: Format) -> Report:
    files, first_layer_is_gzip = _read_layers(contents, manifest)
    texts = [file for file in files if not file.path.endswith(_AGE)]
    encrypted = bool(files) and not texts
    resources: list[Resource] = []
    if not encrypted:
        _check_checksum(manifest, texts)
        spent = Spent()
        resources = [resource for file in texts for resource in read_resources(file.content, spent=spent)]
        if not resources:
            raise ContentNotFound("The artifact holds no Kubernetes object.")
    return Report(
        manifest=manifest,
        format=found,
        encrypted=encrypted,
        resources=tuple(resources),
        obstacles=_obstacles(manifest, first_layer_is_gzip=first_layer_is_gzip, encrypted=encrypted),
        content=hashlib.sha256(b"\0".join(file.content for file in files)).hexdigest(),
    )


def _obstacles(manifest: Manifest, *, first_layer_is_gzip: bool, encrypted: bool) -> dict[str, str | None]:
    if encrypted:
        only = "The contents are encrypted with age, which kustomizer alone undoes."
        return {"byoa": None, "flux": only, "argo_cd": only}
    return {
        "byoa": None,
        "flux": why_not_flux(manifest, first_layer_is_gzip=first_layer_is_gzip),
        "argo_cd": why_not_argo_cd(manifest),
    }


def _read_layers(contents: Contents, manifest: Manifest) -> tuple[list[File], bool]:
    """The files that matter, of all layers, within one budget of text; and whether the first layer is gzip."""
    found: list[File] = []
    total, gzips = 0, []
    for number, layer in enumerate(dict.fromkeys(manifest.layers)):
        chunks = contents.read_blob(layer)
        head = next(chunks, b"")
        gzips.append(is_gzip(head))
        for file in _layer_files(layer, number, head, chunks):
            total += len(file.content)
            if total > _TEXT_LIMIT:
                raise DocumentLimit(f"The manifests are more than {_TEXT_LIMIT} bytes together.")
            found.append(file)
    return found, gzips[:1] == [True]


def _layer_files(layer: Descriptor, number: int, head: bytes, chunks: Iterator[bytes]) -> Iterator[File]:
    name = layer.annotations.get(TITLE, f"layer-{number}.yaml")
    if not is_gzip(head) and layer.media_type.endswith(("+gzip", ".gzip")):
        raise ArchiveInvalid("A layer's media type says gzip, and its bytes are none.")
    whole = chain((head,), chunks)
    if looks_like_tar(_start(head)):
        yield from read_archive(whole, wanted=_wanted)
    elif _wanted(name):
        yield File(name, b"".join(_bounded(expand(whole))))
    else:
        for _ in whole:
            continue  # passed over, and verified all the same


def _wanted(path: str) -> bool:
    """Whether a file is one to apply. What would have to be rendered first is refused, not passed over."""
    name = path.rpartition("/")[2]
    if name in _KUSTOMIZATIONS:
        raise DocumentInvalid(
            "The artifact holds a kustomization, which is not rendered here.",
            remedy="Push the output of `kustomize build` instead.",
        )
    if name == _CHART:
        check_format(Format.HELM)
    return name.endswith((*_YAML, _AGE)) and not name.startswith(".")


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > _TEXT_LIMIT:
            raise ContentTooLarge(f"A file of manifests is more than {_TEXT_LIMIT} bytes.")
        yield piece


def _start(head: bytes) -> bytes:
    """The first block of what a layer's first chunk unpacks to."""
    start = b""
    try:
        for piece in expand((head,)):
            start += piece
            if len(start) >= _TAR_BLOCK:
                break
    except ByoaError:
        return start  # cut off, or worse: reading the whole of it will say so
    return start


def _check_checksum(manifest: Manifest, files: list[File]) -> None:
    """The checksum that kustomizer notes is of all files one after the other."""
    stated = manifest.annotations.get(CHECKSUM)
    if stated and stated != hashlib.sha256(b"".join(file.content for file in files)).hexdigest():
        raise DigestMismatch("The manifests don't have the checksum that kustomizer noted.")
