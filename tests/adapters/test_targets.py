"""One suite over everything that can be copied to: memory, a folder, registries, the quarantine."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from byoa.adapters.aws.s3 import Quarantine
from byoa.adapters.memory.repository import BytesReader, MemoryRepository, read_whole
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.layout import LayoutRepository
from byoa.adapters.registries.transport import Transport
from byoa.content.packing import pack
from byoa.engine.copying import copy
from byoa.errors import ByoaError, DigestMismatch, ReferenceNotFound, ShortRead, SizeMismatch, TargetConflict
from byoa.oci.digest import Digest
from byoa.oci.graph import blobs_of, children_of
from byoa.oci.manifest import OCI_MANIFEST, Descriptor, read_manifest
from byoa.trust.credentials import Credential
from local.demo import ARTIFACTS
from local.processes import free_port
from local.registry import EcrSettings, MemoryControlPlane, Registry, RepositoryFacts, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from byoa.engine.ports import BlobReader, Source
    from byoa.oci.manifest import Manifest

KINDS = (
    "memory", "layout", "anonymous registry", "basic registry", "bearer registry", "registry on disk",
    "registry without referrers", "ecr", "docker-registry", "olareg", "quarantine",
)  # fmt: skip
IMMUTABLE = ("ecr",)
ONE_STORE = ("layout", "docker-registry")
"""These keep manifests among the blobs and can't tell; the rest of the test holds for them as well."""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def target(kind: str, tmp_path: Path) -> Iterator[Any]:
    with _open(kind, tmp_path) as found:
        yield found


@contextmanager
def _open(kind: str, folder: Path) -> Iterator[Any]:
    if kind == "memory":
        yield MemoryRepository()
    elif kind == "layout":
        yield LayoutRepository(folder / "layout")
    elif kind == "quarantine":
        with mock_aws(), closing(boto3.client("s3", "us-east-1")) as client:
            client.create_bucket(Bucket="quarantine")
            yield Quarantine(client, "quarantine", "org_0123456789ab")
    elif kind in ("docker-registry", "olareg"):
        with _started(kind, folder) as port, _repository(f"127.0.0.1:{port}", None) as found:
            yield found
    else:
        settings, credential = _settings(kind, folder)
        with Registry(settings) as registry, _repository(registry.address, credential) as found:
            yield found


def _settings(kind: str, folder: Path) -> tuple[Settings, Credential | None]:
    ours = Credential("byoa", "desk")
    if kind == "ecr":
        plane = MemoryControlPlane({"vendor/app": RepositoryFacts("IMMUTABLE_WITH_EXCLUSION", ("sha256-*",))})
        return Settings(ecr=EcrSettings(control=plane)), Credential("AWS", "desk")
    return {
        "anonymous registry": (Settings(), None),
        "basic registry": (Settings(auth="basic"), ours),
        "bearer registry": (Settings(auth="bearer"), ours),
        "registry on disk": (Settings(directory=folder / "registry"), None),
        "registry without referrers": (Settings(referrers=False), None),
    }[kind]


@contextmanager
def _repository(address: str, credential: Credential | None) -> Iterator[DistributionRepository]:
    host, _, port = address.partition(":")
    transport = Transport()
    yield DistributionRepository(
        transport, Endpoint("http", host, int(port)), "vendor/app", role="target", credential=credential
    )
    transport.close()


@contextmanager
def _started(program: str, folder: Path) -> Iterator[int]:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on the PATH")
    port = free_port()
    command = ["olareg", "serve", "--port", str(port), "--store-type", "mem"]
    if program == "docker-registry":
        config = folder / "registry.yml"
        root = folder / "registry"
        config.write_text(
            f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {root}}}}}\nhttp: {{addr: 127.0.0.1:{port}}}\n"
        )
        command = ["docker-registry", "serve", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int) -> None:
    transport = Transport()
    for _ in range(200):
        try:
            transport.request("GET", Endpoint("http", "127.0.0.1", port), "/v2/", {}).close()
        except ByoaError:
            time.sleep(0.05)
        else:
            break
    transport.close()


def tagged() -> list[tuple[str, str]]:
    found = []
    for folder in sorted(path for path in ARTIFACTS.iterdir() if path.is_dir()):
        for entry in json.loads((folder / "index.json").read_text())["manifests"]:
            tag = entry.get("annotations", {}).get("org.opencontainers.image.ref.name")
            found.extend([(folder.name, tag)] if tag else [])
    return found


def same(one: Source, other: Source, manifest: Manifest) -> bool:
    """Whether everything below a manifest has the same bytes in both."""
    fetched = other.fetch_manifest(manifest.digest)
    blobs = all(_bytes(one, blob) == _bytes(other, blob) for blob in blobs_of(manifest))
    children = all(same(one, other, one.fetch_manifest(child.digest)) for child in children_of(manifest))
    return fetched.content == manifest.content and blobs and children


def _bytes(source: Source, blob: Descriptor) -> bytes:
    with source.open_blob(blob) as content:
        return read_whole(content)


def test_every_artifact_of_the_real_tools_arrives_byte_for_byte(target: Any) -> None:
    for name, tag in tagged():
        source = LayoutRepository(ARTIFACTS / name)
        root = source.fetch_manifest(tag)
        copy(source, target, root, tag=tag if isinstance(target, MemoryRepository) else f"{name}-{tag[:20]}")
        assert same(source, target, root), (name, tag)


