"""What was packed is looked into before it is sent, by the code that will look into it in the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.bootstrap import terminal
from byoa.content import inspection
from byoa.engine.contents import VerifiedContents
from byoa.errors import ByoaError, ContentNotFound, Rejected
from byoa.trust.limits import STAGED
from byoa_cli.gathering import kustomization
from byoa_cli.packaging import package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.content.inspection import Report
    from byoa.content.packing import Packed
    from byoa_cli.gathering import Gathered

_UNBUILT = ("kustomization.yaml", "kustomization.yml")


def vet(packed: Packed, files: Sequence[Gathered]) -> tuple[Report | None, list[ByoaError]]:
    """What the artifact holds, or all that the pipeline would refuse it for, each fault with its file."""
    try:
        return _look_into(packed), []
    except Rejected as fault:
        # The inspection ends at its first fault. Each file by itself tells which file that is, and what of the others.
        faults = [found for each in files if (found := _fault_of(each))]
        return None, faults or [fault]
    except ByoaError as fault:
        return None, [fault]


def _look_into(packed: Packed) -> Report:
    return inspection.inspect(VerifiedContents(terminal.packed(packed)), packed.manifest, STAGED)


def _fault_of(gathered: Gathered) -> ByoaError | None:
    try:
        _look_into(package([gathered.file], "flux", {}))
    except ContentNotFound:
        return None  # a file of comments alone: others have objects
    except Rejected as fault:
        unbuilt = gathered.file.path.rpartition("/")[2] in _UNBUILT
        fault.where = gathered.shown
        return kustomization(gathered.shown) if unbuilt else fault
    return None
