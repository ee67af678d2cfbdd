"""Who is believed to be who they say: certificates, authorities of an organisation's own, and nothing that is set."""

from __future__ import annotations

import ssl
import threading
from ipaddress import ip_address
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import pytest
from cryptography import x509

from byoa.adapters.registries.deadlines import Allowance, Watch
from byoa.adapters.registries.dialing import Dialer
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.tls import make_context
from byoa.bootstrap import pipeline, sources
from byoa.bootstrap.lines import KEPT, Lines
from byoa.errors import CredentialMalformed, EndpointBlocked, InternalFault, RegistryUnavailable, TenantForbidden
from byoa.oci.reference import Reference
from byoa.trust.addresses import Reachable
from local.registry import Registry, Request, Response
from tests.faults.artifacts import Maker, put
from tests.hostile.world import World
from tests.scripted import Scripted
from tests.tls import certificate, issued, terminated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from byoa.adapters.registries.transport import Transport

    type Certified = tuple[ssl.SSLContext, Path]

NAME: Final = x509.DNSName("registry.example")
PLACE: Final = ("93.184.216.34", 443)


@pytest.fixture(autouse=True)
def _invocation() -> None:
    """One that has time: what a function ran for before in this process may be over."""
    pipeline.begin(lambda: 300_000)


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as made:
        put(made, "vendor/app", Maker(1).make("plain"), "v1")
        yield made


@pytest.fixture
def world() -> World:
    made = World()
    made.names = {"registry.example": [PLACE[0]]}
    return made


def fetch(transport: Transport) -> None:
    endpoint = Endpoint("https", "registry.example", 443)
    try:
        DistributionRepository(transport, endpoint, "vendor/app", role="source").fetch_manifest("v1")
    finally:
        transport.close()


def _for_older_clients(folder: Path) -> Certified:
    context, pem = certificate(NAME, folder)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context, pem


def _for_known_clients(folder: Path) -> Certified:
    context, pem = certificate(NAME, folder)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    return context, pem


FAULTS: Final[dict[str, Callable[[Path], Certified]]] = {
    "expired": lambda folder: certificate(NAME, folder, (-3, -1)),
    "not valid yet": lambda folder: certificate(NAME, folder, (1, 3)),
    "for another name": lambda folder: certificate(x509.DNSName("evil.example"), folder),
    "for names below": lambda folder: certificate(x509.DNSName("*.registry.example"), folder),
    "for an address": lambda folder: certificate(x509.IPAddress(ip_address(PLACE[0])), folder),
    "TLS 1.1": _for_older_clients,
    "wants a certificate": _for_known_clients,
}


@pytest.mark.parametrize("make", FAULTS.values(), ids=FAULTS.keys())
def test_who_does_not_prove_its_name_is_not_spoken_to(
    make: Callable[[Path], Certified], registry: Registry, world: World, tmp_path: Path
) -> None:
    context, pem = make(tmp_path)
    with terminated(registry.address, context) as (port, _):
        world.listening = {PLACE: port}
        with pytest.raises(RegistryUnavailable):
            fetch(world.transport(ca=pem.read_text()))
    assert registry.requests == []
    assert set(world.dialled) == {PLACE}


def test_an_authority_of_an_organisation_s_own_is_trusted_on_its_own_connections_alone(
    registry: Registry, world: World, tmp_path: Path
) -> None:
    context, authority = issued(tmp_path, "registry.example")
    with terminated(registry.address, context) as (port, _):
        world.listening = {PLACE: port}
        for ca in (None, certificate(NAME, tmp_path)[1].read_text()):
            with pytest.raises(RegistryUnavailable, match="not trusted here"):
                fetch(world.transport(ca=ca))
        assert registry.requests == []
        fetch(world.transport(ca=authority.read_text()))
        assert registry.requests
        with pytest.raises(RegistryUnavailable, match="not trusted here"):
            fetch(world.transport())


@pytest.mark.parametrize("ca", ["canary", "-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n", "ä"])
def test_an_authority_that_is_none_is_named_and_not_quoted(ca: str, world: World) -> None:
    world.listening = {PLACE: 9}
    with pytest.raises(CredentialMalformed) as caught:
        fetch(world.transport(ca=ca))
    assert "canary" not in caught.value.as_json()
    assert caught.value.__context__ is None
    assert world.dialled == []


def test_the_oldest_version_of_tls_that_is_spoken_is_1_2() -> None:
    for by_environment in (True, False):
        context = make_context(by_environment=by_environment)
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.verify_mode == ssl.CERT_REQUIRED
        assert context.check_hostname


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch, world: World) -> Lines:
    """As the pipeline has them, in this world."""
    monkeypatch.setattr("byoa.bootstrap.lines.Dialer", lambda reachable: world.dialer())
    return Lines(lambda: 60.0, 5.0, Reachable)


