"""Ways out through a proxy: which endpoints go through it, what it is sent, and what is said when it is no help."""

from __future__ import annotations

import base64
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from cryptography import x509

from byoa.adapters.registries.distribution import DistributionRepository
from byoa.adapters.registries.endpoints import Endpoint
from byoa.adapters.registries.proxies import Proxies, Proxy, ProxyFailed
from byoa.adapters.registries.transport import Transport
from byoa.errors import RegistryUnavailable
from local.registry import Registry
from tests.faults.artifacts import Maker, put
from tests.tls import certificate, terminated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = Endpoint("https", "registry.example.com", 443)
PROXY = Proxy("proxy.example", 3128)


@pytest.mark.parametrize(
    "environment",
    [
        {"https_proxy": "http://proxy.example:3128"},
        {"HTTPS_PROXY": "http://proxy.example:3128"},
        {"HTTPS_PROXY": "proxy.example:3128"},
        {"https_proxy": "http://proxy.example:3128/", "HTTPS_PROXY": "http://other.example:1"},
        {"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "example.org,localhost"},
        {"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "ample.com, other.registry.example.com,,"},
        {"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "registry.example.com:5000"},
        {"HTTPS_PROXY": "http://proxy.example:3128", "NO_PROXY": "10.0.0.0/8"},
    ],
    ids=str,
)
def test_a_registry_outside_is_reached_through_the_proxy(environment: dict[str, str]) -> None:
    assert Proxies(environment).of(HOST) == PROXY


@pytest.mark.parametrize(
    ("no_proxy", "endpoint"),
    [
        ("*", HOST),
        ("registry.example.com", HOST),
        ("example.com", HOST),
        (".example.com", HOST),
        ("*.example.com", HOST),
        ("EXAMPLE.com:443", HOST),
        ("a.example, example.com ,b.example", HOST),
        ("10.1.2.3", Endpoint("https", "10.1.2.3", 443)),
        ("10.0.0.0/8", Endpoint("https", "10.1.2.3", 443)),
        ("10.1.2.3:5000", Endpoint("https", "10.1.2.3", 5000)),
        ("fd00::/8", Endpoint("https", "fd00::1", 443)),
        ("[fd00::1]:443", Endpoint("https", "fd00::1", 443)),
        ("", Endpoint("https", "127.0.0.1", 5000)),
        ("", Endpoint("https", "::1", 5000)),
        ("", Endpoint("https", "localhost", 5000)),
        ("", Endpoint("http", "registry.example.com", 80)),
    ],
)
def test_what_no_proxy_names_and_this_machine_are_reached_directly(no_proxy: str, endpoint: Endpoint) -> None:
    assert Proxies({"HTTPS_PROXY": "http://proxy.example:3128", "no_proxy": no_proxy}).of(endpoint) is None


def test_a_proxys_own_login_is_read_from_its_address() -> None:
    found = Proxies({"https_proxy": "http://me:p%40ss@proxy.example"}).of(HOST)
    assert found == Proxy("proxy.example", 80, f"Basic {base64.b64encode(b'me:p@ss').decode()}")


@pytest.mark.parametrize("setting", ["socks5://p:1", "https://p:1", "http://", "http://[::1", "http://p:99999", "://"])
def test_a_setting_that_cant_be_used_is_an_error_and_never_passed_over(setting: str) -> None:
    with pytest.raises(ProxyFailed):
        Proxies({"https_proxy": setting}).of(HOST)


@contextmanager
def proxy(
    goal: tuple[str, int], answer: bytes = b"HTTP/1.1 200 Connected\r\n\r\n"
) -> Iterator[tuple[Proxies, list[bytes]]]:
    """A proxy that leads to ``goal`` whatever it is asked, the settings that name it, and the heads that it got."""
    heads: list[bytes] = []

    def pump(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while content := one.recv(65536):
                other.sendall(content)
            other.shutdown(socket.SHUT_WR)

    def serve(peer: socket.socket) -> None:
        with suppress(OSError), peer, socket.create_connection(goal) as there:
            head = peer.recv(65536)
            heads.append(head)
            if head.startswith(b"CONNECT"):
                peer.sendall(answer)
            else:
                there.sendall(head)
            back = threading.Thread(target=pump, args=(there, peer), daemon=True)
            back.start()
            pump(peer, there)
            back.join()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        setting = f"http://me:secret@127.0.0.1:{listening.getsockname()[1]}"
        yield Proxies({"https_proxy": setting, "http_proxy": setting}), heads
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


SHOWN = f"Proxy-Authorization: Basic {base64.b64encode(b'me:secret').decode()}".encode()


def test_a_registry_over_tls_is_spoken_to_through_a_tunnel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, trusted = certificate(x509.DNSName("registry.example.test"), tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with Registry() as registry, terminated(registry.address, context) as (port, _):
        put(registry, "vendor/app", Maker(1).make("plain"), "v1")
        with proxy(("127.0.0.1", port)) as (proxies, heads):
            transport = Transport(proxies=proxies)
            endpoint = Endpoint("https", "registry.example.test", 443)
            source = DistributionRepository(transport, endpoint, "vendor/app", role="source")
            assert source.fetch_manifest("v1").digest == Maker(1).make("plain").root.digest
            transport.close()
    assert heads[0].splitlines()[0] == b"CONNECT registry.example.test:443 HTTP/1.1"
    assert SHOWN in heads[0]
    assert b"vendor" not in heads[0]


def test_a_registry_without_tls_is_asked_for_by_its_whole_address() -> None:
    with Registry() as registry:
        put(registry, "vendor/app", Maker(1).make("plain"), "v1")
        host, _, port = registry.address.partition(":")
        with proxy((host, int(port))) as (proxies, heads):
            transport = Transport(proxies=proxies)
            endpoint = Endpoint("http", "registry.example.test", 5000)
            with transport.request("GET", endpoint, "/v2/", {}) as response:
                assert response.status in (200, 400, 404)
            transport.close()
    assert heads[0].splitlines()[0] == b"GET http://registry.example.test:5000/v2/ HTTP/1.1"
    assert b"Host: registry.example.test:5000" in heads[0]
    assert SHOWN in heads[0]


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "status 403"),
        (b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n", "wants a login"),
        (b"HTTP/1.1 502 Bad\r\n\r\n", "status 502"),
    ],
)
def test_a_proxy_that_doesnt_connect_is_named_with_its_setting(answer: bytes, word: str) -> None:
    with Registry() as registry:
        host, _, port = registry.address.partition(":")
        with (
            proxy((host, int(port)), answer) as (proxies, _),
            pytest.raises(RegistryUnavailable, match=word) as caught,
        ):
            Transport(proxies=proxies).request("GET", HOST, "/v2/", {})
        assert "HTTPS_PROXY" in caught.value.remedy
        assert registry.requests == []
        assert "secret" not in caught.value.as_json()


def test_a_proxy_that_isnt_there_is_told_apart_from_the_registry() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        setting = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(RegistryUnavailable, match="No proxy answers"):
        Transport(proxies=Proxies({"https_proxy": setting})).request("GET", HOST, "/v2/", {})
