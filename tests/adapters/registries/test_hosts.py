"""One host's gate: rest for all who use it, so many at once, writes at its pace."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from byoa.adapters.registries.hosts import LONGEST_REST, Host
from byoa.errors import RegistryThrottled
from tests.faults.clock import Clock

LONG: Final = 30
"""Seconds after which a thread is taken to hang."""


def gate(clock: Clock, concurrency: int = 4) -> Host:
    return Host(concurrency, now=clock.now, sleep=clock.sleep)


def entered(host: Host, clock: Clock) -> float:
    with host.turn():
        return clock.now()


def test_a_host_that_asked_for_nothing_is_entered_at_once() -> None:
    clock = Clock()
    assert entered(gate(clock), clock) == 1000
    assert clock.slept == []


def test_nobody_enters_before_the_rest_is_over() -> None:
    clock = Clock()
    host = gate(clock)
    host.rest(7)
    with ThreadPoolExecutor(8) as workers:
        moments = [future.result(LONG) for future in [workers.submit(entered, host, clock) for _ in range(8)]]
    assert min(moments) >= 1007


def test_who_waits_for_a_slot_also_waits_for_a_rest_that_begins_meanwhile() -> None:
    clock = Clock()
    host = gate(clock, concurrency=1)
    with ThreadPoolExecutor(1) as workers:
        with host.turn():
            waiting = workers.submit(entered, host, clock)
            host.rest(7)
        assert waiting.result(LONG) >= 1007


def test_the_longer_of_two_rests_counts() -> None:
    clock = Clock()
    host = gate(clock)
    host.rest(9)
    host.rest(2)
    assert entered(host, clock) == 1009


def test_a_rest_that_grows_while_somebody_waits_is_waited_for_to_its_end() -> None:
    clock = Clock()
    grown = [5.0]

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        host.rest(grown.pop() if grown else 0)

    host = Host(1, now=clock.now, sleep=sleep)
    host.rest(3)
    assert entered(host, clock) == 1008


def test_a_rest_over_the_longest_is_not_waited_for_but_told() -> None:
    clock = Clock()
    host = gate(clock)
    host.rest(LONGEST_REST + 1)
    with pytest.raises(RegistryThrottled) as caught:
        entered(host, clock)
    assert caught.value.retry_after == LONGEST_REST + 1
    assert clock.slept == []


def test_a_rest_that_outlasts_the_time_that_is_left_is_told_at_once() -> None:
    clock = Clock()
    host = Host(1, left=lambda: 5.0, now=clock.now, sleep=clock.sleep)
    host.rest(6)
    with pytest.raises(RegistryThrottled):
        entered(host, clock)
    assert clock.slept == []
    assert entered(Host(1, left=lambda: 7.0, now=clock.now, sleep=clock.sleep), clock) == 1000


def test_who_was_told_to_come_back_has_left_its_slot() -> None:
    clock = Clock()
    host = gate(clock, concurrency=1)
    host.rest(LONGEST_REST + 1)
    for _ in range(3):
        with pytest.raises(RegistryThrottled):
            entered(host, clock)
    clock.sleep(LONGEST_REST + 1)
    assert entered(host, clock) == 1000 + LONGEST_REST + 1


def test_no_more_go_at_once_than_the_host_takes() -> None:
    host = Host(3)
    inside, most, lock = [0], [0], threading.Lock()
    together = threading.Barrier(3)

    def visit() -> None:
        with host.turn():
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            together.wait(LONG)
            with lock:
                inside[0] -= 1

    with ThreadPoolExecutor(9) as workers:
        for future in [workers.submit(visit) for _ in range(9)]:
            future.result(LONG)
    assert most[0] == 3


def test_writes_go_at_the_pace_that_the_host_takes() -> None:
    clock = Clock()
    host = gate(clock)
    moments = []
    for _ in range(5):
        host.pace(10)
        moments.append(clock.now())
    assert moments == pytest.approx([1000, 1000.1, 1000.2, 1000.3, 1000.4])


def test_writers_beside_each_other_share_the_pace() -> None:
    clock = Clock()
    host = gate(clock)
    with ThreadPoolExecutor(4) as workers:
        for future in [workers.submit(host.pace, 10) for _ in range(21)]:
            future.result(LONG)
    assert clock.now() == pytest.approx(1002)


def test_a_pause_between_writes_is_not_saved_up() -> None:
    clock = Clock()
    host = gate(clock)
    host.pace(10)
    clock.sleep(60)
    host.pace(10)
    host.pace(10)
    assert clock.slept == pytest.approx([60, 0.1])


def test_a_host_without_a_pace_takes_writes_at_once() -> None:
    clock = Clock()
    gate(clock).pace(None)
    assert clock.slept == []
