"""Stored credentials: each kind in the form that its page shows, and what is refused without a word of it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoa.errors import CredentialMalformed
from byoa.oci.reference import Reference
from byoa.trust.credentials import Credential
from byoa.trust.kinds import KINDS, LIMIT, AwsEcr, Login, parse_secret

CANARY = "c4n4ry-9e2f"
REFERENCE = Reference.parse("oci://registry.example.com/team/app:v1")
EXAMPLES = [
    (name, example)
    for name, model in KINDS.items()
    for example in model.model_config["json_schema_extra"]["examples"]  # type: ignore[index,union-attr]
]
BASIC = {"kind": "basic", "host": "registry.example.com", "username": "robot", "password": CANARY}
ECR_HOST, ROLE = "222222222222.dkr.ecr.us-west-2.amazonaws.com", "arn:aws:iam::222222222222:role/pull"
KEY = {"type": "service_account", "private_key": CANARY, "client_email": "a@b.iam.gserviceaccount.com"}
CERTIFICATE = f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(b'0' * 100).decode()}\n-----END CERTIFICATE-----\n"


def login(**fields: object) -> Credential:
    stored = parse_secret(json.dumps(fields))
    assert isinstance(stored, Login)
    return stored.login(REFERENCE)


def refused(text: str) -> CredentialMalformed:
    with pytest.raises(CredentialMalformed) as caught:
        parse_secret(text)
    error = caught.value
    told = error.as_json() + repr(error) + repr(error.__context__) + repr(error.__cause__)
    assert CANARY not in told
    assert len(error.cause) <= 512
    assert error.cause.isascii()
    return error


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_an_example_is_what_it_says(name: str, example: dict[str, Any]) -> None:
    stored = parse_secret(json.dumps(example))
    assert (stored.kind, stored.host) == (name, example["host"])


def test_each_kind_gives_its_registry_what_that_wants() -> None:
    host = {"host": "registry.example.com"}
    assert login(**BASIC) == Credential("robot", CANARY)
    assert login(kind="token", **host, identity_token="a b") == Credential("", "", identity_token="a b")
    assert login(kind="token", **host, registry_token="a.b-c~") == Credential("", "", registry_token="a.b-c~")
    host = {"host": "vendor.azurecr.io"}
    assert login(kind="azure_acr", **host, client_id="id", client_secret="s") == Credential("id", "s")
    nobody = Credential("00000000-0000-0000-0000-000000000000", "r")
    assert login(kind="azure_acr", **host, refresh_token="r") == nobody


@pytest.mark.parametrize("key", [KEY, json.dumps(KEY, indent=2)], ids=["object", "file"])
def test_a_google_key_is_a_password_in_whole(key: object) -> None:
    found = login(kind="gcp_gar", host="europe-docker.pkg.dev", key=key)
    assert found.username == "_json_key"
    assert json.loads(found.password) == KEY


def test_where_a_google_key_would_send_us_is_not_looked_at() -> None:
    """It is a tenant's text: credentials.md, "Other grants"."""
    found = login(kind="gcp_gar", host="gcr.io", key={**KEY, "token_uri": "http://169.254.169.254/token"})
    assert found.username == "_json_key"
    assert found.identity_token is None


@pytest.mark.parametrize("as_text", [True, False])
def test_a_docker_config_has_the_login_of_its_host(as_text: bool) -> None:  # noqa: FBT001 - a parameter
    auth = base64.b64encode(f"robot$a+b:{CANARY}:x".encode()).decode()
    config = {"auths": {"https://registry.example.com": {"auth": auth}, "ghcr.io": {"auth": "broken"}}}
    text = json.dumps(config) if as_text else config
    found = login(kind="dockerconfigjson", host="registry.example.com", dockerconfigjson=text)
    assert found == Credential("robot$a+b", f"{CANARY}:x")


