"""The files of an artifact's layers that would be applied, each with its place; never more than one of them at a time.

Contents are sniffed: gzip, zstd, tar or text, never believed from a media type. Nothing is extracted.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Final

from byoa.content.archive import LIMITS, File, expand, read_tar
from byoa.content.formats import Format, check_format
from byoa.content.magic import compression, is_gzip, is_zstd, looks_like_tar, other_compression
from byoa.errors import ArchiveInvalid, ByoaError, ContentTooLarge, DocumentInvalid
from byoa.oci.manifest import TITLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from byoa.content.ports import Contents
    from byoa.oci.manifest import Descriptor, Manifest

AGE: Final = ".age"

_TAR_BLOCK: Final = 512
_YAML: Final = (".yaml", ".yml", ".json")
_CHART: Final = "Chart.yaml"
_KUSTOMIZATIONS: Final = frozenset({"kustomization.yaml", "kustomization.yml", "kustomization"})
# What Flux leaves out of artifacts beside the names with a dot: the files of builders, which are YAML and no manifests.
_BUILDERS: Final = frozenset({"appveyor.yml", "cloudbuild.yaml", "codeship-services.yml", "codeship-steps.yml"})
# What lies beside manifests and speaks of them: bills of materials, provenance, signatures, by type and by file name.
_BESIDE: Final = re.compile(
    r"spdx|cyclonedx|\bsyft\b|in-toto|\bslsa\b|\bdsse\b|\.prov\b|\bsigstore\b|\bcosign\b|\bcncf\.notary\b|\bpgp\b",
    re.IGNORECASE,
)
_BESIDE_NAME: Final = re.compile(
    r"\.(?:spdx|cdx|bom|sbom|intoto|provenance|sigstore|att)\.(?:json|ya?ml)$", re.IGNORECASE
)
_OTHER_TYPES: Final = re.compile(r"(?:image|audio|video|font)/|text/(?:markdown|html|css|csv)|application/(?:pdf|wasm)")
_PACKED: Final = re.compile(r"[+.](gzip|zstd|xz|bzip2|lz4|br|lzma|zip)$")
_MAY_BE_MANIFESTS: Final = re.compile(r"\.(?:ya?ml|json|tar)\b|\.t[a-z]{1,3}[0-9]?$", re.IGNORECASE)


class Layers:
    """Reads the layers of one artifact in their order, each once."""

    def __init__(self, contents: Contents, manifest: Manifest, *, named: bool) -> None:
        self._contents = contents
        self._layers = list(dict.fromkeys(manifest.layers))
        self._named = named
        self.first_is_gzip = False
        self.beside = 0
        """How many layers were passed over, as what lies beside manifests."""

    def files(self) -> Iterator[tuple[File, str]]:
        """The files to apply, and where each is; with its name where names may be shown.

        Raises what the readers of archives raise, placed at the layer, and ``DocumentInvalid`` or
        ``MediaTypeUnsupported`` for what would have to be rendered first.
        """
        for number, layer in enumerate(self._layers, start=1):
            try:
                for file, in_archive in self._layer_files(layer, number):
                    yield file, self._place(file, number, in_archive=in_archive)
            except ByoaError as error:
                raise error.at(f"layer {number}") from None

    def _place(self, file: File, number: int, *, in_archive: bool) -> str:
        place = f"layer {number}, file {file.number}" if in_archive else f"layer {number}"
        return f"{place} ({file.path})" if self._named else place

    def _layer_files(self, layer: Descriptor, number: int) -> Iterator[tuple[File, bool]]:
        chunks = self._contents.read_blob(layer)
        head = next(chunks, b"")
        if number == 1:
            self.first_is_gzip = is_gzip(head)
        whole = chain((head,), chunks)
        title = layer.annotations.get(TITLE, "")
        if _is_beside(layer.media_type, title):
            self.beside += 1
        else:
            _check_packing(layer.media_type, title, head)
            if is_gzip(head) or is_zstd(head) or looks_like_tar(head):
                yield from _unpacked(whole, layer.media_type, title)
            elif _is_manifest(layer.media_type, title):
                yield File(title, b"".join(_bounded(expand(whole)))), False
        for _ in whole:
            continue  # what was passed over is verified all the same


def _unpacked(whole: Iterator[bytes], media_type: str, title: str) -> Iterator[tuple[File, bool]]:
    """The files of an archive, or a single one that is packed."""
    pieces = expand(whole)
    start = b""
    while len(start) < _TAR_BLOCK and (piece := next(pieces, b"")):
        start += piece
    pieces = chain((start,), pieces)
    if looks_like_tar(start):
        yield from ((file, True) for file in read_tar(pieces, wanted=is_wanted))
    elif packed := compression(start):
        raise ArchiveInvalid(f"The layer unpacks to {packed}.")
    elif _is_manifest(media_type, title):
        yield File(title, b"".join(_bounded(pieces))), False


def is_wanted(path: str) -> bool:
    """Whether a file is one to apply: YAML or JSON outside of hidden folders, that no builder's and no bill is.

    Raises ``DocumentInvalid`` for a kustomization and ``MediaTypeUnsupported`` for a chart: what would have to be
    rendered first is refused, not passed over.
    """
    *folders, name = path.removeprefix("./").split("/")
    if any(part.startswith(".") for part in (*folders, name)):
        return False
    if name.casefold() in _KUSTOMIZATIONS:
        raise DocumentInvalid(
            "The artifact holds a kustomization, which is not rendered here.",
            remedy="Push the output of `kustomize build` instead.",
        )
    if name == _CHART:
        check_format(Format.HELM)
    return name.endswith((*_YAML, AGE)) and name not in _BUILDERS and not _BESIDE_NAME.search(name)


def _is_manifest(media_type: str, title: str) -> bool:
    """Whether a layer that is one file is one to apply: by its title, and without one by its type."""
    return is_wanted(title) if title else not _OTHER_TYPES.match(media_type)


def _is_beside(media_type: str, title: str) -> bool:
    return bool(_BESIDE.search(media_type) or _BESIDE_NAME.search(title))


def _check_packing(media_type: str, title: str, head: bytes) -> None:
    """Refuse what is packed in a way that isn't read here, or not in the way that its media type says."""
    said = _PACKED.search(media_type)
    name = said[1] if said else None
    is_packed = {"gzip": is_gzip(head), "zstd": is_zstd(head)}
    if name in is_packed and not is_packed[name]:
        raise ArchiveInvalid(f"A layer's media type says {name}, and its bytes are none.")
    other = other_compression(head)
    if other and title and not said and not _MAY_BE_MANIFESTS.search(title):
        return
    other = other or (name if name not in is_packed else None)
    if other:
        remedy = "Pack the manifests as tar+gzip, or as tar+zstd."
        raise ArchiveInvalid(f"A layer is packed with {other}, which isn't read here.", remedy=remedy)


def _bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > LIMITS.file:
            raise ContentTooLarge(f"A file of manifests is more than {LIMITS.file} bytes.")
        yield piece
