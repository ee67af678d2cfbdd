"""PruneInstall: what a component no longer has leaves the cluster."""

from byoa.bootstrap import installs
from byoa.installs.states import PrunedInstall, PruneTask
from byoa.installs.steps import prune_install
from byoa.step import step


@step
def handler(task: PruneTask) -> PrunedInstall:
    """Delete as much of it as there is time for."""
    with installs.site(task) as site:
        return prune_install.prune_install(task, site)
