"""Runs: deploys in the order of dependencies, whatever dies on the way."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from byoa.errors import ContentTooLarge
from byoa.installs.line import Line
from byoa.installs.messages import ENDED, Answered, Dependent, DeployStatusChanged
from byoa.installs.objects import Place
from byoa.installs.ports import Request
from byoa.installs.runs import go_on, unfold, went_well
from byoa.installs.steps.release_deploys import release_deploys
from byoa.installs.steps.sweep_deploys import sweep_deploys
from tests.installs.beds import CONFIG_MAPS, NAMESPACES, config_map, namespace
from tests.installs.platform import INSTALL, Counted, Died, Platform

if TYPE_CHECKING:
    from byoa.builds.messages import Build
    from byoa.installs.messages import Deploy, Install

SHOP = {"api": ["db"], "web": ["api", "db"], "jobs": ["db"]}
"""What is behind ``db``, in order."""


@dataclass
class Shop:
    """An app of four components in an install, and a bus that tells everything twice."""

    platform: Platform = field(default_factory=Platform)
    heard: int = 0
    bad: frozenset[str] = frozenset()
    """Components whose build names what isn't there."""

    def __post_init__(self) -> None:
        self.platform.cluster.create(Place(NAMESPACES, "", "corner"), namespace("corner"))
        self.platform.install()
        self.builds = {name: self._build(name) for name in ("db", *SHOP)}

    def _build(self, name: str) -> Build:
        broken = {"apiVersion": "nobody.example.com/v1", "kind": "Thing", "metadata": {"name": name}}
        return self.platform.build(*([broken] if name in self.bad else [config_map(name)]), name=name)

    @property
    def install(self) -> Install:
        found = self.platform.installs.install(INSTALL)
        assert found
        return found

    def ask(self, **request: Any) -> Deploy:
        """A deploy of ``db`` whose dependents nobody has asked for yet."""
        dependents = tuple(
            Dependent(
                component=name, build_id=self.builds[name].build_id, config_version=self.builds[name].version,
                after=after,
            )
            for name, after in SHOP.items()
        )  # fmt: skip
        return self.platform.ask(self.builds["db"], component="db", dependents=dependents, **request)

    def run(self, **request: Any) -> Deploy:
        deploy = self.ask(**request)
        unfold(deploy, self.install, self.platform.installs)
        self.hear()
        return self.newest("db")

    def hear(self, installs: Any = None) -> None:
        """What the bus tells: deploys that wait are run, and those that ended are told, each twice."""
        told = self.platform.store.told
        while self.heard < len(told):
            deploy = told[self.heard]
            for _ in range(2):
                if deploy.status == "queued":
                    self.platform.run(deploy)
                elif deploy.status in ENDED:
                    release_deploys(changed(deploy), installs or self.platform.installs)
            self.heard += 1

    def newest(self, component: str) -> Deploy:
        part = self.platform.installs.component(self.install, component)
        assert part
        found = self.platform.installs.deploy(part.deploy_id)
        assert found
        return found

    def statuses(self) -> dict[str, str]:
        return {each.component: each.status for each in self.platform.installs.components(self.install)}

    def written(self) -> list[str]:
        """The components whose object is there, in the order in which they were made."""
        found = [(name, self.platform.cluster.get(Place(CONFIG_MAPS, "corner", name))) for name in self.builds]
        there = [(live["metadata"]["uid"], name) for name, live in found if live]
        return [name for _, name in sorted(there)]


def changed(deploy: Deploy) -> DeployStatusChanged:
    shown = deploy.model_dump(include=set(DeployStatusChanged.model_fields))
    return DeployStatusChanged(**shown, changed_at_ts=1)


def test_dependents_are_deployed_behind_what_they_depend_on_and_once() -> None:
    shop = Shop()
    shop.run()
    assert shop.statuses() == dict.fromkeys(("api", "db", "jobs", "web"), "active")
    order = shop.written()
    assert order[0] == "db"
    assert order.index("api") < order.index("web")
    assert len(shop.platform.store.deploys) == 4
    web = shop.newest("web")
    assert [entry.status for entry in web.history][:3] == ["pending", "queued", "planning"]
    assert web.history[0].status_human_description == "waiting for api, db"
    assert web.run == shop.newest("db").id


