"""`byoa login`, `logout`, `whoami`: what is kept, who may read it, and which API a command speaks to."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.api.loopback import listening
from tests.api.served import APP, ORG, OTHER
from tests.cli.homes import FAULT, FINE, MEND, USAGE, Home
from tests.screen import Screen
from tests.terminal import BYOA

if TYPE_CHECKING:
    from pathlib import Path


# ---- login, logout, whoami ---------------------------------------------------------------------------------------


def test_a_login_keeps_the_api_and_the_token_where_nobody_else_reads(stranger: Home) -> None:
    done = stranger.login("--app", APP)
    assert done.code == FINE
    assert f"logged in to {stranger.api.address} as test ({ORG})" in done.out
    kept = tomllib.loads(stranger.file.read_text())
    wanted = {"api": stranger.api.address, "token": stranger.token, "org": ORG, "app": APP}
    assert kept == {"profiles": {"default": wanted}}
    assert (stranger.file.stat().st_mode & 0o777, stranger.file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert list(stranger.file.parent.iterdir()) == [stranger.file], "nothing is left beside it"


def test_a_login_goes_where_the_settings_go(stranger: Home, tmp_path: Path) -> None:
    done = stranger.byoa(
        "login", "--json", stdin=stranger.token, BYOA_API=stranger.api.address, XDG_CONFIG_HOME=f"{tmp_path}/x"
    )
    assert done.json()["file"] == f"{tmp_path}/x/byoa/config.toml"
    assert done.json()["scopes"] == ["admin"]
    assert not stranger.file.exists()


def test_a_file_that_others_could_read_is_closed_to_them(home: Home) -> None:
    home.file.chmod(0o644)
    assert f"others may read your token: chmod 600 {home.file}" in home.byoa("whoami").err
    home.file.parent.chmod(0o755)
    assert home.login("--profile", "ci").code == FINE
    assert (home.file.stat().st_mode & 0o777, home.file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert home.byoa("whoami").err == ""
    assert tomllib.loads(home.file.read_text())["profiles"].keys() == {"default", "ci"}


def test_a_token_is_typed_where_nobody_sees_it(stranger: Home) -> None:
    command = [BYOA, "login", "--api", stranger.api.address]
    with Screen(command, {**stranger.environment, "TERM": "xterm"}) as screen:
        screen.wait_for("not shown")
        screen.type(f"{stranger.token}\n")
        code, drawn = screen.end()
    assert code == FINE
    assert stranger.token not in drawn


@pytest.mark.parametrize(
    ("token", "code", "told"),
    [
        ("byoa_org_0123456789ab_tok22222222222222222222222_" + "a" * 43, MEND, "LoginMissing"),
        ("", USAGE, "there is no token on stdin"),
        ("two words", USAGE, "no token"),
        ("bad\x1b[2Jtoken", USAGE, "no token"),
    ],
    ids=ascii,
)
def test_a_token_that_lets_nobody_in_is_not_kept(token: str, code: int, told: str, stranger: Home) -> None:
    done = stranger.byoa("login", "--api", stranger.api.address, stdin=token)
    assert done.code == code
    assert told in done.err
    assert not stranger.file.exists()
    assert not token or token not in done.err


@pytest.mark.parametrize(
    "address",
    [
        "http://api.example.com",
        "api.example.com",
        "ftp://a.example",
        "https://me:word@a.example",
        "https://a.example?x",
        "https://",
        "https://a.example:x",
    ],
)
def test_a_token_goes_over_https_alone(address: str, stranger: Home) -> None:
    done = stranger.byoa("login", "--api", address, stdin=stranger.token)
    assert (done.code, done.out) == (USAGE, "")
    assert "https" in done.err
    assert stranger.byoa("whoami", BYOA_API=address, BYOA_TOKEN=stranger.token).code == USAGE


def test_a_token_is_no_argument(stranger: Home) -> None:
    for words in (["--token", stranger.token], [stranger.token], [f"--token={stranger.token}"]):
        done = stranger.byoa("login", "--api", stranger.api.address, *words)
        assert (done.code, "comes from stdin" in done.err) == (USAGE, True), "and it isn't repeated"


def test_who_one_is_is_told_with_where_the_token_is_from(home: Home) -> None:
    done = home.byoa("whoami", "--json")
    assert done.code == FINE
    assert done.json() | {"id": "tok", "expires_at": ""} == {
        "id": "tok", "name": "test", "org_ids": [ORG], "scopes": ["admin"], "installs": [], "expires_at": "",
        "api": home.api.address, "source": "profile default",
    }  # fmt: skip
    assert home.byoa("whoami", "--json", BYOA_TOKEN=home.api.served.token("read")).json()["source"] == "BYOA_TOKEN"
    assert "organisation org_" in home.byoa("whoami").out


def test_a_logout_takes_the_token_away_and_says_how_to_revoke_it(home: Home) -> None:
    done = home.byoa("logout")
    assert (done.code, "byoa tokens revoke tok" in done.err) == (FINE, True)
    assert "token" not in home.file.read_text()
    assert home.byoa("whoami").code == USAGE
    assert home.byoa("logout").code == MEND


def test_what_else_the_file_has_stays(home: Home) -> None:
    more = '[profiles."a b"]\napi = "https://a.example"\ntoken = "x\\u001b"\n'
    more += '[other]\nfirst = 1\n[other.deep]\nlist = ["a", "b"]\n'
    before = home.file.read_text() + more
    home.file.write_text(before)
    assert home.login("--profile", "ci").code == FINE
    kept, said = tomllib.loads(home.file.read_text()), tomllib.loads(before)
    assert kept["profiles"].pop("ci")["org"] == ORG
    assert kept == said


def test_settings_that_are_no_toml_are_told_and_left(home: Home) -> None:
    home.file.write_text("[profiles")
    for words in (["whoami"], ["logout"], ["login", "--api", home.api.address]):
        done = home.byoa(*words, "--json", stdin=home.token)
        assert (done.code, done.json()["error"]["code"]) == (MEND, "ProfileUnreadable")
        assert done.json()["error"]["where"] == str(home.file)
    assert home.file.read_text() == "[profiles"


# ---- which API, which token --------------------------------------------------------------------------------------


def test_a_profile_s_token_is_shown_to_no_other_api(home: Home) -> None:
    with listening() as other:
        done = home.byoa("whoami", "--api", other.address, "--json")
        assert (done.code, done.json()["error"]["code"]) == (MEND, "LoginMissing")
        assert home.byoa("sync", home.write("web"), BYOA_API=other.address).code == MEND
        assert other.requests == []


def test_an_option_goes_before_a_variable_and_a_variable_before_a_profile(home: Home) -> None:
    with listening() as other:
        token = other.served.token()
        elsewhere = {"BYOA_API": other.address, "BYOA_TOKEN": token}
        assert home.byoa("whoami", "--json", **elsewhere).json()["api"] == other.address
        assert home.byoa("whoami", "--json", BYOA_API=other.address, BYOA_PROFILE="none").code == MEND
        again = home.byoa("whoami", "--api", home.api.address, "--json", BYOA_API=other.address)
        assert again.json()["api"] == home.api.address


def test_another_organisation_than_the_token_s_is_refused(home: Home) -> None:
    done = home.byoa("builds", "list", "--json", BYOA_ORG=OTHER)
    error = done.json()["error"]
    assert (done.code, error["problem"]) == (MEND, "organisation_other")
    assert error["cause"] == "The token is of another organisation than --org or BYOA_ORG names."


def test_a_profile_that_isn_t_there_is_told(home: Home) -> None:
    done = home.byoa("whoami", "--profile", "ci")
    assert done.code == MEND
    assert "`byoa login --profile ci`" in done.err


def test_without_an_api_the_table_is_asked_for(stranger: Home) -> None:
    done = stranger.byoa("builds", "list", "--app", APP)
    assert done.code == USAGE
    assert "byoa login" in done.err
    assert "--table" in done.err


@pytest.mark.parametrize("words", [["builds", "list"], ["sync", "app"], ["receipt", "get", "bld"]], ids=" ".join)
def test_a_table_that_is_named_is_asked_though_one_is_logged_in(words: list[str], home: Home) -> None:
    home.write("web")
    closed = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    fast = closed | {"AWS_MAX_ATTEMPTS": "1"}
    for settings in ({}, {"BYOA_API": home.api.address}):
        done = home.byoa(
            *words, "--table", "t", "--org", ORG, *(["--app", APP] if words[0] != "receipt" else []), **fast, **settings
        )
        assert done.code in (MEND, FAULT)
    assert home.api.requests == []
    assert home.byoa(*words, "--table", "t", "--org", ORG, "--api", home.api.address).code == USAGE


def test_what_an_api_alone_does_says_so_at_a_table(stranger: Home) -> None:
    done = stranger.byoa("sync", stranger.write("web"), "--prune", "--yes", "--table", "t", "--org", ORG, "--app", APP)
    assert done.code == USAGE
    assert "through an API" in done.err
