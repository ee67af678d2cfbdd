"""Places for functions on the desk: never more than there are, and the oldest execution's turn comes first."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from local.emulator.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Sequence

LONG = 20.0


def served(slots: Slots, waiting: Sequence[float]) -> list[float]:
    """In which order those that began then get the one place, which is taken while they come."""
    order: list[float] = []

    def wait(began: float) -> None:
        assert slots.acquire(began, LONG)
        order.append(began)
        slots.release()

    assert slots.acquire(0.0, LONG)
    threads = [threading.Thread(target=wait, args=(began,)) for began in waiting]
    for thread in threads:
        thread.start()
        time.sleep(0.02)  # they come one after the other
    slots.release()
    for thread in threads:
        thread.join(LONG)
    return order


def test_the_oldest_of_those_that_wait_is_served_first_and_equals_in_the_order_they_came() -> None:
    assert served(Slots(1), [3.0, 1.0, 0.0, 2.0]) == [0.0, 1.0, 2.0, 3.0]
    assert served(Slots(1), [1.0, 1.0, 1.0]) == [1.0, 1.0, 1.0]


def test_a_free_place_is_given_at_once_and_no_more_than_there_are() -> None:
    slots = Slots(2)
    assert slots.acquire(5.0, 0.0)
    assert slots.acquire(4.0, 0.0)
    assert not slots.acquire(1.0, 0.01)
    slots.release()
    assert slots.acquire(9.0, 0.0)


def test_who_gave_up_waiting_is_given_nothing_any_more() -> None:
    slots = Slots(1)
    assert slots.acquire(0.0, 0.0)
    assert not slots.acquire(1.0, 0.01)
    slots.release()
    assert slots.acquire(2.0, 0.0)


def test_many_threads_never_hold_more_places_than_there_are() -> None:
    slots, lock = Slots(3), threading.Lock()
    holding = most = 0

    def work(number: int) -> None:
        nonlocal holding, most
        for _ in range(20):
            assert slots.acquire(float(number), LONG)
            with lock:
                holding += 1
                most = max(most, holding)
            time.sleep(0.0005)
            with lock:
                holding -= 1
            slots.release()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert (holding, most) == (0, 3)
