"""RecordBuild: status, history and receipt, whatever happened."""

from byoa.bootstrap import pipeline
from byoa.builds import record
from byoa.builds.messages import BuildEnded, Outcome
from byoa.step import count_build, step


@step
def handler(ended: BuildEnded) -> Outcome | None:
    """Write how the build ended."""
    outcome = record.record(
        ended, pipeline.ledger(ended), pipeline.clock(), pipeline.signer(), pipeline.lists(ended), pipeline.series()
    )
    if outcome:
        count_build(outcome.status)
    return outcome
