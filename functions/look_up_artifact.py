"""LookUpArtifact: what references mean, and what they lead to brought to where it can be read."""

from byoa.bootstrap import lookups
from byoa.builds import look_up
from byoa.builds.lookups import LookedUp, LookUp
from byoa.step import step


@step
def handler(asked: LookUp) -> LookedUp:
    """Ask the registries, and read no contents."""
    return look_up.look_up(asked, lookups.means(asked.organisation))
