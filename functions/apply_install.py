"""ApplyInstall: a plan to the cluster."""

from byoa.bootstrap import installs, pipeline
from byoa.installs.states import AppliedInstall, ApplyTask
from byoa.installs.steps import apply_install
from byoa.step import step


@step
def handler(task: ApplyTask) -> AppliedInstall:
    """Write as much of it as there is time for."""
    with installs.site(task) as site:
        return apply_install.apply_install(task, site, installs.deploys(task.organisation), pipeline.clock())
