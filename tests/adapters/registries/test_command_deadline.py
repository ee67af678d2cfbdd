"""One end over all that a command waits for: who drips, stalls or puts it off again and again holds it for minutes."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.deadlines import SECONDS, Allowance, Deadline
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.hosts import Host
from byoa.adapters.registries.transport import Transport
from byoa.engine.mirroring import Wanted, mirror
from byoa.engine.patience import Patience
from byoa.errors import RegistryThrottled, RegistryUnavailable, Timeout, Transient
from local.registry import Response
from tests.faults.artifacts import Maker, put
from tests.faults.clock import Clock
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local.registry import Request

KIB: Final = 1024
WHOLE: Final = Wanted("v1", "v1")
MANY: Final = 40
"""Manifests of an index: each is a request, and there are more for what is attached to it."""


@contextmanager
def source_of(registry: Scripted, deadline: Deadline, clock: Clock) -> Iterator[DistributionRepository]:
    """A client with the patience of the terminal, whose waits pass at once."""
    host, _, port = registry.address.partition(":")
    allowance = Allowance(
        left=deadline.left, longer="longer", moved=deadline.moved, answered=deadline.answered, window=1e9
    )
    patience = Patience(attempts=5, first=0.25, longest=60.0, sleep=clock.sleep, draw=lambda: 1.0, left=deadline.left)
    with closing(Transport(allowance=allowance)) as transport:
        yield DistributionRepository(
            transport, Endpoint("http", host, int(port)), "vendor/app", role="source", patience=patience
        )


def many() -> Scripted:
    """A registry with an index of many manifests."""
    registry, maker = Scripted(), Maker(3)
    put(registry, "vendor/app", maker.artifact(maker.index(*(maker.image(1) for _ in range(MANY)))), "v1")
    return registry


def test_an_end_begins_with_the_first_look_at_it() -> None:
    clock = Clock()
    deadline = Deadline(60, now=clock.now)
    clock.sleep(1000)
    assert deadline.left() == 60
    clock.sleep(61)
    assert deadline.left() == -1


def test_what_gets_done_gives_time_back_and_never_more_than_all_of_it() -> None:
    clock = Clock()
    deadline = Deadline(60, now=clock.now)
    assert deadline.left() == 60
    clock.sleep(50)
    deadline.moved(1024 * KIB)
    assert deadline.left() == 18
    for _ in range(8):
        deadline.answered(200)
    assert deadline.left() == 20
    deadline.moved(1 << 40)
    assert deadline.left() == 60


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_answer_that_puts_us_off_gives_nothing_back(status: int) -> None:
    clock = Clock()
    deadline = Deadline(60, now=clock.now)
    deadline.left()
    clock.sleep(10)
    deadline.answered(status)
    assert deadline.left() == 50


def test_a_hard_end_stands_whatever_gets_done() -> None:
    clock = Clock()
    deadline = Deadline(60, hard=True, now=clock.now)
    deadline.left()
    clock.sleep(50)
    deadline.moved(1 << 40)
    deadline.answered(200)
    assert deadline.left() == 10


def test_a_copy_over_a_slow_line_may_last_for_days() -> None:
    """A gigabyte at half a megabit, from one registry to another, and another hundred of them."""
    clock = Clock()
    deadline = Deadline(now=clock.now)
    for _ in range(3 * 24 * 60):
        clock.sleep(60)
        deadline.moved(2 * 60 * 64 * KIB)
        assert deadline.left() > SECONDS - 61


def test_a_fleet_of_what_is_there_already_may_take_as_long_as_its_many_answers_do() -> None:
    clock = Clock()
    deadline = Deadline(now=clock.now)
    for _ in range(100_000):
        clock.sleep(0.25)
        deadline.answered(200)
    assert deadline.left() > SECONDS - 1


@pytest.mark.parametrize("seconds", [20, 100])
def test_many_slow_small_answers_end_as_a_timeout_in_minutes(seconds: int) -> None:
    clock = Clock()
    with many() as registry, source_of(registry, Deadline(now=clock.now), clock) as source:
        registry.script = lambda _: clock.sleep(seconds)
        with pytest.raises(Timeout) as caught:
            mirror(source, MemoryRepository(), WHOLE)
        assert len(registry.requests) <= SECONDS / (seconds - 1) + 1
    assert (caught.value.where, caught.value.remedy) == ("source", "longer")


@pytest.mark.parametrize("refusal", [429, 503])
def test_a_registry_that_puts_every_request_off_a_few_times_is_given_up_in_minutes(refusal: int) -> None:
    """Each request comes through at its last try: no single one is ever given up."""
    clock, seen = Clock(), dict[str, int]()

    def put_off(request: Request) -> Response | None:
        seen[request.path] = seen.get(request.path, 0) + 1
        clock.sleep(20)
        return None if seen[request.path] % 5 == 0 else Response(refusal)

    with many() as registry, source_of(registry, Deadline(now=clock.now), clock) as source:
        registry.script = put_off
        with pytest.raises(Transient):
            mirror(source, MemoryRepository(), WHOLE)
        assert len(registry.requests) <= SECONDS / 20 + 5


def test_a_host_that_asks_for_rest_again_and_again_is_given_up_in_minutes() -> None:
    clock = Clock()
    deadline = Deadline(now=clock.now)
    host = Host(4, left=deadline.left, now=clock.now, sleep=clock.sleep)

    def rest_for_ever() -> None:
        while True:
            with host.turn():
                host.rest(59)

    with pytest.raises(RegistryThrottled):
        rest_for_ever()
    assert clock.now() - 1000 <= SECONDS


def blobs_read(request: Request) -> bool:
    return request.method == "GET" and "/blobs/" in request.path


def dripping(registry: Scripted, clock: Clock, rate: int) -> Callable[[Request], Response | None]:
    """Blobs come at so many bytes a second."""

    def drip(request: Request) -> Response | None:
        if not blobs_read(request):
            return None
        honest = registry.plain(request)
        content = honest.body if isinstance(honest.body, bytes) else b"".join(honest.body)
        return Response(honest.status, [("Content-Length", str(len(content)))], pieces(content), close=True)

    def pieces(content: bytes) -> Iterator[bytes]:
        for start in range(0, len(content), rate):
            clock.sleep(1)
            yield content[start : start + rate]

    return drip


def test_a_blob_that_drips_above_the_slowest_rate_is_given_up_all_the_same() -> None:
    clock, maker, target = Clock(), Maker(7), MemoryRepository()
    with Scripted() as registry, source_of(registry, Deadline(now=clock.now), clock) as source:
        put(registry, "vendor/app", maker.artifact(maker.image(sizes=[4000 * KIB])), "v1")
        registry.script = dripping(registry, clock, 4 * KIB)
        with pytest.raises(Timeout) as caught:
            mirror(source, target, WHOLE)
    assert (caught.value.remedy, caught.value.given_up) == ("longer", True)
    assert not target.tags


def test_blobs_that_keep_coming_arrive_however_long_all_of_them_take() -> None:
    """Each takes a third of the time there is, and there are eight."""
    clock, maker, target = Clock(), Maker(7), MemoryRepository()
    with Scripted() as registry, source_of(registry, Deadline(60, now=clock.now), clock) as source:
        made = maker.artifact(maker.image(sizes=[3000 * KIB] * 8))
        put(registry, "vendor/app", made, "v1")
        registry.script = lambda request: clock.sleep(20) if blobs_read(request) else None
        mirror(source, target, WHOLE)
    assert target.blobs == made.blobs
    assert clock.now() - 1000 >= 8 * 20


def test_a_silent_registry_is_not_asked_once_more_when_the_end_has_come() -> None:
    clock = Clock()
    deadline = Deadline(now=clock.now)
    deadline.left()
    clock.sleep(SECONDS)
    with many() as registry, source_of(registry, deadline, clock) as source:
        with pytest.raises(Timeout):
            source.fetch_manifest("v1")
        assert registry.requests == []


def test_without_an_end_waits_are_bounded_one_by_one_as_before() -> None:
    """What the pipeline's own transport has is its invocation's end, and nothing is counted for it."""
    clock = Clock()
    with many() as registry, closing(Transport()) as transport:
        registry.script = lambda _: Response(503)
        host, _, port = registry.address.partition(":")
        patience = Patience(attempts=5, sleep=clock.sleep)
        endpoint = Endpoint("http", host, int(port))
        source = DistributionRepository(transport, endpoint, "vendor/app", role="source", patience=patience)
        with pytest.raises(RegistryUnavailable):
            source.fetch_manifest("v1")
        assert len(registry.requests) == 5
