"""ReadArtifacts: what artifacts in quarantine hold. It parses strangers' bytes and reaches nothing else."""

from byoa.bootstrap import pipeline
from byoa.builds import read
from byoa.builds.lookups import LookedUp, ReadContents
from byoa.step import step


@step
def handler(found: LookedUp) -> ReadContents:
    """Read what was fetched for a lookup."""
    return read.read(found, pipeline.quarantine(found))
