"""StageBlob: one blob of an artifact that is too large for one invocation, into quarantine."""

from byoa.bootstrap import pipeline
from byoa.builds import stage
from byoa.builds.messages import BlobDone, StageBlobTask
from byoa.step import step


@step
def handler(task: StageBlobTask) -> BlobDone:
    """Fetch the blob, or as much of it as there is time for."""
    quarantine, source = pipeline.quarantine(task.artifact), pipeline.source(task.artifact)
    return stage.stage_blob(task, source, quarantine, pipeline.books(task.artifact, budgets=True), pipeline.pace())
