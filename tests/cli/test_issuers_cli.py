"""`byoa issuers`: rules on whose tokens let in, through the API."""

from __future__ import annotations

import json

import pytest

from tests.api.served import ORG
from tests.cli.homes import FINE, MEND, USAGE, Home
from tests.issuer import GITHUB, issuing

ADD = ("issuers", "add", "main", "-i", "github", "-c", "repository=vendor/app", "-c", "ref=refs/heads/main")


def test_a_rule_is_added_listed_and_deleted(home: Home) -> None:
    with issuing() as issuer:
        home.api.served.fetch_keys = issuer.fetch
        done = home.byoa(*ADD, "-c", "ref=refs/tags/*", "--scope", "sync")
    assert done.code == FINE, done.err
    assert done.out.startswith("added iss")
    assert f"tokens of {GITHUB} for byoa:{ORG} let in" in done.out
    (rule,) = home.byoa("issuers", "list", "--json").json()["issuers"]
    assert rule["claims"] == {"repository": ["vendor/app"], "ref": ["refs/heads/main", "refs/tags/*"]}
    head, line = home.byoa("issuers", "list").out.splitlines()
    assert head.split() == ["ID", "NAME", "SCOPES", "INSTALLS", "ISSUER", "AUDIENCE", "CLAIMS"]
    told = "repository=vendor/app ref=refs/heads/main ref=refs/tags/*"
    assert line.split() == [rule["id"], "main", "sync", GITHUB, f"byoa:{ORG}", *told.split()]
    assert home.byoa("issuers", "delete", rule["id"]).code == USAGE, "nobody can be asked"
    assert home.byoa("issuers", "delete", rule["id"], "--yes").out == f"deleted {rule['id']}\n"
    assert "no issuers" in home.byoa("issuers", "list").err
    assert home.byoa("issuers", "delete", rule["id"], "--yes").code == MEND


def test_people_sign_in_by_a_rule_that_names_the_dashboard_s_client(home: Home) -> None:
    words = ("issuers", "add", "Okta", "-i", GITHUB, "-c", "repository=vendor/app", "-s", "sync", "--sign-in")
    with issuing() as issuer:
        home.api.served.fetch_keys = issuer.fetch
        done = home.byoa(*words)
        assert (done.code, "Name the id of the client" in done.err) == (MEND, True)
        done = home.byoa(*words, "--audience", "byoa-dashboard")
    assert "people sign in with it at the dashboard" in done.out
    (rule,) = home.byoa("issuers", "list", "--json").json()["issuers"]
    assert (rule["sign_in"], rule["audience"]) == (True, "byoa-dashboard")


def test_the_secret_of_a_client_is_read_from_stdin_and_shown_nowhere(home: Home) -> None:
    rule_of = ("issuers", "add", "Okta", "-i", GITHUB, "-c", "repository=vendor/app", "-s", "sync", "--sign-in")
    words = (*rule_of, "--audience", "byoa-dashboard", "--with-secret")
    with issuing() as issuer:
        home.api.served.fetch_keys = issuer.fetch
        assert home.byoa(*words, stdin="").code == USAGE
        done = home.byoa(*words, stdin="canary-1\n")
    assert done.code == FINE, done.err
    (rule,) = home.byoa("issuers", "list", "--json").json()["issuers"]
    assert rule["has_client_secret"] is True
    kept = home.api.served.client_secrets
    assert [json.loads(each)["secret"] for each in kept.values()] == ["canary-1"]
    again = home.byoa("issuers", "secret", rule["id"], stdin="canary-2")
    assert again.code == FINE, again.err
    assert [json.loads(each)["secret"] for each in kept.values()] == ["canary-2"]
    assert "canary" not in done.out + done.err + again.out + again.err
    assert home.byoa("issuers", "delete", rule["id"], "--yes").code == FINE
    assert kept == {}


def test_a_rule_for_strangers_is_refused_with_what_is_missing(home: Home) -> None:
    done = home.byoa("issuers", "add", "all", "-i", "github", "-c", "ref=refs/heads/main", "-s", "sync")
    assert done.code == MEND
    assert "Strangers could have tokens that say this" in done.err


@pytest.mark.parametrize("words", [
    ("-c", "repository"), ("-c", "=a"), ("-c", "repository="), ("-c", "a b=c"), ("-c", "a=b", "-s", "root"), (),
])  # fmt: skip
def test_a_claim_is_a_name_and_a_pattern(home: Home, words: tuple[str, ...]) -> None:
    assert home.byoa("issuers", "add", "x", "-i", "github", *words, "--scope", "sync").code == USAGE
