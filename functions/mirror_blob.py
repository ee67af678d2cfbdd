"""MirrorBlob: one blob of an artifact that is too large for one invocation, quarantine → one target."""

from byoa.bootstrap import pipeline as bootstrap
from byoa.builds import stage as transfers
from byoa.builds.messages import BlobDone, MirrorBlobTask
from byoa.step import step


@step
def handler(task: MirrorBlobTask) -> BlobDone:
    """Copy the blob, or as much of it as there is time for."""
    target, _ = bootstrap.target(task)
    quarantine = bootstrap.quarantine(task.artifact)
    return transfers.mirror_blob(task, quarantine, target, bootstrap.books(), bootstrap.pace())
