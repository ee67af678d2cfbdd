"""A component's build_timeout: it runs from when the build is begun, and no step begins after it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import yaml

from byoa.adapters.memory.ledger import MemoryLedger
from byoa.bootstrap import pipeline
from byoa.builds import validate as validate_step
from byoa.builds.deadline import check_time
from byoa.builds.messages import ChangeReceived
from byoa.components.reading import check_config
from byoa.components.values import DURATION_LIMIT
from byoa.errors import BuildTimedOut, Rejected
from byoa.trust.policy import Policy
from tests.template import ROOT

if TYPE_CHECKING:
    from byoa.builds.messages import BuildKey, ValidReference

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Watch:
    """A clock that is set by hand."""

    moment: datetime = START

    def now(self) -> datetime:
        return self.moment


class Handed:
    """A config that was handed in, and a watch."""

    def __init__(self, timeout: str) -> None:
        self.watch = Watch()
        self.ledger = MemoryLedger(self.watch)
        text = f'build_timeout = "{timeout}"\nmanifest = "a: 1"\n' if timeout else 'manifest = "a: 1"\n'
        config = check_config(f'name = "web"\ntype = "kubernetes_manifest"\nnamespace = "web"\n{text}').config
        assert config
        self.key: BuildKey = self.ledger.submit("org_0123456789ab", "shop", config).build.key

    def validate(self) -> ValidReference:
        change = ChangeReceived(**self.key.model_dump(), execution="one")
        return validate_step.validate(change, self.ledger, Policy("000000000000", "byoa"), self.watch)


@pytest.mark.parametrize(("timeout", "lasts"), [("", 300), ("90s", 90), ("1h", 3600), ("1.5m", 90)])
def test_a_build_ends_as_its_config_says_from_when_it_was_begun(timeout: str, lasts: int) -> None:
    handed = Handed(timeout)
    handed.watch.moment += timedelta(hours=2)  # a change may wait for long; that is none of the build's time
    begun = handed.watch.moment
    ends = handed.validate().ends_ts
    assert ends == int((begun + timedelta(seconds=lasts)).timestamp() * 1000)
    handed.watch.moment += timedelta(seconds=lasts - 1)
    assert handed.validate().ends_ts == ends  # a step that is tried again gains no time
    handed.watch.moment += timedelta(seconds=1)
    with pytest.raises(BuildTimedOut):
        handed.validate()


def test_who_is_too_late_is_told_which_field_says_so() -> None:
    with pytest.raises(BuildTimedOut) as caught:
        check_time(1_000, datetime.fromtimestamp(1, UTC))
    check_time(1_001, datetime.fromtimestamp(1, UTC))
    assert caught.value.where == "build_timeout"
    assert "build_timeout" in caught.value.remedy


def test_no_try_follows_it() -> None:
    """Step Functions tries again by name: what isn't Transient isn't there (tests/contract/test_names.py)."""
    assert issubclass(BuildTimedOut, Rejected)
    assert "BuildTimedOut" not in (ROOT / "statemachine" / "build.asl.yaml").read_text()


def test_the_longest_build_and_all_waits_after_it_fit_into_an_execution() -> None:
    machine = yaml.safe_load((ROOT / "statemachine" / "build.asl.yaml").read_text())
    begins, slowest, record = (
        machine["States"][name] for name in ("ValidateReference", "StageArtifact", "RecordBuild")
    )
    waits = sum(retry["MaxAttempts"] * retry.get("MaxDelaySeconds", 10) for retry in begins["Retry"])
    (again,) = record["Retry"]
    delays = [min(again["IntervalSeconds"] * again["BackoffRate"] ** n, again["MaxDelaySeconds"]) for n in range(8)]
    last = sum(delays) + (again["MaxAttempts"] + 1) * record["TimeoutSeconds"]
    assert waits + DURATION_LIMIT + slowest["TimeoutSeconds"] + last < machine["TimeoutSeconds"]


def test_a_copy_stops_at_the_build_s_end_as_it_does_at_the_function_s() -> None:
    def now() -> int:
        return int(datetime.now(UTC).timestamp() * 1000)

    out_of_time = pipeline.pace().out_of_time
    pipeline.begin(lambda: 300_000)
    pipeline.bound(now() + 60_000)
    assert not out_of_time()
    pipeline.begin(lambda: 300_000)
    with pytest.raises(BuildTimedOut):
        pipeline.bound(now())
    assert not out_of_time(), "one build's end is none of the next one's"
    ends = now() + 20
    pipeline.bound(ends)
    while now() < ends:
        time.sleep(0.001)
    assert out_of_time()
    pipeline.begin(lambda: pipeline.MARGIN_MILLISECONDS - 1)
    assert out_of_time()
    pipeline.begin(lambda: 300_000)
    assert not out_of_time()
