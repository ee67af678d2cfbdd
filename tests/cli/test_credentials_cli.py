"""`byoa credentials` over Secrets Manager: what it stores and shows, and that no secret comes out of it."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from byoa.bootstrap import clients, terminal
from byoa.builds.messages import Trial, Tried
from byoa.errors import AuthFailed, ByoaError, CredentialForbidden, CredentialMalformed, ReferenceInvalid
from byoa.oci.reference import Reference
from byoa.trust.credentials import Credential
from byoa.trust.external_id import external_id
from byoa.trust.kinds import KINDS, Login, parse_secret
from byoa_cli.credentials import credentials
from byoa_cli.output import Interrupted
from byoa_cli.secrets import KIND_NAMES
from tests.screen import Screen
from tests.terminal import BYOA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ORG, TABLE, SOURCE = "org_0123456789ab", "byoa-table", "arn:aws:iam::111111111111:role/byoa-source"
CANARY = "c4n4ry-31d0"
ECR = ("--host", "222222222222.dkr.ecr.us-west-2.amazonaws.com", "--role-arn", "arn:aws:iam::222222222222:role/pull")
KEY = {"type": "service_account", "private_key": CANARY, "client_email": "a@b.iam.gserviceaccount.com"}


@dataclass
class Typed:
    """Standard input: a file, or a terminal where lines are typed."""

    content: bytes = b""
    terminal: bool = False
    buffer: io.BytesIO = field(init=False)

    def __post_init__(self) -> None:
        self.buffer = io.BytesIO(self.content)

    def isatty(self) -> bool:
        return self.terminal

    def fileno(self) -> int:
        raise io.UnsupportedOperation("there is no terminal below")

    def readline(self) -> str:
        return self.buffer.readline().decode()


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.out.count("\n") == 1, "one document on one line"
        return json.loads(self.out)


type Byoa = Callable[..., Done]


@pytest.fixture
def byoa(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Byoa]:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("BYOA_ORG", ORG)
    for name in ("BYOA_TABLE", "BYOA_SOURCE_ROLE", "BYOA_TRY_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)

    def call(*arguments: str, stdin: bytes = b"", typed: bytes | None = None) -> Done:
        monkeypatch.setattr(sys, "stdin", Typed(stdin) if typed is None else Typed(typed, terminal=True))
        try:
            code = credentials.call("byoa credentials", list(arguments))
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return Done(code, printed.out, printed.err)

    clients.own.cache_clear()
    with mock_aws():
        yield call
    clients.own.cache_clear()


def value(name: str) -> dict[str, Any]:
    found = boto3.client("secretsmanager", "us-east-1").get_secret_value(SecretId=f"byoa/{ORG}/{name}")
    return dict(json.loads(found["SecretString"]))


def credential(name: str, place: str) -> Credential:
    stored = parse_secret(json.dumps(value(name)))
    assert isinstance(stored, Login)
    return stored.login(Reference.parse(f"oci://{place}/a/b:v1"))


def test_the_kinds_are_those_that_can_be_stored() -> None:
    assert list(KINDS) == list(KIND_NAMES)


@pytest.mark.parametrize(
    ("arguments", "stdin", "place", "wanted"),
    [
        (("--kind", "basic", "--host", "ghcr.io", "-u", "bot"), CANARY, "ghcr.io", Credential("bot", CANARY)),
        (
            ("--kind", "basic", "--host", "index.docker.io", "-u", "bot"),
            f"{CANARY}\n",
            "docker.io",
            Credential("bot", CANARY),
        ),
        (
            ("--kind", "basic", "--host", "r.example.com:8443", "-u", "robot$a+b"),
            f"\ufeff{CANARY}: ü\r\n",
            "r.example.com:8443",
            Credential("robot$a+b", f"{CANARY}: ü"),
        ),
        (
            ("--kind", "token", "--host", "r.example.com"),
            CANARY,
            "r.example.com",
            Credential("", "", identity_token=CANARY),
        ),
        (
            ("--kind", "token", "--host", "r.example.com", "--registry-token"),
            CANARY,
            "r.example.com",
            Credential("", "", registry_token=CANARY),
        ),
        (
            ("--kind", "azure_acr", "--host", "v.azurecr.io", "--client-id", "id"),
            CANARY,
            "v.azurecr.io",
            Credential("id", CANARY),
        ),
        (
            ("--kind", "azure_acr", "--host", "v.azurecr.io"),
            CANARY,
            "v.azurecr.io",
            Credential("00000000-0000-0000-0000-000000000000", CANARY),
        ),
        (
            ("--kind", "dockerconfigjson", "--host", "r.example.com"),
            json.dumps({"auths": {"r.example.com": {"username": "bot", "password": CANARY}}}, indent=1),
            "r.example.com",
            Credential("bot", CANARY),
        ),
        (
            ("--kind", "gcp_gar", "--host", "gcr.io"),
            json.dumps(KEY, indent=2) + "\n",
            "gcr.io",
            Credential("_json_key", json.dumps(KEY)),
        ),
    ],
)
def test_what_comes_from_stdin_is_what_the_registry_gets(
    byoa: Byoa, arguments: tuple[str, ...], stdin: str, place: str, wanted: Credential
) -> None:
    done = byoa("set", "creds", *arguments, stdin=stdin.encode())
    assert done.code == 0, done.err
    assert credential("creds", place) == wanted
    assert CANARY not in done.out + done.err


def test_nothing_of_a_secret_is_shown_anywhere(byoa: Byoa) -> None:
    given = ("--kind", "basic", "--host", "ghcr.io", "--username", f"user-{CANARY}")
    for arguments in (
        ("set", "creds", *given),
        ("set", "creds", *given, "--json"),
        ("list",),
        ("list", "--json"),
        ("get", "creds"),
        ("get", "creds", "--json"),
        ("delete", "creds", "--yes", "--json"),
    ):
        done = byoa(*arguments, stdin=CANARY.encode())
        assert done.code == 0, done.err
        assert CANARY not in done.out + done.err


def test_there_is_no_option_that_takes_a_secret(byoa: Byoa) -> None:
    for option in ("--password", "--token", "--secret", "--client-secret", "--key"):
        for words in ((option, CANARY), (f"{option}={CANARY}",)):
            done = byoa("set", "creds", "--kind", "basic", "--host", "ghcr.io", "-u", "a", *words)
            assert (done.code, CANARY in done.err) == (2, False), done.err
            assert f"unrecognized arguments: {option}" in done.err
            assert "stdin" in done.err


@pytest.mark.parametrize("word", [CANARY, f"-p{CANARY}", f"-{CANARY}", f"--{CANARY}"])
def test_a_secret_that_stands_among_the_arguments_is_not_repeated(byoa: Byoa, word: str) -> None:
    done = byoa("set", "creds", "--kind", "basic", "--host", "ghcr.io", "-u", "a", word)
    assert (done.code, CANARY in done.err) == (2, False), done.err
    assert "stdin" in done.err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--password", CANARY), "--password"),
        ((f"--password={CANARY}",), "--password"),
        ((f"--registry-token={CANARY}",), "--registry-token takes no value"),
        (("",), "more arguments than are taken"),
        ((CANARY,), "more arguments than are taken"),
        ((f"a phrase of {CANARY}",), "more arguments than are taken"),
        (("--registry-tokn", CANARY), "did you mean --registry-token?"),
    ],
)
def test_a_secret_that_is_given_as_an_argument_all_the_same_isn_t_repeated(
    byoa: Byoa, arguments: tuple[str, ...], word: str
) -> None:
    """It is in the shell's history by then, and needn't be in the job's log."""
    done = byoa("set", "a", "--kind", "basic", "--host", "ghcr.io", "-u", "bot", *arguments)
    assert (done.code, done.out) == (2, "")
    assert word in done.err
    assert CANARY not in done.err


