"""MirrorArtifact: quarantine → one target, bytes verbatim."""

from byoa.bootstrap import pipeline
from byoa.builds import mirror
from byoa.builds.messages import MirroredArtifact, MirrorTask
from byoa.step import step


@step
def handler(task: MirrorTask) -> MirroredArtifact:
    """Copy the inspected artifact to the task's target, or say which blobs others are to copy."""
    target, place = pipeline.target(task)
    quarantine = pipeline.quarantine(task.artifact)
    return mirror.mirror(task, quarantine, target, place, pipeline.books(task.artifact), pipeline.pace())
