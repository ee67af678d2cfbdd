"""StageArtifact: fetched once, verified, into quarantine."""

from byoa.bootstrap import pipeline, sources
from byoa.builds import stage
from byoa.builds.messages import PinnedArtifact, StagedArtifact
from byoa.step import step


@step
def handler(pinned: PinnedArtifact) -> StagedArtifact:
    """Fetch all of the pinned artifact, or say which blobs others are to fetch."""
    quarantine, source = pipeline.quarantine(pinned), sources.source(pinned, sources.lent(pinned))
    return stage.stage(
        pinned, source, quarantine, pipeline.lists(pinned), pipeline.books(pinned, budgets=True), pipeline.pace()
    )
