"""MirrorArtifact: quarantine → one target, bytes verbatim."""

from byoa.bootstrap import pipeline as bootstrap
from byoa.builds import stage as transfers
from byoa.builds.messages import MirroredArtifact, MirrorTask
from byoa.step import step


@step
def handler(task: MirrorTask) -> MirroredArtifact:
    """Copy the inspected artifact to the task's target, or say which blobs others are to copy."""
    target, place = bootstrap.target(task)
    quarantine = bootstrap.quarantine(task.artifact)
    return transfers.mirror(task, quarantine, target, place, bootstrap.books(), bootstrap.pace())
