"""LoadManifests: an artifact's objects as data, with the install's values in their placeholders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from byoa.content import inspection
from byoa.errors import ContentNotFound, MediaTypeUnsupported
from byoa.installs.rendering import render

if TYPE_CHECKING:
    from byoa.content.nodes import Mapping
    from byoa.content.ports import Contents
    from byoa.installs.objects import Object
    from byoa.oci.graph import GraphLimits
    from byoa.oci.manifest import Manifest


def load(contents: Contents, root: Manifest, limits: GraphLimits, state: dict[str, Any]) -> tuple[Object, ...]:
    """The objects of the artifact under ``root``, rendered with ``state`` (what ``.nuon`` is there); none if empty.

    Raises what ``inspection.inspect`` raises, ``MediaTypeUnsupported`` for encrypted contents, and
    ``TemplateInvalid``.
    """
    found: list[Mapping] = []
    try:
        report = inspection.inspect(contents, root, limits, named=True, keep=found.append, exact=True)
    except ContentNotFound:
        return ()
    if report.encrypted:
        raise MediaTypeUnsupported("The contents are encrypted, and nothing here can undo that.")
    return tuple(render(each, state) for each in found)
