"""What an app has to deploy: its components with what they depend on, and the newest active build of each."""

from __future__ import annotations

from functools import cached_property
from itertools import batched
from typing import TYPE_CHECKING, Final

from byoa.api.paging import LONGEST
from byoa.api.ports import Span

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from byoa.api.ports import Component, Inventory
    from byoa.builds.messages import Build
    from byoa.installs.order import Dependencies

_LOOKED_AT: Final = 100
"""Builds of a component that are looked at for an active one."""


class Offered:
    """Implements ``installs.behind.App`` by what an organisation has; components are read once."""

    def __init__(self, inventory: Inventory, app: str) -> None:
        self._inventory = inventory
        self._app = app

    @cached_property
    def components(self) -> Mapping[str, Component]:
        """All of the app, by name."""
        every: dict[str, Component] = {}
        after: str | None = None
        while True:
            part = self._inventory.components(self._app, "", Span(0, LONGEST, after))
            every |= {each.name: each for each in part.items}
            after = part.more
            if after is None:
                return every

    def dependencies(self) -> Dependencies:
        """See ``installs.behind.App``."""
        return {name: each.dependencies for name, each in self.components.items()}

    def newest_active(self, components: Collection[str]) -> dict[str, Build]:
        """See ``installs.behind.App``. A component's own read is only for one whose newest build isn't active."""
        every = [self.components[name] for name in components if name in self.components]
        newest: dict[str, Build] = {}
        for several in batched(every, LONGEST, strict=False):
            newest |= {name: build for (_, name), build in self._inventory.newest(several).items()}
        found = {each.name: self._active(each, newest.get(each.name)) for each in every}
        return {name: build for name, build in found.items() if build}

    def _active(self, component: Component, newest: Build | None) -> Build | None:
        if newest is None or newest.status == "active":
            return newest
        older = self._inventory.builds(component, Span(0, _LOOKED_AT)).items
        return next((each for each in older if each.status == "active"), None)
