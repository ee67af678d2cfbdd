"""Registries that send requests elsewhere: where they are followed, and what is never shown there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.content.packing import pack
from byoa.engine.mirroring import Wanted, mirror
from byoa.errors import AuthFailed, ByoaError, InsecureTransport, RealmRefused, RedirectRefused
from byoa.trust.credentials import Credential
from local.registry import Request, Response, Settings
from tests.faults.artifacts import Maker, lacking, put
from tests.scripted import Scripted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.adapters.registries.transport import Transport

OURS = Credential("byoa", "canary-password")
WHOLE = Wanted("v1", "v1")


class Shown(Scripted):
    """A registry that notes what it was shown, by path."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.shown: list[tuple[str, str, str | None, bytes]] = []
        super().__init__(settings)

    def answer(self, request: Request) -> Response:
        content = request.body.read(1 << 20) if request.method == "POST" and "token" in request.path else b""
        self.shown.append((request.method, request.path, request.headers["Authorization"], content))
        return super().answer(request)


@pytest.fixture
def registry() -> Iterator[Shown]:
    with Shown() as made:
        put(made, "vendor/app", Maker(1).make("attested"), "v1")
        yield made


@pytest.fixture
def other() -> Iterator[Shown]:
    with Shown() as made:
        put(made, "real/app", Maker(1).make("attested"), "v1")
        yield made


type Client = Callable[..., DistributionRepository]


def endpoint(registry: Scripted) -> Endpoint:
    host, _, port = registry.address.partition(":")
    return Endpoint("http", host, int(port))


@pytest.fixture
def client(transport: Transport) -> Client:
    def make(registry: Scripted, role: Any = "source", credential: Credential | None = None) -> DistributionRepository:
        return DistributionRepository(transport, endpoint(registry), "vendor/app", role=role, credential=credential)

    return make


def sent_on(to: str, status: int = 307) -> Callable[[Request], Response | None]:
    """All requests about the repository go to ``to``, with the repository's name of there."""

    def script(request: Request) -> Response | None:
        if "/vendor/app/" not in request.path:
            return None
        query = f"?{urlencode(request.query, doseq=True)}" if request.query else ""
        place = request.path.replace("/vendor/app/", "/real/app/")
        return Response(status, [("Location", f"{to}{place}{query}")])

    return script


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_whole_repository_may_be_elsewhere_in_its_registry(registry: Shown, client: Client, status: int) -> None:
    put(registry, "real/app", Maker(1).make("attested"), "v1")
    registry.script = sent_on("", status)
    source, target = client(registry), MemoryRepository()
    mirror(source, target, WHOLE)
    assert {each.digest for each in Maker(1).make("attested").manifests} == set(target.manifests)
    assert "v1" in source.all_tags().names


def test_a_repository_elsewhere_is_read_without_our_credentials(
    registry: Shown, other: Shown, client: Client, transport: Transport
) -> None:
    transport.plain = frozenset({endpoint(other)})
    to = sent_on(f"http://{other.address}")
    registry.script = lambda request: (
        to(request) if request.headers["Authorization"] else Response(401, [("WWW-Authenticate", 'Basic realm="x"')])
    )
    source = client(registry, credential=OURS)
    mirror(source, MemoryRepository(), WHOLE)
    assert "v1" in source.all_tags().names
    assert {shown for _, _, shown, _ in registry.shown} > {None}
    assert {shown for _, _, shown, _ in other.shown} == {None}
    assert source.requests == len(registry.shown) + len(other.shown)


def test_a_token_for_anybody_is_asked_for_where_a_redirect_led(
    registry: Shown, other: Shown, client: Client, transport: Transport
) -> None:
    transport.plain = frozenset({endpoint(other)})
    registry.script = sent_on(f"http://{other.address}")
    asked: list[str | None] = []

    def guarded(request: Request) -> Response | None:
        if request.path == "/token":
            asked.append(request.first("scope"))
            return Response(200, [], b'{"token": "anybody"}')
        if request.headers["Authorization"] != "Bearer anybody":
            return Response(401, [("WWW-Authenticate", f'Bearer realm="http://{other.address}/token"')])
        return None

    other.script = guarded
    source = client(registry, credential=OURS)
    mirror(source, MemoryRepository(), WHOLE)
    assert asked == ["repository:real/app:pull"]
    assert "canary" not in str(other.shown)
    assert source.requests == len(registry.shown) + len(other.shown)


