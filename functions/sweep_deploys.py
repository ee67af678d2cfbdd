"""SweepDeploys: deploys that were never told of, died unheard, or wait for nobody's answer."""

from byoa.bootstrap import installs, pipeline
from byoa.builds.messages import SweepDue
from byoa.installs.states import SweptDeploys
from byoa.installs.steps import sweep_deploys
from byoa.step import count_swept_deploys, step


@step
def handler(_due: SweepDue) -> SweptDeploys:
    """Tell again, end and let go of what should have gone on."""
    swept = sweep_deploys.sweep_deploys(installs.attended(), pipeline.clock())
    count_swept_deploys(swept)
    return swept