@pytest.mark.parametrize(
    "auths",
    [
        {"*.example.com": {"auth": "YTpi"}},
        {"registry.example.com": {"auth": "YTpi"}, "https://registry.example.com/v2/": {"auth": "YTpi"}},
        {"registry.example.com": {"auth": "not base64"}},
        {"registry.example.com": {"auth": base64.b64encode(b"nothing").decode()}},
        {"other.example.com": {"auth": "YTpi"}},
    ],
    ids=["a pattern", "one host twice", "no base64", "no colon", "another host"],
)
def test_an_ambiguous_docker_config_is_refused(auths: dict[str, Any]) -> None:
    with pytest.raises(CredentialMalformed):
        login(kind="dockerconfigjson", host="registry.example.com", dockerconfigjson={"auths": auths})


def test_the_role_of_an_ecr_names_its_account() -> None:
    stored = parse_secret(json.dumps({"kind": "aws_ecr", "host": ECR_HOST, "role_arn": ROLE}))
    assert isinstance(stored, AwsEcr)
    assert stored.role_account == "222222222222"
    assert not isinstance(stored, Login), "what it gives a registry, AWS gives it first"


@pytest.mark.parametrize(
    ("host", "canonical"),
    [
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("GHCR.io:443", "ghcr.io"),
        ("registry.example.com:8443", "registry.example.com:8443"),
        ("[2001:DB8::1]:5000", "[2001:db8::1]:5000"),
    ],
)
def test_a_host_has_one_name(host: str, canonical: str) -> None:
    """Threat A29."""
    assert parse_secret(json.dumps({**BASIC, "host": host})).host == canonical


@pytest.mark.parametrize(
    "host",
    ["*", ".example.com", "*.example.com", "", "https://ghcr.io", "ghcr.io/vendor", "a@b.example.com", "ghcr.io:0", 5],
)
def test_a_host_is_one_host(host: object) -> None:
    """Threat C6."""
    refused(json.dumps({**BASIC, "host": host}))


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("github.com", "ghcr.io"),
        ("docker.pkg.github.com", "ghcr.io"),
        ("hub.docker.com", "docker.io"),
        ("Docker.com", "docker.io"),
        ("gitlab.com", "registry.gitlab.com"),
    ],
)
def test_a_page_for_people_is_no_registry_and_the_registry_is_named(host: str, meant: str) -> None:
    error = refused(json.dumps({**BASIC, "host": host}))
    assert f"host isn't a registry's; the one that is meant is {meant}." in error.cause


@pytest.mark.parametrize(
    ("fields", "taken", "mistyped"),
    [
        (
            {"kind": "gcp_gar", "key": KEY},
            ("gcr.io", "eu.gcr.io", "europe-west4-docker.pkg.dev", "GCR.io:443"),
            ("pkg.dev", "gcr.io.example.com", "xgcr.io", "europe-docker.pkg.de", "gcr.io:8443", "127.0.0.1:5000"),
        ),
        (
            {"kind": "azure_acr", "client_id": "id", "client_secret": CANARY},
            ("vendor.azurecr.io", "vendor.azurecr.cn", "vendor.azurecr.us"),
            ("azurecr.io", "vendor.azurecr.com", "vendor.azurecr.io.example.com", "vendor.azurecr.io:8443"),
        ),
    ],
    ids=["Google", "Azure"],
)
def test_what_is_for_one_operator_goes_to_no_host_that_is_mistyped(
    fields: dict[str, Any], taken: tuple[str, ...], mistyped: tuple[str, ...]
) -> None:
    """A key's or an application's whole secret would be shown there."""
    for host in taken:
        assert parse_secret(json.dumps({**fields, "host": host})).kind == fields["kind"]
    for host in mistyped:
        assert "host isn't one of" in refused(json.dumps({**fields, "host": host})).cause
    for host in ("tokens.example.com", *mistyped):
        text = json.dumps({**fields, "host": taken[0], "token_host": host})
        assert "token_host" in refused(text).cause


@pytest.mark.parametrize("username", ["a:b", "", "a\nb", "a\x00b", "a\x7f", "a\x85b", "\ud800", None, 5, ["a"]])
def test_a_user_s_name_can_be_said_before_a_colon(username: object) -> None:
    """Threat C7; RFC 7617, section 2."""
    refused(json.dumps({**BASIC, "username": username}))


