"""Each row of traits against the desk's registry, made to have the quirk that the row is for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.hosts import Host
from byoa.adapters.registries.locations import endpoint_of
from byoa.adapters.registries.traits import ACR, DOCKER_HUB, ECR, GAR, GHCR, GITLAB, PLAIN, Traits, traits_of
from byoa.adapters.registries.transport import Transport
from byoa.engine.copying import copy
from byoa.engine.mirroring import Wanted, mirror
from byoa.engine.patience import Patience
from byoa.engine.sending import Pace
from byoa.errors import RealmRefused, RegistryProtocolError, TargetConflict, TargetForbidden
from byoa.oci.reference import Registry as Named
from byoa.trust.credentials import Credential
from local.registry import (
    EcrSettings,
    MemoryControlPlane,
    Registry,
    RepositoryFacts,
    Request,
    Response,
    Settings,
    refusal,
)
from tests.faults.artifacts import Artifact, Maker, lacking, put
from tests.faults.clock import Clock
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from byoa.adapters.registries.transport import Response as Answer
    from byoa.adapters.registries.transport import Stream

PATIENT: Final = Patience(attempts=5, sleep=lambda _: None)
IN_ACR: Final = 4096
AWS: Final = Credential("AWS", "desk")


class Quirky(Scripted):
    """A registry with a quirk: ``script`` may answer in its place, and ``uploads`` notes what was sent and how much."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.uploads: list[tuple[str, int]] = []
        super().__init__(settings)

    def answer(self, request: Request) -> Response:
        if "/blobs/uploads/" in request.path and request.method in ("PATCH", "PUT"):
            self.uploads.append((request.method, request.body.length or 0))
        return super().answer(request)


class Led(Transport):
    """A transport that takes every host for the one registry there is, and notes whom it was asked for."""

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        host, _, port = registry.address.partition(":")
        self._there = Endpoint("http", host, int(port))
        self.asked: list[tuple[str, str, str]] = []
        self.sent: list[tuple[str, str | None]] = []

    def request(
        self,
        method: str,
        endpoint: Endpoint,
        path: str,
        headers: Mapping[str, str],
        body: bytes | Stream | None = None,
    ) -> Answer:
        self.asked.append((method, str(endpoint), path))
        self.sent.append((endpoint.host, headers.get("Authorization")))
        return super().request(method, self._there, path, headers, body)


@pytest.fixture
def registry() -> Iterator[Quirky]:
    with Quirky() as made:
        yield made


@pytest.fixture
def led(registry: Quirky) -> Iterator[Led]:
    made = Led(registry)
    yield made
    made.close()


def named(transport: Transport, reference: str, role: Any = "target", **settings: Any) -> DistributionRepository:
    """A repository as a reference names it, with all that is known of its host."""
    host, _, repository = reference.partition("/")
    name = Named.parse(host)
    settings = {"traits": traits_of(name), "patience": PATIENT, **settings}
    return DistributionRepository(transport, endpoint_of(name), repository, role=role, **settings)


def image(*sizes: int, seed: int = 1) -> Artifact:
    maker = Maker(seed)
    return maker.artifact(maker.image(sizes=sizes))


def copied(artifact: Artifact, target: DistributionRepository, tag: str = "v1") -> None:
    source = MemoryRepository(dict(artifact.blobs), {each.digest: each for each in artifact.manifests})
    copy(source, target, artifact.root, tag=tag, pace=Pace(lasting_from=1000))


@pytest.mark.parametrize(
    ("host", "traits"),
    [
        ("docker.io", DOCKER_HUB), ("registry.gitlab.com", GITLAB), ("ghcr.io", GHCR), ("gcr.io", GAR),
        ("eu.gcr.io", GAR), ("europe-docker.pkg.dev", GAR), ("vendor.azurecr.io", ACR),
        ("vendor.azurecr.cn", ACR), ("vendor.azurecr.us", ACR),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", ECR),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", ECR),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", ECR), ("123456789012.dkr-ecr.us-west-2.on.aws", ECR),
        ("quay.io", PLAIN), ("evil-ghcr.io", PLAIN), ("ghcr.io.evil.example", PLAIN),
        ("azurecr.io.evil.example", PLAIN),
        ("12345.dkr.ecr.eu-west-1.amazonaws.com", PLAIN), ("evil.123456789012.dkr.ecr.x.amazonaws.com", PLAIN),
        ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", ECR),
    ],
)  # fmt: skip
def test_a_registry_is_known_by_its_host(host: str, traits: Traits) -> None:
    assert traits_of(Named.parse(host)) == traits


# GHCR


