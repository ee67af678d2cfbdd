"""StageArtifact: fetched once, verified, into quarantine."""

from byoa.bootstrap import pipeline as bootstrap
from byoa.builds import stage as transfers
from byoa.builds.messages import PinnedArtifact, StagedArtifact
from byoa.step import step


@step
def handler(pinned: PinnedArtifact) -> StagedArtifact:
    """Fetch all of the pinned artifact, or say which blobs others are to fetch."""
    quarantine, source = bootstrap.quarantine(pinned), bootstrap.source(pinned)
    return transfers.stage(pinned, source, quarantine, bootstrap.books(), bootstrap.pace())
