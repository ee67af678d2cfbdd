"""DriftDue: components are looked at for drift by their schedule, and mended where their install has it so."""

from byoa.bootstrap import installs, pipeline
from byoa.installs.states import DriftAsked
from byoa.installs.steps import drift_due
from byoa.installs.steps.drift_due import DriftEvent
from byoa.step import step


@step
def handler(event: DriftEvent) -> DriftAsked:
    """Ask for what is due; or, told that drift was found, have it mended."""
    if event.found is not None:
        return drift_due.mend(event.found, installs.installs(event.found.organisation))
    return drift_due.drift_due(installs.attended(), installs.installs, pipeline.clock())
