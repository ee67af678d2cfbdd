"""What counts of an issuer's documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byoa.errors import IssuerUnusable
from byoa.trust.issuers import ALGORITHMS, DOCUMENT_LIMIT, Discovered, key_of, parse_issuer, read_discovery, read_keys
from tests.issuer import public, segment

ISSUER = "https://ci.example/org"
KEYS_AT = "https://ci.example/keys"


def keys(*every: Any) -> bytes:
    return json.dumps({"keys": every}).encode()


@pytest.mark.parametrize(("text", "discovery"), [
    ("https://ci.example", "/.well-known/openid-configuration"),
    ("https://ci.example/", "/.well-known/openid-configuration"),
    ("https://ci.example:8443/a/b-c", "/a/b-c/.well-known/openid-configuration"),
    ("https://[2001:db8::1]/a/", "/a/.well-known/openid-configuration"),
])  # fmt: skip
def test_keys_are_looked_for_below_the_issuer(text: str, discovery: str) -> None:
    assert parse_issuer(text).discovery == discovery


def test_where_the_keys_are_the_issuer_s_own_document_says() -> None:
    document = {"issuer": ISSUER, "jwks_uri": KEYS_AT, "more": [1]}
    assert read_discovery(json.dumps(document).encode(), ISSUER) == Discovered(KEYS_AT, "", "")


@pytest.mark.parametrize(("said", "ways"), [
    (["client_secret_post", "none"], ("client_secret_post", "none")), ([7, "a", None], ("a",)), ("a", ()), (None, ()),
])  # fmt: skip
def test_how_clients_show_who_they_are_the_document_says_too(said: object, ways: tuple[str, ...]) -> None:
    document = {"issuer": ISSUER, "jwks_uri": KEYS_AT, "token_endpoint_auth_methods_supported": said}
    assert read_discovery(json.dumps(document).encode(), ISSUER).ways == ways


@pytest.mark.parametrize(("said", "found"), [
    ("https://ci.example/authorize?a=b", True), ("https://ci.example:8443/o/token", True),
    ("http://127.0.0.1:5106/authorize", True), ("http://127.0.0.1:5107/authorize", False),
    ("http://ci.example/authorize", False), ("https://ci.example/a#b", False), ("https://ci.example/a b", False),
    ("https://user@ci.example/a", False), ("https://ci.example/a\nb", False), ("https://ci.example", False),
    ("https://ci.example/" + "a" * 800, False), ("javascript:alert(1)", False), ("//ci.example/a", False), (7, False),
], ids=ascii)  # fmt: skip
def test_where_people_and_codes_go_is_an_address_over_tls(said: object, found: bool) -> None:  # noqa: FBT001 - a column
    named = {"authorization_endpoint": said, "token_endpoint": said}
    document = json.dumps({"issuer": ISSUER, "jwks_uri": KEYS_AT, **named}).encode()
    expected = str(said) if found else ""
    assert read_discovery(document, ISSUER, {"127.0.0.1:5106"}) == Discovered(KEYS_AT, expected, expected)


@pytest.mark.parametrize("document", [
    b"", b"[]", b"null", b"{", b"[" * 5000, b"\xff", b" " * (DOCUMENT_LIMIT + 1), b"{}",
    json.dumps({"issuer": f"{ISSUER}/", "jwks_uri": KEYS_AT}).encode(), json.dumps({"jwks_uri": KEYS_AT}).encode(),
    json.dumps({"issuer": ISSUER}).encode(), json.dumps({"issuer": ISSUER, "jwks_uri": [KEYS_AT]}).encode(),
    json.dumps({"issuer": ISSUER, "jwks_uri": "http://ci.example/keys"}).encode(),
    json.dumps({"issuer": ISSUER, "jwks_uri": "/keys"}).encode(),
    json.dumps({"issuer": ISSUER, "jwks_uri": "file:///etc/passwd"}).encode(),
], ids=lambda document: ascii(document[:60]))  # fmt: skip
def test_a_document_that_says_no_such_thing_is_refused(document: bytes) -> None:
    with pytest.raises(IssuerUnusable) as refused:
        read_discovery(document, ISSUER)
    assert "ci.example" not in refused.value.cause, "nothing that a remote chose"


@pytest.mark.parametrize("kind", ["rsa", "ec", "ec384", "ed"])
def test_a_key_is_kept_by_its_public_members_alone(kind: str) -> None:
    whole = {**public(kind, "one"), "d": "AQAB", "p": "AQAB", "x5c": ["MIIB"], "x5u": "https://evil.example", "more": 1}
    (kept,) = read_keys(keys(whole))
    assert kept.keys() <= {"kty", "kid", "alg", "n", "e", "crv", "x", "y"}
    assert kept["kid"] == "one"


@pytest.mark.parametrize("changed", [
    {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "none"}, {"kid": None}, {"kid": 7}, {"kid": "a" * 300}, {"use": "enc"},
    {"alg": "HS256"}, {"alg": "none"}, {"alg": "RSA-OAEP"}, {"n": None}, {"n": "=" * 340}, {"n": ""}, {"n": "AAAA"},
    {"n": "A" * 400}, {"n": segment(b"\xff" * 2000)}, {"e": segment(b"\1" * 5)}, {"e": 65537}, {"key_ops": ["sign"]},
    {"key_ops": "verify"},
], ids=str)  # fmt: skip
def test_what_is_no_key_for_signatures_is_passed_over(changed: dict[str, Any]) -> None:
    spoilt = {name: value for name, value in {**public("rsa", "one"), **changed}.items() if value is not None}
    assert [key["kid"] for key in read_keys(keys(spoilt, 7, None, public("ec", "two")))] == ["two"]
    with pytest.raises(IssuerUnusable):
        read_keys(keys(spoilt))


@pytest.mark.parametrize("key", [
    public("weak", "one"), {**public("ec", "one"), "crv": "secp256k1"}, {**public("ed", "one"), "crv": "X25519"},
    {**public("ec", "one"), "x": "not base64!"},
])  # fmt: skip
def test_a_weak_key_and_an_odd_curve_are_no_keys(key: dict[str, Any]) -> None:
    with pytest.raises(IssuerUnusable):
        read_keys(keys(key))


def test_a_key_is_for_the_algorithms_of_its_kind() -> None:
    found = read_keys(keys(*(public(kind, kind) for kind in ("rsa", "ec", "ec384", "ed"))))
    fitting = {kid: {each for each in ALGORITHMS if key_of(found, kid, each)} for kid in ("rsa", "ec", "ec384", "ed")}
    rsa = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    assert fitting == {"rsa": rsa, "ec": {"ES256"}, "ec384": {"ES384"}, "ed": {"EdDSA"}}
    assert key_of(found, "rsa", "HS256") is key_of(found, "none", "RS256") is None


def test_a_key_that_names_its_algorithm_is_for_no_other() -> None:
    found = read_keys(keys(public("rsa", "one", alg="RS256")))
    assert key_of(found, "one", "RS256")
    assert key_of(found, "one", "PS256") is None


def test_a_crowd_of_keys_is_cut() -> None:
    assert len(read_keys(keys(*(public("ec", str(number)) for number in range(60))))) == 40
