"""Many threads at one thing: tokens, passwords, connections, the blobs of one copy."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.authorization import Wallet
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.traits import ECR
from byoa.adapters.registries.transport import Transport
from byoa.engine.copying import copy
from byoa.engine.patience import Patience
from byoa.engine.sending import Pace
from byoa.engine.workers import Workers
from byoa.errors import DigestMismatch, ReferenceNotFound, RegistryUnavailable
from byoa.oci.digest import Digest
from byoa.trust.credentials import Credential
from local.registry import EcrSettings, MemoryControlPlane, Registry, RepositoryFacts, Request, Response, Settings
from tests.faults.artifacts import Artifact, Maker, lacking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.engine.ports import BlobReader, Fate, Offer, Upload
    from byoa.oci.manifest import Descriptor, Manifest

LONG: Final = 60
"""Seconds after which a thread has hung."""

MANY: Final = 16
OURS: Final = Credential("byoa", "desk")


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.close()


@pytest.fixture
def workers() -> Iterator[Workers]:
    with closing(Workers(4, "test")) as made:
        yield made


def repository(
    transport: Transport, registry: Registry, role: Any = "target", **settings: Any
) -> DistributionRepository:
    host, _, port = registry.address.partition(":")
    return DistributionRepository(transport, Endpoint("http", host, int(port)), "ours/app", role=role, **settings)


def at_once[T](action: Callable[[], T]) -> list[T]:
    """What many threads get that begin together."""
    together = threading.Barrier(MANY)

    def begin() -> T:
        together.wait(LONG)
        return action()

    with ThreadPoolExecutor(MANY) as threads:
        return [future.result(LONG) for future in [threads.submit(begin) for _ in range(MANY)]]


# Credentials


def test_many_threads_that_want_one_token_ask_for_it_once(transport: Transport) -> None:
    with Registry(Settings(auth="bearer")) as registry:
        wallet = Wallet(transport)
        found = at_once(lambda: repository(transport, registry, credential=OURS, wallet=wallet).find_manifest("v1"))
        assert found == [None] * MANY
        assert [seen.path for seen in registry.requests].count("/token") == 1


def test_many_threads_whose_token_has_run_out_ask_for_another_once(transport: Transport) -> None:
    with Registry(Settings(auth="bearer")) as registry:
        shared = repository(transport, registry, credential=OURS)
        shared.find_manifest("v1")
        for grants in (registry._api._gate._grants,):  # type: ignore[attr-defined]
            grants.clear()
        registry.forget_requests()
        at_once(lambda: shared.find_manifest("v1"))
        assert [seen.path for seen in registry.requests].count("/token") == 1
        assert [seen.status for seen in registry.requests].count(404) == MANY


def test_many_threads_whose_password_has_run_out_renew_it_once_and_all_go_on(transport: Transport) -> None:
    plane = MemoryControlPlane({"ours/app": RepositoryFacts()}, "fresh")
    given: list[Credential] = []

    def renew() -> Credential:
        given.append(Credential("AWS", "fresh"))
        return given[-1]

    with Registry(Settings(ecr=EcrSettings(control=plane))) as registry:
        stale = Credential("AWS", "stale")
        target = repository(transport, registry, credential=stale, renew=renew, traits=ECR)
        assert at_once(lambda: target.find_manifest("v1")) == [None] * MANY
        assert len(given) == 1


# The blobs of one copy


def made(layers: int) -> tuple[MemoryRepository, Artifact]:
    maker = Maker(3)
    artifact = maker.artifact(maker.image(layers))
    return MemoryRepository(dict(artifact.blobs), {each.digest: each for each in artifact.manifests}), artifact


def long(layers: int) -> tuple[MemoryRepository, Artifact]:
    """An artifact of blobs that take their time."""
    maker = Maker(3)
    artifact = maker.artifact(maker.image(sizes=(30_000,) * layers))
    return MemoryRepository(dict(artifact.blobs), {each.digest: each for each in artifact.manifests}), artifact


class Gated(MemoryRepository):
    """A source one of whose blobs fails, and whose others, but for the config, end only when they are stopped."""

    def __init__(self, inner: MemoryRepository, broken: Digest, error: Exception) -> None:
        super().__init__(inner.blobs, inner.manifests)
        self._broken = broken
        self._error = error
        self.begun: list[Digest] = []
        self.failing = threading.Event()

    @contextmanager
    def open_blob(self, descriptor: Descriptor, start: int = 0) -> Iterator[BlobReader]:
        self.begun.append(descriptor.digest)
        if descriptor.digest == self._broken:
            self.failing.set()
            raise self._error
        if descriptor.size > len(b"{}"):
            assert self.failing.wait(LONG)
            yield Endless(descriptor.size)
        else:
            with super().open_blob(descriptor, start) as content:
                yield content


class Endless:
    """A reader that gives a byte a millisecond, and never the last one."""

    def __init__(self, size: int) -> None:
        self._left = size - 1

    def readinto(self, buffer: memoryview, /) -> int:
        threading.Event().wait(0.001)
        self._left -= 1
        assert self._left, "nobody stopped this blob"
        buffer[:1] = b"?"
        return 1


ERRORS: Final = (
    ReferenceNotFound("No such blob."),
    DigestMismatch("Other bytes."),
    RegistryUnavailable("It hung up."),
    ZeroDivisionError("A defect."),
)


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_the_failure_of_one_blob_stops_the_others_and_is_what_the_copy_fails_with(
    workers: Workers, number: int, error: Exception
) -> None:
    inner, artifact = long(5)
    layers = [layer.digest for layer in artifact.root.layers]
    source, target = Gated(inner, layers[number], error), MemoryRepository({Digest.of(b"{}"): b"{}"})
    with pytest.raises(type(error)) as caught:
        copy(source, target, artifact.root, tag="v1", pace=Pace(workers=workers), lacking=frozenset(layers))
    assert caught.value is error
    assert (len(target.blobs), target.manifests) == (1, {})


def test_blobs_that_were_not_begun_when_another_failed_are_never_begun(workers: Workers) -> None:
    inner, artifact = long(100)
    assert artifact.root.config
    source = Gated(inner, artifact.root.config.digest, ReferenceNotFound("No such blob."))
    with pytest.raises(ReferenceNotFound):
        copy(source, MemoryRepository(), artifact.root, pace=Pace(workers=workers))
    assert len(source.begun) < 100


def test_workers_serve_the_next_copy_after_one_that_failed(workers: Workers) -> None:
    inner, artifact = long(20)
    source = Gated(inner, artifact.root.layers[2].digest, ReferenceNotFound("No such blob."))
    with pytest.raises(ReferenceNotFound):
        copy(source, MemoryRepository(), artifact.root, pace=Pace(workers=workers))
    assert copy(inner, MemoryRepository(), artifact.root, pace=Pace(workers=workers)).copied == 21


class Ordered(MemoryRepository):
    """A target that notes what it is told, and how many blobs it took at once."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def offer_blob(self, descriptor: Descriptor, offer: Offer) -> Fate | Upload:
        self.told.append("blob")
        return super().offer_blob(descriptor, offer)

    def push_manifest(self, manifest: Manifest, tag: str | None = None) -> None:
        self.told.append(f"manifest {manifest.digest} {tag}")
        super().push_manifest(manifest, tag)


