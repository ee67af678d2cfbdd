"""RecordStopped: an execution that ended without RecordBuild still ends its build."""

from byoa.bootstrap import pipeline as bootstrap
from byoa.builds import record as recording
from byoa.builds.messages import Outcome, StoppedExecution
from byoa.step import count_build, step


@step
def handler(stopped: StoppedExecution) -> Outcome | None:
    """End the build of an execution that was stopped or gave up."""
    build = recording.record_stopped(stopped, bootstrap.ledger(), bootstrap.clock())
    if build is None:
        return None
    count_build(build.status)
    return build.outcome
