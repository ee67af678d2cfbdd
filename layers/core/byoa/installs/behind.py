"""What is deployed behind a component: all of its app that depend on it, each by its newest active build."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from byoa.errors import ContentTooLarge
from byoa.installs.bounds import DEPENDENTS, WAITED, length
from byoa.installs.messages import Dependent
from byoa.installs.order import dependents_of, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from byoa.builds.messages import Build
    from byoa.installs.order import Dependencies

_REMEDY = "Deploy those that depend on it most directly, each with its own dependents, or all of the app."


class App(Protocol):
    """What an app consists of now."""

    def dependencies(self) -> Dependencies:
        """All of its components by name, each with those that it depends on."""
        ...

    def newest_active(self, components: Collection[str]) -> Mapping[str, Build]:
        """The newest active build of each of them; those that have none are left out."""
        ...


def behind(component: str, app: App) -> tuple[Dependent, ...]:
    """What follows a component, in order. Those without an active build have nothing to deploy, and are passed over.

    Raises ``DependenciesCyclic``, and ``ContentTooLarge`` where they are more than a deploy's record has room for.
    """
    dependencies = app.dependencies()
    names = dependents_of(component, dependencies)
    builds = app.newest_active(names)
    members = {component, *builds}
    found = tuple(
        Dependent(
            component=name,
            build_id=builds[name].build_id,
            config_version=builds[name].version,
            after=nearest(name, members, dependencies),
        )
        for name in names
        if name in builds
    )
    most = max((len(each.after) for each in found), default=0)
    if most > WAITED:
        cause = f"A deploy waits for {WAITED} others at most, and one of the dependents would for {most}."
        raise ContentTooLarge(cause, remedy=_REMEDY, where=component)
    if length([each.model_dump() for each in found]) > DEPENDENTS:
        cause = f"Its {len(found)} dependents are more than the record of one deploy has room for (96 KiB)."
        raise ContentTooLarge(cause, remedy=_REMEDY, where=component)
    return found
