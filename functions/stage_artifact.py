"""StageArtifact: fetched once, verified, into quarantine."""

from byoa import bootstrap, workflow
from byoa.messages import PinnedArtifact, StagedArtifact
from byoa.step import step


@step
def handler(pinned: PinnedArtifact) -> StagedArtifact:
    """Fetch all of the pinned artifact."""
    quarantine = bootstrap.quarantine(pinned)
    return workflow.stage(pinned, bootstrap.source(pinned), quarantine, bootstrap.ledger(), bootstrap.clock())