def second_patch_corrupts(registry: Quirky) -> None:
    seen: set[str] = set()

    def script(request: Request) -> Response | None:
        if request.method != "PATCH":
            return None
        if request.path in seen or "Content-Range" in request.headers:
            return refusal(416, "BLOB_UPLOAD_INVALID", "scripted")
        seen.add(request.path)
        return None

    registry.script = script


def test_ghcr_gets_a_blob_in_one_patch_and_an_empty_put(registry: Quirky, led: Led) -> None:
    second_patch_corrupts(registry)
    artifact = image(40_000)
    copied(artifact, named(led, "ghcr.io/vendor/app"))
    assert [each for each in registry.uploads if each[1] != 2] == [("PUT", 0), ("PATCH", 40_000), ("PUT", 0)]
    assert lacking(registry, "vendor/app", artifact, "v1") == []


def test_a_blob_that_arrived_is_not_sent_again_when_only_its_end_fails(registry: Quirky, led: Led) -> None:
    failures = [Response(502), Response(503)]
    registry.script = lambda request: failures.pop() if request.method == "PUT" and failures else None
    copied(image(40_000), named(led, "ghcr.io/vendor/app"))
    assert [count for method, count in registry.uploads if method == "PATCH"] == [2, 40_000]


# Google Artifact Registry


def test_gar_gets_a_blob_in_one_put(registry: Quirky, led: Led) -> None:
    registry.script = lambda request: refusal(405, "UNSUPPORTED", "scripted") if request.method == "PATCH" else None
    artifact = image(40_000)
    copied(artifact, named(led, "europe-docker.pkg.dev/project/vendor/app"))
    assert registry.uploads == [("PUT", 2), ("PUT", 40_000)]
    assert lacking(registry, "project/vendor/app", artifact, "v1") == []


# Azure Container Registry


def long_bodies_are_cut_off(registry: Quirky) -> None:
    def script(request: Request) -> Response | None:
        return refusal(413, "SIZE_INVALID", "scripted") if (request.body.length or 0) > IN_ACR else None

    registry.script = script


def test_acr_gets_a_blob_in_patches_of_no_more_than_it_takes(registry: Quirky) -> None:
    long_bodies_are_cut_off(registry)
    artifact = image(3 * IN_ACR + 1)
    transport = Transport()
    traits = Traits(upload=ACR.upload, chunk=IN_ACR)
    host, _, port = registry.address.partition(":")
    target = DistributionRepository(
        transport, Endpoint("http", host, int(port)), "vendor/app", role="target", traits=traits
    )
    copied(artifact, target)
    transport.close()
    assert registry.uploads[2:] == [("PATCH", IN_ACR)] * 3 + [("PATCH", 1), ("PUT", 0)]
    assert lacking(registry, "vendor/app", artifact, "v1") == []


def test_acr_takes_patches_of_less_than_twenty_megabytes() -> None:
    assert (ACR.upload, ACR.chunk) == ("chunks", 16 * 1024 * 1024)


# Docker Hub


def test_docker_hub_answers_under_another_host_and_keeps_official_names_in_library(registry: Quirky, led: Led) -> None:
    put(registry, "library/app", image(10), "v1")
    assert named(led, "docker.io/app", "source").fetch_manifest("v1") == image(10).root
    assert led.asked == [("GET", "https://registry-1.docker.io", "/v2/library/app/manifests/v1")]


def test_a_name_of_two_parts_is_left_as_it_is(registry: Quirky, led: Led) -> None:
    put(registry, "vendor/app", image(10), "v1")
    assert named(led, "docker.io/vendor/app", "source").fetch_manifest("v1") == image(10).root


def test_docker_hub_is_asked_for_no_manifest_where_there_is_nothing_to_do(registry: Quirky, led: Led) -> None:
    put(registry, "library/app", image(10), "v1")
    put(registry, "ours/app", image(10), "v1")
    source, target = named(led, "docker.io/app", "source"), named(led, "quay.io/ours/app")
    done = mirror(source, target, Wanted("v1", tag="v1", attachments=False))
    assert done.copied.digest == image(10).root.digest
    assert [seen.method for seen in registry.requests] == ["HEAD", "HEAD"]


def test_docker_hub_is_asked_for_one_manifest_where_there_is_something_to_do(registry: Quirky, led: Led) -> None:
    artifact = image(10)
    put(registry, "library/app", artifact, "v1")
    source, target = named(led, "docker.io/app", "source"), named(led, "quay.io/ours/app")
    mirror(source, target, Wanted("v1", tag="v1", attachments=False))
    gets = [seen for seen in registry.requests if seen.method == "GET" and "/manifests/" in seen.path]
    assert len(gets) == 1
    assert lacking(registry, "ours/app", artifact, "v1") == []


