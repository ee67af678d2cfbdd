"""FollowBuilds: a build that became active is deployed to the installs that follow its component."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from pydantic import ConfigDict

from byoa.builds.messages import BuildId, BuildKey, Message
from byoa.errors import ContentTooLarge, DependenciesCyclic
from byoa.installs.behind import behind
from byoa.installs.bounds import WAITED
from byoa.installs.messages import ENDED
from byoa.installs.order import nearest
from byoa.installs.ports import Request
from byoa.installs.runs import before_of, go_on, is_awaited, unfold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.installs.behind import App
    from byoa.installs.messages import Before, Dependent, Deploy, Install
    from byoa.installs.ports import Installs

_PAGE: Final = 100
_LOOKED: Final = 10
_PAGES: Final = 20
"""Parts of a component's deploys that are gone through: of looks for drift there may be many since it was deployed."""

_UNFOLDED: Final = 200
"""Deploys behind others that one call asks for; whoever hears that the first of a run has ended asks for the rest."""


class BuildActive(BuildKey):
    """The detail of a "Component Build Status Changed" event, as far as it matters here."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    id: BuildId


class BuildFollowed(Message):
    """How many deploys were asked for, and how many behind these; ``alone`` says why none is behind any, as a code."""

    asked: int
    behind: int = 0
    alone: str | None = None


def follow_builds(built: BuildActive, installs: Installs, app: App) -> BuildFollowed:
    """Ask for a deploy of the build in each install of its app that follows the component.

    Where the install says so (``deploy_dependents``), it waits for what is under way of those that it depends on, and
    what depends on it is deployed behind it. Told twice it asks once: a deploy of the build, or of a later one, that
    there already is is enough.
    """
    runs = _Runs(built, installs, app)
    asked = [(runs.ask(install), install) for install in _following(built, installs)]
    left = _UNFOLDED
    for deploy, install in asked:
        dependents = unfold(deploy, install, installs, left) if deploy.dependents and left else []
        left -= len(dependents)
        go_on([deploy, *dependents], installs)  # what something waits for may have ended before it was asked for
    return BuildFollowed(asked=len(asked), behind=_UNFOLDED - left, alone=runs.alone)


def _following(built: BuildActive, installs: Installs) -> Iterator[Install]:
    """The installs that follow the component and where nobody has asked for the build, or a later one."""
    after: str | None = None
    while True:
        page = installs.page(built.app, _PAGE, after=after)
        for install in page.items:
            if built.component in install.follow and not _is_deployed(built, install, installs):
                yield install
        after = page.more
        if after is None:
            return


class _Runs:
    """What is asked for in the installs that follow a component: what is behind it is the same in all of them."""

    def __init__(self, built: BuildActive, installs: Installs, app: App) -> None:
        self._built = built
        self._installs = installs
        self._app = app
        self.alone: str | None = None

    def ask(self, install: Install) -> Deploy:
        """The build's deploy in one of them."""
        request = Request("apply", self._built.id, self._built.version, cause="followed")
        if install.deploy_dependents:
            request = request._replace(dependents=self._dependents, waits_for=self._under_way(install))
        return self._installs.ask(install, self._built.component, request)

    @cached_property
    def _dependents(self) -> tuple[Dependent, ...]:
        """None where they have no order, or are too many: nobody is there to be told, and the build is deployed."""
        try:
            return behind(self._built.component, self._app)
        except (ContentTooLarge, DependenciesCyclic) as error:
            self.alone = error.code
            return ()

    def _under_way(self, install: Install) -> tuple[Before, ...]:
        """Deploys that have not ended of those that the component depends on: it is to follow what comes of them."""
        busy = {each.component: each for each in self._installs.components(install) if each.status not in ENDED}
        names = nearest(self._built.component, busy, self._app.dependencies())
        found = self._installs.newest(install, names)
        waits = [before_of(each) for each in found.values() if is_awaited(each)]
        return tuple(waits[:WAITED])


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