def test_setting_again_says_that_it_is_a_new_version(byoa: Byoa) -> None:
    given = ("set", "creds", "--kind", "basic", "--host", "ghcr.io", "-u", "bot")
    first = byoa(*given, "--json", stdin=b"one").json()
    second = byoa(*given, "--json", stdin=b"two").json()
    assert (first["before"], second["before"]) == ("nothing", "another")
    assert first["version"] != second["version"]
    assert "new version of creds" in byoa(*given, stdin=b"three").out
    assert value("creds")["password"] == "three"


def test_a_new_secret_is_for_what_the_name_was_for(byoa: Byoa) -> None:
    byoa("set", "creds", "--kind", "basic", "--host", "r.example.com:8443", "-u", "bot", stdin=b"one")
    done = byoa("set", "creds", "-u", "bot", "--json", stdin=b"two")
    assert done.code == 0, done.err
    assert {name: done.json()[name] for name in ("kind", "host", "before", "was")} == {
        "kind": "basic", "host": "r.example.com:8443", "before": "another", "was": None,
    }  # fmt: skip
    assert value("creds") == {"kind": "basic", "host": "r.example.com:8443", "username": "bot", "password": "two"}


@pytest.fixture
def _authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_authority")
@pytest.mark.parametrize(
    ("options", "again", "lost"),
    [
        (("--kind", "basic", "-u", "a"), (), ("--username",)),
        (("--kind", "basic", "-u", "a", "--token-host", "t.io"), ("-u", "a"), ("--token-host",)),
        (("--kind", "azure_acr", "--client-id", "id"), (), ("--client-id",)),
        (("--kind", "token", "--ca-file", "ca.pem", "--token-host", "t.io"), (), ("--ca-file", "--token-host")),
    ],
)
def test_what_a_new_secret_would_lose_is_named_and_nothing_is_stored(
    byoa: Byoa, options: tuple[str, ...], again: tuple[str, ...], lost: tuple[str, ...]
) -> None:
    """Nobody reads it back: a login for another user, or one that its token service may not see, fails in a build."""
    host = "v.azurecr.io" if "azure_acr" in options else "r.io"
    assert byoa("set", "creds", *options, "--host", host, stdin=b"one").code == 0
    before = value("creds")
    done = byoa("set", "creds", *again, stdin=b"two")
    assert (done.code, done.out) == (2, "")
    assert all(option in done.err for option in lost), done.err
    assert value("creds") == before


