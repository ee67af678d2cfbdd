"""Who may see a registry's login."""

from __future__ import annotations

import pytest

from byoa.oci.reference import Registry
from byoa.trust.realms import may_see


@pytest.mark.parametrize(
    ("service", "registry"),
    [
        ("registry.example.com", "registry.example.com"),
        ("auth.example.com", "registry.example.com"),
        ("example.com", "registry.example.com"),
        ("gitlab.example.co.uk", "registry.example.co.uk"),
        ("docker-auth.elastic.co", "docker.elastic.co"),
        ("127.0.0.1", "127.0.0.1"),
        ("named.example", "registry.example.com"),
    ],
)
def test_the_registrys_own_token_service_may(service: str, registry: str) -> None:
    assert may_see(Registry.parse(service), Registry.parse(registry), {"named.example"})


@pytest.mark.parametrize(
    ("service", "registry"),
    [
        ("example.net", "registry.example.com"),
        ("registry.example.com.evil.net", "registry.example.com"),
        ("evilexample.com", "registry.example.com"),
        ("evil.co.uk", "registry.co.uk"),
        ("evil.github.io", "vendor.github.io"),
        ("com", "registry.example.com"),
        ("127.0.0.2", "127.0.0.1"),
        ("10.0.0.1", "registry.example.com"),
        ("[::1]", "[::2]"),
        ("auth", "registry"),
        ("localhost", "127.0.0.1"),
        ("evil.azurecr.io", "vendor.azurecr.io"),
        ("evil.azurecr.cn", "vendor.azurecr.cn"),
        ("evil.azurecr.us", "vendor.azurecr.us"),
        ("evil.jfrog.io", "vendor.jfrog.io"),
        ("evil.obs.myhuaweicloud.com", "swr.cn-north-4.myhuaweicloud.com"),
    ],
)
def test_nobody_else_may(service: str, registry: str) -> None:
    assert not may_see(Registry.parse(service), Registry.parse(registry), set())
