"""RecordBuild: status, history and receipt, whatever happened."""

from byoa.bootstrap import pipeline as bootstrap
from byoa.builds import record as recording
from byoa.builds.messages import BuildEnded, Outcome
from byoa.step import count_build, step


@step
def handler(ended: BuildEnded) -> Outcome:
    """Write how the build ended."""
    outcome = recording.record(ended, bootstrap.ledger(), bootstrap.clock(), bootstrap.signer())
    count_build(outcome.status)
    return outcome
