"""ReleaseDeploys: a deploy has ended, so those that waited for it begin, or are skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.builds.messages import Message
from byoa.installs.messages import ENDED
from byoa.installs.runs import go_on, unfold

if TYPE_CHECKING:
    from byoa.installs.messages import DeployStatusChanged
    from byoa.installs.ports import Installs


class DeploysReleased(Message):
    """How many deploys begin now, and how many never will because what they waited for didn't go well."""

    begun: int
    skipped: int


def release_deploys(changed: DeployStatusChanged, installs: Installs) -> DeploysReleased:
    """Go on with the run of a deploy that has ended. Told twice it does nothing more.

    Whoever asked for the run may have died before all of it was asked for: that is done here.
    """
    install, ended = installs.install(changed.install_id), installs.look(changed.key)
    if install is None or ended is None or ended.status not in ENDED:
        return DeploysReleased(begun=0, skipped=0)
    asked = unfold(ended, install, installs) if ended.dependents else []
    begun, skipped = go_on([*installs.waiting(install), *asked], installs, ended)
    return DeploysReleased(begun=begun, skipped=skipped)
