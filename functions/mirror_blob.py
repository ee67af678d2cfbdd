"""MirrorBlob: one blob of an artifact that is too large for one invocation, quarantine → one target."""

from byoa.bootstrap import pipeline
from byoa.builds import mirror
from byoa.builds.messages import BlobDone, MirrorBlobTask
from byoa.step import step


@step
def handler(task: MirrorBlobTask) -> BlobDone:
    """Copy the blob, or as much of it as there is time for."""
    target, _ = pipeline.target(task)
    quarantine = pipeline.quarantine(task.artifact)
    return mirror.mirror_blob(task, quarantine, target, pipeline.books(task.artifact), pipeline.pace())
