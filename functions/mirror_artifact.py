"""MirrorArtifact: quarantine → one target, bytes verbatim."""

from byoa import bootstrap, workflow
from byoa.messages import MirroredArtifact, MirrorTask
from byoa.step import step


@step
def handler(task: MirrorTask) -> MirroredArtifact:
    """Copy the inspected artifact to the task's target."""
    target, place = bootstrap.target(task)
    quarantine = bootstrap.quarantine(task.artifact)
    return workflow.mirror(task, quarantine, target, place, bootstrap.ledger(), bootstrap.clock())