@pytest.mark.parametrize("password", ["", f"{CANARY}\n", f"{CANARY}\r\nX: y", f"{CANARY}\x00", "\ud800", None, 5])
def test_a_password_has_no_control_characters(password: object) -> None:
    refused(json.dumps({**BASIC, "password": password}))


@pytest.mark.parametrize("password", ["a:b", "pa$$w%rd", "pässwörd \U0001f511", " ", "{}"])
def test_any_other_password_is_sent_as_it_is(password: str) -> None:
    assert login(**{**BASIC, "password": password}).password == password


@pytest.mark.parametrize("username", ["gitlab+deploy-token-7", "robot$project+name", "org+robot", "<ns>/user"])
def test_names_of_robots_are_names(username: str) -> None:
    assert login(**{**BASIC, "username": username}).username == username


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"identity_token": "a", "registry_token": "b"},
        {"registry_token": f"{CANARY} x"},
        {"registry_token": f"{CANARY}\r\nX: y"},
        {"identity_token": f"{CANARY}\n"},
    ],
)
def test_a_token_is_one_token(fields: dict[str, str]) -> None:
    refused(json.dumps({"kind": "token", "host": "ghcr.io", **fields}))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"client_id": "a"},
        {"client_secret": CANARY},
        {"client_id": "a", "refresh_token": CANARY},
        {"client_id": "a", "client_secret": "b", "refresh_token": "c"},
        {"client_id": "a:b", "client_secret": CANARY},
    ],
)
def test_an_azure_login_is_a_pair_or_a_token(fields: dict[str, str]) -> None:
    refused(json.dumps({"kind": "azure_acr", "host": "x.azurecr.io", **fields}))


@pytest.mark.parametrize(
    "role",
    [
        "pull",
        "arn:aws:iam::22222222222:role/pull",
        "arn:aws:iam::222222222222:user/pull",
        "arn:aws:iam::222222222222:role/",
        "arn:aws:iam::222222222222:role/*",
        f"{ROLE}\n",
        "arn:aws:sts::222222222222:assumed-role/pull/x",
        "arn:aws:iam::\u0662\u0662\u0662\u0662\u0662\u0662\u0662\u0662\u0662\u0662\u0662\u0662:role/pull",
    ],
)
def test_a_role_is_named_by_its_arn(role: str) -> None:
    refused(json.dumps({"kind": "aws_ecr", "host": ECR_HOST, "role_arn": role}))


@pytest.mark.parametrize(
    "role", ["arn:aws-cn:iam::222222222222:role/a/b/pull", "arn:aws-us-gov:iam::222222222222:role/p"]
)
def test_roles_have_paths_and_partitions(role: str) -> None:
    assert parse_secret(json.dumps({"kind": "aws_ecr", "host": ECR_HOST, "role_arn": role})).host == ECR_HOST


@pytest.mark.parametrize(
    "host",
    [
        "ghcr.io",
        "public.ecr.aws",
        "vpce-0a.dkr.ecr.us-west-2.amazonaws.com",
        "222222222222.dkr.ecr.evil.amazonaws.com",
        "222222222222.dkr.ecr.us-west-2.amazonaws.com.evil.io",
        "222222222222.dkr.ecr.us-west-2.evil.io",
        "222222222222.dkr.ecr.us-west-2.amazonaws.com.evil.io:x",
    ],
)
def test_a_role_is_for_a_private_ecr(host: str) -> None:
    refused(json.dumps({"kind": "aws_ecr", "host": host, "role_arn": ROLE}))


@pytest.mark.parametrize(
    "host",
    [
        "222222222222.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
        "222222222222.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "222222222222.dkr-ecr.us-east-1.on.aws",
        "222222222222.dkr.ecr.eusc-de-east-1.amazonaws.eu",
        "222222222222.dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
    ],
)
def test_private_ecrs_are_in_all_of_aws_s_partitions(host: str) -> None:
    assert parse_secret(json.dumps({"kind": "aws_ecr", "host": host, "role_arn": ROLE})).host == host