def test_a_token_stays_what_it_was_and_all_is_replaced_where_all_is_said(byoa: Byoa) -> None:
    given = ("set", "creds", "--kind", "token", "--host", "r.io", "--token-host", "t.io")
    byoa("set", "creds", "--kind", "token", "--host", "r.io", "--registry-token", stdin=b"one")
    byoa("set", "creds", stdin=b"two")
    assert value("creds") == {"kind": "token", "host": "r.io", "registry_token": "two"}
    byoa(*given, stdin=b"three")
    assert byoa("get", "creds", "--json").json()["options"] == ["token_host"]
    assert "options    token_host\n" in byoa("get", "creds").out
    byoa(*given[:-2], stdin=b"four")
    assert value("creds") == {"kind": "token", "host": "r.io", "identity_token": "four"}


def test_a_name_that_was_for_something_else_says_so(byoa: Byoa) -> None:
    byoa("set", "creds", "--kind", "basic", "--host", "ghcr.io", "-u", "bot", stdin=b"one")
    done = byoa("set", "creds", "--kind", "token", "--host", "quay.io", stdin=b"two")
    assert done.out.endswith("; it was basic for ghcr.io\n")
    done = byoa("set", "creds", "--host", "ghcr.io", "--json", stdin=b"three")
    assert done.json()["was"] == {"kind": "token", "host": "quay.io"}
    byoa("delete", "creds", "--yes")
    done = byoa("set", "creds", "--kind", "token", "--host", "r.io", "--json", stdin=b"four")
    assert (done.json()["before"], done.json()["was"]) == ("deleted", {"kind": "token", "host": "ghcr.io"})


@pytest.mark.parametrize("arguments", [(), ("--kind", "basic", "-u", "a"), ("--host", "ghcr.io", "-u", "a")])
def test_a_new_name_wants_to_know_kind_and_host(byoa: Byoa, arguments: tuple[str, ...]) -> None:
    done = byoa("set", "creds", *arguments, stdin=CANARY.encode())
    assert (done.code, done.out) == (2, "")
    assert "--kind and --host are wanted" in done.err


def test_what_another_tool_stored_says_nothing_of_itself(byoa: Byoa) -> None:
    client = boto3.client("secretsmanager", "us-east-1")
    client.create_secret(Name=f"byoa/{ORG}/creds", SecretString="{}")
    done = byoa("set", "creds", stdin=b"one")
    assert (done.code, "--kind and --host are wanted" in done.err) == (2, True)
    done = byoa("set", "creds", "--kind", "token", "--host", "r.io", "--json", stdin=b"one")
    assert done.json()["was"] is None


