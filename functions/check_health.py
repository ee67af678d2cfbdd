"""CheckHealth: one look at what was applied."""

from byoa.bootstrap import installs
from byoa.installs.states import HealthSeen, HealthTask
from byoa.installs.steps import check_health
from byoa.step import step


@step
def handler(task: HealthTask) -> HealthSeen:
    """Look."""
    with installs.site(task) as site:
        return check_health.check_health(task, site)
