"""FollowBuilds: a build that became active is deployed to the installs that follow its component."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydantic import ConfigDict

from byoa.builds.messages import BuildId, BuildKey, Message
from byoa.installs.ports import Request

if TYPE_CHECKING:
    from byoa.installs.messages import Install
    from byoa.installs.ports import Installs

_PAGE: Final = 100
_LOOKED: Final = 10
_PAGES: Final = 20
"""Parts of a component's deploys that are gone through: of looks for drift there may be many since it was deployed."""


class BuildActive(BuildKey):
    """The detail of a "Component Build Status Changed" event, as far as it matters here."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    id: BuildId


class BuildFollowed(Message):
    """How many deploys were asked for."""

    asked: int


def follow_builds(built: BuildActive, installs: Installs) -> BuildFollowed:
    """Ask for a deploy of the build in each install of its app that follows the component.

    Told twice it asks once: a deploy of the build, or of a later one, that there is already is enough.
    """
    asked, after = 0, None
    while True:
        page = installs.page(built.app, _PAGE, after=after)
        for install in page.items:
            if built.component not in install.follow:
                continue
            if _is_deployed(built, install, installs):
                continue
            installs.ask(install, built.component, Request("apply", built.id, built.version, cause="followed"))
            asked += 1
        after = page.more
        if after is None:
            return BuildFollowed(asked=asked)


def _is_deployed(built: BuildActive, install: Install, installs: Installs) -> bool:
    """Whether the build, or a later one, is among the newest deploys that name a build's version at all."""
    after: str | None = None
    for _ in range(_PAGES):
        part = installs.deploys(install, built.component, _LOOKED, after)
        versions = [each.config_version for each in part.items if each.operation == "apply" and each.config_version]
        if versions or part.more is None:
            return any(version >= built.version for version in versions)
        after = part.more
    return False