def test_what_was_deleted_is_gone_till_it_is_set_again(byoa: Byoa) -> None:
    given = ("set", "creds", "--kind", "basic", "--host", "ghcr.io", "-u", "bot")
    byoa(*given, stdin=b"one")
    done = byoa("delete", "creds", "--yes")
    assert done.code == 0
    assert "gone for good on" in done.out
    with pytest.raises(CredentialForbidden) as caught:
        byoa("get", "creds")
    assert "byoa credentials set" in caught.value.remedy
    assert "no credentials" in byoa("list").err
    assert "brought back" in byoa(*given, stdin=b"two").out


def test_the_list_is_of_names_kinds_hosts_uses_and_versions(byoa: Byoa) -> None:
    for name, host in (("b", "quay.io"), ("a", "ghcr.io:8443")):
        byoa("set", name, "--kind", "basic", "--host", host, "-u", "bot", stdin=b"x")
    found = byoa("list", "--json").json()["credentials"]
    assert [(each["name"], each["kind"], each["host"], each["last_used"]) for each in found] == [
        ("a", "basic", "ghcr.io:8443", None),
        ("b", "basic", "quay.io", None),
    ]
    assert all(each["version"] and each["changed"] for each in found)
    head, first, _ = byoa("list").out.splitlines()
    assert head.split() == ["NAME", "KIND", "HOST", "LAST", "USED", "VERSION"]
    assert first.split()[:4] == ["a", "basic", "ghcr.io:8443", "never"]


# ---- roles -------------------------------------------------------------------------------------------------------


def test_a_role_comes_with_what_the_vendor_has_to_write(byoa: Byoa) -> None:
    done = byoa("set", "ecr", "--kind", "aws_ecr", *ECR, "--table", TABLE, "--source-role", SOURCE, "--json")
    assert done.code == 0, done.err
    found = done.json()
    assert found["external_id"] == external_id(TABLE, ORG)
    (trust,) = found["trust_policy"]["Statement"]
    assert trust == {
        "Effect": "Allow",
        "Principal": {"AWS": SOURCE},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": found["external_id"]}},
    }
    login, pull = found["permissions_policy"]["Statement"]
    assert login["Action"] == "ecr:GetAuthorizationToken"
    assert pull["Resource"] == "arn:aws:ecr:us-west-2:222222222222:repository/*"
    assert value("ecr") == {"kind": "aws_ecr", "host": ECR[1], "role_arn": ECR[3]}
    again = byoa("get", "ecr", "--table", TABLE, "--source-role", SOURCE, "--json").json()
    assert {name: again[name] for name in ("external_id", "trust_policy", "permissions_policy")} == {
        name: found[name] for name in ("external_id", "trust_policy", "permissions_policy")
    }


def test_the_policies_can_be_copied_from_the_terminal(byoa: Byoa) -> None:
    done = byoa("set", "ecr", "--kind", "aws_ecr", *ECR, "--table", TABLE, "--source-role", SOURCE)
    _, _, rest = done.out.partition("trust policy of the vendor's role:\n")
    trust, _, rest = rest.partition("what that role may")
    assert json.loads(trust)["Statement"][0]["Principal"] == {"AWS": SOURCE}
    assert json.loads(rest.partition("\n")[2])["Version"] == "2012-10-17"


def test_a_role_wants_to_know_whom_it_is_to_trust_before_it_is_stored(byoa: Byoa) -> None:
    done = byoa("set", "ecr", "--kind", "aws_ecr", *ECR, "--table", TABLE)
    assert done.code == 2
    assert "--source-role" in done.err
    assert byoa("list", "--json").json() == {"credentials": []}


@pytest.mark.parametrize(
    "principal",
    ["*", "111111111111", "arn:aws:iam::111111111111:root", "arn:aws:iam::111111111111:role/*", "byoa-source"],
)
def test_a_vendor_is_told_to_trust_one_role_and_nobody_else(byoa: Byoa, principal: str) -> None:
    """The ExternalId is no secret: whom the policy names beside our role could give it as well."""
    done = byoa("set", "ecr", "--kind", "aws_ecr", *ECR, "--table", TABLE, "--source-role", principal)
    assert (done.code, done.out) == (2, "")
    assert "SourceRoleArn" in done.err
    assert byoa("list", "--json").json() == {"credentials": []}


