"""BuildAgain: a component whose tag moved is built anew, where a hook is for that."""

from byoa.bootstrap import hooks
from byoa.step import step
from byoa.tracking import build_again
from byoa.tracking.messages import BuiltAgain, TagMoved


@step
def handler(moved: TagMoved) -> BuiltAgain:
    """Build it, or say why not."""
    return build_again.build_again(moved, hooks.workshop(moved.organisation))
