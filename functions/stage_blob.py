"""StageBlob: one blob of an artifact that is too large for one invocation, into quarantine."""

from byoa.bootstrap import pipeline as bootstrap
from byoa.builds import stage as transfers
from byoa.builds.messages import BlobDone, StageBlobTask
from byoa.step import step


@step
def handler(task: StageBlobTask) -> BlobDone:
    """Fetch the blob, or as much of it as there is time for."""
    quarantine, source = bootstrap.quarantine(task.artifact), bootstrap.source(task.artifact)
    return transfers.stage_blob(task, source, quarantine, bootstrap.books(), bootstrap.pace())