def test_a_second_copy_moves_nothing(target: Any) -> None:
    source = LayoutRepository(ARTIFACTS / "index")
    root = source.fetch_manifest("v2")
    assert copy(source, target, root, tag="v2").copied == 4
    again = copy(source, target, root, tag="v2")
    assert (again.copied, again.bytes_copied) == (0, 0)


class _Lying:
    """A source whose blobs are not what their descriptors say."""

    def __init__(self, inner: MemoryRepository, change: Any) -> None:
        self._inner = inner
        self._change = change

    def fetch_manifest(self, name: str | Digest) -> Manifest:
        return self._inner.fetch_manifest(name)

    def find_manifest(self, name: str | Digest) -> Digest | None:
        return self._inner.find_manifest(name)

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        return self._inner.referrers(subject)

    @contextmanager
    def open_blob(self, descriptor: Descriptor, start: int = 0) -> Iterator[BlobReader]:
        yield BytesReader(self._change(self._inner.blobs[descriptor.digest])[start:])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda content: content[:-1] + b"?", DigestMismatch),
        (lambda content: content[:-1], ShortRead),
        (lambda content: content + b"?", SizeMismatch),
    ],
    ids=["other bytes", "too few", "too many"],
)
def test_wrong_bytes_leave_nothing_behind(target: Any, change: Any, error: type[ByoaError]) -> None:
    packed = pack("apiVersion: v1\n")
    source = _Lying(MemoryRepository.holding(packed), change)
    with pytest.raises(error) as caught:
        copy(source, target, packed.manifest, tag="bad")
    assert caught.value.where == "source"
    assert not any(target.has_blob(blob) for blob in blobs_of(packed.manifest))
    assert target.find_manifest(packed.manifest.digest) is None


def test_a_manifest_whose_parts_are_missing_is_refused(target: Any) -> None:
    with pytest.raises(ByoaError):
        target.push_manifest(pack("apiVersion: v1\n").manifest, "early")


def test_what_is_not_there_is_not_found(target: Any) -> None:
    absent = Digest.of(b"absent")
    assert target.find_manifest(absent) is None
    assert not target.has_blob(Descriptor("application/octet-stream", absent, 6))
    with pytest.raises(ReferenceNotFound):
        target.fetch_manifest(absent)
    with pytest.raises(ReferenceNotFound), target.open_blob(Descriptor("application/octet-stream", absent, 6)):
        pass


def test_a_blob_with_a_manifest_s_digest_is_not_taken_for_that_manifest(target: Any, kind: str) -> None:
    """Somebody may list another's manifest as a layer: its bytes are then there, and nothing says what they are."""
    packed = pack("a: 1\n")
    as_layer = Descriptor("application/yaml", packed.manifest.digest, len(packed.manifest.content))
    config = blobs_of(packed.manifest)[0]
    document = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": _described(config),
                "layers": [_described(as_layer)]}  # fmt: skip
    other = read_manifest(json.dumps(document).encode(), OCI_MANIFEST)
    source = MemoryRepository.holding(packed)
    source.blobs[as_layer.digest] = packed.manifest.content
    source.manifests[other.digest] = other
    copy(source, target, other, tag="other")
    assert target.has_blob(as_layer)
    if kind not in ONE_STORE:
        assert target.find_manifest(packed.manifest.digest) is None
        with pytest.raises(ReferenceNotFound):
            target.fetch_manifest(packed.manifest.digest)
    copy(source, target, packed.manifest, tag="ours")
    assert target.fetch_manifest(packed.manifest.digest) == packed.manifest


def _described(blob: Descriptor) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": str(blob.digest), "size": blob.size}


def test_a_tag_that_may_not_move_is_a_conflict_and_the_same_content_is_success(target: Any, kind: str) -> None:
    one, two = pack("a: 1\n"), pack("a: 2\n")
    copy(MemoryRepository.holding(one), target, one.manifest, tag="build")
    target.push_manifest(one.manifest, "build")
    if kind in IMMUTABLE:
        with pytest.raises(TargetConflict):
            copy(MemoryRepository.holding(two), target, two.manifest, tag="build")
        copy(MemoryRepository.holding(one), target, one.manifest, tag="sha256-signature")
        copy(MemoryRepository.holding(two), target, two.manifest, tag="sha256-signature")
    else:
        copy(MemoryRepository.holding(two), target, two.manifest, tag="build")


def test_requests_stay_few_cold_and_one_each_when_there_is_nothing_to_do() -> None:
    with (
        Registry() as origin,
        Registry() as goal,
        _repository(origin.address, None) as source,
        _repository(goal.address, None) as target,
    ):
        packed = pack("apiVersion: v1\n")
        copy(MemoryRepository.holding(packed), source, packed.manifest, tag="v1")
        origin.forget_requests()
        copy(source, target, source.fetch_manifest("v1"), tag="v1")
        assert (len(origin.requests), len(goal.requests)) == (3, 6)
        origin.forget_requests()
        goal.forget_requests()
        copy(source, target, source.fetch_manifest("v1"), tag="v1")
        assert (len(origin.requests), len(goal.requests)) == (1, 1)
