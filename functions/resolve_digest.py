"""ResolveDigest: tag → digest; from here on only the digest counts."""

from byoa.bootstrap import pipeline as bootstrap
from byoa.builds import validate as workflow
from byoa.builds.messages import PinnedArtifact, ValidReference
from byoa.step import step


@step
def handler(reference: ValidReference) -> PinnedArtifact:
    """Pin the artifact."""
    return workflow.resolve(reference, bootstrap.source(reference), bootstrap.books())