def test_a_role_of_the_platform_s_own_account_is_not_stored(byoa: Byoa) -> None:
    own = ("--host", ECR[1], "--role-arn", "arn:aws:iam::111111111111:role/anything")
    with pytest.raises(CredentialForbidden):
        byoa("set", "ecr", "--kind", "aws_ecr", *own, "--table", TABLE, "--source-role", SOURCE)
    assert byoa("list", "--json").json() == {"credentials": []}


def test_the_platform_s_own_registry_is_not_stored(byoa: Byoa) -> None:
    own = ("--host", "111111111111.dkr.ecr.us-east-1.amazonaws.com", *ECR[2:])
    with pytest.raises(CredentialForbidden, match="mirrors to"):
        byoa("set", "ecr", "--kind", "aws_ecr", *own, "--table", TABLE, "--source-role", SOURCE)
    assert byoa("list", "--json").json() == {"credentials": []}


# ---- what is refused before it is stored -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--kind", "basic", "--host", "ghcr.io"), "--username"),
        (("--kind", "aws_ecr", "--host", ECR[1]), "--role-arn"),
        (("--kind", "token", "--host", "ghcr.io", "-u", "a"), "--username is for kind basic"),
        (("--kind", "basic", "--host", "ghcr.io", "-u", "a", "--client-id", "x"), "--client-id is for kind azure_acr"),
        (("--kind", "basic", "--host", "ghcr.io", "-u", "a", "--registry-token"), "--registry-token is for kind token"),
        (("--kind", "basic", "--host", "ghcr.io", "-u", "a", "--ca-file", "/nonexistent"), "can't be read"),
        (("--kind", "password", "--host", "ghcr.io"), "invalid choice"),
        (("--kind", "basic", "-u", "a"), "--host"),
    ],
)
def test_a_call_that_makes_no_sense_says_why(byoa: Byoa, arguments: tuple[str, ...], word: str) -> None:
    done = byoa("set", "creds", *arguments, stdin=CANARY.encode())
    assert done.code == 2
    assert word in done.err


def test_what_a_variable_could_say_is_named_with_it(byoa: Byoa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BYOA_ORG")
    done = byoa("test", "creds")
    assert "log in to an API" in done.err
    monkeypatch.setenv("BYOA_ORG", ORG)
    done = byoa("test", "creds")
    assert (done.code, "--function (or BYOA_TRY_CREDENTIALS)" in done.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "stdin", "wanted"),
    [
        (("--kind", "basic", "--host", "*.example.com", "-u", "a"), CANARY, CredentialMalformed),
        (("--kind", "basic", "--host", "https://ghcr.io", "-u", "a"), CANARY, CredentialMalformed),
        (("--kind", "basic", "--host", "ghcr.io", "-u", "a:b"), CANARY, CredentialMalformed),
        (("--kind", "basic", "--host", "ghcr.io", "-u", "a"), "", CredentialMalformed),
        (("--kind", "basic", "--host", "ghcr.io", "-u", "a"), f"{CANARY}\n{CANARY}\n", CredentialMalformed),
        (("--kind", "gcp_gar", "--host", "gcr.io"), CANARY, CredentialMalformed),
        (("--kind", "gcp_gar", "--host", "gcr.example"), json.dumps(KEY), CredentialMalformed),
        (("--kind", "azure_acr", "--host", "v.example.com"), CANARY, CredentialMalformed),
        (("--kind", "basic", "--host", "github.com", "-u", "a"), CANARY, CredentialMalformed),
        (
            ("--kind", "dockerconfigjson", "--host", "r.io"),
            '{"auths": {"*.io": {"auth": "YTpi"}}}',
            CredentialMalformed,
        ),
        (
            ("--kind", "dockerconfigjson", "--host", "r.io"),
            '{"auths": {"q.io": {"auth": "YTpi"}}}',
            CredentialMalformed,
        ),
        (
            ("--kind", "dockerconfigjson", "--host", "r.io"),
            '{"auths": {"r.io": {"auth": "YQ=="}}}',
            CredentialMalformed,
        ),
        (("--kind", "dockerconfigjson", "--host", "r.io"), '{"auths": {}, "credsStore": "x"}', CredentialMalformed),
    ],
)
def test_what_no_build_could_use_is_not_stored(
    byoa: Byoa, arguments: tuple[str, ...], stdin: str, wanted: type[ByoaError]
) -> None:
    with pytest.raises(wanted) as caught:
        byoa("set", "creds", *arguments, stdin=stdin.encode())
    assert CANARY not in caught.value.as_json()
    assert "Store them anew" not in caught.value.remedy
    assert byoa("list", "--json").json() == {"credentials": []}


