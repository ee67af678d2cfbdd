"""Docker's config in the forms that docker, podman, scripts and secrets of clusters have it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from byoa.errors import CredentialMalformed
from byoa.oci.reference import Registry
from byoa.trust.credentials import Credential
from byoa_cli.logins import Logins

if TYPE_CHECKING:
    from pathlib import Path

HOST = Registry.parse("registry.example.com:5000")
OURS, THEIRS = Credential("ours", "right"), Credential("theirs", "wrong")
PAIR = base64.b64encode(b"ours:right").decode()
OTHER = base64.b64encode(b"theirs:wrong").decode()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def config(home: Path, document: Any) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    (home / "config.json").write_text(text)


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": PAIR},
        {"auth": f"{PAIR[:6]}\n{PAIR[6:]}"},
        {"auth": f"{PAIR[:6]}\r\n{PAIR[6:]}\r\n"},
        {"auth": f" {PAIR}\t\n"},
        {"auth": base64.b64encode(b"ours:right\0\0\0").decode()},
        {"username": "ours", "password": "right"},
        {"auth": "", "username": "ours", "password": "right", "email": None},
        {"auth": PAIR, "username": "other", "password": "other"},
    ],
    ids=",".join,
)
def test_a_login_is_read_in_each_form(home: Path, entry: dict[str, object]) -> None:
    config(home, {"auths": {"registry.example.com:5000": entry}})
    assert Logins().of(HOST, "team/app") == OURS


@pytest.mark.parametrize(
    "key",
    [
        "registry.example.com:5000", "https://registry.example.com:5000", "http://registry.example.com:5000/",
        "https://registry.example.com:5000/v1/", "https://registry.example.com:5000/v2/", "Registry.Example.com:5000",
        "registry.example.com:5000/team", "registry.example.com:5000/team/app",
    ],
)  # fmt: skip
def test_a_registry_is_found_by_each_of_its_keys(home: Path, key: str) -> None:
    config(home, {"auths": {"other.example": {"auth": OTHER}, key: {"auth": PAIR}}})
    assert Logins().of(HOST, "team/app") == OURS


@pytest.mark.parametrize("key", ["docker.io", "index.docker.io", "https://index.docker.io/v1/", "registry-1.docker.io"])
def test_docker_hub_has_one_login_under_all_its_names(home: Path, key: str) -> None:
    config(home, {"auths": {key: {"auth": PAIR}}})
    assert Logins().of(Registry.parse("docker.io"), "library/app") == OURS


def test_the_port_of_https_is_no_other_registry(home: Path) -> None:
    config(home, {"auths": {"registry.example.com:443": {"auth": PAIR}}})
    assert Logins().of(Registry.parse("registry.example.com"), "team/app") == OURS


@pytest.mark.parametrize("order", [1, -1])
def test_the_most_exact_entry_that_covers_the_repository_counts(home: Path, order: int) -> None:
    host = "registry.example.com:5000"
    entries = {f"{host}/other/team": OTHER, f"{host}/team/other": OTHER, f"{host}/tea": OTHER, host: PAIR}
    config(home, {"auths": {key: {"auth": entries[key]} for key in list(entries)[::order]}})
    assert Logins().of(HOST, "team/app") == OURS
    assert Logins().of(HOST, "other/team/app") == THEIRS
    assert Logins().of(HOST, "tea") == THEIRS


def test_no_entry_of_another_path_is_lent(home: Path) -> None:
    config(home, {"auths": {"registry.example.com:5000/other": {"auth": OTHER}}})
    assert Logins().of(HOST, "team/app") is None


def test_an_empty_entry_covers_nothing(home: Path) -> None:
    config(home, {"auths": {"registry.example.com:5000/team": {}, "registry.example.com:5000": {"auth": PAIR}}})
    assert Logins().of(HOST, "team/app") == OURS


def test_tokens_are_told_apart_from_passwords(home: Path) -> None:
    zero = base64.b64encode(b"00000000-0000-0000-0000-000000000000:").decode()
    config(home, {"auths": {"registry.example.com:5000": {"auth": zero, "identitytoken": "refresh"}}})
    found = Logins().of(HOST)
    assert found
    assert (found.password, found.identity_token) == ("", "refresh")
    config(home, {"auths": {"registry.example.com:5000": {"registrytoken": "bearer"}}})
    found = Logins().of(HOST)
    assert found
    assert found.registry_token == "bearer"
    assert "bearer" not in repr(found)


@pytest.mark.parametrize(
    "text",
    ["", " \n", "{}", '{"auths": null}', '{"auths": {}}', '{"credHelpers": null, "credsStore": null}',
     '{"auths": {"registry.example.com:5000": null}}', '{"auths": {"registry.example.com:5000": {}}}',
     '{"auths": {"not a host": {"auth": "%"}, "://": 7}}', '\ufeff{"auths": {}}'],
)  # fmt: skip
def test_a_config_without_a_login_means_that_there_is_none(home: Path, text: str) -> None:
    config(home, text)
    assert Logins().of(HOST, "team/app") is None


def test_no_config_means_the_same(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Logins().of(HOST) is None
    (home / "file").touch()
    monkeypatch.setenv("DOCKER_CONFIG", str(home / "file"))
    assert Logins().of(HOST) is None


@pytest.mark.parametrize("text", ["{", "[]", "7", '{"auths": []}x', '{"auths": 7}', '{"credHelpers": ["x"]}'])
def test_a_config_that_is_none_is_named(home: Path, text: str) -> None:
    config(home, text)
    with pytest.raises(CredentialMalformed) as caught:
        Logins().of(HOST, "team/app")
    assert "config" in caught.value.cause


# Whose files


def login(home: Path, path: str, name: str, key: str = "registry.example.com:5000") -> Credential:
    place = home / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps({"auths": {key: {"username": name, "password": "right"}}}))
    return Credential(name, "right")


def test_the_file_that_is_named_goes_before_dockers_and_dockers_before_podmans(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "named.json"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    wanted = [
        login(home, "named.json", "named"),
        login(home, "config.json", "docker"),
        login(home, ".config/containers/auth.json", "kept"),
    ]
    for path, credential in zip(("named.json", "config.json", ".config/containers/auth.json"), wanted, strict=True):
        assert Logins().of(HOST, "team/app") == credential
        (home / path).unlink()
    assert Logins().of(HOST, "team/app") is None


def test_podmans_login_of_the_session_goes_before_the_one_that_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "settings"))
    kept = login(home, "settings/containers/auth.json", "kept")
    session = login(home, "run/containers/auth.json", "session")
    assert Logins().of(HOST, "team/app") == session
    (home / "run/containers/auth.json").unlink()
    assert Logins().of(HOST, "team/app") == kept


def test_a_file_that_is_named_stands_in_for_that_of_the_session(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    login(home, "run/containers/auth.json", "session")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "missing.json"))
    assert Logins().of(HOST, "team/app") is None


def test_a_file_without_the_login_leaves_it_to_the_next(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "named.json"))
    login(home, "named.json", "named", "registry.example.com:5000/other")
    docker = login(home, "config.json", "docker")
    assert Logins().of(HOST, "team/app") == docker


def test_a_file_that_cant_be_read_is_named_by_its_path(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(home / "named.json"))
    for text in ("{", json.dumps({"auths": {"registry.example.com:5000": {"auth": "canary%"}}})):
        (home / "named.json").write_text(text)
        with pytest.raises(CredentialMalformed) as caught:
            Logins().of(HOST, "team/app")
        assert "named.json" in caught.value.cause
        assert "canary" not in caught.value.as_json()


# Helpers


def helper(home: Path, name: str, script: str) -> None:
    place = home / f"docker-credential-{name}"
    place.write_text(f"#!/bin/sh\n{script}\n")
    place.chmod(0o755)


KNOWS = r"""
read -r server
echo "{\"ServerURL\": \"$server\", \"Username\": \"ours\", \"Secret\": \"right\"}"
"""


@pytest.mark.parametrize("name", ["pass", "desktop.exe", "ecr_login", "my-own.helper_2"])
@pytest.mark.parametrize("setting", ["credsStore", "credHelpers"])
def test_a_helper_of_any_name_is_asked(home: Path, monkeypatch: pytest.MonkeyPatch, name: str, setting: str) -> None:
    helper(home, name, KNOWS)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    config(home, {setting: name if setting == "credsStore" else {"https://registry.example.com:5000": name}})
    assert Logins().of(HOST, "team/app") == OURS


def test_a_helper_is_asked_once_for_a_registry_however_many_repositories(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(home, "x", f"echo asked >> {home}/asked\n{KNOWS}")
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    config(home, {"credsStore": "x"})
    logins = Logins()
    assert [logins.of(HOST, f"team/{number}") for number in range(3)] == [OURS] * 3
    assert (home / "asked").read_text() == "asked\n"


def test_a_login_for_the_repository_goes_before_what_a_helper_knows(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(home, "x", KNOWS)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    config(home, {"credsStore": "x", "auths": {"registry.example.com:5000/team": {"auth": OTHER}}})
    assert Logins().of(HOST, "team/app") == THEIRS
    assert Logins().of(HOST, "other/app") == OURS


def test_the_helper_of_one_registry_goes_before_the_one_for_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(home, "own", KNOWS)
    helper(home, "all", """echo '{"Username": "theirs", "Secret": "wrong"}'""")
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    config(home, {"credsStore": "all", "credHelpers": {"registry.example.com:5000": "own"}})
    assert Logins().of(HOST, "team/app") == OURS
    assert Logins().of(Registry.parse("registry.example.com"), "team/app") == THEIRS


def test_docker_hub_is_asked_for_by_the_name_that_docker_calls_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(home, "x", """read -r server; echo "{\\"Username\\": \\"us\\", \\"Secret\\": \\"$server\\"}" """)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    config(home, {"credsStore": "x"})
    assert Logins().of(Registry.parse("docker.io"), "app") == Credential("us", "https://index.docker.io/v1/")


def test_a_helper_may_know_a_token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper(home, "x", """echo '{"Username": "<token>", "Secret": "refresh"}'""")
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    config(home, {"credsStore": "x"})
    found = Logins().of(HOST)
    assert found
    assert (found.username, found.password, found.identity_token) == ("", "", "refresh")


@pytest.mark.parametrize(
    "script",
    ["exit 1", "echo no JSON", "echo []", "echo '{}'", """echo '{"Username": "x"}'""", "echo 7", "kill -9 $$",
     """echo '{"Username": "", "Secret": ""}'""", None],
)  # fmt: skip
def test_a_helper_that_is_no_help_leaves_it_to_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch, script: str | None
) -> None:
    if script:
        helper(home, "x", script)
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    config(home, {"credsStore": "x", "auths": {"registry.example.com:5000": {"auth": PAIR}}})
    assert Logins().of(HOST, "team/app") == OURS
    config(home, {"credsStore": "x"})
    assert Logins().of(HOST, "team/app") is None


@pytest.mark.parametrize("name", ["../../bin/sh", "/bin/sh", "missing", "x\0y", "x y; touch z"])
def test_a_helper_that_isnt_there_is_noted(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
    monkeypatch.chdir(home)
    config(home, {"credsStore": name})
    assert Logins().of(HOST, "team/app") is None
    assert list(home.iterdir()) == [home / "config.json"]
    said = capsys.readouterr().err
    assert said.startswith("note") or not said  # rich keeps the stream it first met
