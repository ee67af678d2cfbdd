"""InspectArtifact: whether these are Kubernetes manifests. It parses strangers' bytes and reaches nothing else."""

from byoa.bootstrap import pipeline
from byoa.builds import inspect
from byoa.builds.messages import InspectedArtifact, StagedArtifact
from byoa.step import step


@step
def handler(staged: StagedArtifact) -> InspectedArtifact:
    """Look into the quarantined artifact."""
    return inspect.inspect(staged, pipeline.quarantine(staged))
