"""Errors name hosts, and a registry that knows a login may call a host by it."""

from __future__ import annotations

import base64
import json

import pytest

from byoa.adapters.registries.echoes import silence
from byoa.errors import EndpointBlocked, RedirectRefused, RegistryUnavailable
from byoa.trust.credentials import Credential

SECRET = "Tr0ub4dor-and-3_horses.staple"


def told(host: str, credential: Credential | None) -> str:
    error = RegistryUnavailable(f"The name of {host} does not resolve.", remedy=f"Look at {host}.")
    silence(error, credential)
    return f"{error} {error.as_json()}"


@pytest.mark.parametrize(
    "host",
    [
        f"{SECRET.lower().replace('_', '-')}.example.com",
        f"{SECRET.encode().hex()[:60]}.example.com",
        f"{SECRET.encode().hex()[:20]}.{SECRET.encode().hex()[20:40]}.example.com",
        f"x-{SECRET.encode().hex()[10:50]}.example.com",
        f"{base64.b64encode(SECRET.encode()).decode().lower().strip('=')}.example.com",
    ],
    ids=["letters", "hex", "hex in parts", "some of the hex", "base64"],
)
@pytest.mark.parametrize(
    "credential",
    [
        Credential("robot", SECRET),
        Credential("", "", identity_token=SECRET),
        Credential("", "", registry_token=SECRET),
    ],
    ids=["password", "identity token", "registry token"],
)
def test_a_host_that_tells_the_login_is_not_named(host: str, credential: Credential) -> None:
    said = told(host, credential)
    assert host not in said
    assert "isn't shown" in said
    assert RegistryUnavailable.default_remedy in said


def test_the_error_behind_it_tells_nothing_either() -> None:
    cause = EndpointBlocked(f"{SECRET.encode().hex()}.example leads to an address that is not public.")
    error = RedirectRefused(f"The registry redirects to where we don't go. {cause.cause}")
    error.__cause__ = cause
    silence(error, Credential("robot", SECRET))
    assert SECRET.encode().hex() not in f"{error} {cause} {cause.args}"


@pytest.mark.parametrize("password", [SECRET, "host", "registry", "", "storage", "the-name-of"])
def test_other_hosts_are_named(password: str) -> None:
    assert told("storage.googleapis.com", Credential("robot", password)).count("storage.googleapis.com") == 3
    assert told("storage.googleapis.com", None).count("storage.googleapis.com") == 3


def test_hosts_that_a_key_file_names_are_like_those_of_registries() -> None:
    key = {
        "type": "service_account",
        "client_email": "pull@vendor.iam.gserviceaccount.com",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
    }
    for host in ("storage.googleapis.com", "europe-docker.pkg.dev", "artifactregistry.googleapis.com"):
        assert host in told(host, Credential("_json_key", json.dumps(key)))