def test_three_hundred_layers_come_before_the_manifests_and_these_in_their_order(workers: Workers) -> None:
    maker = Maker(3)
    one, two = maker.image(150), maker.image(150)
    artifact = maker.artifact(maker.index(one, two))
    source = MemoryRepository(dict(artifact.blobs), {each.digest: each for each in artifact.manifests})
    target = Ordered()
    done = copy(source, target, artifact.root, tag="v1", pace=Pace(workers=workers))
    assert target.told[:301] == ["blob"] * 301
    assert target.told[301:] == [
        f"manifest {one.digest} None",
        f"manifest {two.digest} None",
        f"manifest {artifact.root.digest} v1",
    ]
    assert (done.copied, target.blobs) == (301, artifact.blobs)


def test_three_hundred_layers_go_from_registry_to_registry(transport: Transport, workers: Workers) -> None:
    source, artifact = made(300)
    with Registry() as goal:
        target = repository(transport, goal)
        copy(source, target, artifact.root, tag="v1", pace=Pace(workers=workers))
        assert lacking(goal, "ours/app", artifact, "v1") == []


def test_when_time_runs_out_in_the_first_blob_the_others_are_pending_too(workers: Workers) -> None:
    source, artifact = made(30)
    over = threading.Event()

    class Late(MemoryRepository):
        @contextmanager
        def open_blob(self, descriptor: Descriptor, start: int = 0) -> Iterator[BlobReader]:
            if artifact.root.config and descriptor.digest == artifact.root.config.digest:
                over.set()
            assert over.wait(LONG)
            with super().open_blob(descriptor, start) as content:
                yield content

    target = MemoryRepository()
    pace = Pace(workers=workers, out_of_time=over.is_set)
    done = copy(Late(source.blobs, source.manifests), target, artifact.root, tag="v1", pace=pace)
    assert len(done.pending) == 31
    assert (target.blobs, target.manifests) == ({}, {})


