"""SweepBuilds: builds that were never told of, and builds that died unheard."""

from byoa.bootstrap import pipeline
from byoa.builds import sweep
from byoa.builds.messages import SweepDue, Swept
from byoa.step import count_swept, step


@step
def handler(_due: SweepDue) -> Swept:
    """Tell again and end what should have gone on."""
    swept = sweep.sweep(pipeline.unfinished(), pipeline.clock())
    count_swept(swept)
    return swept
