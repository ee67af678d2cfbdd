"""The functions of deploys through our code, with IAM out of the way: nobody deploys, reads or ends another's."""

from __future__ import annotations

import contextlib
import json
import re
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from byoa.installs.objects import Place
from local.cluster import NAMESPACES, Cluster
from tests.installs.beds import CONFIG_MAPS, namespace
from tests.tenancy.roles import ONE, OTHER
from tests.tenancy.world import NAMES, OTHERS, opened, relabelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.tenancy.world import Event, World

REFUSED: dict[str, Any] = {
    "receive_deploy": "EventUntrusted",
    "pull_mirror": "ReferenceNotFound",
    "load_manifests": "ReferenceNotFound",
    "plan_install": "ClusterAccessInvalid",
    "apply_install": "ClusterAccessInvalid",
    "check_health": "ClusterAccessInvalid",
    "prune_install": "ClusterAccessInvalid",
    "record_deploy": "ReferenceNotFound",
    "end_stopped_deploy": None,
    "release_deploys": {"begun": 0, "skipped": 0},
    "drift_due": {"asked": 0},
    "follow_builds": {"asked": 0, "behind": 0, "alone": None},
}
"""What each function says of a message that is about another's deploy."""

BORROWED = {
    "digest": ("pull_mirror", "load_manifests"),
    "values": ("load_manifests",),
    "objects": ("plan_install",),
    "plan": ("apply_install", "check_health", "prune_install"),
    "access": ("plan_install", "apply_install", "check_health", "prune_install"),
    "install_id": ("receive_deploy", "plan_install", "apply_install", "check_health", "prune_install"),
}
"""Parts of a message that may be another's, and who reads them."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all of these tests: each says what is left as it was."""
    with contextlib.ExitStack() as keep:
        found = {whose: keep.enter_context(Cluster()) for whose in OTHERS}
        for cluster in found.values():
            cluster.memory.create(Place(NAMESPACES, "", "a"), namespace("a"))
        patch = keep.enter_context(pytest.MonkeyPatch.context())
        yield keep.enter_context(opened(found, patch, tmp_path_factory.mktemp("world")))


@pytest.fixture(scope="module")
def given(world: World) -> dict[str, dict[str, Event]]:
    """What each organisation's functions were given, each of which asked for its own organisation's things alone."""
    return {whose: world.deploy_messages(whose) for whose in (ONE, OTHER)}


def test_a_message_of_another_s_deploy_does_nothing_with_it_whoever_it_is_said_to_be_of(
    world: World, given: dict[str, dict[str, Event]]
) -> None:
    for mine, others in OTHERS.items():
        before, reached = world.things(others), len(world.clusters[others].requests)
        for function, event in given[others].items():
            answer = world.call(function, relabelled(event, mine, others))
            world.check(mine)
            assert world.things(others) == before, function
            assert len(world.clusters[others].requests) == reached, function
            assert answer == REFUSED[function], function


def test_nothing_of_another_s_message_does_in_one_s_own(world: World, given: dict[str, dict[str, Event]]) -> None:
    for mine, others in OTHERS.items():
        before, reached = world.things(others), len(world.clusters[others].requests)
        for part, functions in BORROWED.items():
            for function in functions:
                answer = world.call(function, {**given[mine][function], part: given[others][function][part]})
                world.check(mine)
                assert world.things(others) == before, (part, function)
                assert len(world.clusters[others].requests) == reached, (part, function)
                assert answer in {"ReferenceNotFound", "ClusterAccessInvalid", "EventUntrusted"}, (part, function)


def test_a_deploy_of_one_and_the_work_of_another_are_not_recorded_together(
    world: World, given: dict[str, dict[str, Event]]
) -> None:
    theirs = given[OTHER]["record_deploy"]
    for part in ("checked", "planned"):
        answer = world.call("record_deploy", {**given[ONE]["record_deploy"], part: theirs[part]})
        world.check(ONE)
        assert answer in {"EventUntrusted", "ReferenceNotFound"}


def test_each_function_asks_for_its_own_organisation_s_things_alone(
    world: World, given: dict[str, dict[str, Event]]
) -> None:
    for whose, name in ((ONE, "one"), (OTHER, "other")):
        assert world.clusters[whose].memory.get(Place(CONFIG_MAPS, "a", name)), "it was applied to its own cluster"
        for function, answer in (
            ("follow_builds", {"asked": 0, "behind": 0, "alone": None}),
            ("drift_due", {"asked": 0}),
            ("release_deploys", {"begun": 0, "skipped": 0}),
            ("record_deploy", {"status": "active", "failure": None}),
            ("end_stopped_deploy", None),
        ):
            assert world.call(function, given[whose][function]) == answer
            world.check(whose)


@pytest.mark.usefixtures("given")
def test_another_s_build_is_none_of_one_s_component(world: World) -> None:
    key = world.ask(ONE, world.install(ONE), world.builds[OTHER])
    before = world.things(OTHER)
    assert world.call("receive_deploy", key) == "BuildNotFound"
    world.check(ONE)
    assert world.things(OTHER) == before


@pytest.mark.usefixtures("given")
def test_sweeps_and_schedules_handle_each_deploy_in_its_own_organisation_s_session(world: World) -> None:
    for whose in (ONE, OTHER):
        world.ask(whose, world.install(whose))
    assert world.call("sweep_deploys", {})["told"] == len(OTHERS)
    asked = [*world.asked]
    assert world.call("drift_due", {}) == {"asked": 0}
    found = [each for each in [*asked, *world.asked] if "AssumeRole" not in each.text]
    assert len([each for each in found if each.session is None]) == 2
    for each in found:
        if each.session is None:
            assert "unfinished" in each.text
        assert set(re.findall(NAMES, each.text)) == ({each.session} if each.session else set())


TEXTS = (f"{OTHER}/x", f"../{OTHER}", f"{ONE}#x", "inl*", "", f"inl{'a' * 23}\n")


def test_no_name_in_a_message_leads_elsewhere(world: World) -> None:
    for field, text in product(("organisation", "install_id", "component"), TEXTS):
        key = {"organisation": ONE, "install_id": "inl" + "a" * 23, "component": "web", "number": 1, field: text}
        whose = {**key, "execution": "e"}
        more = {"deploy_id": "dpl" + "a" * 23, "app": "shop", "operation": "apply", "access": {}}
        checked = {**whose, **more, "begun_ts": 1, "ends_ts": 2}
        tasks = dict.fromkeys(("pull_mirror", "load_manifests", "plan_install"), checked)
        tasks |= {function: {**checked, "plan": "x"} for function in ("apply_install", "check_health", "prune_install")}
        tasks |= dict.fromkeys(("receive_deploy", "record_deploy"), whose)
        for function, event in tasks.items():
            assert world.call(function, event) == "EventUntrusted", (function, field, text)
            assert world.asked == [], (function, field, text)
        stopped = {"status": "ABORTED", "name": "e", "input": json.dumps({"detail": key})}
        assert (world.call("end_stopped_deploy", stopped), world.asked) == (None, [])
