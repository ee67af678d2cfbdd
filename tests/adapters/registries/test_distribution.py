"""The client of registries, against ones that misbehave in every way that a script can think of, over loopback."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.repository import MemoryRepository, read_whole
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.content.packing import pack
from byoa.engine.copying import copy
from byoa.errors import (
    AuthFailed,
    ByoaError,
    DigestMismatch,
    InsecureTransport,
    ManifestTooLarge,
    MediaTypeUnsupported,
    RealmRefused,
    RedirectRefused,
    ReferenceNotFound,
    RegistryProtocolError,
    RegistryThrottled,
    RegistryUnavailable,
    ShortRead,
    TargetForbidden,
    TargetThrottled,
)
from byoa.oci.digest import Digest
from byoa.oci.manifest import MANIFEST_LIMIT
from byoa.trust.credentials import Credential
from local.registry import Hangup, Registry, Request, Response, Settings
from tests import scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.adapters.registries.transport import Transport

PACKED = pack("apiVersion: v1\n")
ROOT = PACKED.manifest
LAYER = ROOT.layers[0]
OURS = Credential("byoa", "canary-password")
CANARY = "canary-of-the-body"


class Scripted(scripted.Scripted):
    """A registry that notes the authorizations it was shown."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.authorizations: list[tuple[str, str | None]] = []
        super().__init__(settings)

    def answer(self, request: Request) -> Response:
        self.authorizations.append((request.path, request.headers["Authorization"]))
        return super().answer(request)

    def always(self, response: Response) -> None:
        self.script = lambda _: Response(response.status, list(response.headers), response.body, response.close)

    def change(self, path: str, name: str, value: str) -> None:
        """Answer as ever, but with another value of one header wherever the path has ``path`` in it."""

        def changed(request: Request) -> Response | None:
            if path not in request.path:
                return None
            found = Registry.answer(self, request)
            found.headers = [(key, kept) for key, kept in found.headers if key != name] + [(name, value)]
            return found

        self.script = changed


@pytest.fixture
def registry() -> Iterator[Scripted]:
    with Scripted() as made:
        yield made


@pytest.fixture
def other() -> Iterator[Scripted]:
    with Scripted() as made:
        yield made


type Client = Callable[..., DistributionRepository]


@pytest.fixture
def client(transport: Transport) -> Client:
    def make(address: str, role: Any = "source", credential: Credential | None = None) -> DistributionRepository:
        host, _, port = address.partition(":")
        endpoint = Endpoint("http", host, int(port))
        return DistributionRepository(transport, endpoint, "vendor/app", role=role, credential=credential)

    return make


@pytest.fixture
def source(registry: Scripted, client: Client) -> DistributionRepository:
    """A source that holds one artifact; what putting it there took isn't counted."""
    copy(MemoryRepository.holding(PACKED), client(registry.address, "target"), ROOT, tag="v1")
    registry.forget_requests()
    registry.authorizations.clear()
    return client(registry.address)


def blob_of(source: DistributionRepository) -> bytes:
    with source.open_blob(LAYER) as content:
        return read_whole(content)


# Refusals


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("7", 7.0), ("0", 0.0), ("60", 60.0), ("61", 60.0), ("999999999999", 60.0), ("9" * 5000, 60.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 60.0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("-1", None), ("NaN", None), ("1e3", None), ("soon", None), ("", None),
    ],
)  # fmt: skip
def test_a_throttled_request_says_when_to_try_again_within_a_minute(
    registry: Scripted, client: Client, said: str, heard: float | None
) -> None:
    registry.always(Response(429, [("Retry-After", said)]))
    with pytest.raises(RegistryThrottled) as caught:
        client(registry.address).fetch_manifest("v1")
    assert caught.value.retry_after == heard


def test_a_target_that_throttles_is_told_apart(registry: Scripted, client: Client) -> None:
    registry.always(Response(429))
    with pytest.raises(TargetThrottled):
        client(registry.address, "target").has_blob(LAYER)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, ReferenceNotFound),
        (401, AuthFailed),
        (403, AuthFailed),
        (408, RegistryUnavailable),
        (429, RegistryThrottled),
        (500, RegistryUnavailable),
        (502, RegistryUnavailable),
        (503, RegistryUnavailable),
        (204, RegistryProtocolError),
        (206, RegistryProtocolError),
        (400, RegistryProtocolError),
        (418, RegistryProtocolError),
    ],
)
def test_a_refusal_is_the_error_of_its_status(
    registry: Scripted, client: Client, status: int, error: type[ByoaError]
) -> None:
    registry.always(Response(status))
    source = client(registry.address)
    with pytest.raises(error):
        source.fetch_manifest("v1")
    with pytest.raises(error), source.open_blob(LAYER):
        pass


