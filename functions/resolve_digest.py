"""ResolveDigest: tag → digest; from here on only the digest counts."""

from byoa import bootstrap, workflow
from byoa.messages import PinnedArtifact, ValidReference
from byoa.step import step


@step
def handler(reference: ValidReference) -> PinnedArtifact:
    """Pin the artifact."""
    return workflow.resolve(reference, bootstrap.source(reference), bootstrap.books())