@pytest.mark.parametrize(
    "key",
    ["", "[]", "{}", f'{{"type": "{CANARY}"}}', "{", f'{{"type": "authorized_user", "private_key": "{CANARY}"}}']
    + [json.dumps({**KEY, name: value}) for name in ("private_key", "client_email") for value in ("", None, 5)]
    + [json.dumps(KEY)[:-1] + ', "type": "service_account"}'],
)
def test_a_google_key_is_the_key_file_of_a_service_account(key: str) -> None:
    refused(json.dumps({"kind": "gcp_gar", "host": "gcr.io", "key": key}))


@pytest.mark.parametrize("host", ["gitlab.example.com:443", "https://gitlab.example.com", "*.example.com", "", 5])
def test_a_token_host_is_one_host_without_a_port(host: object) -> None:
    if host != "gitlab.example.com:443":
        refused(json.dumps({**BASIC, "token_host": host}))
    assert parse_secret(json.dumps({**BASIC, "token_host": "GitLab.example.com"})).token_host == "gitlab.example.com"
    refused(json.dumps({**BASIC, "token_host": "gitlab.example.com:8443"}))


@pytest.mark.parametrize("text", [CERTIFICATE, CERTIFICATE * 3, "\n" + CERTIFICATE.replace("\n", "\r\n")])
def test_an_authority_is_certificates(text: str) -> None:
    assert parse_secret(json.dumps({**BASIC, "ca": text})).ca == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        CERTIFICATE[:-10],
        CERTIFICATE + "x",
        "Bag Attributes\n" + CERTIFICATE,
        CERTIFICATE.replace("CERTIFICATE", "PRIVATE KEY"),
        CERTIFICATE + CERTIFICATE.replace("CERTIFICATE", "PRIVATE KEY"),
        "-----BEGIN CERTIFICATE-----\n" * 2 + CERTIFICATE,
        "-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
    ],
)
def test_an_authority_is_nothing_but_certificates(text: str) -> None:
    refused(json.dumps({**BASIC, "ca": text}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        CANARY,
        f'"{CANARY}"',
        "[]",
        "null",
        "{}",
        f'{{"kind": "{CANARY}"}}',
        '{"kind": ["basic"]}',
        '{"kind": "basic"}',
        json.dumps({**BASIC, CANARY: CANARY}),
        json.dumps({**BASIC, "kind": "token"}),
        json.dumps(BASIC)[:-1] + f', "password": "{CANARY}"}}',
        json.dumps(BASIC)[:-1],
        "[" * 60_000,
        '{"kind":"basic","host":' + "[" * 900 + "]" * 900 + "}",
    ],
)
def test_anything_else_is_refused_without_a_word_of_it(text: str) -> None:
    assert "byoa credentials set" in refused(text).remedy


@pytest.mark.parametrize(("beyond", "accepted"), [(0, True), (1, False)])
def test_a_secret_has_64_kib_at_most(beyond: int, accepted: bool) -> None:  # noqa: FBT001 - a parameter
    bare = json.dumps({**BASIC, "password": ""})
    text = json.dumps({**BASIC, "password": "x" * (LIMIT - len(bare) + beyond)})
    if accepted:
        assert parse_secret(text).kind == "basic"
    else:
        assert "64 KiB" in refused(text).cause


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_no_repr_of_what_was_parsed_shows_a_secret(name: str, example: dict[str, Any]) -> None:
    secret = {**example, **{field: CANARY for field in example if field in _SECRETS}}
    if name == "gcp_gar":
        secret["key"] = KEY
    stored = parse_secret(json.dumps(secret))
    assert CANARY not in f"{stored!r} {stored} {stored.model_dump()} {stored.model_dump_json()}"


_SECRETS = ("password", "identity_token", "registry_token", "client_secret", "refresh_token")


@given(st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner)))
def test_no_document_is_anything_but_taken_or_refused(document: object) -> None:
    for kind in KINDS:
        text = json.dumps({**document, "kind": kind} if isinstance(document, dict) else document)
        with pytest.raises(CredentialMalformed):
            parse_secret(text)