def test_a_target_that_forbids_is_an_error_of_the_target(registry: Scripted, client: Client) -> None:
    registry.always(Response(403))
    with pytest.raises(TargetForbidden):
        client(registry.address, "target").push_manifest(ROOT, "v1")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"errors": [{"code": "DENIED", "message": CANARY, "detail": CANARY}]}),
        json.dumps({"errors": [{"code": CANARY, "message": CANARY}]}),
        json.dumps({"errors": CANARY}),
        json.dumps([CANARY]),
        f"<html>{CANARY}</html>\x1b[31m",
        CANARY * 100_000,
        "[" * 100_000 + CANARY,
    ],
    ids=["code", "unknown code", "no list", "no object", "markup", "long", "deep"],
)
def test_nothing_of_a_refusals_body_is_in_the_error(registry: Scripted, client: Client, status: int, body: str) -> None:
    registry.always(Response(status, [("X-Canary", CANARY)], body.encode()))
    with pytest.raises(ByoaError) as caught:
        client(registry.address).fetch_manifest("v1")
    assert CANARY not in str(caught.value) + caught.value.as_json() + repr(caught.value)


def test_a_code_of_the_specification_is_named(registry: Scripted, client: Client) -> None:
    registry.always(Response(400, [], b'{"errors": [{"code": "NAME_INVALID"}]}'))
    with pytest.raises(RegistryProtocolError, match="status 400, NAME_INVALID"):
        client(registry.address).fetch_manifest("v1")


# Manifests


@pytest.mark.parametrize("path", ["/manifests/"])
def test_a_lying_digest_header_is_found_out(registry: Scripted, source: DistributionRepository, path: str) -> None:
    registry.change(path, "Docker-Content-Digest", str(Digest.of(b"other")))
    for name in ("v1", ROOT.digest):
        with pytest.raises(DigestMismatch):
            source.fetch_manifest(name)


def test_a_digest_header_that_is_none_is_refused(registry: Scripted, source: DistributionRepository) -> None:
    registry.change("/manifests/", "Docker-Content-Digest", "sha256:../../secret")
    with pytest.raises(RegistryProtocolError):
        source.fetch_manifest("v1")


def test_a_digest_header_of_another_algorithm_or_none_at_all_is_no_matter(
    registry: Scripted, source: DistributionRepository
) -> None:
    for stated in ("", str(Digest.of(b"other", "sha512"))):
        registry.change("/manifests/", "Docker-Content-Digest", stated)
        assert source.fetch_manifest("v1") == ROOT


def test_other_bytes_than_were_asked_for_are_refused(registry: Scripted, client: Client) -> None:
    served = [("Content-Type", ROOT.descriptor.media_type)]
    registry.always(Response(200, served, ROOT.content.replace(b"2", b"3", 1)))
    with pytest.raises(DigestMismatch):
        client(registry.address).fetch_manifest(ROOT.digest)


def test_a_manifest_of_more_than_four_mebibytes_is_not_read_to_its_end(registry: Scripted, client: Client) -> None:
    served = [("Content-Type", ROOT.descriptor.media_type), ("Content-Length", str(2**40))]
    registry.always(Response(200, served, iter([ROOT.content.ljust(MANIFEST_LIMIT + 1)])))
    with pytest.raises(ManifestTooLarge):
        client(registry.address).fetch_manifest("v1")


@pytest.mark.parametrize("media_type", ["text/html", "application/yaml; charset=utf-8", "image/png"])
def test_a_manifest_of_no_manifests_type_is_refused(
    registry: Scripted, source: DistributionRepository, media_type: str
) -> None:
    registry.change("/manifests/", "Content-Type", media_type)
    with pytest.raises(MediaTypeUnsupported):
        source.fetch_manifest("v1")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_manifest_is_not_fetched_from_elsewhere_without_tls(
    registry: Scripted, other: Scripted, client: Client, status: int
) -> None:
    registry.always(Response(status, [("Location", f"http://{other.address}/v2/vendor/app/manifests/v1")]))
    with pytest.raises(RedirectRefused) as caught:
        client(registry.address).fetch_manifest("v1")
    assert f"--plain-http {other.address}" in caught.value.remedy
    assert other.requests == []


def test_a_manifest_that_breaks_off_is_worth_another_try(registry: Scripted, source: DistributionRepository) -> None:
    def broken(_: Request) -> Response:
        served = [("Content-Type", ROOT.descriptor.media_type), ("Content-Length", str(len(ROOT.content)))]
        return Response(200, served, breaking(ROOT.content[:100]))

    registry.script = broken
    for name in ("v1", ROOT.digest):
        with pytest.raises(ShortRead):
            source.fetch_manifest(name)