def test_nothing_begins_before_what_it_waits_for_went_well() -> None:
    shop = Shop()
    deploy = shop.ask()
    unfold(deploy, shop.install, shop.platform.installs)
    assert go_on(shop.platform.installs.waiting(shop.install), shop.platform.installs) == (0, 0)
    assert shop.statuses() == {"api": "pending", "db": "queued", "jobs": "pending", "web": "pending"}
    for name in SHOP:
        shop.platform.run(shop.newest(name))
    assert shop.statuses() == {"api": "pending", "db": "queued", "jobs": "pending", "web": "pending"}
    assert shop.written() == []


def test_a_second_run_with_nothing_to_do_goes_through_all_the_same() -> None:
    shop = Shop()
    shop.run()
    shop.run()
    assert set(shop.statuses().values()) == {"noop"}


def test_what_fails_stops_those_that_depend_on_it_and_no_others() -> None:
    shop = Shop(bad=frozenset({"api"}))
    shop.run()
    assert shop.statuses() == {"api": "error", "db": "active", "jobs": "active", "web": "auto-skipped"}
    web = shop.newest("web")
    assert web.failure
    assert (web.failure.code, web.failure.cause) == (
        "DependencyFailed", "It waited for deploy 1 of api, which is error.",
    )  # fmt: skip
    assert shop.written() == ["db", "jobs"]


def test_what_waits_for_what_was_skipped_is_skipped_as_well() -> None:
    shop = Shop(bad=frozenset({"db"}))
    shop.run()
    assert shop.statuses() == {
        "api": "auto-skipped", "db": "error", "jobs": "auto-skipped", "web": "auto-skipped",
    }  # fmt: skip
    assert shop.written() == []
    assert shop.platform.store.holders == {}


def test_a_plan_that_is_denied_stops_what_depends_on_it() -> None:
    shop = Shop()
    shop.platform.installs.change(shop.install, shop.install.model_copy(update={"approval": "prompt"}))
    shop.run()
    _answer(shop, "db", "approve")
    assert shop.statuses() == {
        "api": "pending-approval", "db": "active", "jobs": "pending-approval", "web": "pending",
    }  # fmt: skip
    _answer(shop, "api", "deny")
    assert (shop.statuses()["api"], shop.statuses()["web"]) == ("approval-denied", "auto-skipped")


def _answer(shop: Shop, component: str, decision: str) -> None:
    deploy = shop.newest(component)
    said = {"decision": decision, "fingerprint": deploy.fingerprint, "by": "tok_2", "at_ts": 1}
    assert shop.platform.installs.answer(deploy, Answered.model_validate(said))
    shop.hear()


def test_approval_for_a_run_is_for_all_of_it() -> None:
    shop = Shop()
    shop.platform.installs.change(shop.install, shop.install.model_copy(update={"approval": "prompt"}))
    shop.run(approve_all=True)
    assert set(shop.statuses().values()) == {"active"}


def test_what_is_deployed_anew_meanwhile_leaves_the_run_and_stops_what_waits_for_it() -> None:
    shop = Shop()
    deploy = shop.ask()
    unfold(deploy, shop.install, shop.platform.installs)
    of_run = shop.newest("api")
    newer = shop.platform.ask(shop.builds["api"], component="api")
    shop.hear()
    overtaken = shop.platform.installs.deploy(of_run.id)
    assert overtaken
    assert overtaken.status == "cancelled"
    assert shop.newest("api").id == newer.id
    assert shop.statuses() == {"api": "active", "db": "active", "jobs": "active", "web": "auto-skipped"}


def test_who_goes_on_late_with_a_run_undoes_nothing_that_was_deployed_since() -> None:
    shop = Shop()
    deploy = shop.ask()  # and whoever asked died before all else
    _later(shop)
    newer = shop.platform.ask(shop.builds["api"], component="api")
    shop.hear()
    assert shop.newest("api").id == newer.id
    assert shop.statuses() == {"api": "active", "db": "active", "jobs": "active"}  # web was to follow the run's own api
    assert shop.newest("jobs").run == deploy.id


def test_a_chain_that_is_skipped_is_read_through_once_whatever_its_names() -> None:
    assert _calls(40) < 2.5 * _calls(20)


def _calls(count: int) -> int:
    """Calls that skipping a chain takes, each of whose components stands behind the one that it waits for by name."""
    shop, counted, names = Shop(), Counted(), [f"part-{number:03}" for number in reversed(range(count))]
    line = Line(shop.install, shop.platform.installs, dict(zip(names, [[], *([name] for name in names)], strict=False)))
    for name in names:
        _later(shop)
        line.add(name, Request("apply"))
    shop.platform.installs.cancel(shop.newest(names[0]), "not now", "tok")
    waiting = shop.platform.installs.waiting(shop.install)
    assert go_on(waiting, counted.around(shop.platform.installs)) == (0, count - 1)
    return counted.calls


