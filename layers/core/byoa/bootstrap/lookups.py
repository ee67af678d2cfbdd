"""What LookUpArtifact may use: registries with what vendors lend, and the organisation's quarantine and quota."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from byoa.bootstrap import pipeline, sources

if TYPE_CHECKING:
    from byoa.builds.look_up import Means


def means(organisation: str) -> Means:
    """Of one organisation. No artifact is left for other invocations to fetch: somebody waits for this one."""
    from byoa.builds.look_up import Means

    return Means(
        lender=sources.lender(organisation, "byoa-look-up"),
        policy=pipeline.policy(),
        budget=pipeline.budget(),
        clock=pipeline.clock(),
        open_source=partial(sources.registry, organisation),
        open_quarantine=partial(pipeline.quarantine_of, organisation),
        quota=pipeline.quota_of(organisation),
        pace=pipeline.pace()._replace(spread_from=None),
    )