def test_a_blob_that_fails_while_time_runs_out_is_the_failure(workers: Workers) -> None:
    inner, artifact = long(4)
    source = Gated(inner, artifact.root.layers[3].digest, ReferenceNotFound("No such blob."))
    pace = Pace(workers=workers, out_of_time=source.failing.is_set)
    with pytest.raises(ReferenceNotFound):
        copy(source, MemoryRepository(), artifact.root, pace=pace)


class Forgetful(Ordered):
    """A target that says that it has every blob, until it is pushed to unasked."""

    def offer_blob(self, descriptor: Descriptor, offer: Offer) -> Fate | Upload:
        return super().offer_blob(descriptor, offer) if offer.unasked else "skipped"


def test_when_time_runs_out_while_missing_parts_are_sent_they_are_pending(workers: Workers) -> None:
    source, artifact = made(5)
    target = Forgetful()
    pace = Pace(workers=workers, out_of_time=lambda: bool(target.told))
    done = copy(source, target, artifact.root, tag="v1", pace=pace)
    assert len(done.pending) == 6
    assert done.manifests == 0


def test_a_mount_that_never_was_is_made_up_for_by_sending_the_blob(transport: Transport) -> None:
    class Boasting(Registry):
        def answer(self, request: Request) -> Response:
            return Response(201) if "mount" in request.query else super().answer(request)

    source, artifact = made(2)
    with Boasting() as goal:
        copy(source, repository(transport, goal), artifact.root, tag="v1", origin="vendor/app")
        assert lacking(goal, "ours/app", artifact, "v1") == []


def test_what_is_wrong_with_bytes_that_a_target_holds_is_told_there() -> None:
    source, artifact = made(1)

    class Holding:
        held, session = 1, None

        @contextmanager
        def reread(self) -> Iterator[BlobReader]:
            yield Broken()

        def write(self, content: BlobReader) -> None:
            raise AssertionError("it was not asked to")

    class Broken:
        def readinto(self, buffer: memoryview, /) -> int:
            raise RegistryUnavailable("It hung up.")

    class Target(MemoryRepository):
        def offer_blob(self, descriptor: Descriptor, offer: Offer) -> Fate | Upload:
            return Holding()

    with pytest.raises(RegistryUnavailable) as caught:
        copy(source, Target(), artifact.root, target_name="quarantine", pace=Pace(patience=Patience()))
    assert caught.value.where == "quarantine"