def breaking(*blocks: bytes) -> Iterator[bytes]:
    yield from blocks
    raise Hangup


# Blobs


@pytest.mark.parametrize("declared", [True, False], ids=["of a declared length", "chunked"])
@pytest.mark.parametrize("count", [0, 1, 100])
def test_a_blob_that_breaks_off_is_a_short_read(
    registry: Scripted, source: DistributionRepository, count: int, *, declared: bool
) -> None:
    content = PACKED.blobs[LAYER.digest][:count]
    length = [("Content-Length", str(LAYER.size))] if declared else []
    registry.script = lambda request: (
        Response(200, length, breaking(content)) if str(LAYER.digest) in request.path else None
    )
    target = MemoryRepository()
    with pytest.raises(ShortRead) as caught:
        copy(source, target, source.fetch_manifest("v1"))
    assert caught.value.where == "source"
    assert not target.manifests
    with pytest.raises(ShortRead):
        blob_of(source)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_blob_is_followed_without_credentials(client: Client, status: int) -> None:
    with Scripted(Settings(auth="basic", password=OURS.password)) as registry:
        target = client(registry.address, "target", OURS)
        copy(MemoryRepository.holding(PACKED), target, ROOT, tag="v1")
        content = PACKED.blobs[LAYER.digest]

        def redirect(request: Request) -> Response | None:
            if request.path == "/store/blob":
                return Response(200, [], content)
            elsewhere = f"http://{registry.address}/store/blob?signed=1"
            return Response(status, [("Location", elsewhere)]) if "/blobs/" in request.path else None

        registry.script = redirect
        registry.authorizations.clear()
        assert blob_of(target) == content
        (_, sent), (path, leaked) = registry.authorizations
        assert sent
        assert (path, leaked) == ("/store/blob", None)


def test_a_blob_that_is_redirected_to_another_host_without_tls_is_not_fetched(
    registry: Scripted, other: Scripted, source: DistributionRepository
) -> None:
    registry.script = lambda _: Response(307, [("Location", f"http://{other.address}/store/blob")])
    with pytest.raises(RedirectRefused):
        blob_of(source)
    assert other.requests == []


@pytest.mark.parametrize(
    "location",
    [
        "", "#x", "file:///etc/passwd", "gopher://127.0.0.1/", "\\\\127.0.0.1\\x", "javascript:x", "https:/x", "x y",
        "https://user:pass@127.0.0.1/x", "//user@127.0.0.1/x", "https://127.0.0.1\\@evil/x", "https://",
        "https://0x7f.1/x", "/" + "x" * 9000,
    ],
)  # fmt: skip
def test_a_redirect_to_no_sound_address_is_refused(
    registry: Scripted, source: DistributionRepository, location: str
) -> None:
    registry.script = lambda _: Response(307, [("Location", location)])
    with pytest.raises(RedirectRefused):
        blob_of(source)
    assert len(registry.requests) == 1


def test_a_circle_of_redirects_is_left(registry: Scripted, source: DistributionRepository) -> None:
    registry.script = lambda _: Response(307, [("Location", "/store/blob")])
    with pytest.raises(RedirectRefused):
        blob_of(source)
    assert len(registry.requests) == 4
    assert source.requests == 4


# Uploads


def upload_to(location: str) -> Callable[[Request], Response | None]:
    return lambda request: Response(202, [("Location", location)]) if request.method == "POST" else None


def test_an_upload_that_is_sent_to_another_host_is_refused(registry: Scripted, other: Scripted, client: Client) -> None:
    elsewhere = ("https://127.0.0.1/upload", "http://localhost/upload", "//127.0.0.1/x", "HTTP://127.0.0.1/upload")
    for location in (f"http://{other.address}/upload", *elsewhere):
        registry.script = upload_to(location)
        with pytest.raises(RedirectRefused):
            copy(MemoryRepository.holding(PACKED), client(registry.address, "target"), ROOT, tag="v1")
    assert other.requests == []
    assert "PUT" not in {request.method for request in registry.requests}


@pytest.mark.parametrize("location", ["", "ftp://127.0.0.1/x", "http://u@127.0.0.1/x"])
def test_an_upload_without_a_sound_place_is_refused(registry: Scripted, client: Client, location: str) -> None:
    registry.script = upload_to(location)
    with pytest.raises(RegistryProtocolError):
        copy(MemoryRepository.holding(PACKED), client(registry.address, "target"), ROOT, tag="v1")