def test_what_was_asked_for_this_moment_begins_though_no_list_has_it_yet() -> None:
    shop = Shop()
    first = shop.ask()  # and whoever asked died before all else
    shop.platform.run(first)

    class Behind(Counted):
        """A table whose index is a moment behind it."""

        def call(self, method: Any, *arguments: Any, **named: Any) -> Any:
            return [] if method.__name__ == "waiting" else super().call(method, *arguments, **named)

    release_deploys(changed(shop.newest("db")), Behind().around(shop.platform.installs))
    assert shop.statuses() == {"db": "active", "api": "queued", "jobs": "queued", "web": "pending"}


def test_a_call_asks_for_so_many_dependents_and_the_rest_comes_when_the_first_has_ended() -> None:
    shop = Shop()
    first = shop.ask()
    assert [each.component for each in unfold(first, shop.install, shop.platform.installs, 1)] == ["api"]
    assert [each.component for each in unfold(first, shop.install, shop.platform.installs, 1)] == ["api", "web"]
    assert shop.statuses() == {"db": "queued", "api": "pending", "web": "pending"}
    shop.hear()
    assert shop.statuses() == dict.fromkeys(("api", "db", "jobs", "web"), "active")


def test_a_look_for_drift_since_takes_no_component_out_of_a_run() -> None:
    shop = Shop()
    deploy = shop.ask()
    _later(shop)
    shop.platform.ask(shop.builds["api"], component="api", operation="drift")
    shop.hear()
    assert shop.statuses() == dict.fromkeys(("api", "db", "jobs", "web"), "active")
    assert {shop.newest(name).run for name in SHOP} == {deploy.id}


def test_of_two_runs_at_once_the_one_that_was_asked_for_last_is_carried_out() -> None:
    shop = Shop()
    first = shop.ask()
    _later(shop)
    second = shop.ask()
    unfold(second, shop.install, shop.platform.installs)
    unfold(first, shop.install, shop.platform.installs)
    shop.hear()
    assert shop.statuses() == dict.fromkeys(("api", "db", "jobs", "web"), "active")
    assert {shop.newest(name).run for name in SHOP} == {second.id}


def _later(shop: Shop) -> None:
    shop.platform.clock.moment += timedelta(seconds=1)


def test_what_is_cancelled_stops_what_waits_for_it() -> None:
    shop = Shop()
    deploy = shop.ask()
    unfold(deploy, shop.install, shop.platform.installs)
    assert shop.platform.installs.cancel(shop.newest("jobs"), "not now", "tok")
    assert shop.platform.installs.cancel(deploy, "nor that", "tok")
    shop.hear()
    assert shop.statuses() == {
        "api": "auto-skipped", "db": "cancelled", "jobs": "cancelled", "web": "auto-skipped",
    }  # fmt: skip


def test_plans_of_a_run_are_made_in_its_order_and_apply_nothing() -> None:
    shop = Shop()
    shop.run(plan_only=True)
    assert set(shop.statuses().values()) == {"auto-skipped"}
    assert all(shop.newest(name).failure is None for name in shop.builds)
    assert shop.written() == []
    assert not went_well(shop.newest("db"))


def test_components_that_are_torn_down_wait_for_those_that_depend_on_them() -> None:
    shop = Shop()
    shop.run()
    line = Line(shop.install, shop.platform.installs, {"web": [], "api": ["web"], "jobs": [], "db": ["api", "jobs"]})
    for name in ("jobs", "web", "api", "db"):
        line.add(name, Request("teardown"))
    assert [each.status for each in line.done()] == ["queued", "queued", "pending", "pending"]
    gone: list[str] = []
    shop.platform.cluster.refuse = lambda verb, place, _: gone.append(place.name) if verb == "delete" else None
    shop.hear()
    assert shop.statuses() == dict.fromkeys(("api", "db", "jobs", "web"), "inactive")
    assert gone[-1] == "db"
    assert gone.index("web") < gone.index("api")


