"""InspectArtifact: whether these are Kubernetes manifests. It parses strangers' bytes and reaches nothing else."""

from byoa.bootstrap import pipeline as bootstrap
from byoa.builds import inspect as examining
from byoa.builds.messages import InspectedArtifact, StagedArtifact
from byoa.step import step


@step
def handler(staged: StagedArtifact) -> InspectedArtifact:
    """Look into the quarantined artifact."""
    return examining.examine(staged, bootstrap.quarantine(staged))
