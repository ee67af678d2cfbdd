"""Registries over TLS: certificates of every kind, and what speaks TLS in front of a registry that has none."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

type Certified = tuple[ssl.SSLContext, Path]


def certificate(name: x509.GeneralName, folder: Path, days: tuple[int, int] = (-1, 1)) -> Certified:
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
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
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
def terminated(address: str, context: ssl.SSLContext, hang_up: Sequence[int] = ()) -> Iterator[tuple[int, list[bool]]]:
    """TLS in front of a registry that has none: the port, and of each connection whether it goes on with a session.

    Those of the numbers in ``hang_up``, from 0, end before anything is said.
    """
    host, _, port = address.partition(":")
    taken: list[bool] = []
    numbers = itertools.count()

    def pump(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while content := one.recv(65536):
                other.sendall(content)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def serve(peer: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(peer, server_side=True) as inner:
            taken.append(bool(inner.session_reused))
            with socket.create_connection((host, int(port))) as registry:
                back = threading.Thread(target=pump, args=(registry, inner), daemon=True)
                back.start()
                pump(inner, registry)
                back.join()

    def accept() -> None:
        with suppress(OSError):
            while True:
                peer, _ = listening.accept()
                if next(numbers) in hang_up:
                    peer.close()
                    continue
                threading.Thread(target=serve, args=(peer,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1], taken
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def issued(folder: Path, *names_of_it: str) -> Certified:
    """A certificate by an authority of the tests, without a word on keys, and the authority's.

    It is for the names that are given; without any for 127.0.0.1.
    """
    now, keys = datetime.now(UTC), [generate_private_key(SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("an authority", "a registry")]

    def builder(subject: int) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(names[subject]).issuer_name(names[0])
        made = made.public_key(keys[subject].public_key()).serial_number(x509.random_serial_number())
        return made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))

    authority = builder(0).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    for_names: list[x509.GeneralName] = [x509.DNSName(name) for name in names_of_it]
    for_names = for_names or [x509.IPAddress(ip_address("127.0.0.1"))]
    address = x509.SubjectAlternativeName(for_names)
    server = builder(1).add_extension(address, critical=False)
    trusted, pem, private = folder / "authority.pem", folder / "server.pem", folder / "server.key"
    trusted.write_bytes(authority.sign(keys[0], SHA256()).public_bytes(Encoding.PEM))
    pem.write_bytes(server.sign(keys[0], SHA256()).public_bytes(Encoding.PEM))
    private.write_bytes(keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context, trusted
