"""Several deploys of one install in order: those that wait for others begin when these went well, or are skipped.

What a run consists of is written with the deploy that it begins with, so that whoever finds that one can go on with
it. Everything here may be called again, by several at once: a component has one deploy of a run, and a deploy waits
once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from byoa.builds.messages import Failure
from byoa.errors import ContentTooLarge, DependencyFailed
from byoa.installs.bounds import WAITED
from byoa.installs.messages import Before, DeployKey
from byoa.installs.order import nearest
from byoa.installs.ports import IN_A_RUN, Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from byoa.installs.messages import Deploy, DeployStatus, Install, InstallComponent, Operation
    from byoa.installs.order import Dependencies
    from byoa.installs.ports import Installs

_WELL: Final[frozenset[DeployStatus]] = frozenset(("active", "noop", "inactive"))


def went_well(deploy: Deploy, *, planned: bool = False) -> bool:
    """Whether what waits for it may begin; where a run is only ``planned``, a plan is enough."""
    return deploy.failure is None and (deploy.status in _WELL or (planned and deploy.status == "auto-skipped"))


def verdict(deploy: Deploy, look: Callable[[DeployKey], Deploy | None]) -> Literal["wait", "go"] | Failure:
    """What becomes of a deploy that waits for others, as these are now."""
    waits = False
    for before in deploy.waits_for:
        found = look(key_of(deploy, before))
        if found is None or (found.ended and not went_well(found, planned=deploy.plan_only)):
            return _skipped(before, found)
        waits = waits or not found.ended
    return "wait" if waits else "go"


def key_of(deploy: Deploy, before: Before) -> DeployKey:
    """The deploy that one waits for, in the same install."""
    return deploy.key.model_copy(update={"component": before.component, "number": before.number})


def before_of(deploy: Deploy) -> Before:
    """A deploy as those name it that wait for it."""
    return Before(component=deploy.component, number=deploy.number, id=deploy.id)


def unfold(first: Deploy, install: Install, installs: Installs) -> list[Deploy]:
    """Ask for the deploys behind the ``first`` of a run that nobody has asked for yet; all of them, in order.

    A component that was deployed anew since has left the run before it came in, and so has what was to follow it.
    Raises what asking raises; whoever comes next goes on from there.
    """
    asked = {first.component: first}
    for each in first.dependents:
        if not asked.keys() >= {*each.after} or _was_overtaken(first, each.component, install, installs):
            continue
        request = Request(
            first.operation,
            each.build_id,
            each.config_version,
            plan_only=first.plan_only,
            approve_all=first.approve_all,
            cause="followed" if first.cause == "followed" else "asked",
            by=first.created_by,
            run=first.id,
            waits_for=tuple(before_of(asked[name]) for name in each.after),
        )
        asked[each.component] = installs.ask(install, each.component, request)
    return [deploy for name, deploy in asked.items() if name != first.component]


def _was_overtaken(first: Deploy, component: str, install: Install, installs: Installs) -> bool:
    """Whether a component was deployed, or torn down, since the ``first`` of a run, and not by the run.

    Where there were more looks and plans since than are looked through, it may have been.
    """
    newest = installs.deploys(install, component, IN_A_RUN).items
    if any(each.run == first.id for each in newest):
        return False
    since = [each for each in newest if each.created_at_ts > first.created_at_ts]
    return len(since) == IN_A_RUN or any(each.operation != "drift" and not each.plan_only for each in since)


def go_on(install: Install, installs: Installs) -> tuple[int, int]:
    """Look at all deploys of an install that wait for others: how many begin now, and how many are skipped.

    What is skipped here may be what others wait for, so these come behind it, and it is looked again until nothing more
    happens.
    """
    begun = skipped = 0
    while True:
        before, seen = skipped, _Looks(installs)
        pending = [each for each in installs.components(install) if each.status == "pending"]
        waiting = [deploy for each in pending if (deploy := seen.look(_newest(install, each)))]
        for deploy in sorted(waiting, key=lambda each: each.created_at_ts):
            said = verdict(deploy, seen.look)
            failure = said if isinstance(said, Failure) else None
            released = installs.release(deploy.key, failure) if said != "wait" else None
            if released:
                seen.note(released)
                begun, skipped = begun + (failure is None), skipped + (failure is not None)
        if skipped == before:
            return begun, skipped


def _newest(install: Install, part: InstallComponent) -> DeployKey:
    return DeployKey(
        organisation=install.organisation, install_id=install.id, component=part.component, number=part.number
    )


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

    def add(self, component: str, request: Request) -> None:
        """Ask for a component's deploy, behind others. Those before it have to be added first.

        Raises ``ContentTooLarge`` for one that would wait for more than 500 others, and what asking raises.
        """
        if self._parts is None:
            self._parts = {each.component: each for each in self._installs.components(self._install)}
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
        go_on(self._install, self._installs)
        return [self._installs.look(each.key) or each for each in self._asked.values()]

    def _under_way(self, component: str, operation: Operation) -> Deploy | None:
        """The newest deploy of a component that nobody asks for now: another call has, or there is nothing to deploy.

        What ended well is waited for by nobody; what failed stands in the way, unless it is a teardown that has left
        nothing.
        """
        part = (self._parts or {})[component]
        deploy = self._installs.look(_newest(self._install, part))
        if deploy is None or deploy.operation != operation or deploy.plan_only or went_well(deploy):
            return None
        return None if operation == "teardown" and deploy.ended and not part.objects else deploy


class _Looks:
    """Deploys that are looked at once in a round, though several wait for them."""

    def __init__(self, installs: Installs) -> None:
        self._installs = installs
        self._found: dict[DeployKey, Deploy | None] = {}

    def look(self, key: DeployKey) -> Deploy | None:
        if key not in self._found:
            self._found[key] = self._installs.look(key)
        return self._found[key]

    def note(self, deploy: Deploy) -> None:
        """What one has become since."""
        self._found[deploy.key] = deploy


def _skipped(before: Before, found: Deploy | None) -> Failure:
    how = found.status if found else "gone"
    told = DependencyFailed(f"It waited for deploy {before.number} of {before.component}, which is {how}.")
    return Failure(code=told.code, cause=told.cause, remedy=told.remedy)