def test_a_target_that_stores_a_manifest_under_another_digest_is_found_out(registry: Scripted, client: Client) -> None:
    registry.change("/manifests/", "Docker-Content-Digest", str(Digest.of(b"other")))
    with pytest.raises(DigestMismatch):
        copy(MemoryRepository.holding(PACKED), client(registry.address, "target"), ROOT, tag="v1")


# Credentials and tokens


def challenge(text: str) -> Response:
    return Response(401, [("WWW-Authenticate", text)])


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_a_registry_that_wants_credentials_gets_none_where_there_are_none(client: Client, auth: Any) -> None:
    with Scripted(Settings(auth=auth)) as registry:
        with pytest.raises(AuthFailed):
            client(registry.address).fetch_manifest("v1")
        assert {sent for _, sent in registry.authorizations} == {None}


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_wrong_credentials_fail_once_and_for_all(client: Client, auth: Any) -> None:
    with Scripted(Settings(auth=auth)) as registry:
        with pytest.raises(AuthFailed) as caught:
            client(registry.address, "source", OURS).fetch_manifest("v1")
        assert len(registry.requests) == 2
    assert OURS.password not in str(caught.value) + repr(OURS)


@pytest.mark.parametrize("text", ["", "Negotiate", "Digest realm=x", 'Bearer realm="', "=,=", "Basic"])
def test_a_challenge_that_cannot_be_answered_fails(registry: Scripted, client: Client, text: str) -> None:
    registry.always(challenge(text))
    with pytest.raises((AuthFailed, RealmRefused)):
        client(registry.address).fetch_manifest("v1")
    assert len(registry.requests) == 1


def test_a_token_service_on_another_host_gets_nothing(registry: Scripted, other: Scripted, client: Client) -> None:
    port = other.address.partition(":")[2]
    registry.always(challenge(f'Bearer realm="https://localhost:{port}/token",service="x"'))
    with pytest.raises(RealmRefused):
        client(registry.address, "source", OURS).fetch_manifest("v1")
    assert other.requests == []


def test_a_token_service_without_tls_elsewhere_gets_nothing(
    registry: Scripted, other: Scripted, client: Client
) -> None:
    registry.always(challenge(f'Bearer realm="http://{other.address}/token"'))
    with pytest.raises(InsecureTransport):
        client(registry.address, "source", OURS).fetch_manifest("v1")
    assert other.requests == []


@pytest.mark.parametrize("realm", ["", "/token", "javascript:x", "https://u:p@127.0.0.1/", "https://", "//x/token"])
def test_a_realm_that_is_no_sound_address_is_refused(registry: Scripted, client: Client, realm: str) -> None:
    registry.always(challenge(f'Bearer realm="{realm}"'))
    with pytest.raises(RealmRefused):
        client(registry.address, "source", OURS).fetch_manifest("v1")


def test_no_basic_credentials_follow_a_bearer_challenge(registry: Scripted, client: Client) -> None:
    registry.always(challenge('Basic realm="x", Bearer realm="https://localhost/token"'))
    with pytest.raises(RealmRefused):
        client(registry.address, "source", OURS).fetch_manifest("v1")
    assert {sent for _, sent in registry.authorizations} == {None}


@pytest.mark.parametrize(
    "answer",
    [
        json.dumps({"token": "a\r\nX-Evil: y"}),
        json.dumps({"token": "a b"}),
        json.dumps({"token": "a" * 16_385}),
        json.dumps({"token": "a" * 1024 * 1024}),
        json.dumps({"token": ["a"]}),
        json.dumps({"token": "é"}),
        json.dumps({"refresh_token": CANARY}),
        json.dumps([CANARY]),
        json.dumps(CANARY),
        "[" * 60_000,
        CANARY,
        "",
    ],
)
def test_an_unsound_token_is_refused_and_not_quoted(registry: Scripted, client: Client, answer: str) -> None:
    def script(request: Request) -> Response:
        if request.path == "/token":
            return Response(200, [], answer.encode())
        return challenge(f'Bearer realm="http://{registry.address}/token"')

    registry.script = script
    with pytest.raises(RegistryProtocolError) as caught:
        client(registry.address).fetch_manifest("v1")
    assert CANARY not in caught.value.as_json()
    assert len(registry.requests) == 2


