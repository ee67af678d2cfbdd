"""Deploys of one install that are asked for in order, by one call or by several: see ``runs``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from byoa.errors import ContentTooLarge
from byoa.installs.bounds import WAITED
from byoa.installs.order import nearest
from byoa.installs.runs import WELL, before_of, go_on, went_well

if TYPE_CHECKING:
    from byoa.installs.messages import Deploy, Install, InstallComponent, Operation
    from byoa.installs.order import Dependencies
    from byoa.installs.ports import Installs, Request


class Line:
    """Deploys that are asked for in order, each behind what is asked for, or under way, before it.

    ``order`` has for each component those that go before it.
    """

    def __init__(self, install: Install, installs: Installs, order: Dependencies) -> None:
        self._install = install
        self._installs = installs
        self._order = order
        self._asked: dict[str, Deploy] = {}
        self._parts: dict[str, InstallComponent] | None = None
        self._busy: dict[str, Deploy] = {}

    def add(self, component: str, request: Request) -> None:
        """Ask for a component's deploy, behind others. Those before it have to be added first.

        Raises ``ContentTooLarge`` for one that would wait for more than 500 others, and what asking raises.
        """
        if self._parts is None:
            self._parts = {each.component: each for each in self._installs.components(self._install)}
            unwell = [name for name, each in self._parts.items() if each.status not in WELL]
            self._busy = self._installs.newest(self._install, unwell)
        names = nearest(component, {*self._asked, *self._parts}, self._order)
        before = (self._asked.get(name) or self._under_way(name, request.operation) for name in names)
        behind = request._replace(waits_for=tuple(before_of(each) for each in before if each))
        if len(behind.waits_for) > WAITED:
            raise ContentTooLarge(
                f"A deploy waits for {WAITED} others at most, and this one would for {len(behind.waits_for)}.",
                remedy="Deploy or tear down those that it depends on first.", where=component,
            )  # fmt: skip
        self._asked[component] = self._installs.ask(self._install, component, behind)

    def done(self) -> list[Deploy]:
        """What was asked for, as it is now: the first may have ended before the last was asked for."""
        go_on(self._asked.values(), self._installs)
        now = self._installs.looks([each.key for each in self._asked.values()])
        return [now.get(each.key, each) for each in self._asked.values()]

    def _under_way(self, component: str, operation: Operation) -> Deploy | None:
        """The newest deploy of a component that nobody asks for now: another call has, or there is nothing to deploy.

        What ended well is waited for by nobody; what failed stands in the way, unless it is a teardown that has left
        nothing.
        """
        deploy = self._busy.get(component)
        if deploy is None or deploy.operation != operation or deploy.plan_only or went_well(deploy):
            return None
        left = (self._parts or {})[component].objects
        return None if operation == "teardown" and deploy.ended and not left else deploy