TOKENS: Final = {"docker.io/app": "auth.docker.io", "registry.gitlab.com/vendor/app": "gitlab.com"}


def tokens_from(registry: Quirky, host: str) -> None:
    def script(request: Request) -> Response | None:
        if request.path == "/token":
            return Response(200, [], b'{"token": "good"}')
        if request.headers["Authorization"] != "Bearer good":
            challenge = f'Bearer realm="https://{host}/token",service="x"'
            return refusal(401, "UNAUTHORIZED", "scripted", headers=[("WWW-Authenticate", challenge)])
        return None

    registry.script = script


@pytest.mark.parametrize("reference", TOKENS)
def test_a_token_service_that_the_operator_names_gets_the_credentials(
    registry: Quirky, led: Led, reference: str
) -> None:
    tokens_from(registry, TOKENS[reference])
    source = named(led, reference, "source", credential=Credential("us", "secret"))
    assert source.find_manifest("v1") is None
    shown = [authorization for host, authorization in led.sent if host == TOKENS[reference]]
    assert [str(value).partition(" ")[0] for value in shown] == ["Basic"]


@pytest.mark.parametrize("reference", [*TOKENS, "ghcr.io/vendor/app", "quay.io/vendor/app"])
@pytest.mark.parametrize("host", ["gitlab.io", "auth.docker.io.evil.example", "evil.example"])
def test_any_other_token_service_gets_nothing(registry: Quirky, led: Led, reference: str, host: str) -> None:
    tokens_from(registry, host)
    with pytest.raises(RealmRefused):
        named(led, reference, "source", credential=Credential("us", "secret")).find_manifest("v1")
    assert [authorization for _, authorization in led.sent] == [None]


def test_a_token_service_is_one_registrys_alone(registry: Quirky, led: Led) -> None:
    tokens_from(registry, "auth.docker.io")
    with pytest.raises(RealmRefused):
        named(led, "registry.gitlab.com/vendor/app", "source", credential=Credential("us", "s")).find_manifest("v1")


# ECR


class Plane(MemoryControlPlane):
    """ECR's control plane, whose password can run out."""

    def __init__(self) -> None:
        facts = RepositoryFacts("IMMUTABLE_WITH_EXCLUSION", ("sha256-*",))
        super().__init__({"ours/app": facts, "ours/other": facts})


@pytest.fixture
def plane() -> Plane:
    return Plane()


@pytest.fixture
def ecr(plane: Plane) -> Iterator[Quirky]:
    with Quirky(Settings(ecr=EcrSettings(control=plane))) as made:
        yield made


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport()
    yield made
    made.close()


@pytest.fixture
def target(ecr: Quirky, transport: Transport) -> DistributionRepository:
    return in_ecr(ecr, transport)


def in_ecr(ecr: Quirky, transport: Transport, repository: str = "ours/app", **settings: Any) -> DistributionRepository:
    host, _, port = ecr.address.partition(":")
    endpoint = Endpoint("http", host, int(port))
    transport._hosts.setdefault(endpoint, Host(16, now=(clock := Clock()).now, sleep=clock.sleep))
    settings = {"credential": AWS, "patience": PATIENT, **settings}
    return DistributionRepository(transport, endpoint, repository, role="target", traits=ECR, **settings)


def test_ecr_is_sent_credentials_before_it_asks(ecr: Quirky, target: DistributionRepository) -> None:
    assert target.find_manifest("v1") is None
    assert [seen.status for seen in ecr.requests] == [404]


def test_ecr_is_asked_for_a_blob_and_for_no_mount_of_it(ecr: Quirky, target: DistributionRepository) -> None:
    queries: list[Mapping[str, list[str]]] = []

    def note(request: Request) -> None:
        queries.extend([dict(request.query)] if request.method == "POST" else [])

    ecr.script = note
    copied(image(10), target)
    assert queries == [{}, {}]
    assert [seen.method for seen in ecr.requests] == ["HEAD", "HEAD", "POST", "PUT", "HEAD", "POST", "PUT", "PUT"]


def test_a_mount_that_ecr_answers_with_a_place_is_sent_there(ecr: Quirky, transport: Transport) -> None:
    put(ecr, "ours/other", image(10), "v1")
    source, target = in_ecr(ecr, transport, "ours/other"), in_ecr(ecr, transport, mount_from="ours/other")
    done = mirror(source, target, Wanted("v1", tag="v1", attachments=False)).copied
    assert (done.mounted, done.copied) == (0, 2)
    assert lacking(ecr, "ours/app", image(10), "v1") == []


