"""Threads beside the one that leads: what is handed over is done once, and what it raises is not lost."""

from __future__ import annotations

import threading
import time
import weakref
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from byoa.engine.workers import Job, Workers
from byoa.installs.together import each

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = 20.0


@pytest.fixture
def one() -> Iterator[Workers]:
    with closing(Workers(1, "test")) as made:
        yield made


def test_a_job_gives_what_it_returned_as_often_as_it_is_asked(one: Workers) -> None:
    job = one.submit(lambda: 7)
    assert (job.result(), job.result(), job.error(), job.cancel()) == (7, 7, None, False)


def test_what_a_job_raised_is_raised_where_its_result_is_asked_for_and_the_thread_goes_on(one: Workers) -> None:
    def fail() -> None:
        raise KeyError("x")

    job = one.submit(fail)
    with pytest.raises(KeyError):
        job.result()
    assert isinstance(job.error(), KeyError)
    assert one.submit(lambda: 8).result() == 8


def test_a_job_that_is_cancelled_in_time_is_never_done(one: Workers) -> None:
    go, done = threading.Event(), []
    first = one.submit(lambda: go.wait(LONG))
    second = one.submit(lambda: done.append("second"))
    assert second.cancel()
    assert second.cancel()
    go.set()
    assert first.result()
    assert not first.cancel()
    assert one.submit(lambda: done.append("third")).error() is None
    assert (second.cancelled, second.error(), done) == (True, None, ["third"])


def test_as_many_jobs_run_at_once_as_there_are_threads() -> None:
    together = threading.Barrier(4)
    with closing(Workers(4, "test")) as workers:
        jobs = [workers.submit(lambda: together.wait(LONG)) for _ in range(4)]
        assert sorted(job.result() for job in jobs) == [0, 1, 2, 3]


def test_few_threads_do_what_is_quick_and_all_of_them_what_takes_its_time() -> None:
    together = threading.Barrier(6)
    with closing(Workers(6, "ramp", few=2)) as workers:
        jobs = [workers.submit(lambda: 0) for _ in range(50)]
        assert [job.result() for job in jobs] == [0] * 50
        assert len([each for each in threading.enumerate() if each.name.startswith("ramp-")]) == 2
        jobs = [workers.submit(lambda: together.wait(LONG)) for _ in range(6)]
        assert sorted(workers.result(job) for job in jobs) == [0, 1, 2, 3, 4, 5]


def test_no_thread_is_started_for_what_another_one_does_already() -> None:
    go = threading.Event()
    with closing(Workers(6, "still", few=1)) as workers:
        job = workers.submit(lambda: go.wait(LONG))
        threading.Timer(0.1, go.set).start()
        assert workers.result(job)
        assert len([each for each in threading.enumerate() if each.name.startswith("still-")]) == 1


def test_a_thread_that_is_free_is_used_before_another_is_started() -> None:
    with closing(Workers(8, "few")) as workers:
        for _ in range(20):
            workers.submit(lambda: None).result()
            time.sleep(0.01)
        names = [thread.name for thread in threading.enumerate() if thread.name.startswith("few-")]
    assert 1 <= len(names) < 8


def test_jobs_of_one_thread_are_done_in_their_order(one: Workers) -> None:
    done: list[int] = []
    jobs = [one.submit(partial(done.append, number)) for number in range(50)]
    assert [job.error() for job in jobs] == [None] * 50
    assert done == list(range(50))


def test_many_who_hand_over_at_once_each_get_their_own_answer() -> None:
    answers: dict[int, list[int]] = {}
    with closing(Workers(3, "test")) as workers:

        def ask(who: int) -> None:
            answers[who] = [workers.submit(partial(int, who * 1000 + n)).result() for n in range(200)]

        threads = [threading.Thread(target=ask, args=(who,)) for who in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
    assert answers == {who: [who * 1000 + n for n in range(200)] for who in range(6)}


def test_threads_end_when_all_that_was_handed_over_is_done() -> None:
    with closing(Workers(2, "ending")) as workers:
        jobs = [workers.submit(lambda: None) for _ in range(10)]
    assert all(job.error() is None for job in jobs)
    for thread in threading.enumerate():
        if thread.name.startswith("ending-"):
            thread.join(LONG)
            assert not thread.is_alive()


def test_a_job_that_is_done_no_longer_holds_what_it_did(one: Workers) -> None:
    class Thing:
        def act(self) -> None:
            """Do nothing."""

    thing = Thing()
    job = one.submit(thing.act)
    job.result()
    gone = weakref.ref(thing)
    del thing
    assert gone() is None


def test_who_is_interrupted_just_when_a_job_has_ended_may_still_ask_for_it() -> None:
    job = Job(lambda: 5)
    job.run()
    assert job._running.acquire(timeout=1), "a signal comes now, and nobody gives the lock back"
    assert job.ends_within(0)
    assert job.error() is None
    assert job.result() == 5


def test_what_is_done_side_by_side_ends_with_what_was_begun_when_somebody_stops_it(one: Workers) -> None:
    begun, let, done = threading.Event(), threading.Event(), []

    def action(part: int) -> None:
        begun.set()
        let.wait(10)
        done.append(part)

    def parts() -> Iterator[int]:
        yield 1
        yield 2
        begun.wait(10)
        threading.Timer(0.05, let.set).start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        each(one, action, parts())
    assert one.submit(lambda: list(done)).result() == [1], "the second was never begun"


def test_who_is_ended_just_when_something_was_begun_waits_for_it(one: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended, add = threading.Event(), threading.Event(), one.add

    def act(_: int) -> None:
        begun.set()
        time.sleep(0.1)
        ended.set()

    def signalled(job: Job[object]) -> None:
        add(job)
        assert begun.wait(LONG)
        raise KeyboardInterrupt

    monkeypatch.setattr(one, "add", signalled)
    with pytest.raises(KeyboardInterrupt):
        each(one, act, [1, 2])
    assert ended.is_set()
