"""ResolveDigest: tag → digest; from here on only the digest counts."""

from byoa.bootstrap import pipeline
from byoa.builds import resolve
from byoa.builds.messages import PinnedArtifact, ValidReference
from byoa.step import step


@step
def handler(reference: ValidReference) -> PinnedArtifact:
    """Pin the artifact."""
    return resolve.resolve(reference, pipeline.source(reference), pipeline.books(reference, budgets=True))
