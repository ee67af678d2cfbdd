"""ResolveDigest: tag → digest; from here on only the digest counts."""

from byoa.bootstrap import pipeline, sources
from byoa.builds import resolve
from byoa.builds.messages import PinnedArtifact, ValidReference
from byoa.step import step


@step
def handler(reference: ValidReference) -> PinnedArtifact:
    """Pin the artifact."""
    lent = sources.lent(reference)
    return resolve.resolve(reference, sources.source(reference, lent), pipeline.books(reference, budgets=True), lent)
