"""A job of CI at the API: GitHub's own token in place of a secret, renewed while builds are followed, never shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from byoa.trust.jwts import life_of
from byoa_cli.jobs import Renewed
from tests.api.served import APP, ORG, OTHER
from tests.cli.github import SECRET, GitHub, github
from tests.cli.homes import FAULT, FINE, MEND, USAGE, Home, ended_by
from tests.issuer import segment

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def actions(stranger: Home) -> Iterator[GitHub]:
    """A job in a home where nobody has logged in."""
    with github(stranger) as found:
        stranger.variables = found.variables
        yield found


def shown(home: Home) -> list[str]:
    """The tokens that the API has seen, in their order."""
    return [request.headers["Authorization"].removeprefix("Bearer ") for request in home.api.requests]


def test_a_job_is_let_in_by_its_own_token(actions: GitHub, stranger: Home) -> None:
    account = stranger.byoa("whoami", "--json").json()
    assert (account["org_ids"], account["scopes"]) == ([ORG], ["sync"])
    assert account["source"] == "the job's token of GitHub Actions"
    assert actions.audiences == [f"byoa:{ORG}"]
    assert shown(stranger) == actions.tokens


def test_while_builds_are_followed_the_token_is_renewed_and_never_printed_or_kept(
    actions: GitHub, stranger: Home
) -> None:
    actions.seconds = 0.2  # over before the next look, whenever that is
    done = ended_by(stranger, "active", "sync", stranger.write("web"), "--app", APP, "--wait", looks=3)
    assert done.code == FINE, done.err
    assert len(actions.tokens) > 2
    assert len(set(shown(stranger))) > 2, "the API has seen several of them"
    for text in (*actions.tokens, SECRET):
        assert text not in done.out + done.err
    assert not list(stranger.folder.glob(".config/**/*"))


def test_one_token_does_for_a_command_that_is_over_soon(actions: GitHub, stranger: Home) -> None:
    assert stranger.byoa("sync", stranger.write("web", "db"), "--app", APP, "--no-wait").code == FINE
    assert len(actions.tokens) == 1
    assert len(shown(stranger)) > 3


def test_a_token_that_is_set_goes_before_the_job_s_unless_it_is_said(actions: GitHub, stranger: Home) -> None:
    def source(**variables: str) -> str:
        return str(stranger.byoa("whoami", "--json", **variables).json()["source"])

    assert source(BYOA_TOKEN=stranger.token) == "BYOA_TOKEN"
    assert actions.tokens == []
    assert source(BYOA_TOKEN=stranger.token, BYOA_OIDC="1") == "the job's token of GitHub Actions"
    assert stranger.login().code == FINE
    assert source(BYOA_API="") == "profile default"
    assert source(BYOA_OIDC="true") == "the job's token of GitHub Actions"
    assert len(actions.tokens) == 2


def test_no_job_s_token_where_none_is_wanted(actions: GitHub, stranger: Home) -> None:
    done = stranger.byoa("whoami", BYOA_OIDC="0")
    assert (done.code, "LoginMissing" in done.err, actions.tokens) == (MEND, True, [])
    assert stranger.byoa("whoami", BYOA_OIDC="perhaps").code == USAGE


def test_a_job_says_at_whose_door_it_knocks(actions: GitHub, stranger: Home) -> None:
    done = stranger.byoa("whoami", BYOA_ORG="")
    assert (done.code, "BYOA_ORG" in done.err, actions.tokens) == (USAGE, True, [])
    done = stranger.byoa("whoami", "--json", BYOA_ORG=OTHER)
    assert done.json()["error"]["code"] == "LoginMissing"
    assert actions.audiences == [f"byoa:{OTHER}"], "a token for one organisation opens no other's door"


def test_a_job_that_may_have_no_token_is_told_of_the_permission(actions: GitHub, stranger: Home) -> None:
    done = stranger.byoa("whoami", ACTIONS_ID_TOKEN_REQUEST_TOKEN="")
    assert done.code == MEND
    assert "id-token: write" in done.err
    done = stranger.byoa("whoami", ACTIONS_ID_TOKEN_REQUEST_TOKEN="another")
    assert (done.code, "id-token: write" in done.err) == (MEND, True)
    assert "another" not in done.err
    outside = stranger.byoa("whoami", GITHUB_ACTIONS="", ACTIONS_ID_TOKEN_REQUEST_URL="", BYOA_OIDC="1")
    assert (outside.code, "LoginMissing" in outside.err) == (MEND, True)
    assert actions.tokens == []


def test_the_job_s_secret_goes_over_https_alone(actions: GitHub, stranger: Home) -> None:
    for place in ("http://github.example/token", "ftp://github.example", "https://u:p@github.example/"):
        done = stranger.byoa("whoami", ACTIONS_ID_TOKEN_REQUEST_URL=place)
        assert (done.code, "https" in done.err) == (USAGE, True)
        assert SECRET not in done.err


ANSWERS: dict[str, tuple[int, bytes, int, str]] = {
    "forbidden": (403, b'{"message": "canary"}', MEND, "LoginMissing"),
    "moved": (302, b"canary", MEND, "LoginMissing"),
    "no JSON": (200, b"canary", MEND, "LoginMissing"),
    "no token": (200, b'{"value": "canary"}', MEND, "LoginMissing"),
    "two lines": (200, b'{"value": "canary.b.c\\r\\nX-A: b"}', MEND, "LoginMissing"),
    "no text": (200, b'{"value": ["canary"]}', MEND, "LoginMissing"),
    "deep": (200, b"[" * 60000, MEND, "LoginMissing"),
    "long": (200, b'{"value": "canary.' + b"a" * 70000 + b'.c"}', MEND, "LoginMissing"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_whatever_github_answers_is_told_and_not_quoted(name: str, actions: GitHub, stranger: Home) -> None:
    status, body, code, leaf = ANSWERS[name]
    actions.script = lambda: (status, body)
    done = stranger.byoa("whoami")
    assert (done.code, leaf in done.err, "canary" in done.err) == (code, True, False), done.err
    assert stranger.api.requests == []


def test_where_github_is_out_it_is_tried_again_and_then_told(actions: GitHub, stranger: Home) -> None:
    answers = [(503, b""), (429, b""), None]
    actions.script = lambda: answers.pop(0) or _honest(actions)
    assert stranger.byoa("whoami").code == FINE
    closed = "http://127.0.0.1:9/idtoken/1?api-version=2.0"
    done = stranger.byoa("whoami", ACTIONS_ID_TOKEN_REQUEST_URL=closed)
    assert (done.code, "GitHub can't be reached" in done.err) == (FAULT, True)


def _honest(actions: GitHub) -> tuple[int, bytes]:
    actions.script = None
    return actions.answer(f"/idtoken/1?api-version=2.0&audience=byoa:{ORG}", f"Bearer {SECRET}")


# ---- GitLab, whose jobs have a token in a variable -----------------------------------------------------------------


def test_a_token_of_gitlab_s_in_byoa_token_lets_in(actions: GitHub, stranger: Home) -> None:
    token = actions.sign(f"byoa:{ORG}")
    plain = {"GITHUB_ACTIONS": "", "ACTIONS_ID_TOKEN_REQUEST_URL": "", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""}
    done = stranger.byoa("whoami", "--json", BYOA_TOKEN=token, **plain)
    assert (done.code, done.json()["source"]) == (FINE, "BYOA_TOKEN")
    done = stranger.byoa("sync", stranger.write("web"), "--no-wait", BYOA_TOKEN=token, BYOA_APP=APP, **plain)
    assert done.code == FINE, done.err
    assert token not in done.out + done.err
    done = stranger.byoa("whoami", BYOA_TOKEN=token, **{**plain, "BYOA_ORG": ""})
    assert (done.code, "BYOA_ORG" in done.err) == (MEND, True), done.err


# ---- renewing ------------------------------------------------------------------------------------------------------


def jwt(**claims: Any) -> str:
    return f"{segment({'alg': 'RS256'})}.{segment(claims)}.{segment({})}"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (jwt(iat=1000, exp=1300), 300),
        (jwt(exp=1300), None),
        (jwt(iat=1300, exp=1000), None),
        (jwt(iat=True, exp="x"), None),
        ("none", None),
        (f"a.{'b' * 5}.c", None),
    ],
)
def test_a_token_says_how_long_it_is_good(text: str, seconds: float | None) -> None:
    assert life_of(text) == seconds


def test_a_token_is_renewed_at_half_its_life_whatever_the_clock_on_the_wall_says() -> None:
    moments, given = [0.0], [jwt(iat=5e9, exp=5e9 + 300, n=number) for number in range(3)]
    left = list(given)
    token = Renewed(lambda: left.pop(0), lambda: moments[0])
    seen = []
    for moment in (0, 149, 150, 299, 300):
        moments[0] = moment
        seen.append(given.index(token()))
    assert seen == [0, 0, 1, 1, 2]
    assert repr(token) == "Renewed()"