@pytest.mark.parametrize("expires", ["-1", '"x"', "1e400", "true", "null", "[]", "0"])
def test_an_absurd_life_of_a_token_is_the_shortest_one(registry: Scripted, client: Client, expires: str) -> None:
    def script(request: Request) -> Response | None:
        if request.path == "/token":
            return Response(200, [], f'{{"token": "good", "expires_in": {expires}}}'.encode())
        if request.headers["Authorization"] != "Bearer good":
            return challenge(f'Bearer realm="http://{registry.address}/token"')
        return None

    registry.script = script
    found = client(registry.address, "target")
    assert found.find_manifest("v1") is None
    assert found.find_manifest("v2") is None
    assert [(seen.path, seen.status) for seen in registry.requests] == [
        ("/v2/vendor/app/manifests/v1", 401),
        ("/token", 200),
        ("/v2/vendor/app/manifests/v1", 404),
        ("/v2/vendor/app/manifests/v2", 404),
    ]


def test_tokens_are_asked_for_one_repository_whatever_the_challenge_says(registry: Scripted, client: Client) -> None:
    asked: list[str | None] = []

    def script(request: Request) -> Response:
        asked.extend([request.first("scope")] if request.path == "/token" else [])
        realm = f'realm="http://{registry.address}/token",scope="registry:catalog:*"'
        return Response(200, [], b'{"token": "good"}') if request.path == "/token" else challenge(f"Bearer {realm}")

    registry.script = script
    for role in ("source", "target"):
        with pytest.raises(ByoaError):
            client(registry.address, role).fetch_manifest("v1")
    assert asked == ["repository:vendor/app:pull", "repository:vendor/app:pull,push"]


# Connections


def test_a_connection_that_was_closed_meanwhile_is_opened_again(
    registry: Scripted, source: DistributionRepository
) -> None:
    source.fetch_manifest("v1")
    hangups = [Hangup()]

    def once(_: Request) -> None:
        if hangups:
            raise hangups.pop()

    registry.script = once
    assert source.fetch_manifest("v1") == ROOT
    assert [seen.status for seen in registry.requests] == [200, 0, 200]


def test_a_registry_that_always_hangs_up_is_unavailable(registry: Scripted, client: Client) -> None:
    def hang_up(_: Request) -> None:
        raise Hangup

    registry.script = hang_up
    with pytest.raises(RegistryUnavailable):
        client(registry.address).fetch_manifest("v1")
    assert len(registry.requests) == 1


def test_a_registry_that_nobody_runs_is_unavailable(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(RegistryUnavailable):
        client(address).fetch_manifest("v1")


@pytest.mark.parametrize("encoding", ["gzip", "gzip, gzip", "br", "x"])
def test_an_encoding_that_was_not_asked_for_is_refused(
    registry: Scripted, source: DistributionRepository, encoding: str
) -> None:
    registry.script = lambda _: Response(200, [("Content-Encoding", encoding)], b"\x1f\x8b")
    with pytest.raises(RegistryProtocolError):
        source.fetch_manifest("v1")
    with pytest.raises(RegistryProtocolError):
        blob_of(source)


def test_more_headers_than_anybody_needs_are_refused(registry: Scripted, client: Client) -> None:
    registry.always(Response(200, [(f"X-{each}", CANARY) for each in range(1000)]))
    with pytest.raises(RegistryProtocolError) as caught:
        client(registry.address).fetch_manifest("v1")
    assert CANARY not in caught.value.as_json()


def test_settings_of_the_environment_for_proxies_are_ignored(
    source: DistributionRepository, other: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{other.address}")
    assert source.fetch_manifest("v1") == ROOT
    assert other.requests == []


# What it costs


@pytest.mark.parametrize("auth", ["anonymous", "basic", "bearer"])
def test_every_request_is_needed_and_a_copy_of_what_is_there_takes_two(client: Client, auth: Any) -> None:
    settings = Settings(auth=auth, password=OURS.password)
    with Scripted(settings) as origin, Scripted(settings) as goal:
        copy(MemoryRepository.holding(PACKED), client(origin.address, "target", OURS), ROOT, tag="v1")
        origin.forget_requests()
        source, target = client(origin.address, "source", OURS), client(goal.address, "target", OURS)
        copy(source, target, source.fetch_manifest("v1"), tag="v1")
        opened = {"anonymous": 0, "basic": 1, "bearer": 2}[auth]
        assert [seen.method for seen in origin.requests[opened:]] == ["GET"] * 3
        assert [seen.method for seen in goal.requests[opened:]] == [
            "HEAD", "POST", "PUT", "POST", "PUT", "PUT",
        ]  # fmt: skip
        assert (source.requests, target.requests) == (len(origin.requests), len(goal.requests))
        origin.forget_requests()
        goal.forget_requests()
        copy(source, target, source.fetch_manifest("v1"), tag="v1")
        assert [seen.method for seen in origin.requests] == ["GET"]
        assert [seen.method for seen in goal.requests] == ["HEAD"]
