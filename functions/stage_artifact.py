"""StageArtifact: fetched once, verified, into quarantine."""

from byoa import bootstrap, transfers
from byoa.messages import PinnedArtifact, StagedArtifact
from byoa.step import step


@step
def handler(pinned: PinnedArtifact) -> StagedArtifact:
    """Fetch all of the pinned artifact, or say which blobs others are to fetch."""
    quarantine, source = bootstrap.quarantine(pinned), bootstrap.source(pinned)
    return transfers.stage(pinned, source, quarantine, bootstrap.books(), bootstrap.pace())
