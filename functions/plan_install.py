"""PlanInstall: what a deploy would do to the cluster."""

from byoa.bootstrap import installs
from byoa.installs.states import LoadedDeploy, PlannedInstall
from byoa.installs.steps import plan_install
from byoa.step import step


@step
def handler(loaded: LoadedDeploy) -> PlannedInstall:
    """Plan it."""
    with installs.planning(loaded) as table:
        return plan_install.plan_install(loaded, table)
