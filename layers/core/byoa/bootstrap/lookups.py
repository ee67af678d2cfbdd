"""What lookups may use. LookUpArtifact: registries with what vendors lend, and the organisation's quarantine and quota.

AnswerLookup: that function and the one that reads, and the place where an answer is kept.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from byoa.bootstrap import clients, pipeline, sources

if TYPE_CHECKING:
    from byoa.adapters.aws.lookups import StackFunctions, TableShelf
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


def functions() -> StackFunctions:
    """The stack's functions of lookups, each asked for as long as it may take."""
    from byoa.adapters.aws.lookups import StackFunctions

    return StackFunctions(clients.functions, pipeline.settings().stack)


def shelf(organisation: str) -> TableShelf:
    """Where the organisation's answers are kept."""
    from byoa.adapters.aws.lookups import TableShelf
    from byoa.adapters.aws.rows import Rows

    return TableShelf(organisation, Rows(clients.dynamodb(organisation), pipeline.settings().table), pipeline.clock())