def test_who_wants_credentials_where_a_redirect_led_is_named(
    registry: Shown, other: Shown, client: Client, transport: Transport
) -> None:
    transport.plain = frozenset({endpoint(other)})
    registry.script = sent_on(f"http://{other.address}")
    other.script = lambda _: Response(401, [("WWW-Authenticate", 'Basic realm="x"')])
    with pytest.raises(AuthFailed, match=other.address) as caught:
        client(registry, credential=OURS).fetch_manifest("v1")
    assert f"oci://{other.address}/real/app" in caught.value.remedy
    assert {shown for _, _, shown, _ in other.shown} == {None}


def test_another_repository_of_the_registry_gets_a_token_of_its_own(client: Client) -> None:
    with Shown(Settings(auth="bearer", username=OURS.username, password=OURS.password)) as registry:
        put(registry, "real/app", Maker(1).make("plain"), "v1")
        registry.script = sent_on("")
        mirror(client(registry, credential=OURS), MemoryRepository(), WHOLE)
        asked = [path for _, path, _, _ in registry.shown if "token" in path]
    assert len(asked) == 2


def test_more_redirects_than_a_few_are_refused(registry: Shown, client: Client) -> None:
    registry.script = lambda request: Response(307, [("Location", f"{request.path}x")])
    with pytest.raises(RedirectRefused, match="more than a few"):
        client(registry).fetch_manifest("v1")
    assert len(registry.shown) == 4


def test_nothing_is_written_where_a_redirect_leads(
    registry: Shown, other: Shown, client: Client, transport: Transport
) -> None:
    transport.plain = frozenset({endpoint(other)})
    registry.script = sent_on(f"http://{other.address}")
    with pytest.raises(ByoaError):
        mirror(MemoryRepository.holding(pack("a: 1\n")), client(registry, "target"), Wanted("inline", "v1"))
    assert {method for method, _, _, _ in other.shown} <= {"GET", "HEAD"}
    assert "inline" not in other.store.repository("real/app").tags  # type: ignore[union-attr]


def test_a_write_may_be_sent_elsewhere_in_its_registry(registry: Shown, client: Client) -> None:
    registry.script = sent_on("", 308)
    packed = pack("a: 1\n")
    mirror(MemoryRepository.holding(packed), client(registry, "target"), Wanted("inline", "v2", attachments=False))
    assert registry.store.repository("real/app").tags["v2"] == str(packed.manifest.digest)  # type: ignore[union-attr]


def test_a_blob_that_is_kept_elsewhere_is_there(registry: Shown, client: Client) -> None:
    registry.script = lambda request: (
        Response(302, [("Location", "https://store.example/blob")]) if request.method == "HEAD" else None
    )
    assert client(registry, "target").has_blob(pack("a: 1\n").manifest.layers[0])


def test_pages_may_go_on_where_the_first_one_came_from(
    registry: Shown, other: Shown, client: Client, transport: Transport
) -> None:
    transport.plain = frozenset({endpoint(other)})
    registry.script = sent_on(f"http://{other.address}")

    def paged(request: Request) -> Response:
        second = request.first("last") == "a"
        link = [] if second else [("Link", '<list?last=a>; rel="next"')]
        return Response(200, link, json.dumps({"tags": ["b" if second else "a"]}).encode())

    other.script = paged
    assert client(registry).all_tags().names == ("a", "b")


def test_a_list_of_referrers_may_be_elsewhere(
    registry: Shown, other: Shown, client: Client, transport: Transport
) -> None:
    transport.plain = frozenset({endpoint(other)})
    registry.script = sent_on(f"http://{other.address}")
    artifact = Maker(1).make("attested")
    found = client(registry).referrers(artifact.root.digest)
    assert {each.digest for each in found} == {
        each.digest for each in artifact.referrers if each.subject and each.subject.digest == artifact.root.digest
    }


# Token services


def bearer(realm: str) -> Response:
    return Response(401, [("WWW-Authenticate", f'Bearer realm="{realm}",service="x"')])


def test_a_token_service_may_redirect_within_its_endpoint_with_the_login(registry: Shown, client: Client) -> None:
    def script(request: Request) -> Response | None:
        if request.path == "/token":
            return Response(307, [("Location", f"/real/token?{urlencode(request.query, doseq=True)}")])
        if request.path == "/real/token":
            assert request.first("scope") == "repository:vendor/app:pull"
            good = request.headers["Authorization"] is not None
            return Response(200, [], b'{"token": "good"}') if good else Response(401)
        return None if request.headers["Authorization"] == "Bearer good" else bearer(f"http://{registry.address}/token")

    registry.script = script
    assert client(registry, credential=OURS).fetch_manifest("v1")


