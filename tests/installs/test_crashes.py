"""A deploy that is killed at any call, and again in the next run: it ends the same, and nothing is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.cluster import MemoryCluster
from byoa.installs.objects import INSTALL, Place
from tests.installs.beds import (
    CONFIG_MAPS,
    NAMESPACES,
    Bed,
    config_map,
    definition,
    deployment,
    namespace,
    role,
    secret,
    service,
    widget,
)

if TYPE_CHECKING:
    from byoa.installs.objects import Object


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Mortal:
    """A cluster whose user dies at call ``at``: before it, or after it was done and before the answer came."""

    cluster: Any
    at: int
    after: bool = False
    calls: int = 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.cluster, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self.at and not self.after:
                raise Killed
            found = method(*arguments, **named)
            if self.calls == self.at:
                raise Killed
            return found

        return call


def before(corner: str) -> list[Object]:
    return [
        config_map("conf", colour="blue"), config_map("old"), secret("keys", token="1"), service("web"),
        deployment("web"), role("web"), definition(corner), widget(corner, "old"), widget(corner, "one", size="1"),
    ]  # fmt: skip


def after(corner: str) -> list[Object]:
    return [
        config_map("conf", colour="green"), config_map("new"), secret("keys", token="2"), service("web"),
        deployment("web", replicas=3), role("web"), definition(corner, fields=("size", "shape")),
        widget(corner, "one", shape="round"), namespace(f"{corner}-more"),
    ]  # fmt: skip


FEW = [config_map("conf", colour="blue"), config_map("old"), deployment("web")]
FEW_AFTER = [config_map("conf", colour="green"), config_map("new"), deployment("web")]


def empty() -> Bed:
    bed = Bed(MemoryCluster(), "corner")
    bed.cluster.create(bed.place(NAMESPACES, "corner"), namespace("corner"))
    return bed


def fresh(objects: list[Object]) -> Bed:
    bed = empty()
    bed.deploy(*objects)
    bed.digest = "sha256:two"
    return bed


def state(bed: Bed) -> dict[str, Any]:
    """All that is there, but for what is counted: UIDs and versions."""
    assert isinstance(bed.cluster, MemoryCluster)
    found = {}
    for key, each in bed.cluster._found.items():
        about = {name: value for name, value in each.object["metadata"].items() if name in ("labels", "name")}
        found[str(key)] = {**each.object, "metadata": about, "status": None}
        if key[1] == "ConfigMap" and key[3].startswith("byoa-"):
            inventory = bed.shelf.read()
            found[str(key)]["data"] = sorted(map(str, inventory.uids if inventory else ()))
    return found


def end(old: list[Object], new: list[Object]) -> tuple[dict[str, Any], int]:
    """What a deploy that nobody kills ends with, and how many calls it takes."""
    bed = fresh(old)
    counting = Mortal(bed.cluster, 0)
    bed.deploy(*new, cluster=counting)
    return state(bed), counting.calls


def killed(bed: Bed, at: int, *objects: Object, after_it: bool = True, **settings: Any) -> bool:
    """Whether a deploy was, which takes at least so many calls."""
    try:
        bed.deploy(*objects, cluster=Mortal(bed.cluster, at, after_it), **settings)
    except Killed:
        return True
    return False


def forgotten(bed: Bed) -> set[str]:
    """What has the install's label and isn't tracked."""
    assert isinstance(bed.cluster, MemoryCluster)
    inventory = bed.shelf.read()
    known = {tuple(each) for each in inventory.uids} if inventory else set()
    labelled = {key for key, each in bed.cluster._found.items() if INSTALL in each.object["metadata"].get("labels", {})}
    return {str(key) for key in labelled - known}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_call_the_next_run_ends_the_same(moment: str) -> None:
    new = after("corner")
    wanted, calls = end(before("corner"), new)
    for at in range(1, calls + 1):
        bed = fresh(before("corner"))
        assert killed(bed, at, *new, after_it=moment == "after"), at
        assert forgotten(bed) == set(), at
        bed.deploy(*new)
        assert state(bed) == wanted, at
        assert bed.deploy(*new).status == "noop", at


def test_killed_twice_at_any_two_calls_the_run_after_that_ends_the_same() -> None:
    wanted, calls = end(FEW, FEW_AFTER)
    for first in range(1, calls + 1):
        for second in range(1, calls + 1):
            bed = fresh(FEW)
            killed(bed, first, *FEW_AFTER)
            killed(bed, second, *FEW_AFTER)
            assert forgotten(bed) == set(), (first, second)
            bed.deploy(*FEW_AFTER)
            assert state(bed) == wanted, (first, second)


@pytest.fixture(params=["desk", "real"])
def at_a_server(request: pytest.FixtureRequest) -> Bed:
    found: Bed = request.getfixturevalue(request.param)
    return found


def test_killed_at_any_call_to_a_server_the_next_run_ends_the_same(at_a_server: Bed) -> None:
    """Over the wire: what an API server keeps of a run that died, and what it says to the one after it."""
    both = [service("web"), role("web")]
    old = [config_map("conf", colour="blue"), config_map("old"), secret("keys", token="1"), *both]
    new = [config_map("conf", colour="green"), config_map("new"), secret("keys", token="2"), *both]
    at, dead = 1, True
    while dead:
        bed = Bed(at_a_server.cluster, f"{at_a_server.corner}-{at}", at_a_server.clock, at_a_server.seconds)
        bed.cluster.create(Place(NAMESPACES, "", bed.corner), namespace(bed.corner))
        bed.deploy(*old)
        dead = killed(bed, at, *new)
        kept = bed.shelf.read()
        mine = {each["metadata"]["name"] for each in bed.cluster.list(CONFIG_MAPS, bed.corner, labels=bed.owner.labels)}
        assert kept
        assert mine <= {each.name for each in kept.uids}, (at, "nothing is forgotten")
        bed.deploy(*new)
        assert bed.deploy(*new).status == "noop", at
        found = {each.name for each in (bed.shelf.read() or kept).uids}
        assert found == {"conf", "keys", "web", "new"}, at
        assert (bed.get(CONFIG_MAPS, "conf") or {})["data"] == {"colour": "green"}, at
        assert bed.get(CONFIG_MAPS, "old") is None, at
        at += 1
    assert at > 20, "it takes so many calls"


def test_killed_in_its_first_deploy_an_install_forgets_nothing() -> None:
    at, dead = 1, True
    while dead:
        bed = empty()
        dead = killed(bed, at, *after("corner"))
        assert forgotten(bed) == set(), at
        bed.deploy(teardown=True)
        left = {step.identity.kind for step in bed.plan(*after("corner")).steps if step.action != "create"}
        assert left <= {"CustomResourceDefinition", "Namespace"}, at
        at += 1


def test_killed_in_a_teardown_another_one_ends_it() -> None:
    at, dead = 1, True
    while dead:
        bed = fresh(before("corner"))
        dead = killed(bed, at, teardown=True)
        bed.deploy(teardown=True)
        assert {step.identity.kind for step in bed.plan(teardown=True).steps} == {"CustomResourceDefinition"}, at
        assert bed.deploy(teardown=True).status == "noop", at
        at += 1
