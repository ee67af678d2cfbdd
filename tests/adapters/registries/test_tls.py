"""Registries over TLS: a whole mirror through it, and who is not spoken to."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from byoa.adapters.memory.repository import MemoryRepository
from byoa.adapters.registries.deadlines import Allowance
from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.transport import Transport
from byoa.engine.mirroring import Wanted, mirror
from byoa.errors import RegistryUnavailable
from local.registry import Registry
from tests.faults.artifacts import Maker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from byoa.adapters.registries.answers import Role
    from byoa.engine.ports import Repository

type Certified = tuple[ssl.SSLContext, Path]


def certificate(name: x509.GeneralName, folder: Path) -> Certified:
    """A server's side with a certificate for ``name`` that vouches for itself, and the file to trust it by."""
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a registry of the tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    pem, private = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context, pem


@contextmanager
def terminated(address: str, context: ssl.SSLContext) -> Iterator[tuple[int, list[int]]]:
    """TLS in front of a registry that has none: the port, and a list that grows by one with each connection."""
    host, _, port = address.partition(":")
    taken: list[int] = []

    def pump(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while content := one.recv(65536):
                other.sendall(content)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve(peer: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(peer, server_side=True) as inner:
            taken.append(1)
            with socket.create_connection((host, int(port))) as registry:
                back = threading.Thread(target=pump, args=(registry, inner), daemon=True)
                back.start()
                pump(inner, registry)
                back.join()

    def accept() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listening.accept()
                threading.Thread(target=serve, args=(peer,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1], taken
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


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


def test_a_registry_that_speaks_no_tls_is_refused(transport: Transport) -> None:
    with Registry() as registry, pytest.raises(RegistryUnavailable):
        repository(transport, int(registry.address.rpartition(":")[2]), "source").fetch_manifest("v1")
