"""How often something is tried again, how long is waited, and what a registry may ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from byoa.adapters.registries.answers import refusal
from byoa.engine.patience import HASTY, Patience
from byoa.errors import ByoaError, DigestMismatch, RegistryThrottled, RegistryUnavailable, Transient
from tests.faults.clock import Clock


def failed(retry_after: float | None = None) -> RegistryUnavailable:
    return RegistryUnavailable("The registry failed (status 503).", retry_after=retry_after)


def patient(clock: Clock, draw: float = 1.0, **settings: Any) -> Patience:
    whole = Patience(attempts=5, first=0.2, longest=30.0, sleep=clock.sleep, draw=lambda: draw)
    return whole._replace(**settings)


def try_all(patience: Patience, error: ByoaError) -> int:
    """How many tries there are of something that always ends with the error."""
    tries = 1
    while patience.again(tries, error):
        tries += 1
    return tries


def test_five_attempts_are_five_tries_and_four_waits() -> None:
    clock = Clock()
    assert try_all(patient(clock), failed()) == 5
    assert len(clock.slept) == 4


def test_the_hasty_try_once_and_wait_for_nothing() -> None:
    assert not HASTY.again(1, failed())


def test_bounds_double_up_to_the_longest() -> None:
    clock = Clock()
    try_all(patient(clock, attempts=11), failed())
    assert clock.slept == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30])


@pytest.mark.parametrize("draw", [0.0, 0.25, 0.999])
def test_a_wait_is_any_part_of_its_bound(draw: float) -> None:
    clock = Clock()
    try_all(patient(clock, draw), failed())
    assert clock.slept == pytest.approx([0.2 * draw, 0.4 * draw, 0.8 * draw, 1.6 * draw])


def test_waits_are_spread_over_the_whole_of_their_bound() -> None:
    clock = Clock()
    patience = Patience(attempts=2, first=8.0, sleep=clock.sleep)
    for _ in range(2000):
        patience.again(1, failed())
    assert all(0 <= wait <= 8 for wait in clock.slept)
    quarters = [sum(low <= wait < low + 2 for wait in clock.slept) for low in (0, 2, 4, 6)]
    assert min(quarters) > 300


def test_what_the_other_side_asks_for_is_waited_for_to_the_second() -> None:
    clock = Clock()
    assert patient(clock, draw=0.0).again(1, failed(7.0))
    assert clock.slept == [7.0]


def test_who_asks_for_nothing_is_not_waited_for() -> None:
    clock = Clock()
    assert patient(clock).again(1, failed(0.0))
    assert clock.slept == [0.0]


def test_who_asks_for_more_than_the_longest_is_left_at_once() -> None:
    clock = Clock()
    assert not patient(clock).again(1, failed(31.0))
    assert clock.slept == []


def test_bad_bytes_are_worth_another_try_too() -> None:
    assert try_all(patient(Clock()), DigestMismatch("Other bytes.")) == 5


def test_tries_of_one_thing_within_another_add_up_and_do_not_multiply() -> None:
    inner, outer, error = patient(Clock()), patient(Clock()), failed()
    assert try_all(inner, error) == 5
    assert try_all(outer, error) == 1


def test_who_tries_once_leaves_it_to_who_called() -> None:
    error = failed()
    assert try_all(HASTY, error) == 1
    assert try_all(patient(Clock()), error) == 5


# What a registry says in Retry-After


@dataclass
class Said:
    """An answer with a status and one header."""

    status: int
    retry_after: str

    def header(self, name: str) -> str | None:
        return self.retry_after if name == "Retry-After" else None

    def read(self, limit: int) -> bytes:
        return b""


def heard(said: str, status: int = 429) -> float | None:
    answer: Any = Said(status, said)
    error = refusal(answer, "source", "The manifest")
    assert isinstance(error, Transient)
    return error.retry_after


@pytest.mark.parametrize("status", [429, 503])
def test_seconds_are_heard(status: int) -> None:
    assert heard("7", status) == 7.0


def test_a_date_is_heard_as_the_time_until_then() -> None:
    found = heard(format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True))
    assert found is not None
    assert 0 < found <= 40


def test_more_than_a_minute_is_heard_as_a_minute() -> None:
    assert heard("3600") == heard(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)) == 60.0


def test_a_date_that_is_over_is_heard_as_now() -> None:
    assert heard("Thu, 01 Jan 1970 00:00:00 GMT") == 0.0


@pytest.mark.parametrize(
    "said",
    [
        f"Fri, {'9' * 20} Dec 1999 23:59:59 GMT",
        f"Fri, 31 Dec {'9' * 20} 23:59:59 GMT",
        f"Fri, 31 Dec 1999 23:59:59 +{'9' * 20}",
        f"Fri, 31 Dec 1999 {'9' * 5000}:00:00 GMT",
        "Fri, 31 Dec 1999 23:59:59 +9999",
        "²",
        "٣",
        "0x10",
        "\x00",
    ],
)
def test_absurd_dates_and_numbers_are_heard_as_nothing(said: str) -> None:
    assert heard(said) is None


def test_a_throttle_is_one_whatever_it_says() -> None:
    answer: Any = Said(429, "soon")
    assert isinstance(refusal(answer, "source", "The manifest"), RegistryThrottled)


@pytest.mark.parametrize(("left", "tries"), [(0.5, 2), (0.7, 3), (1.5, 4)])
def test_a_wait_that_would_outlast_the_time_that_is_left_is_not_begun(left: float, tries: int) -> None:
    clock = Clock()
    end = clock.now() + left
    assert try_all(patient(clock, left=lambda: end - clock.now()), failed()) == tries
    assert clock.now() < end


def test_who_asks_for_more_than_is_left_is_not_waited_for() -> None:
    clock = Clock()
    assert not patient(clock, left=lambda: 9.0).again(1, failed(retry_after=10))
    assert patient(clock, left=lambda: 11.0).again(1, failed(retry_after=10))
    assert clock.slept == [10]
