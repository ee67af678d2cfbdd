"""RetireTags: earlier versions' tags leave a digest before ECR's limit is reached."""

from byoa.bootstrap import pipeline
from byoa.builds import retire
from byoa.builds.messages import Retired, RetireTask
from byoa.step import step


@step
def handler(task: RetireTask) -> Retired:
    """Take the oldest tags off."""
    return retire.retire(task, pipeline.tags(task.artifact), pipeline.series())
