"""Many parts of a plan that only go by name are approved in one answer: of one plan, of one kind, and just so many."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from byoa.errors import ApprovalMissing
from byoa.installs.messages import Answered
from byoa.installs.objects import Kind, Place
from byoa.installs.plan import check
from byoa.installs.plans import Plan, Step
from byoa.installs.sets import is_set, sets_of, spelled
from tests.installs.beds import NAMESPACES, config_map, namespace
from tests.installs.platform import Platform

if TYPE_CHECKING:
    from byoa.installs.messages import Deploy

JOBS = Kind("batch", "v1", "Job", "jobs", namespaced=True)
WIDGETS = Kind("example.com", "v1", "Widget", "widgets", namespaced=True)


def recreations(count: int, kind: Kind = JOBS) -> tuple[Step, ...]:
    places = [Place(kind, "shop", f"job-{number}") for number in range(count)]
    return tuple(Step(place=place, action="recreate", needs=str(place.identity)) for place in places)


def test_more_recreations_than_any_answer_has_names_for_go_by_kind_and_count() -> None:
    plan = Plan(steps=(*recreations(1500), *recreations(7, WIDGETS)))
    assert sets_of(plan.by_name) == {"Job": 1500, "Widget.example.com": 7}
    check(plan, spelled({"Job:1500", "Widget.example.com:7"}, plan.by_name))
    check(plan, spelled({"Job:1500", *plan.by_name[1500:]}, plan.by_name))


@pytest.mark.parametrize("name", ["Job:1499", "Job:1501", "Job", "Job:*", "*:1500", "jobs:1500", "Job/shop:1500"])
def test_what_isnt_just_what_the_plan_has_stands_for_nothing(name: str) -> None:
    plan = Plan(steps=recreations(1500))
    with pytest.raises(ApprovalMissing):
        check(plan, spelled({name}, plan.by_name))


def test_a_set_of_deletions_is_a_part_of_its_own_and_no_set_of_a_kind() -> None:
    assert not is_set("deletions:4")
    assert not is_set("ClusterRole/system:4")
    assert is_set("PersistentVolumeClaim:4")
    plan = Plan(steps=recreations(2), needs=("deletions:4",))
    with pytest.raises(ApprovalMissing):
        check(plan, spelled({"Job:2"}, plan.by_name))
    check(plan, spelled({"Job:2", "deletions:4"}, plan.by_name))


def _with_namespaces() -> tuple[Platform, Deploy]:
    """An install with 30 namespaces, which only go by name, and the plan of a teardown that waits."""
    platform = Platform()
    platform.install()
    assert platform.deploy(namespace("corner"), *(namespace(f"n{at}") for at in range(30))).status == "active"
    first = platform.run(platform.ask(operation="teardown"))
    assert first.status == "pending-approval", first
    return platform, first


def _answered(platform: Platform, deploy: Deploy, *names: str) -> Deploy:
    said = {"decision": "approve", "fingerprint": deploy.fingerprint, "names": list(names), "by": "tok_2", "at_ts": 1}
    found = platform.installs.answer(deploy, Answered.model_validate(said))
    assert found
    return platform.run(found)


def test_namespaces_go_when_their_kind_is_named_with_their_count() -> None:
    platform, deploy = _with_namespaces()
    shown = platform.installs.contents(deploy)
    assert shown
    assert shown["sets"] == {"Namespace": 31}
    done = _answered(platform, deploy, "Namespace:31")
    assert (done.status, done.counts["delete"]) == ("inactive", 31)
    assert platform.cluster.get(Place(NAMESPACES, "", "n7")) is None


def test_and_stay_where_the_count_is_another() -> None:
    platform, deploy = _with_namespaces()
    done = _answered(platform, deploy, "Namespace:30", "Namespace/n7")
    assert done.counts["delete"] == 1
    assert platform.cluster.get(Place(NAMESPACES, "", "n7")) is None
    assert platform.cluster.get(Place(NAMESPACES, "", "n8"))


def test_before_there_is_a_plan_a_set_stands_for_nothing() -> None:
    platform = Platform()
    platform.install()
    platform.deploy(namespace("corner"), namespace("more"), *(config_map(f"c{at}") for at in range(4)))
    asked = platform.deploy(namespace("corner"), *(config_map(f"c{at}") for at in range(4)), names=("Namespace:1",))
    assert asked.left, asked
    assert platform.cluster.get(Place(NAMESPACES, "", "more"))
