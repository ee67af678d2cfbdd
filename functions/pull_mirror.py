"""PullMirror: the mirror by digest into quarantine. It asks our own registry and no other."""

from byoa.bootstrap import installs, pipeline
from byoa.installs.states import CheckedDeploy, PulledMirror
from byoa.installs.steps import pull_mirror
from byoa.step import step


@step
def handler(checked: CheckedDeploy) -> PulledMirror:
    """Pull all of it."""
    quarantine = pipeline.quarantine_of(checked.organisation)
    pace = pipeline.pace()._replace(spread_from=None)
    return pull_mirror.pull_mirror(checked, installs.mirror(checked), quarantine, pace)
