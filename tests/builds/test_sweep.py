"""No build is left behind: who waits is told of again, who died unheard is ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
import yaml

from byoa.adapters.memory.ledger import MemoryLedger
from byoa.builds.messages import Outcome, Swept
from byoa.builds.records import entry
from byoa.builds.sweep import PATIENCE, SILENCE, sweep
from byoa.builds.turns import EVERY, in_turn
from byoa.components.reading import check_config
from tests.template import ROOT, TEMPLATE

if TYPE_CHECKING:
    from byoa.builds.messages import Build, BuildKey

START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


@dataclass
class Watch:
    """A clock that is set by hand, and a ledger that looks at it."""

    moment: datetime = START
    ledger: MemoryLedger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(self)

    def now(self) -> datetime:
        return self.moment

    def submit(self, name: str = "web") -> Build:
        checked = check_config(f'name = "{name}"\ntype = "kubernetes_manifest"\nnamespace = "a"\nmanifest = "a: 1"\n')
        assert checked.config
        return self.ledger.submit("org_0123456789ab", "shop", checked.config).build

    def begin(self, build: Build) -> None:
        self.ledger.begin(build.key, "one", entry("planning", "begun", self.moment))

    def look(self, build: Build) -> Build:
        return self.ledger.records[build.key]

    def sweep(self, later: timedelta) -> Swept:
        self.moment += later
        return sweep(self.ledger, self)


def test_a_change_that_is_on_its_way_is_left_alone() -> None:
    watch = Watch()
    watch.submit()
    assert watch.sweep(PATIENCE) == Swept(told=0, ended=0)


def test_a_change_that_reached_no_pipeline_is_told_again() -> None:
    watch = Watch()
    build = watch.submit()
    assert watch.sweep(PATIENCE + MOMENT) == Swept(told=1, ended=0)
    assert watch.look(build).told_again_ts == int(watch.moment.timestamp() * 1000)
    assert watch.look(build).status == "queued"


def test_who_goes_on_waiting_is_told_of_less_and_less_often() -> None:
    watch = Watch()
    watch.submit()
    quarters = [watch.sweep(PATIENCE + MOMENT).told for _ in range(17)]
    assert [number for number, told in enumerate(quarters, 1) if told] == [1, 2, 4, 8, 12, 16], "every hour in the end"


def test_a_build_that_runs_is_left_alone_while_it_says_something() -> None:
    watch = Watch()
    watch.begin(watch.submit())
    assert watch.sweep(SILENCE) == Swept(told=0, ended=0)


def test_a_build_that_died_unheard_is_ended_with_its_reason() -> None:
    watch = Watch()
    build = watch.submit()
    watch.begin(build)
    assert watch.sweep(SILENCE + MOMENT) == Swept(told=0, ended=1)
    ended = watch.look(build)
    assert ended.outcome
    assert ended.outcome.failure
    assert (ended.status, ended.outcome.failure.code) == ("error", "Timeout")
    assert watch.sweep(MOMENT) == Swept(told=0, ended=0)


@pytest.mark.parametrize("status", ["active", "error", "superseded"])
def test_a_build_that_has_ended_is_none_of_its_business(status: str) -> None:
    watch = Watch()
    build = watch.submit()
    watch.begin(build)
    outcome = Outcome.model_validate({"status": status})
    watch.ledger.finish(build.key, "one", outcome, [entry(outcome.status, "over", watch.moment)])
    assert watch.sweep(timedelta(days=300)) == Swept(told=0, ended=0)


def test_an_execution_may_not_outlast_the_silence_that_is_held_against_it() -> None:
    machine = yaml.safe_load((ROOT / "statemachine" / "build.asl.yaml").read_text())
    assert timedelta(seconds=machine["TimeoutSeconds"]) < SILENCE


def test_many_builds_that_wait_hide_none_that_was_never_told_of() -> None:
    watch = Watch()
    for number in range(120):
        watch.submit(f"waits-{number}")
    watch.sweep(PATIENCE + MOMENT)
    late = watch.submit("late")
    assert watch.sweep(PATIENCE + MOMENT).told == 121
    assert watch.look(late).told_again_ts


def test_a_build_that_can_t_be_read_holds_up_no_other() -> None:
    watch = Watch()
    broken, other = watch.submit("broken"), watch.submit("other")

    class Picky(MemoryLedger):
        def look(self, key: BuildKey) -> Build | None:
            if key == broken.key:
                raise ValueError("an attribute of a later version")
            return super().look(key)

    watch.ledger = Picky(watch, records=watch.ledger.records)
    assert watch.sweep(PATIENCE + MOMENT) == Swept(told=1, ended=0, failed=1)
    assert watch.look(other).told_again_ts


class Kept(NamedTuple):
    organisation: str
    number: int


@pytest.mark.parametrize(
    ("owned", "most", "sweeps"),
    [
        ((5,), 2, 3),
        ((1, 1, 30), 8, 15),  # two for each of three, of which the two that are alone need one
        ((7, 7), 4, 4),
        ((1,) * 9, 4, 3),
        ((3, 2, 3, 1, 2), 2, 9),
    ],
)
def test_what_one_sweep_has_no_time_for_the_next_ones_look_at(owned: tuple[int, ...], most: int, sweeps: int) -> None:
    keys = [Kept(f"org_{whose}", number) for whose, count in enumerate(owned) for number in range(count)]
    seen: set[Kept] = set()
    for number in range(sweeps):
        found = list(in_turn(keys, most, START + number * EVERY))
        assert len(found) == min(most, len(keys))
        seen |= set(found)
    assert seen == set(keys)


def test_of_less_than_a_sweep_looks_at_nothing_is_left_out_or_looked_at_twice() -> None:
    keys = [Kept("org_a", number) for number in range(5)] + [Kept("org_b", 1)]
    assert sorted(in_turn(keys, 2000, START + EVERY)) == sorted(keys)
    assert list(in_turn([], 2000, START)) == []


def test_who_has_much_that_waits_keeps_no_other_waiting() -> None:
    keys = [Kept("org_a", number) for number in range(50)] + [Kept("org_b", 1)]
    assert Kept("org_b", 1) in set(in_turn(keys, 4, START))


@pytest.mark.parametrize("function", ["SweepBuilds", "SweepDeploys"])
def test_sweeps_are_made_as_often_as_their_turns_are_counted(function: str) -> None:
    rules = [each["Properties"] for each in TEMPLATE["Resources"].values() if each["Type"] == "AWS::Events::Rule"]
    found = [rule["ScheduleExpression"] for rule in rules if any(each["Id"] == function for each in rule["Targets"])]
    assert found == [f"rate({EVERY // timedelta(minutes=1)} minutes)"]
