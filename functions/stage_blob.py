"""StageBlob: one blob of an artifact that is too large for one invocation, into quarantine."""

from byoa.bootstrap import pipeline, sources
from byoa.builds import stage
from byoa.builds.messages import BlobDone, StageBlobTask
from byoa.step import step


@step
def handler(task: StageBlobTask) -> BlobDone:
    """Fetch the blob, or as much of it as there is time for."""
    artifact = task.artifact
    quarantine, source = pipeline.quarantine(artifact), sources.source(artifact, sources.lent(artifact))
    return stage.stage_blob(task, source, quarantine, pipeline.books(artifact, budgets=True), pipeline.pace())
