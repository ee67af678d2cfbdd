"""Registries that drip: a step tells how far it came before its time is over, and a terminal gets an error."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.deadlines import Allowance
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.traits import Traits
from byoa.adapters.registries.transport import Transport
from byoa.bootstrap import pipeline
from byoa.engine.copying import copy
from byoa.engine.mirroring import Wanted, mirror
from byoa.engine.patience import Patience
from byoa.engine.sending import Pace
from byoa.errors import RegistryUnavailable, ShortRead, Timeout
from local.registry import Request, Response
from tests.faults.artifacts import Artifact, Maker, put
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TRIES: Final = Patience(attempts=3, sleep=lambda _: None)
BLOB: Final = 300_000


def endpoint(registry: Scripted) -> Endpoint:
    host, _, port = registry.address.partition(":")
    return Endpoint("http", host, int(port))


def artifact() -> Artifact:
    maker = Maker(7)
    return maker.artifact(maker.image(sizes=[BLOB]))


class Dripping(Scripted):
    """A registry that sends what ``slow`` says in small pieces, with a pause after each."""

    def __init__(self, slow: Callable[[Request], bool], piece: int = 2000, pause: float = 0.02) -> None:
        super().__init__()
        self.script = lambda request: self._drip(request, piece, pause) if slow(request) else None

    def _drip(self, request: Request, piece: int, pause: float) -> Response:
        honest = self.plain(request)
        content = honest.body if isinstance(honest.body, bytes) else b"".join(honest.body)
        headers = [(name, value) for name, value in honest.headers if name.lower() != "content-length"]
        headers.append(("Content-Length", str(len(content))))
        return Response(honest.status, headers, _pieces(content, piece, pause), close=True)


def _pieces(content: bytes, size: int, pause: float) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]
        time.sleep(pause)


def large_blobs(request: Request) -> bool:
    return request.method == "GET" and "/blobs/" in request.path


def manifests(request: Request) -> bool:
    return request.method == "GET" and "/manifests/" in request.path


class Clock:
    """So many seconds, from now on."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        return self._end - time.monotonic()

    def over(self) -> bool:
        return self.left() <= 0


def test_a_step_that_a_dripping_blob_outlasts_says_what_is_pending_and_where_to_go_on() -> None:
    made, clock = artifact(), Clock(0.5)
    with (
        Dripping(large_blobs) as origin,
        Scripted() as goal,
        closing(Transport(allowance=Allowance(left=clock.left))) as t,
    ):
        put(origin, "vendor/app", made, "v1")
        source = DistributionRepository(t, endpoint(origin), "vendor/app", role="source", patience=TRIES)
        target = DistributionRepository(t, endpoint(goal), "ours/app", role="target", traits=Traits(chunk=BLOB))
        pace = Pace(lasting_from=1000, patience=TRIES, out_of_time=lambda: clock.left() <= 0.1)
        done = copy(source, target, source.fetch_manifest("v1"), pace=pace)
    (left,) = [each for each in done.pending if each.descriptor.size == BLOB]
    assert left.session
    assert done.manifests == 0


def test_a_step_whose_sockets_end_first_says_what_is_pending_as_well() -> None:
    """It was waiting when its time ended: what it waited for is no failure."""
    made, clock = artifact(), Clock(0.4)
    allowance = Allowance(left=clock.left)
    with Dripping(large_blobs, piece=1, pause=0.2) as origin, closing(Transport(allowance=allowance)) as transport:
        put(origin, "vendor/app", made, "v1")
        source = DistributionRepository(transport, endpoint(origin), "vendor/app", role="source", patience=TRIES)
        root = source.fetch_manifest("v1")
        done = copy(source, MemoryRepository(), root, pace=Pace(patience=TRIES, out_of_time=clock.over))
    assert BLOB in {each.descriptor.size for each in done.pending}


def test_a_manifest_that_drips_ends_a_step_as_a_timeout_and_is_not_asked_for_again() -> None:
    clock = Clock(0.3)
    allowance = Allowance(left=clock.left)
    with Dripping(manifests, piece=1) as origin, closing(Transport(allowance=allowance)) as transport:
        put(origin, "vendor/app", artifact(), "v1")
        source = DistributionRepository(transport, endpoint(origin), "vendor/app", role="source", patience=TRIES)
        with pytest.raises(Timeout):
            source.fetch_manifest("v1")
        assert len(origin.requests) == 1


def test_a_manifest_that_drips_ends_on_a_terminal_as_an_error_and_is_not_asked_for_again() -> None:
    allowance = Allowance(answer=0.3)
    with Dripping(manifests, piece=1) as origin, closing(Transport(allowance=allowance)) as transport:
        put(origin, "vendor/app", artifact(), "v1")
        source = DistributionRepository(transport, endpoint(origin), "vendor/app", role="source", patience=TRIES)
        with pytest.raises(RegistryUnavailable):
            source.fetch_manifest("v1")
        assert len(origin.requests) == 1


def test_a_blob_below_the_slowest_rate_ends_as_a_short_read_after_the_tries_there_are() -> None:
    allowance = Allowance(window=0.1, slowest=10_000)
    with Dripping(large_blobs, piece=10) as origin, closing(Transport(allowance=allowance)) as transport:
        put(origin, "vendor/app", artifact(), "v1")
        source = DistributionRepository(transport, endpoint(origin), "vendor/app", role="source", patience=TRIES)
        with pytest.raises(ShortRead):
            mirror(source, MemoryRepository(), Wanted("v1", "v1", attachments=False))


def test_a_blob_that_is_slow_and_steady_arrives() -> None:
    made, target = artifact(), MemoryRepository()
    allowance = Allowance(answer=0.3, window=0.2, slowest=10_000)
    with Dripping(large_blobs, piece=6000) as origin, closing(Transport(allowance=allowance)) as transport:
        put(origin, "vendor/app", made, "v1")
        source = DistributionRepository(transport, endpoint(origin), "vendor/app", role="source", patience=TRIES)
        mirror(source, target, Wanted("v1", "v1", attachments=False))
    assert target.blobs == made.blobs


@pytest.fixture
def over() -> Iterator[None]:
    """An invocation of a function whose time is nearly over; whatever comes after has time again."""
    pipeline.begin(lambda: pipeline.LAST_MILLISECONDS)
    yield
    pipeline.begin(lambda: 300_000)


@pytest.mark.usefixtures("over")
def test_the_pipeline_s_sockets_end_before_its_functions_do() -> None:
    with pytest.raises(Timeout):
        pipeline.transport("org_a").request("GET", Endpoint("https", "registry.example", 443), "/", {})
    assert pipeline.pace().out_of_time()
    assert pipeline.LAST_MILLISECONDS < pipeline.MARGIN_MILLISECONDS