def no_referrers_by_digest(ecr: Quirky, *, listed: bool) -> None:
    """Referrers that are pushed by digest are refused, and those by tag are listed or not."""

    def script(request: Request) -> Response | None:
        if request.method != "PUT" or "/manifests/" not in request.path:
            return None
        if "/manifests/sha256:" in request.path:
            return refusal(405, "UNSUPPORTED", "Invalid JSON syntax")
        response = ecr.plain(request)
        response.headers = [each for each in response.headers if listed or each[0] != "OCI-Subject"]
        return response

    ecr.script = script


def signature() -> tuple[Artifact, Artifact]:
    """An image, and a signature of it."""
    maker = Maker(9)
    signed = maker.image(sizes=(10,))
    artifact = maker.artifact(maker.image(sizes=(20,), subject=signed))
    return Artifact(signed, [signed], dict(artifact.blobs)), artifact


@pytest.mark.parametrize("listed", [True, False])
def test_a_referrer_that_ecr_refuses_by_digest_goes_by_a_tag_and_the_tag_schema(
    ecr: Quirky, target: DistributionRepository, *, listed: bool
) -> None:
    no_referrers_by_digest(ecr, listed=listed)
    signed, artifact = signature()
    copied(signed, target)
    source = MemoryRepository(dict(artifact.blobs), {each.digest: each for each in artifact.manifests})
    copy(source, target, artifact.root)
    held = ecr.store.make("ours/app")
    assert held.tags[f"sha256-{artifact.root.digest.hex}"] == str(artifact.root.digest)
    by_schema = held.tags.get(f"sha256-{signed.root.digest.hex}")
    assert (by_schema is None) == listed
    if by_schema:
        index = json.loads(held.manifests[by_schema].content)
        assert [each["digest"] for each in index["manifests"]] == [str(artifact.root.digest)]


def test_a_manifest_that_refers_to_nothing_has_no_other_way(ecr: Quirky, target: DistributionRepository) -> None:
    no_referrers_by_digest(ecr, listed=True)
    artifact = image(10)
    source = MemoryRepository(dict(artifact.blobs), {each.digest: each for each in artifact.manifests})
    with pytest.raises(RegistryProtocolError):
        copy(source, target, artifact.root)


def test_the_same_content_under_a_tag_that_may_not_move_is_success(ecr: Quirky, target: DistributionRepository) -> None:
    copied(image(10), target)
    target.push_manifest(image(10).root, "v1")
    assert [seen.status for seen in ecr.requests[-2:]] == [400, 200]


def test_other_content_under_a_tag_that_may_not_move_is_a_conflict(target: DistributionRepository) -> None:
    copied(image(10), target)
    with pytest.raises(TargetConflict):
        copied(image(10, seed=2), target)


def test_a_password_that_has_run_out_is_renewed_once_and_the_copy_goes_on(
    ecr: Quirky, plane: Plane, transport: Transport
) -> None:
    given: list[str] = []

    def renew() -> Credential:
        given.append("fresh")
        return Credential("AWS", "fresh")

    target = in_ecr(ecr, transport, renew=renew)
    plane.current_password = "fresh"
    copied(image(10), target)
    assert given == ["fresh"]
    assert [seen.status for seen in ecr.requests][:2] == [403, 404]
    assert 403 not in [seen.status for seen in ecr.requests][1:]


def test_a_password_that_is_refused_when_it_is_fresh_is_a_lack_of_permission(
    ecr: Quirky, plane: Plane, transport: Transport
) -> None:
    given: list[str] = []

    def renew() -> Credential:
        given.append("stale")
        return Credential("AWS", "stale")

    target = in_ecr(ecr, transport, renew=renew)
    plane.current_password = "another"
    for _ in range(2):
        with pytest.raises(TargetForbidden):
            target.find_manifest("v1")
    assert given == ["stale"]
    assert len(ecr.requests) == 3


def test_manifests_go_to_ecr_ten_a_second(ecr: Quirky, transport: Transport) -> None:
    clock = Clock()
    host, _, port = ecr.address.partition(":")
    transport._hosts[Endpoint("http", host, int(port))] = Host(16, now=clock.now, sleep=clock.sleep)
    target = in_ecr(ecr, transport)
    maker = Maker(4)
    children = [maker.image(sizes=(10,)) for _ in range(20)]
    copied(maker.artifact(maker.index(*children)), target)
    assert clock.now() == pytest.approx(1002)
    assert sum(clock.slept) == pytest.approx(2)
