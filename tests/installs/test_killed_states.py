"""Functions and executions of a deploy that are killed: others go on, all ends the same, nothing is forgotten."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, Final

import pytest

from byoa.installs.objects import Place
from byoa.installs.states import StoppedDeploy
from byoa.installs.steps.end_stopped_deploy import end_stopped_deploy
from byoa.installs.steps.sweep_deploys import SILENCE, sweep_deploys
from tests.installs.beds import NAMESPACES, config_map, definition, deployment, namespace, service, widget
from tests.installs.platform import INSTALL, Counted, Died, Execution, Platform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.installs.messages import Deploy
    from byoa.installs.objects import Object

BEFORE = [
    config_map("conf", colour="blue"), config_map("old"), service("web"), deployment("web"), definition("corner"),
    widget("corner", "old"), widget("corner", "one", size="1"),
]  # fmt: skip
AFTER = [
    config_map("conf", colour="green"), config_map("new"), service("web"), deployment("web", replicas=3),
    definition("corner", fields=("size", "shape")), widget("corner", "one", shape="round"), namespace("corner-more"),
]  # fmt: skip


def _empty() -> Platform:
    found = Platform()
    found.cluster.create(Place(NAMESPACES, "", "corner"), namespace("corner"))
    found.install()
    return found


def _fresh() -> Platform:
    platform = _empty()
    assert platform.deploy(*BEFORE).status == "active"
    return platform


def _tracked(platform: Platform) -> set[tuple[str, ...]]:
    newest = platform.installs.deploys(platform.installs.install(INSTALL), "web", 1).items[0]  # type: ignore[arg-type]
    inventory = platform.shelf(newest.key, "").read()
    return {tuple(each) for each in inventory.uids} if inventory else set()


def _state(platform: Platform) -> dict[str, Any]:
    """All that is there, but for what is counted."""
    found = {}
    for key, each in platform.cluster._found.items():
        about = {name: value for name, value in each.object["metadata"].items() if name in ("labels", "name")}
        found[str(key)] = {**each.object, "metadata": about, "status": None}
    return {"objects": found, "tracked": sorted(map(str, _tracked(platform)))}


def _forgotten(platform: Platform) -> set[tuple[str, ...]]:
    """What is in the cluster, isn't the namespace that was there before, and isn't tracked."""
    return {key for key in platform.cluster._found if key[1] != "Namespace"} - _tracked(platform)


# ---- once, at any call -------------------------------------------------------------------------------------------


def _calls() -> tuple[dict[str, Any], int]:
    platform, counted = _fresh(), Counted()
    platform.around = counted.around
    assert platform.deploy(*AFTER).status == "active"
    platform.around = lambda found: found
    return _state(platform), counted.calls


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_function_that_is_killed_at_any_call_is_called_again_and_all_ends_the_same(*, after: bool) -> None:
    wanted, calls = _calls()
    for at in range(1, calls + 1):
        platform, counted = _fresh(), Counted(at, after=after)
        platform.around = counted.around
        found = platform.deploy(*AFTER)
        platform.around = lambda found: found
        assert found.status == "active", (at, found.failure)
        assert _state(platform) == wanted, at
        assert platform.deploy(*AFTER).status == "noop", at


def test_an_execution_that_dies_at_any_call_is_ended_and_the_next_deploy_goes_on_from_there() -> None:
    wanted, calls = _calls()
    for at in range(1, calls + 1):
        platform, counted = _fresh(), Counted(at)
        build = platform.build(*AFTER)
        deploy = platform.ask(build)
        platform.around = counted.around
        try:
            _dying(platform, deploy)
        except Died:
            _told_of(platform, deploy)
        platform.around = lambda found: found
        assert platform.store.holders == {}, at
        again = platform.run(platform.ask(build))
        assert again.status in ("active", "noop"), (at, again.failure)
        assert _state(platform) == wanted, at


def _dying(platform: Platform, deploy: Deploy) -> None:
    platform.executions += 1
    Execution(platform, deploy, f"execution-{platform.executions}", retries=0).run()


def _told_of(platform: Platform, deploy: Deploy) -> None:
    """Step Functions' own event about the execution that died last."""
    event = {"detail": {**deploy.key.model_dump(), "operation": "create-apply-plan"}}
    about = {"status": "ABORTED", "name": f"execution-{platform.executions}", "input": json.dumps(event)}
    end_stopped_deploy(StoppedDeploy.model_validate(about), platform.deploys, platform.clock)


