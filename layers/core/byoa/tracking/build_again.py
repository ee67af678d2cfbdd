"""BuildAgain: a component whose tag moved is built anew, where the hook that noticed it is for that.

It asks the hook's own record what to do, and the table what is newest: an event says neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.tracking.messages import BuiltAgain

if TYPE_CHECKING:
    from byoa.tracking.messages import TagMoved
    from byoa.tracking.ports import Workshop


def build_again(moved: TagMoved, workshop: Workshop) -> BuiltAgain:
    """Make a new version of the component's newest config, as ``byoa builds create`` does, with the hook's id on it."""
    hook = workshop.hook(moved.hook_id) if moved.hook_id else None
    if hook is None:
        return BuiltAgain(build_id=None, reason="no hook of the organisation's noticed it")
    if hook.action != "build":
        return BuiltAgain(build_id=None, reason="the hook only notes")
    build = workshop.build_anew(moved.key, hook.id)
    if build is None:
        return BuiltAgain(build_id=None, reason="a newer config was handed in, or the component is gone")
    return BuiltAgain(build_id=build.build_id, reason="the tag moved")