@pytest.mark.parametrize("stdin", [b"", b"\n", b"\r\n"])
def test_who_gave_no_secret_is_told_how_one_is_given(byoa: Byoa, stdin: bytes) -> None:
    with pytest.raises(CredentialMalformed, match="password is empty") as caught:
        byoa("set", "creds", "--kind", "basic", "--host", "ghcr.io", "-u", "a", stdin=stdin)
    assert "stdin" in caught.value.remedy


def test_two_lines_are_called_so(byoa: Byoa) -> None:
    with pytest.raises(CredentialMalformed, match="password has more than one line"):
        byoa("set", "creds", "--kind", "basic", "--host", "ghcr.io", "-u", "a", stdin=b"one\ntwo\n")


def test_a_docker_config_for_one_repository_alone_is_stored(byoa: Byoa) -> None:
    config = {"auths": {"r.io/team/app": {"auth": "YTpi"}}}
    assert byoa("set", "c", "--kind", "dockerconfigjson", "--host", "r.io", stdin=json.dumps(config).encode()).code == 0


@pytest.mark.parametrize("stdin", [b"x" * (64 * 1024 + 1), b"\xff\xfe"], ids=["over 64 KiB", "no text"])
def test_stdin_holds_a_text_of_64_kib_at_most(byoa: Byoa, stdin: bytes) -> None:
    assert byoa("set", "creds", "--kind", "basic", "--host", "ghcr.io", "-u", "a", stdin=stdin).code == 2


def test_a_name_that_no_config_could_have_is_not_stored(byoa: Byoa) -> None:
    with pytest.raises(ReferenceInvalid):
        byoa("set", "Upper", "--kind", "basic", "--host", "ghcr.io", "-u", "a", stdin=b"x")


def test_an_authority_s_certificates_come_from_a_file(byoa: Byoa, tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n")
    given = (
        "--kind",
        "basic",
        "--host",
        "r.example.com",
        "-u",
        "a",
        "--ca-file",
        str(pem),
        "--token-host",
        "t.example.com",
    )
    assert byoa("set", "creds", *given, stdin=b"x").code == 0
    assert (value("creds")["ca"], value("creds")["token_host"]) == (pem.read_text(), "t.example.com")


# ---- on a terminal -----------------------------------------------------------------------------------------------


def test_a_terminal_is_asked_and_shows_nothing_that_is_typed() -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "TERM": "dumb", "AWS_EC2_METADATA_DISABLED": "true"}
    command = [BYOA, "credentials", "set", "creds", "--org", ORG, "--kind", "basic", "--host", "ghcr.io", "-u", "a"]
    with Screen(command, environment) as screen:
        screen.wait_for("password for ghcr.io (not shown): ")
        screen.type(f"{CANARY}\n")
        code, text = screen.end()
    assert CANARY not in text
    assert (code, "no AWS region" in text) == (1, True), text


@pytest.mark.parametrize(
    ("raised", "word"), [(KeyboardInterrupt, "nothing was stored"), (EOFError, "nothing was typed")]
)
def test_who_turns_back_at_the_prompt_stores_nothing(
    byoa: Byoa, monkeypatch: pytest.MonkeyPatch, raised: type[BaseException], word: str
) -> None:
    def turn_back(*_: object, **__: object) -> str:
        raise raised

    monkeypatch.setattr("getpass.getpass", turn_back)
    given = ("set", "creds", "--kind", "basic", "--host", "ghcr.io", "-u", "a")
    if raised is EOFError:
        done = byoa(*given, typed=b"")
        assert (done.code, word in done.err) == (2, True)
    else:
        with pytest.raises(Interrupted, match=word):
            byoa(*given, typed=b"")
    assert byoa("list", "--json").json() == {"credentials": []}


