"""Several deploys of one install in order: those that wait for others begin when these went well, or are skipped.

What a run consists of is written with the deploy that it begins with, so that whoever finds that one can go on with
it. Everything here may be called again, by several at once: a component has one deploy of a run, and a deploy waits
once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from byoa.builds.messages import Failure
from byoa.errors import DependencyFailed
from byoa.installs.messages import Before, DeployKey
from byoa.installs.ports import IN_A_RUN, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from byoa.installs.messages import Deploy, DeployStatus, Install
    from byoa.installs.ports import Installs

WELL: Final[frozenset[DeployStatus]] = frozenset(("active", "noop", "inactive"))


def went_well(deploy: Deploy, *, planned: bool = False) -> bool:
    """Whether what waits for it may begin; where a run is only ``planned``, a plan is enough."""
    return deploy.failure is None and (deploy.status in WELL or (planned and deploy.status == "auto-skipped"))


def verdict(deploy: Deploy, look: Callable[[DeployKey], Deploy | None]) -> Literal["wait", "go"] | Failure:
    """What becomes of a deploy that waits for others, as these are now.

    Of one that somebody asked for what was overtaken has gone wrong; for a followed build it goes on as what overtook.
    """
    waits = False
    for before in deploy.waits_for:
        found = look(key_of(deploy, before))
        if deploy.cause == "followed":
            found = _in_its_place(found, look)
            if found and not (is_awaited(found) and _is_behind_nobody(found, before)):
                continue
        if found is None or (found.ended and not went_well(found, planned=deploy.plan_only)):
            return _skipped(before, found)
        waits = waits or not found.ended
    return "wait" if waits else "go"


def _in_its_place(found: Deploy | None, look: Callable[[DeployKey], Deploy | None]) -> Deploy | None:
    """What overtook a deploy, or it. Nobody would ask for a followed build again that was skipped for it."""
    while found and (number := found.metadata.get("overtaken_by")):
        found = look(found.key.model_copy(update={"number": int(number)}))
    return found


def _is_behind_nobody(found: Deploy, before: Before) -> bool:
    """Else each might wait for the other; what was asked for first never does."""
    return found.number == before.number or found.status != "pending"


def is_awaited(deploy: Deploy) -> bool:
    """Whether a followed build waits for it: it may change what is there, to something that can be depended on."""
    return deploy.operation == "apply" and not deploy.plan_only


def key_of(deploy: Deploy, before: Before) -> DeployKey:
    """The deploy that one waits for, in the same install."""
    return deploy.key.model_copy(update={"component": before.component, "number": before.number})


def before_of(deploy: Deploy) -> Before:
    """A deploy as those name it that wait for it."""
    return Before(component=deploy.component, number=deploy.number, id=deploy.id)


def unfold(first: Deploy, install: Install, installs: Installs, most: int | None = None) -> list[Deploy]:
    """Ask for the deploys behind the ``first`` of a run that nobody has asked for yet, in order: all, or so many anew.

    A component that was deployed anew since has left the run before it came in, and so has what was to follow it. The
    answer is what is behind it now. Raises what asking raises; whoever comes next goes on from there.
    """
    asked, anew = {first.component: first}, 0
    newest = installs.newest(install, [each.component for each in first.dependents])
    for each in first.dependents:
        there = newest.get(each.component)
        if there is not None and there.run == first.id:
            asked[each.component] = there
        elif anew == most:
            break
        elif asked.keys() >= {*each.after} and not (there and _was_overtaken(first, there, install, installs)):
            anew += 1
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


def _was_overtaken(first: Deploy, there: Deploy, install: Install, installs: Installs) -> bool:
    """Whether a component, whose newest deploy is ``there``, was deployed or torn down since the ``first`` of a run.

    Not by the run. Where there were more looks and plans since than are looked through, it may have been.
    """
    if there.created_at_ts <= first.created_at_ts:
        return False
    newest = installs.deploys(install, there.component, IN_A_RUN).items
    if any(each.run == first.id for each in newest):
        return False
    since = [each for each in newest if each.created_at_ts > first.created_at_ts]
    return len(since) == IN_A_RUN or any(each.operation != "drift" and not each.plan_only for each in since)


def go_on(waiting: Iterable[Deploy], installs: Installs, ended: Deploy | None = None) -> tuple[int, int]:
    """Look at deploys of one install that wait for others: how many begin now, and how many are skipped.

    All of them, or those alone that wait for the component of one that has ``ended``, which may have taken another
    one's place; and then those behind what is skipped here.
    """
    found = {each.key: each for each in waiting if each.status == "pending"}
    behind = _behind(found.values())
    todo, seen = (behind.get(ended.component, []) if ended else [*found]), _Looks(installs)
    begun = skipped = 0
    while todo:
        seen.fetch(key_of(found[key], before) for key in todo for before in found[key].waits_for)
        late: list[DeployKey] = []
        for key in todo:
            said = verdict(found[key], seen.look)
            failure = said if isinstance(said, Failure) else None
            released = installs.release(key, failure) if said != "wait" else None
            if released:
                seen.note(released)
                begun, skipped = begun + (failure is None), skipped + (failure is not None)
                late += [] if failure is None else behind.get(key.component, [])
        todo = [*dict.fromkeys(late)]
    return begun, skipped


def _behind(waiting: Iterable[Deploy]) -> dict[str, list[DeployKey]]:
    """What waits for a deploy of each component."""
    found: dict[str, list[DeployKey]] = {}
    for each in waiting:
        for before in each.waits_for:
            found.setdefault(before.component, []).append(each.key)
    return found


class _Looks:
    """Deploys that are looked at once in a round, though several wait for them."""

    def __init__(self, installs: Installs) -> None:
        self._installs = installs
        self._found: dict[DeployKey, Deploy | None] = {}

    def fetch(self, keys: Iterable[DeployKey]) -> None:
        """Look at several together, of which none was looked at before."""
        unseen = [key for key in dict.fromkeys(keys) if key not in self._found]
        there = self._installs.looks(unseen) if unseen else {}
        self._found |= {key: there.get(key) for key in unseen}

    def look(self, key: DeployKey) -> Deploy | None:
        """One of them, or one that took its place; ``None`` where there is none."""
        self.fetch([key])
        return self._found[key]

    def note(self, deploy: Deploy) -> None:
        """What one has become since."""
        self._found[deploy.key] = deploy


def _skipped(before: Before, found: Deploy | None) -> Failure:
    how = found.status if found else "gone"
    number = found.number if found else before.number
    told = DependencyFailed(f"It waited for deploy {number} of {before.component}, which is {how}.")
    return Failure(code=told.code, cause=told.cause, remedy=told.remedy)