def test_the_environment_changes_nothing_of_where_the_pipeline_connects(
    registry: Registry, world: World, lines: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = issued(tmp_path, "registry.example")
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{registry.address}")
        monkeypatch.setenv(name.lower(), f"http://{registry.address}")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(authority))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    (tmp_path / ".netrc").write_text("machine registry.example login byoa password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with terminated(registry.address, context) as (port, _):
        world.listening = {PLACE: port}
        with pytest.raises(RegistryUnavailable, match="not trusted here"):
            fetch(lines.guarded("org_a").transport)
        assert registry.requests == []
        fetch(lines.guarded("org_a", authority.read_text()).transport)
    assert set(world.dialled) == {PLACE}
    assert not (tmp_path / "keys").exists()


def test_organisations_share_no_connections(lines: Lines) -> None:
    one, other = lines.guarded("org_a"), lines.guarded("org_b")
    assert one is lines.guarded("org_a")
    made = [one, other, lines.guarded("org_a", "a"), lines.open("org_a")]
    assert len({id(line.transport) for line in made}) == len({id(line.wallet) for line in made}) == 4


def test_few_lines_are_kept_and_the_last_ones_are(
    registry: Registry, world: World, lines: Lines, tmp_path: Path
) -> None:
    context, authority = issued(tmp_path, "registry.example")
    with terminated(registry.address, context) as (port, taken):
        world.listening = {PLACE: port}
        line = lines.guarded("org_0", authority.read_text())
        endpoint = Endpoint("https", "registry.example", 443)
        held = line.transport.request("GET", endpoint, "/v2/vendor/app/manifests/v1", {})
        later = [lines.guarded(f"org_{number}") for number in range(1, KEPT + 1)]
        held.read(1 << 20)
        held.close()
        assert lines.guarded(f"org_{KEPT}") is later[-1]
        assert lines.guarded("org_0", authority.read_text()) is not line
        assert len(taken) == 1
        pool: Any = held._pool
        assert pool.take() is None, "nobody would close it any more"


def test_sources_are_guarded_and_targets_of_ours_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = pipeline.transport("org_a")
    with pytest.raises(EndpointBlocked):
        guarded.request("GET", Endpoint("https", "127.0.0.1", 443), "/v2/", {})
    with pytest.raises(RegistryUnavailable):
        pipeline._lines().open("org_a").transport.request("GET", Endpoint("https", "127.0.0.1", 9), "/v2/", {})


@pytest.mark.parametrize(("setting", "error"), [("127.0.0.1/32:9", RegistryUnavailable), ("127.0.0.1", InternalFault)])
def test_what_a_setting_opens_the_pipeline_may_reach(
    setting: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: Any = pipeline.settings().model_copy(update={"reachable": setting})
    monkeypatch.setattr(pipeline, "settings", lambda: found)
    monkeypatch.setattr(pipeline, "reachable", pipeline.reachable.__wrapped__)
    lines = pipeline._lines.__wrapped__
    with pytest.raises(error):
        lines().guarded("org_a").transport.request("GET", Endpoint("https", "127.0.0.1", 9), "/v2/", {})


@pytest.mark.parametrize("reference", ["oci://127.0.0.1/vendor/app:v1", "oci://localhost/vendor/app:v1"])
def test_a_build_s_source_is_asked_through_the_guard(reference: str) -> None:
    valid: Any = SimpleNamespace(reference=reference, organisation="org_a")
    with pytest.raises(EndpointBlocked):
        sources.source(valid, None).fetch_manifest("v1")


def test_a_build_s_reference_is_judged_by_what_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Reachable.parse("10.0.0.0/8:5000")
    monkeypatch.setattr(pipeline, "reachable", lambda: opened)
    assert pipeline.policy().reachable == opened


def test_a_host_of_ours_is_no_source_however_an_operator_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found: Any = pipeline.settings().model_copy(update={"own_hosts": "Mirror.Example.com:443, index.docker.io"})
    monkeypatch.setattr(pipeline, "settings", lambda: found)
    for host in ("mirror.example.com", "docker.io"):
        with pytest.raises(TenantForbidden):
            pipeline.policy().check_source(Reference.parse(f"oci://{host}/vendor/app:v1"), None)


def test_a_registry_whose_own_name_leads_inside_all_at_once_is_blocked(world: World, tmp_path: Path) -> None:
    """Where a redirect leads on to the same name, which had a public address a moment ago."""
    context, authority = issued(tmp_path, "registry.example")
    with Scripted() as scripted, terminated(scripted.address, context) as (port, _):
        world.listening = {PLACE: port}

        def script(request: Request) -> Response:
            world.names["registry.example"] = ["127.0.0.1"]
            return Response(307, [("Location", "/elsewhere")], close=True)

        scripted.script = script
        with pytest.raises(EndpointBlocked):
            fetch(world.transport(ca=authority.read_text()))
    assert set(world.dialled) == {PLACE}


def test_a_name_that_begins_with_a_figure_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such a one used to be taken for an address, which nobody is asked for."""
    waiting: list[str] = []

    class Noted(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            waiting.append(self.name)
            super().join(timeout)

    monkeypatch.setattr("byoa.adapters.registries.dialing.threading.Thread", Noted)
    allowance = Allowance(connect=0.5)
    for host in ("1password.invalid", "127.0.0.1"):
        with pytest.raises(OSError):  # noqa: PT011 - of whatever kind
            Dialer().dial(host, 9, allowance, Watch(allowance))
    assert waiting == ["resolver"]
