"""Registries over TLS: a whole mirror through it, and who is not spoken to."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.deadlines import Allowance
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.tls import explain
from byoa.adapters.registries.transport import Transport
from byoa.engine.mirroring import Wanted, mirror
from byoa.errors import RegistryProtocolError, RegistryUnavailable
from local.registry import Registry
from tests.faults.artifacts import Maker, put
from tests.tls import certificate, issued, terminated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from byoa.adapters.registries.answers import Role
    from byoa.engine.ports import Repository


@pytest.fixture
def transport() -> Iterator[Transport]:
    made = Transport(allowance=Allowance(silence=5.0))
    yield made
    made.close()


def repository(transport: Transport, port: int, role: Role) -> Repository:
    return DistributionRepository(transport, Endpoint("https", "127.0.0.1", port), "vendor/app", role=role)


def test_an_artifact_goes_up_and_down_through_tls(
    transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(x509.IPAddress(ip_address("127.0.0.1")), tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    maker = Maker(1)
    artifact = maker.artifact(maker.image(sizes=(3_000_000, 10, 200_000)))
    origin = MemoryRepository(artifact.blobs, {each.digest: each for each in artifact.manifests})
    origin.tags["v1"] = artifact.root.digest
    with Registry() as registry, terminated(registry.address, context) as (port, taken):
        mirror(origin, repository(transport, port, "target"), Wanted("v1", tag="v1"))
        found = MemoryRepository()
        mirror(repository(transport, port, "source"), found, Wanted("v1", tag="v1"))
        assert len(taken) == 1, "one connection serves all requests that follow each other"
        transport.close()
    assert found.find_manifest("v1") == artifact.root.digest
    assert found.blobs == origin.blobs


@contextmanager
def asked(transport: Transport, endpoint: Endpoint, times: int) -> Iterator[None]:
    """So many requests at once, each of which keeps a connection."""
    answers = [transport.request("GET", endpoint, "/v2/", {}) for _ in range(times)]
    try:
        yield
    finally:
        for answer in answers:
            answer.read(100)
            answer.close()


def test_further_connections_to_one_place_go_on_with_what_the_first_one_agreed_on(tmp_path: Path) -> None:
    context, trusted = certificate(x509.IPAddress(ip_address("127.0.0.1")), tmp_path)
    with Registry() as registry, terminated(registry.address, context) as (port, taken):
        here = Endpoint("https", "127.0.0.1", port)
        for _ in range(2):
            transport = Transport(allowance=Allowance(silence=5.0), ca=trusted.read_text(), ca_alone=True)
            for times in (1, 3):
                with asked(transport, here, times):
                    pass
            transport.close()
    assert taken == [False, True, True] * 2, "and nothing of it is known to whoever trusts others"


def test_what_a_server_hung_up_on_is_not_gone_on_with(tmp_path: Path) -> None:
    context, trusted = certificate(x509.IPAddress(ip_address("127.0.0.1")), tmp_path)
    transport = Transport(allowance=Allowance(silence=5.0), ca=trusted.read_text(), ca_alone=True)
    with Registry() as registry, terminated(registry.address, context, hang_up=[1]) as (port, taken):
        here = Endpoint("https", "127.0.0.1", port)
        with asked(transport, here, 1):
            pass
        with asked(transport, here, 1):
            with pytest.raises(RegistryUnavailable), asked(transport, here, 1):
                pass
            with asked(transport, here, 1):
                pass
        transport.close()
    assert taken == [False, False]


@pytest.mark.parametrize("trusted", [True, False], ids=["for another name", "of nobody's"])
def test_a_certificate_that_vouches_for_nobody_is_refused(
    transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, trusted: bool
) -> None:
    name = x509.DNSName("elsewhere.example") if trusted else x509.IPAddress(ip_address("127.0.0.1"))
    context, pem = certificate(name, tmp_path)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with Registry() as registry, terminated(registry.address, context) as (port, _):
        with pytest.raises(RegistryUnavailable) as caught:
            repository(transport, port, "source").fetch_manifest("v1")
        assert registry.requests == []
    assert f"The certificate of 127.0.0.1:{port}" in caught.value.cause
    assert ("for another name" if trusted else "not trusted here") in caught.value.cause


def test_a_registry_that_speaks_no_tls_is_named_with_the_option(transport: Transport) -> None:
    with Registry() as registry:
        port = int(registry.address.rpartition(":")[2])
        with pytest.raises(RegistryUnavailable) as caught:
            repository(transport, port, "source").fetch_manifest("v1")
        assert registry.requests == []
    assert "TLS" in caught.value.cause
    assert f"--plain-http 127.0.0.1:{port}" in caught.value.remedy


@contextmanager
def answering(said: bytes) -> Iterator[int]:
    """The port of somebody who says this to whatever comes first, and hangs up."""

    def answer() -> None:
        peer, _ = listening.accept()
        with suppress(OSError), peer:
            peer.recv(65536)
            peer.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


def test_what_nobody_asked_for_is_no_answer_though_it_came_in_one_record(tmp_path: Path) -> None:
    """A record is deciphered as a whole: what follows a body in it no longer waits at the socket."""
    context, pem = certificate(x509.IPAddress(ip_address("127.0.0.1")), tmp_path)
    body, unasked = b"a" * 20_000, _answer(b"stale")

    def serve() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listening.accept()
                with context.wrap_socket(peer, server_side=True) as peer:
                    if b"/first" not in peer.recv(65536):
                        peer.sendall(_answer(b"fresh"))
                        continue
                    peer.sendall(_answer(body)[:-5000])
                    peer.sendall(body[-5000:] + unasked)
                    peer.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        transport = Transport(ca=pem.read_text(), by_environment=False)
        endpoint = Endpoint("https", "127.0.0.1", listening.getsockname()[1])
        with transport.request("GET", endpoint, "/first", {}) as first:
            assert first.read(len(body)) == body
        with transport.request("GET", endpoint, "/second", {}) as second:
            assert second.read(100) == b"fresh"
        transport.close()


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.mark.parametrize("said", [b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent TLS\n", b"", b"SSH-2.0-x\r\n"])
def test_whatever_answers_to_tls_otherwise_is_named_with_the_option(transport: Transport, said: bytes) -> None:
    with answering(said) as port, pytest.raises(RegistryUnavailable) as caught:
        repository(transport, port, "source").fetch_manifest("v1")
    assert f"--plain-http 127.0.0.1:{port}" in caught.value.remedy


@pytest.mark.parametrize(("days", "word"), [((-3, -1), "has expired"), ((1, 3), "is not valid yet")])
def test_a_certificate_of_another_time_is_told_apart(
    transport: Transport,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    days: tuple[int, int],
    word: str,
) -> None:
    context, pem = certificate(x509.IPAddress(ip_address("127.0.0.1")), tmp_path, days)
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with Registry() as registry, terminated(registry.address, context) as (port, _):
        with pytest.raises(RegistryUnavailable, match=word) as caught:
            repository(transport, port, "source").fetch_manifest("v1")
        assert registry.requests == []
    assert "clock" in caught.value.remedy
    assert caught.value.given_up, "another try would be the same"


def test_each_fault_of_a_certificate_has_a_remedy_of_its_own() -> None:
    remedies = {explain(_fault(code), "a.example") for code in (10, 9, 62, 64, 18, 20, 92)}
    assert len({told[1] for told in remedies if told}) == 5  # two names for one fault, and two for another


def _fault(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "made up")
    error.verify_code, error.verify_message = code, "Missing Authority Key Identifier"
    return error


def test_a_certificate_without_key_identifiers_is_as_good_as_others(
    transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As old guides have a private authority make them; the standard library's default asks for more."""
    context, trusted = issued(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with Registry() as registry, terminated(registry.address, context) as (port, _):
        put(registry, "vendor/app", Maker(1).make("plain"), "v1")
        assert repository(transport, port, "source").fetch_manifest("v1")
        transport.close()


@pytest.mark.parametrize("said", [b"\x15\x03\x01\x00\x02\x02\x46", b""], ids=["an alert", "nothing"])
def test_a_registry_over_tls_that_is_asked_without_is_told(transport: Transport, said: bytes) -> None:
    with answering(said) as port:
        source = DistributionRepository(transport, Endpoint("http", "127.0.0.1", port), "vendor/app", role="source")
        with pytest.raises((RegistryProtocolError, RegistryUnavailable)) as caught:
            source.fetch_manifest("v1")
    assert "--plain-http" in caught.value.remedy
    assert ("speaks TLS" in caught.value.cause) == bool(said)
