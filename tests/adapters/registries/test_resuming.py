"""Copies that end in the midst: whatever was interrupted, the next one goes on, and sends nothing twice."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import IO, TYPE_CHECKING, Any, Final, cast

import boto3
import pytest
from botocore.response import StreamingBody
from moto import mock_aws

from byoa.adapters.aws.s3 import Quarantine
from byoa.adapters.memory.repository import BytesReader, MemoryRepository, read_whole
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.traits import Traits
from byoa.engine.copying import copy, copy_blob
from byoa.engine.mirroring import Wanted, mirror
from byoa.engine.patience import Patience
from byoa.engine.sending import Pace, Pending
from byoa.errors import DigestMismatch, ShortRead, UploadLost
from byoa.oci.digest import Digest
from byoa.oci.manifest import Descriptor
from local.registry import Hangup, Registry, Request, Response, Settings, refusal
from tests.faults.artifacts import LAYER, Artifact, Maker, blobs_in, lacking, put, wrong_bytes
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.adapters.registries.transport import Transport
    from byoa.engine.ports import BlobReader, Source

PATIENT: Final = Patience(attempts=5, sleep=lambda _: None)
CHUNK: Final = 64 * 1024
CHUNKED: Final = Traits(chunk=CHUNK)
LARGE: Final = 5 * CHUNK + 100
LASTING: Final = Pace(lasting_from=CHUNK, patience=PATIENT)
LONG: Final = 120
"""Seconds after which a copy has hung."""


class Noting(Scripted):
    """A registry that notes the bodies it took, by the blob they are for, and the ranges it was asked for."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.bodies: list[tuple[str, str]] = []
        self.ranges: list[tuple[str, str | None]] = []
        self.served: Counter[str] = Counter()
        super().__init__(settings)

    def answer(self, request: Request) -> Response:
        if request.method in ("PUT", "PATCH") and request.body.length:
            self.bodies.append((request.method, request.path))
        if request.method == "GET" and "/blobs/sha" in request.path:
            self.ranges.append((request.path.rpartition("/")[2], request.headers.get("Range")))
        return super().answer(request)


@pytest.fixture
def origin() -> Iterator[Noting]:
    with Noting() as made:
        yield made


@pytest.fixture
def goal() -> Iterator[Noting]:
    with Noting() as made:
        yield made


type Client = Callable[..., DistributionRepository]


@pytest.fixture
def client(transport: Transport) -> Client:
    def make(registry: Registry, role: Any = "source", **settings: Any) -> DistributionRepository:
        host, _, port = registry.address.partition(":")
        settings = {"traits": CHUNKED, "patience": PATIENT, **settings}
        return DistributionRepository(transport, Endpoint("http", host, int(port)), "vendor/app", role=role, **settings)

    return make


def shop() -> Artifact:
    """An index of two images, one of them with a larger layer, and a signature of it."""
    maker = Maker(1)
    root = maker.index(maker.image(2), maker.image(sizes=(LARGE,)))
    maker.image(1, subject=root)
    return maker.artifact(root)


# Crashes


KILLED: Final = 137
COPIER: Final = """
import os, sys
from byoa.adapters.registries.connection import Connection
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.traits import Traits
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.transport import Transport
from byoa.engine.sending import Pace
from byoa.engine.mirroring import Wanted, mirror

source_port, target_port, chunk, last = map(int, sys.argv[1:])
calls = 0
answered = Connection.head

def count(connection, method):
    global calls
    head = answered(connection, method)
    calls += 1
    if calls == last:
        os._exit(137)
    return head

Connection.head = count
transport = Transport()
def end(port, role):
    endpoint = Endpoint("http", "127.0.0.1", port)
    return DistributionRepository(transport, endpoint, "vendor/app", role=role, traits=Traits(chunk=chunk))

mirror(end(source_port, "source"), end(target_port, "target"), Wanted("v1", tag="v1"), pace=Pace(lasting_from=chunk))
"""


