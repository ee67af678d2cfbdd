"""FollowTags: what was pushed is looked at again, for all components that name it."""

from byoa.bootstrap import hooks
from byoa.step import step
from byoa.tracking import follow
from byoa.tracking.messages import Followed, Notice


@step
def handler(notice: Notice) -> Followed:
    """Note which tags moved."""
    return follow.follow(notice, hooks.means())