def test_a_teardown_that_failed_and_left_nothing_keeps_no_other_from_being_torn_down() -> None:
    shop = Shop()
    shop.run()
    order = {"web": [], "api": ["web"]}
    _torn_down(shop, order, "web")
    late = shop.platform.installs.ask(shop.install, "web", Request("teardown"))
    shop.platform.installs.cancel(late, "not now", "tok")
    (api,) = _torn_down(shop, order, "api")
    assert api.status == "queued"
    assert shop.statuses()["api"] == "inactive"


def _torn_down(shop: Shop, order: dict[str, list[str]], *names: str) -> list[Deploy]:
    line = Line(shop.install, shop.platform.installs, order)
    for name in names:
        line.add(name, Request("teardown"))
    done = line.done()
    shop.hear()
    return done


def test_a_second_part_of_a_line_waits_for_what_the_first_asked_for_and_for_nothing_that_is_done() -> None:
    shop = Shop()
    order = {"db": [], "jobs": ["db"], "api": ["db"], "web": ["api"]}
    _of(shop, order, "db", "api")
    (jobs,) = _of(shop, order, "jobs")
    assert [each.component for each in jobs.waits_for] == ["db"]
    shop.hear()
    (web,) = _of(shop, order, "web")
    assert (web.status, web.waits_for) == ("queued", [])


def _of(shop: Shop, order: dict[str, list[str]], *names: str) -> list[Deploy]:
    line = Line(shop.install, shop.platform.installs, order)
    for name in names:
        line.add(name, Request("apply", shop.builds[name].build_id, shop.builds[name].version))
    return line.done()


# ---- killed anywhere ---------------------------------------------------------------------------------------------


def test_who_asks_for_a_run_may_die_anywhere_and_all_of_it_is_deployed_once() -> None:
    shop, counted = Shop(), Counted()
    unfold(shop.ask(), shop.install, counted.around(shop.platform.installs))
    for at, after in itertools.product(range(1, counted.calls + 2), (False, True)):
        shop, counted = Shop(), Counted(at, after=after)
        deploy = shop.ask()
        try:
            unfold(deploy, shop.install, counted.around(shop.platform.installs))
        except Died:
            pass
        else:
            assert at > counted.calls
        shop.hear()
        assert set(shop.statuses().values()) == {"active"}, at
        assert len(shop.platform.store.deploys) == 4, at


@pytest.mark.parametrize("bad", [frozenset[str](), frozenset({"api"})])
def test_who_goes_on_with_a_run_may_die_at_every_call_and_it_ends_the_same(bad: frozenset[str]) -> None:
    whole = Shop(bad=bad)
    whole.run()
    counted = Counted()
    _tried(Shop(bad=bad), counted)
    for at in range(1, counted.calls + 1):
        shop = Shop(bad=bad)
        _tried(shop, Counted(at, after=at % 2 == 0))
        assert shop.statuses() == whole.statuses(), at
        assert len(shop.platform.store.deploys) == 4, at
        assert shop.written()[0] == "db"


def _tried(shop: Shop, counted: Counted) -> None:
    """The whole run, in which whoever dies is told again, as the bus does."""
    shop.ask()
    installs = counted.around(shop.platform.installs)
    while True:
        try:
            shop.hear(installs)
        except Died:
            continue
        return


def test_what_nobody_was_told_of_the_sweep_lets_go_on() -> None:
    for bad in (frozenset[str](), frozenset({"db"})):
        shop = Shop(bad=bad)
        deploy = shop.ask()
        unfold(deploy, shop.install, shop.platform.installs)
        shop.platform.run(deploy)
        for _ in range(3):
            _late(shop)
            for name in SHOP:
                shop.platform.run(shop.newest(name))
        assert {shop.statuses()[name] for name in SHOP} == {"auto-skipped" if bad else "active"}


def _late(shop: Shop) -> None:
    shop.platform.clock.moment += timedelta(hours=6)
    sweep_deploys(shop.platform.deploys, shop.platform.clock)


def test_a_deploy_that_would_wait_for_more_than_its_record_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop()
    monkeypatch.setattr("byoa.installs.line.WAITED", 2)
    line = Line(
        shop.install, shop.platform.installs, {"a": (), "b": (), "c": (), "d": ("a", "b"), "e": ("a", "b", "c")}
    )
    request = Request("teardown")
    for name in "abcd":
        line.add(name, request)
    with pytest.raises(ContentTooLarge) as refused:
        line.add("e", request)
    assert refused.value.where == "e"
    assert len(line.done()) == 4
