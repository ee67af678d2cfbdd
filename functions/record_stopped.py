"""RecordStopped: an execution that ended without RecordBuild still ends its build."""

from byoa.bootstrap import pipeline
from byoa.builds import record
from byoa.builds.messages import Outcome, StoppedExecution
from byoa.step import count_build, step


@step
def handler(stopped: StoppedExecution) -> Outcome | None:
    """End the build of an execution that was stopped or gave up."""
    if stopped.input is None:  # about no build, and so about no organisation whose session could write
        return None
    build = record.record_stopped(stopped, pipeline.ledger(stopped.input.detail), pipeline.clock())
    if build is None:
        return None
    count_build(build.status)
    return build.outcome