def killed(origin: Registry, goal: Registry, last: int) -> bool:
    """Mirror in a process of its own, which is gone after its call number ``last``."""
    ports = [registry.address.rpartition(":")[2] for registry in (origin, goal)]
    arguments = [sys.executable, "-c", COPIER, *ports, str(CHUNK), str(last)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(arguments, timeout=LONG, check=False, env=environment).returncode == KILLED


def state(registry: Registry) -> tuple[dict[str, bytes], set[str], dict[str, str]]:
    """All that a registry holds: blobs, manifests, tags."""
    repository = registry.store.make("vendor/app")
    return blobs_in(registry, "vendor/app"), set(repository.manifests), dict(repository.tags)


def go_on_after(last: int, origin: Registry, settings: Settings, client: Client) -> tuple[Any, list[str]]:
    """What a registry holds after a killed run and a clean one, and what the clean one sent though it was there."""
    with Noting(settings) as goal:
        assert killed(origin, goal, last)
        there, sent = set(blobs_in(goal, "vendor/app")), []

        def note(request: Request) -> None:
            digest = request.first("digest")
            if request.method == "PUT" and digest in there:
                sent.append(str(digest))

        goal.script = note
        mirror(client(origin), client(goal, "target"), Wanted("v1", tag="v1"), pace=LASTING)
        return state(goal), sent


@pytest.mark.parametrize("referrers", [True, False], ids=["with referrers", "without referrers"])
def test_a_copy_killed_after_any_call_is_finished_by_the_next_and_nothing_is_sent_twice(
    origin: Noting, client: Client, *, referrers: bool
) -> None:
    artifact, settings = shop(), Settings(referrers=referrers)
    put(origin, "vendor/app", artifact, "v1")
    with Noting(settings) as clean:
        source, target = client(origin), client(clean, "target")
        mirror(source, target, Wanted("v1", tag="v1"), pace=LASTING)
        wanted, calls = state(clean), source.requests + target.requests
        assert lacking(clean, "vendor/app", artifact, "v1") == []
    assert calls > 40
    with ThreadPoolExecutor(2) as runners:
        futures = {last: runners.submit(go_on_after, last, origin, settings, client) for last in range(1, calls + 1)}
        ends = {last: future.result(LONG) for last, future in futures.items()}
    assert [last for last, (found, _) in ends.items() if found != wanted] == []
    assert {last: sent for last, (_, sent) in ends.items() if sent} == {}


# Time that runs out


class Counting:
    """Says that time is over after so many blocks."""

    def __init__(self, blocks: int) -> None:
        self.left = blocks

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


class Slowly(MemoryRepository):
    """A source whose blobs come in small blocks."""

    step: int = CHUNK // 2

    @contextmanager
    def open_blob(self, descriptor: Descriptor, start: int = 0) -> Iterator[BlobReader]:
        with super().open_blob(descriptor, start) as content:
            yield Small(content, self.step)


class Small:
    """A reader of at most ``step`` bytes at once."""

    def __init__(self, content: BlobReader, step: int) -> None:
        self._content = content
        self._step = step

    def readinto(self, buffer: memoryview, /) -> int:
        return self._content.readinto(buffer[: self._step])


def large() -> tuple[Descriptor, bytes]:
    content = Maker(5)._random.randbytes(LARGE)
    return Descriptor(LAYER, Digest.of(content), len(content)), content


def finish(source: Source, target: Any, pending: Pending, blocks: int) -> int:
    """Copy one blob in rounds of so many blocks and the same again for each; how many rounds it took."""
    rounds = 0
    while True:
        rounds += 1
        assert rounds < 100
        pace = Pace(out_of_time=Counting(blocks * rounds), lasting_from=CHUNK, patience=PATIENT)
        done = copy_blob(source, target, pending, pace=pace)
        if not done.pending:
            return rounds
        (pending,) = done.pending


@pytest.mark.parametrize("blocks", range(1, 14))
def test_an_upload_that_time_ran_out_for_is_gone_on_with_by_another_process(
    goal: Noting, client: Client, blocks: int
) -> None:
    blob, content = large()
    source = Slowly({blob.digest: content})
    pace = Pace(out_of_time=Counting(blocks + 1), lasting_from=CHUNK)
    done = copy_blob(source, client(goal, "target"), Pending(blob), pace=pace)
    if blocks < 11:
        (pending,) = done.pending
        assert pending.session
        taken = goal.store.upload("vendor/app", pending.session.rpartition("/")[2])
        assert taken
        goal.bodies.clear()
        assert copy_blob(source, client(goal, "target"), pending, pace=LASTING).copied == 1
        before = -(-taken_before(blocks) // CHUNK)
        assert len(goal.bodies) <= -(-LARGE // CHUNK) - before + 1
    assert blobs_in(goal, "vendor/app") == {str(blob.digest): content}


def taken_before(blocks: int) -> int:
    """The bytes of whole chunks that had arrived."""
    return blocks * (CHUNK // 2) // CHUNK * CHUNK


def test_a_blob_is_copied_in_as_many_rounds_as_it_takes(goal: Noting, client: Client) -> None:
    blob, content = large()
    assert finish(Slowly({blob.digest: content}), client(goal, "target"), Pending(blob), 3) > 2
    assert blobs_in(goal, "vendor/app") == {str(blob.digest): content}


def test_what_is_pending_from_the_start_is_uploaded_so_that_it_lasts(goal: Noting, client: Client) -> None:
    blob, content = large()
    pace = Pace(out_of_time=Counting(6), lasting_from=CHUNK)
    done = copy_blob(Slowly({blob.digest: content}), client(goal, "target"), Pending(blob), pace=pace)
    assert done.pending[0].session


def test_nothing_is_written_of_a_graph_while_a_blob_of_it_is_pending(goal: Noting, client: Client) -> None:
    artifact = shop()
    source = Slowly(dict(artifact.blobs), {each.digest: each for each in artifact.manifests})
    target = client(goal, "target")
    pace = Pace(out_of_time=Counting(12), lasting_from=CHUNK)
    done = copy(source, target, artifact.root, tag="v1", pace=pace)
    assert [each.descriptor.size for each in done.pending] == [LARGE]
    assert not goal.store.make("vendor/app").manifests
    copy_blob(source, target, done.pending[0], pace=LASTING)
    assert copy(source, target, artifact.root, tag="v1", pace=LASTING).copied == 0
    assert lacking(goal, "vendor/app", artifact.bare, "v1") == []


def test_an_upload_that_the_registry_has_forgotten_is_begun_anew(goal: Noting, client: Client) -> None:
    blob, content = large()
    source = Slowly({blob.digest: content})
    pace = Pace(out_of_time=Counting(6), lasting_from=CHUNK)
    (pending,) = copy_blob(source, client(goal, "target"), Pending(blob), pace=pace).pending
    for upload in list(goal.store._uploads.values()):
        goal.store.end(upload)
    goal.forget_requests()
    assert copy_blob(source, client(goal, "target"), pending, pace=LASTING).copied == 1
    assert [seen.status for seen in goal.requests if seen.method == "GET"] == [404]
    assert blobs_in(goal, "vendor/app") == {str(blob.digest): content}


def test_an_upload_that_breaks_off_is_gone_on_with_in_the_same_process(goal: Noting, client: Client) -> None:
    blob, content = large()
    breaks = [Hangup()]

    def third(request: Request) -> None:
        if request.method == "PATCH" and "131072-" in request.headers["Content-Range"] and breaks:
            raise breaks.pop()

    goal.script = third
    copy_blob(Slowly({blob.digest: content}), client(goal, "target"), Pending(blob), pace=LASTING)
    assert len(goal.bodies) == -(-LARGE // CHUNK) + 1
    assert blobs_in(goal, "vendor/app") == {str(blob.digest): content}


class Changing(MemoryRepository):
    """A source that gives a blob with a wrong first byte, and then as it is."""

    opened = 0

    @contextmanager
    def open_blob(self, descriptor: Descriptor, start: int = 0) -> Iterator[BlobReader]:
        type(self).opened += 1
        content = self.blobs[descriptor.digest]
        wrong = bytes([content[0] ^ 1]) + content[1:]
        yield Small(BytesReader((wrong if type(self).opened == 1 else content)[start:]), CHUNK // 2)


def test_bytes_that_a_target_holds_and_that_come_otherwise_the_next_time_are_sent_anew(
    goal: Noting, client: Client
) -> None:
    blob, content = large()
    breaks = [Hangup()]

    def third(request: Request) -> None:
        if request.method == "PATCH" and "131072-" in request.headers["Content-Range"] and breaks:
            raise breaks.pop()

    goal.script = third
    Changing.opened = 0
    copy_blob(Changing({blob.digest: content}), client(goal, "target"), Pending(blob), pace=LASTING)
    assert Changing.opened == 3
    assert wrong_bytes(goal, "vendor/app") == []
    assert [seen.status for seen in goal.requests if seen.status == 400] == []


def test_an_upload_whose_registry_disagrees_on_what_has_arrived_is_begun_anew(goal: Noting, client: Client) -> None:
    blob, content = large()
    source = Slowly({blob.digest: content})
    pace = Pace(out_of_time=Counting(6), lasting_from=CHUNK)
    (pending,) = copy_blob(source, client(goal, "target"), Pending(blob), pace=pace).pending

    def one_byte(request: Request) -> Response | None:
        if request.method != "GET":
            return None
        response = goal.plain(request)
        response.headers = [(name, "0-0" if name == "Range" else value) for name, value in response.headers]
        return response

    goal.script = one_byte
    assert copy_blob(source, client(goal, "target"), pending, pace=LASTING).copied == 1
    assert [seen.status for seen in goal.requests].count(416) == 2


# The quarantine


PART: Final = 5 * 1024 * 1024


@pytest.fixture
def quarantine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Quarantine]:
    monkeypatch.setattr("byoa.adapters.aws.s3._PART", PART)
    with mock_aws(), closing(boto3.client("s3", "us-east-1")) as client:
        client.create_bucket(Bucket="quarantine")
        yield Quarantine(client, "quarantine", "org_0123456789ab")


class Opened(Slowly):
    """A source that notes from where its blobs are read."""

    step = PART // 2

    def __init__(self, blobs: dict[Digest, bytes]) -> None:
        super().__init__(blobs)
        self.starts: list[int] = []

    @contextmanager
    def open_blob(self, descriptor: Descriptor, start: int = 0) -> Iterator[BlobReader]:
        self.starts.append(start)
        with super().open_blob(descriptor, start) as content:
            yield content


def parted() -> tuple[Descriptor, bytes]:
    content = Maker(6)._random.randbytes(2 * PART + 1000)
    return Descriptor(LAYER, Digest.of(content), len(content)), content


def held(quarantine: Quarantine, blob: Descriptor) -> bytes:
    with quarantine.open_blob(blob) as content:
        return read_whole(content)


@pytest.mark.parametrize("blocks", range(1, 5))
def test_parts_that_are_in_quarantine_are_read_there_and_the_rest_at_the_source(
    quarantine: Quarantine, blocks: int
) -> None:
    blob, content = parted()
    source = Opened({blob.digest: content})
    done = copy_blob(source, quarantine, Pending(blob), pace=Pace(out_of_time=Counting(blocks + 1)))
    (pending,) = done.pending
    assert not quarantine.has_blob(blob)
    assert copy_blob(source, quarantine, pending).copied == 1
    assert source.starts == [0, blocks // 2 * PART]
    assert held(quarantine, blob) == content


def test_parts_with_other_bytes_are_fetched_anew(quarantine: Quarantine) -> None:
    blob, content = parted()
    source = Opened({blob.digest: content})
    quarantine.put_part(blob.digest, 0, b"?" * PART)
    with pytest.raises(DigestMismatch):
        copy_blob(source, quarantine, Pending(blob))
    assert not quarantine.has_blob(blob)
    assert copy_blob(source, quarantine, Pending(blob), pace=Pace(patience=PATIENT)).copied == 1
    assert source.starts == [PART, 2 * PART, 0]
    assert held(quarantine, blob) == content


def test_parts_that_are_gone_when_they_are_read_are_fetched_anew(
    quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob, content = parted()
    source = Opened({blob.digest: content})
    monkeypatch.setattr(quarantine, "_parts_of", lambda _: ['"gone"'])
    with pytest.raises(UploadLost):
        copy_blob(source, quarantine, Pending(blob))
    monkeypatch.undo()


def test_parts_that_are_gone_when_they_are_joined_are_an_upload_that_is_lost(quarantine: Quarantine) -> None:
    blob, _ = parted()
    with pytest.raises(UploadLost):
        quarantine.assemble(blob.digest, ['"one"', '"two"'])


def test_parts_are_joined_as_they_were_when_they_were_hashed(quarantine: Quarantine) -> None:
    """S3 refuses a part that another copy wrote meanwhile by its ETag; moto doesn't, so what is asked is looked at."""
    blob, content = parted()
    asked: list[tuple[str, str]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        asked.append((params["CopySource"]["Key"][-6:], params["CopySourceIfMatch"]))

    quarantine._client.meta.events.register("provide-client-params.s3.UploadPartCopy", note)
    copy_blob(Opened({blob.digest: content}), quarantine, Pending(blob))
    sent = [content[start : start + PART] for start in range(0, len(content), PART)]
    assert asked == [
        (f"{number:06d}", f'"{hashlib.md5(part, usedforsecurity=False).hexdigest()}"')
        for number, part in enumerate(sent)
    ]


@pytest.mark.parametrize("kind", ["blob", "manifest"])
def test_a_quarantine_that_breaks_off_is_worth_another_try(
    quarantine: Quarantine, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    artifact = Maker(3).make("plain")
    source = MemoryRepository(dict(artifact.blobs), {each.digest: each for each in artifact.manifests})
    copy(source, quarantine, artifact.root)
    broken = quarantine._client.get_object

    def breaking(**asked: Any) -> Any:
        found = broken(**asked)
        found["Body"] = StreamingBody(cast("IO[bytes]", found["Body"]), int(found["ContentLength"]) + 1)
        return found

    monkeypatch.setattr(quarantine._client, "get_object", breaking)
    with pytest.raises(ShortRead):
        held(quarantine, artifact.root.layers[0]) if kind == "blob" else quarantine.fetch_manifest(artifact.root.digest)


# Downloads


def breaking_off(registry: Noting, at: int, times: int = 1) -> None:
    """Close the connection after ``at`` bytes of each of the next blobs."""
    left = [times]

    def script(request: Request) -> Response | None:
        if request.method != "GET" or "/blobs/sha" not in request.path:
            return None
        response = registry.plain(request)
        content = b"".join(response.body) if not isinstance(response.body, bytes) else response.body
        if left[0] and len(content) > at:
            left[0] -= 1
            registry.served[request.path] += at
            response.body = cut(content[:at])
        else:
            registry.served[request.path] += len(content)
            response.body = content
        return response

    registry.script = script


def cut(content: bytes) -> Iterator[bytes]:
    yield content
    raise Hangup


@pytest.fixture
def blob(origin: Noting) -> Descriptor:
    """A blob that the origin has."""
    found, content = large()
    maker = Maker(5)
    artifact = maker.artifact(maker.image(1))
    artifact.blobs[found.digest] = content
    put(origin, "vendor/app", artifact, "v1")
    return found


@pytest.mark.parametrize("at", [1, 1000, CHUNK, LARGE - 1])
def test_a_download_that_breaks_off_goes_on_where_it_stopped(
    origin: Noting, client: Client, blob: Descriptor, at: int
) -> None:
    breaking_off(origin, at)
    target = MemoryRepository()
    copy_blob(client(origin), target, Pending(blob))
    assert [asked for _, asked in origin.ranges] == [None, f"bytes={at}-"]
    assert origin.served.total() == blob.size
    assert blob.digest.matches(target.blobs[blob.digest])


def test_a_download_goes_on_as_often_as_there_is_patience_for(origin: Noting, client: Client, blob: Descriptor) -> None:
    breaking_off(origin, 1000, times=4)
    copy_blob(client(origin), MemoryRepository(), Pending(blob))
    assert [asked for _, asked in origin.ranges] == [
        None, "bytes=1000-", "bytes=2000-", "bytes=3000-", "bytes=4000-",
    ]  # fmt: skip
    assert origin.served.total() == blob.size


def test_a_download_that_always_breaks_off_is_left_after_five_tries(
    origin: Noting, client: Client, blob: Descriptor
) -> None:
    breaking_off(origin, 1, times=1000)
    with pytest.raises(ShortRead) as caught:
        copy_blob(client(origin), MemoryRepository(), Pending(blob), pace=Pace(patience=PATIENT))
    assert caught.value.where == "source"
    assert len(origin.ranges) == 5


@pytest.mark.parametrize("answer", ["whole", "416", "other", "none"])
def test_a_download_begins_anew_where_the_registry_does_not_send_the_rest(
    origin: Noting, client: Client, blob: Descriptor, answer: str
) -> None:
    breaking_off(origin, 1000)
    first = origin.script

    def script(request: Request) -> Response | None:
        if "Range" not in request.headers:
            return first(request)
        if answer == "416":
            return refusal(416, "SIZE_INVALID", "scripted")
        if answer == "whole":
            del request.headers["Range"]
            return first(request)
        response = origin.plain(request)
        said = {"other": f"bytes 999-{LARGE - 1}/{LARGE}", "none": ""}[answer]
        response.headers = [(name, said if name == "Content-Range" else value) for name, value in response.headers]
        return response

    origin.script = script
    target = MemoryRepository()
    copy_blob(client(origin), target, Pending(blob))
    assert [asked for _, asked in origin.ranges] == [None, "bytes=1000-", None][: 2 if answer == "whole" else 3]
    assert blob.digest.matches(target.blobs[blob.digest])


def test_a_second_part_with_other_bytes_is_found_out_and_all_is_asked_for_anew(
    origin: Noting, client: Client, blob: Descriptor
) -> None:
    breaking_off(origin, 1000)
    first, spoilt = origin.script, [True]

    def script(request: Request) -> Response | None:
        response = first(request)
        if response and "Range" in request.headers and spoilt:
            spoilt.pop()
            response.body = b"?" * (LARGE - 1000)
        return response

    origin.script = script
    target = MemoryRepository()
    copy_blob(client(origin), target, Pending(blob), pace=Pace(patience=PATIENT))
    assert [asked for _, asked in origin.ranges] == [None, "bytes=1000-", None]
    assert blob.digest.matches(target.blobs[blob.digest])


def test_a_second_part_with_other_bytes_is_an_error_without_patience(
    origin: Noting, client: Client, blob: Descriptor
) -> None:
    breaking_off(origin, 1000)
    first = origin.script

    def script(request: Request) -> Response | None:
        response = first(request)
        if response and "Range" in request.headers:
            response.body = b"?" * (LARGE - 1000)
        return response

    origin.script = script
    target = MemoryRepository()
    with pytest.raises(DigestMismatch) as caught:
        copy_blob(client(origin), target, Pending(blob))
    assert caught.value.where == "source"
    assert target.blobs == {}


def test_a_listing_that_was_missed_by_a_crash_is_made_up_for(goal: Noting, origin: Noting, client: Client) -> None:
    with Noting(Settings(referrers=False)) as old:
        artifact = Maker(1).make("attested")
        put(origin, "vendor/app", artifact, "v1")
        target = client(old, "target")
        mirror(client(origin), target, Wanted("v1", tag="v1"))
        held = old.store.make("vendor/app")
        for tag in [tag for tag in held.tags if tag.startswith("sha256-") and "." not in tag]:
            held.remove_tag(tag)
        mirror(client(origin), client(old, "target"), Wanted("v1", tag="v1"))
        assert lacking(old, "vendor/app", artifact, "v1") == []
        listed = json.loads(held.manifests[held.tags[f"sha256-{artifact.root.digest.hex}"]].content)
        assert [each["digest"] for each in listed["manifests"]] == [str(artifact.referrers[0].digest)]