@pytest.mark.parametrize("credential", [OURS, Credential("", "", identity_token="canary-token")], ids=["pair", "token"])
def test_a_token_service_that_redirects_elsewhere_takes_no_login_there(
    registry: Shown, other: Shown, client: Client, transport: Transport, credential: Credential
) -> None:
    transport.plain = frozenset({endpoint(other)})
    registry.script = lambda request: (
        Response(307, [("Location", f"http://{other.address}/token")])
        if request.path == "/token"
        else bearer(f"http://{registry.address}/token")
    )
    other.script = lambda _: Response(200, [], b'{"token": "anybody"}')
    with pytest.raises((AuthFailed, RealmRefused)):
        client(registry, credential=credential).fetch_manifest("v1")
    assert "canary" not in str(other.shown)
    assert {shown for _, _, shown, _ in other.shown} <= {None}


def test_a_token_for_anybody_may_come_from_anywhere(
    registry: Shown, other: Shown, client: Client, transport: Transport
) -> None:
    transport.plain = frozenset({endpoint(other)})
    other.script = lambda _: Response(200, [], b'{"token": "anybody"}')
    registry.script = lambda request: (
        None if request.headers["Authorization"] == "Bearer anybody" else bearer(f"http://{other.address}/token")
    )
    assert client(registry).fetch_manifest("v1")
    assert [shown for _, _, shown, _ in other.shown] == [None]


def test_a_token_service_without_tls_is_named_with_the_option(registry: Shown, other: Shown, client: Client) -> None:
    registry.script = lambda _: bearer(f"http://{other.address}/token")
    with pytest.raises(InsecureTransport) as caught:
        client(registry).fetch_manifest("v1")
    assert f"--plain-http {other.address}" in caught.value.remedy
    assert other.shown == []


@pytest.mark.parametrize("host", ["localhost", "auth.elsewhere.example"])
def test_a_login_is_for_no_host_that_nobody_named(registry: Shown, client: Client, host: str) -> None:
    registry.script = lambda _: bearer(f"https://{host}/token")
    with pytest.raises(RealmRefused, match=host) as caught:
        client(registry, credential=OURS).fetch_manifest("v1")
    assert f"--token-host {host}" in caught.value.remedy


def test_an_identity_token_is_exchanged_in_a_form(registry: Shown, client: Client) -> None:
    def script(request: Request) -> Response | None:
        if request.path == "/token":
            return Response(200, [], b'{"access_token": "good"}')
        return None if request.headers["Authorization"] == "Bearer good" else bearer(f"http://{registry.address}/token")

    registry.script = script
    assert client(registry, credential=Credential("", "", identity_token="re fresh&me")).fetch_manifest("v1")
    ((method, _, shown, content),) = [seen for seen in registry.shown if seen[1] == "/token"]
    assert (method, shown) == ("POST", None)
    assert content.decode().split("&") == [
        "grant_type=refresh_token", "service=x", "scope=repository%3Avendor%2Fapp%3Apull", "client_id=byoa",
        "refresh_token=re+fresh%26me",
    ]  # fmt: skip


def test_a_token_of_the_login_is_shown_as_it_is(registry: Shown, client: Client) -> None:
    registry.script = lambda request: (
        None if request.headers["Authorization"] == "Bearer kept" else bearer("https://auth.elsewhere.example/")
    )
    assert client(registry, credential=Credential("", "", registry_token="kept")).fetch_manifest("v1")


def test_an_identity_token_is_no_password(registry: Shown, client: Client) -> None:
    registry.script = lambda _: Response(401, [("WWW-Authenticate", 'Basic realm="x"')])
    with pytest.raises(AuthFailed, match="name and a password"):
        client(registry, credential=Credential("", "", identity_token="canary-token")).fetch_manifest("v1")
    assert {shown for _, _, shown, _ in registry.shown} == {None}


def test_a_short_cut_that_is_refused_costs_no_token(registry: Shown, client: Client, transport: Transport) -> None:
    """Some services refuse a token for two repositories where the login is good for one."""

    def script(request: Request) -> Response | None:
        if request.path == "/token":
            many = len(request.query["scope"]) > 1
            return Response(403) if many else Response(200, [], b'{"token": "good"}')
        return None if request.headers["Authorization"] == "Bearer good" else bearer(f"http://{registry.address}/token")

    registry.script = script
    target = DistributionRepository(
        transport, endpoint(registry), "mirror/app", role="target", credential=OURS, mount_from="vendor/app"
    )
    mirror(client(registry, credential=OURS), target, WHOLE)
    assert lacking(registry, "mirror/app", Maker(1).make("attested"), "v1") == []
