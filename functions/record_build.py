"""RecordBuild: status, history and receipt, whatever happened."""

from byoa import bootstrap, recording
from byoa.messages import BuildEnded, Outcome
from byoa.step import count_build, step


@step
def handler(ended: BuildEnded) -> Outcome:
    """Write how the build ended."""
    outcome = recording.record(ended, bootstrap.ledger(), bootstrap.clock(), bootstrap.signer())
    count_build(outcome.status)
    return outcome
