"""InspectArtifact: are these Kubernetes manifests; what its receipt and its build say of the contents."""

from __future__ import annotations

import json
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING

from byoa.builds.messages import (
    LISTED,
    LISTED_CHARACTERS,
    NAMED,
    NAMED_CHARACTERS,
    InspectedArtifact,
    Inspection,
    NamedObjects,
)
from byoa.builds.pinned import root_of
from byoa.content import inspection
from byoa.engine.contents import VerifiedContents
from byoa.trust.limits import STAGED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.builds.messages import StagedArtifact
    from byoa.content.inspection import Report
    from byoa.engine.ports import Source
    from byoa.oci.manifest import Manifest


def inspect(staged: StagedArtifact, quarantine: Source) -> InspectedArtifact:
    """Look into the quarantined artifact. Reads the quarantine and touches nothing else."""
    report = look_into(quarantine, root_of(staged, quarantine))
    return InspectedArtifact(**staged.model_dump(), inspection=summarise(report), objects=name_objects(report))


def look_into(source: Source, root: Manifest) -> Report:
    """What the artifact under ``root`` holds, held to what a vendor's artifact may consist of.

    Raises what ``inspection.inspect`` and reading the source raise.
    """
    return inspection.inspect(VerifiedContents(source), root, STAGED)


def summarise(report: Report) -> Inspection:
    """A report cut to what a message can carry."""
    kinds = Counter(resource.kind for resource in report.resources)
    namespaces = sorted({resource.namespace for resource in report.resources if resource.namespace})
    return Inspection(
        format=report.format.value,
        encrypted=report.encrypted,
        templated=report.templated,
        resources=len(report.resources),
        kinds={kind: kinds[kind] for kind in _cut(sorted(kinds))},
        namespaces=_cut(namespaces),
        images=_cut(report.images),
        usable_by=report.usable_by,
    )


def name_objects(report: Report) -> NamedObjects:
    """The first objects by their names, as many as a message carries, in the order of kinds and names."""
    every = report.resources
    named = sorted((each.kind, f"{each.namespace}/{each.name}" if each.namespace else each.name) for each in every)
    found: dict[str, list[str]] = {}
    room, count = NAMED_CHARACTERS, 0
    for kind, name in named[:NAMED]:
        room -= len(json.dumps(name)) + 2 + (0 if kind in found else len(json.dumps(kind)) + 6)
        if room < 0:
            break
        found.setdefault(kind, []).append(name)
        count += 1
    return NamedObjects(by_kind=found, left_out=len(named) - count)


def _cut(names: Sequence[str]) -> list[str]:
    """The first of them, as many as a message lists."""
    lengths = accumulate(len(name) for name in names[:LISTED])
    return [name for name, length in zip(names, lengths, strict=False) if length <= LISTED_CHARACTERS]