@pytest.mark.parametrize("kind", ["gcp_gar", "dockerconfigjson"])
def test_a_file_is_not_typed(byoa: Byoa, kind: str) -> None:
    done = byoa("set", "creds", "--kind", kind, "--host", "gcr.io", typed=b"")
    assert done.code == 2
    assert "< FILE" in done.err


@pytest.mark.parametrize(("answer", "left"), [(b"y\n", 0), (b"yes\n", 0), (b"\n", 1), (b"n\n", 1), (b"", 1)])
def test_deleting_is_asked_about(byoa: Byoa, answer: bytes, left: int) -> None:
    byoa("set", "creds", "--kind", "basic", "--host", "ghcr.io", "-u", "a", stdin=b"x")
    done = byoa("delete", "creds", typed=answer)
    assert "delete creds: basic for ghcr.io, last used never? [y/N]" in done.err
    assert (done.code, len(byoa("list", "--json").json()["credentials"])) == (left, left)


def test_who_turns_back_gets_a_document_all_the_same(byoa: Byoa) -> None:
    byoa("set", "creds", "--kind", "basic", "--host", "ghcr.io", "-u", "a", stdin=b"x")
    done = byoa("delete", "creds", "--json", typed=b"n\n")
    assert (done.code, done.json()) == (1, {"name": "creds", "deleted": False, "gone": None})
    assert len(byoa("list", "--json").json()["credentials"]) == 1


def test_without_a_terminal_deleting_wants_to_be_meant(byoa: Byoa) -> None:
    byoa("set", "creds", "--kind", "basic", "--host", "ghcr.io", "-u", "a", stdin=b"x")
    done = byoa("delete", "creds")
    assert done.code == 2
    assert "--yes" in done.err


# ---- trying them -------------------------------------------------------------------------------------------------


@dataclass
class Platform:
    """The function that tries them, as the terminal reaches it."""

    answer: Tried | ByoaError
    asked: list[tuple[str, Trial]] = field(default_factory=list)

    def try_credentials(self, function: str, trial: Trial) -> Tried:
        self.asked.append((function, trial))
        if isinstance(self.answer, ByoaError):
            raise self.answer
        return self.answer


TRIED = Tried(
    name="creds",
    kind="basic",
    host="ghcr.io",
    version="v-1",
    login="accepted",
    reference="oci://ghcr.io/a/b:v1",
    digest="sha256:0",
    media_type="application/vnd.oci.image.manifest.v1+json",
    size=634,
)


def test_a_trial_tells_what_a_build_would_meet(byoa: Byoa, monkeypatch: pytest.MonkeyPatch) -> None:
    platform = Platform(TRIED)
    monkeypatch.setattr(terminal, "try_credentials", platform.try_credentials)
    done = byoa("test", "creds", "oci://ghcr.io/a/b:v1", "--function", "try")
    assert platform.asked == [("try", Trial(organisation=ORG, name="creds", reference="oci://ghcr.io/a/b:v1"))]
    assert done.code == 0
    for word in ("readable", "basic", "v-1", "accepted", "ghcr.io", "sha256:0", "634 bytes"):
        assert word in done.out
    assert byoa("test", "creds", "--function", "try", "--json").json() == TRIED.model_dump(mode="json")


def test_a_registry_that_asked_for_nothing_proves_nothing(byoa: Byoa, monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_all = TRIED.model_copy(update={"login": "not asked", "digest": None})
    monkeypatch.setattr(terminal, "try_credentials", Platform(open_to_all).try_credentials)
    done = byoa("test", "creds", "--function", "try")
    assert "lets everybody in; try them with a REF" in done.out
    with_reference = Platform(TRIED.model_copy(update={"login": "not asked"}))
    monkeypatch.setattr(terminal, "try_credentials", with_reference.try_credentials)
    looked = byoa("test", "creds", "oci://ghcr.io/a/b:v1", "--function", "try").out
    assert "with a REF" not in looked
    assert "accepted" not in done.out + looked


def test_a_trial_that_fails_ends_as_the_build_would(byoa: Byoa, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "try_credentials", Platform(AuthFailed("no")).try_credentials)
    with pytest.raises(AuthFailed):
        byoa("test", "creds", "--function", "try")