# ---- twice, at any two writes, in the whole life of a component --------------------------------------------------

FEW = [config_map("conf", colour="blue"), config_map("old"), deployment("web")]
FEW_AFTER = [config_map("conf", colour="green"), config_map("new"), deployment("web")]

WRITES: Final = frozenset((
    "begin", "change", "finish", "put", "offer_blob", "push_manifest", "write", "apply", "create", "replace", "delete",
))  # fmt: skip


@dataclass
class Writes(Counted):
    """Whoever dies before or after a read leaves what the last write left: so only writes count, and all of them do."""

    dies: tuple[int, ...] = ()

    def call(self, method: Any, *arguments: Any, **named: Any) -> Any:
        answer = method(*arguments, **named)
        if method.__name__ in WRITES and not named.get("dry_run"):
            self.calls += 1
            if self.calls in self.dies:
                raise Died
        return answer


class Built:
    """The two builds of a component, made once."""

    def __init__(self, first: Sequence[Object] = FEW, second: Sequence[Object] = FEW_AFTER) -> None:
        self.platform = _empty()
        self.builds = [self.platform.build(*objects) for objects in (first, second)]


class Life:
    """A component that is created, changed with something to prune, and torn down; who does it is killed meanwhile."""

    def __init__(self, built: Built, *dies: int) -> None:
        self.platform = _empty()
        self.platform.ledger, self.platform.mirror = built.platform.ledger, built.platform.mirror
        self.counted = Writes(dies=dies)
        first, second = built.builds
        teardown = {"build": None, "operation": "teardown"}
        self.asked: list[dict[str, Any]] = [{"build": first}, {"build": second}, teardown]

    def ask(self, number: int) -> Deploy:
        return self.platform.ask(**self.asked[number])

    def run(self, number: int) -> Deploy:
        """A deploy of its three, whose functions are called again."""
        self.platform.around = self.counted.around
        found = self.platform.run(self.ask(number))
        self.platform.around = lambda found: found
        return found

    def die(self, number: int) -> bool:
        """Whether the deploy's execution did. The first that does is told of, the second is only found by a sweep."""
        deploy, platform = self.ask(number), self.platform
        platform.around = self.counted.around
        try:
            _dying(platform, deploy)
        except Died:
            platform.around = lambda found: found
            if self.counted.calls == self.counted.dies[0]:
                _told_of(platform, deploy)
            else:
                platform.clock.moment += SILENCE + timedelta(minutes=1)
                sweep_deploys(platform.deploys, platform.clock)
            return True
        platform.around = lambda found: found
        return False


@dataclass
class Unhurt:
    """How the component stands after each deploy if nobody is killed, and after how many writes."""

    built: Built
    stood: list[tuple[str, Any]]
    writes: list[int]


@pytest.fixture(scope="module")
def unhurt() -> Unhurt:
    found = Unhurt(Built(), [], [])
    life = Life(found.built)
    for number in range(3):
        found.stood.append((life.run(number).status, _state(life.platform)))
        found.writes.append(life.counted.calls)
    assert [status for status, _ in found.stood] == ["active", "active", "inactive"]
    return found


def test_functions_that_are_killed_at_any_two_writes_of_a_deploy_end_the_same(unhurt: Unhurt) -> None:
    for first, last in pairwise([0, *unhurt.writes]):
        for pair in combinations(range(first + 1, last + 1), 2):
            life = Life(unhurt.built, *pair)
            for number, stood in enumerate(unhurt.stood):
                assert (life.run(number).status, _state(life.platform)) == stood, (pair, number)
                assert _forgotten(life.platform) == set(), (pair, number)
            assert life.counted.calls >= pair[-1], "both died"


def test_executions_that_die_at_any_two_writes_leave_nothing_that_is_forgotten(unhurt: Unhurt) -> None:
    for pair in combinations(range(1, unhurt.writes[-1] + 1), 2):
        life = Life(unhurt.built, *pair)
        for number, (_, stood) in enumerate(unhurt.stood):
            for _ in range(3 if number == 2 else 1):  # the teardown is asked for again until it gets through
                died = life.die(number)
                assert _forgotten(life.platform) == set(), (pair, number)
                assert life.platform.store.holders == {}, (pair, number)
                if not died:
                    assert _state(life.platform) == stood, (pair, number)
                    break
        assert _state(life.platform) == unhurt.stood[-1][1], pair
