"""Looks into an artifact for Kubernetes objects, whatever format they came in, through bounded readers.

Nothing is rendered or fetched, files are read one at a time, and nothing of a document is kept but what
``documents.Resource`` holds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from byoa.content.documents import LIMITS, Spent
from byoa.content.formats import (
    Format,
    check_format,
    recognise,
    why_not_argo_cd,
    why_not_flux,
)
from byoa.content.layers import Layers
from byoa.content.totals import Reading
from byoa.errors import ContentNotFound, MediaTypeUnsupported, Rejected
from byoa.oci.graph import Walk, children_of
from byoa.oci.manifest import CHECKSUM, TITLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from byoa.content.documents import DocumentLimits, Keep, Resource
    from byoa.content.ports import Contents
    from byoa.oci.graph import GraphLimits
    from byoa.oci.manifest import Manifest

_CONFIG_LIMIT: Final = 1024 * 1024


class Report(NamedTuple):
    """What an artifact holds.

    ``obstacles`` has a name for each known consumer, and the reason where it couldn't take the artifact. ``content`` is
    a digest of what would be applied. ``notes`` say in sentences what was met and not read.
    """

    manifest: Manifest
    format: Format
    encrypted: bool
    resources: tuple[Resource, ...]
    obstacles: Mapping[str, str | None]
    content: str
    notes: tuple[str, ...] = ()

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


def inspect(  # noqa: PLR0913 - an artifact, its bounds, and what else is wanted of it
    contents: Contents,
    root: Manifest,
    limits: GraphLimits,
    *,
    named: bool = False,
    documents: DocumentLimits = LIMITS,
    keep: Keep | None = None,
    exact: bool = False,
) -> Report:
    """Read the artifact under ``root``, held to ``limits`` and ``documents``, and say what it holds.

    ``keep`` is given each object whole, its placeholders where they stand if it is to be ``exact``
    (``documents.read_resources``); of an index whose manifests hold the same, those of the first.
    Errors tell the layer and the file by their numbers; the file's own name, a stranger's word, only if ``named``.
    Raises ``MediaTypeUnsupported`` for what is something else, ``ContentNotFound`` where there is no object, and what
    the readers of archives and documents raise. Encrypted content is reported, not read.
    """
    return _inspect(_Look(contents, Walk(limits), documents, keep, named=named, exact=exact), root, 0)


class _Look:
    """One look at an artifact, whatever it consists of: its budget, and what its layers were found to hold."""

    def __init__(  # noqa: PLR0913 - the same
        self,
        contents: Contents,
        walk: Walk,
        limits: DocumentLimits,
        keep: Keep | None,
        *,
        named: bool,
        exact: bool,
    ) -> None:
        self.contents = contents
        self.walk = walk
        self.limits = limits
        self.keep = keep
        self.exact = exact
        self.named = named
        self.spent = Spent()
        self.known: dict[object, Report] = {}


def _inspect(look: _Look, manifest: Manifest, depth: int) -> Report:
    look.walk.enter(manifest, depth)
    found = recognise(manifest)
    if found is Format.INDEX:
        return _inspect_index(look, manifest, depth)
    if found is Format.IMAGE:
        return _inspect_suspect(look, manifest)
    check_format(found)
    return _inspect_layers(look, manifest, found)


def _inspect_index(look: _Look, manifest: Manifest, depth: int) -> Report:
    """An index is as good as its manifests, if an install may take any of them: all must hold the same content."""
    first: Report | None = None
    for child in children_of(manifest):
        report = _inspect(look, look.contents.fetch_manifest(child.digest), depth + 1)
        first = first or report
        look.keep = None
        if report.content != first.content:
            raise MediaTypeUnsupported(
                "This is an index of artifacts that hold different manifests.",
                remedy="Name one of them by its own tag or digest.",
            )
    if first is None:
        raise ContentNotFound("The index lists nothing.")
    obstacles = _obstacles(manifest, first_layer_is_gzip=False, encrypted=first.encrypted)
    return first._replace(manifest=manifest, format=Format.INDEX, obstacles=obstacles)


def _inspect_suspect(look: _Look, manifest: Manifest) -> Report:
    """Something with the types of a container image: one that names a platform is, others show by their contents."""
    config = _read_config(look.contents, manifest)
    if config.get("architecture") or config.get("os"):
        check_format(Format.IMAGE)
    settings = config.get("config")
    labels = settings.get("Labels") if isinstance(settings, dict) else None
    if isinstance(labels, dict) and "dev.carvel.imgpkg.bundle" in labels:
        check_format(Format.IMGPKG)
    try:
        return _inspect_layers(look, manifest, Format.PLAIN)
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


def _inspect_layers(look: _Look, manifest: Manifest, found: Format) -> Report:
    """What the layers hold; the same layers, which many manifests of an index may have, are read once."""
    same = (
        found,
        manifest.annotations.get(CHECKSUM),
        manifest.layers,
        *(layer.annotations.get(TITLE) for layer in manifest.layers),
    )
    if same in look.known:
        return look.known[same]._replace(manifest=manifest)
    look.known.clear()  # children that differ are refused as soon as they do
    look.known[same] = report = _read_layers(look, manifest, found)
    return report


def _read_layers(look: _Look, manifest: Manifest, found: Format) -> Report:
    layers = Layers(look.contents, manifest, named=look.named)
    reading = Reading(manifest, look.spent, look.limits, look.keep, exact=look.exact)
    for file, place in layers.files():
        reading.take(file, place)
    resources = reading.finish()
    return Report(
        manifest=manifest,
        format=found,
        encrypted=reading.encrypted,
        resources=resources,
        obstacles=_obstacles(manifest, first_layer_is_gzip=layers.first_is_gzip, encrypted=reading.encrypted),
        content=reading.content.hexdigest(),
        notes=_notes(resources, layers.beside),
    )


def _notes(resources: tuple[Resource, ...], beside: int) -> tuple[str, ...]:
    """What was met and not read, in words."""
    unread = sum(resource.unread for resource in resources)
    notes = []
    if unread:
        what = (
            "1 text that stands where an image does is"
            if unread == 1
            else f"{unread} texts that stand where images do are"
        )
        notes.append(f"{what} no image's name (a pattern, a variable) and not listed.")
    if beside:
        what = "1 layer was" if beside == 1 else f"{beside} layers were"
        notes.append(f"{what} passed over: bills of materials, provenance or signatures.")
    return tuple(notes)


def _obstacles(manifest: Manifest, *, first_layer_is_gzip: bool, encrypted: bool) -> dict[str, str | None]:
    if encrypted:
        only = "The contents are encrypted with age, which kustomizer alone undoes."
        return {"byoa": None, "flux": only, "argo_cd": only}
    return {
        "byoa": None,
        "flux": why_not_flux(manifest, first_layer_is_gzip=first_layer_is_gzip),
        "argo_cd": why_not_argo_cd(manifest),
    }
