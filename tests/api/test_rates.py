"""How often a token may ask, and how it is told."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from byoa.api.app import make
from byoa.trust.windows import NAMES, WINDOW_SECONDS, Standing, Windows
from tests.api.served import OTHER, Served

POLICY = re.compile(r'"token";q=(\d+);w=60')
STANDING = re.compile(r'"token";r=(\d+);t=(\d+)')


def test_a_window_begins_with_the_first_request_and_then_anew() -> None:
    rates = Windows(2)
    told = [rates.count("tok", now_ts) for now_ts in (5, 1_000, 30_000, 60_004, 60_005)]
    assert [each.within for each in told] == [True, True, False, False, True]
    assert [each.remaining for each in told] == [1, 0, 0, 0, 1]
    assert [each.seconds for each in told] == [60, 60, 31, 1, 60]


def test_each_caller_has_its_own_quota_and_the_oldest_window_makes_room() -> None:
    rates = Windows(1)
    assert rates.count("tok", 0).within
    assert not rates.count("tok", 1).within
    assert rates.count("other", 1).within
    for number in range(NAMES):
        rates.count(f"tok{number}", 2)
    assert rates.count("tok", 3).within, "it was forgotten"
    assert len(rates._windows) == NAMES


def test_who_looks_counts_nothing() -> None:
    rates, room, none = (
        Windows(1),
        Standing(within=True, remaining=1, seconds=60),
        Standing(within=False, remaining=0, seconds=31),
    )
    assert [rates.look("tok", 7), rates.look("tok", 7), rates.count("tok", 7).within] == [room, room, True]
    assert [rates.look("tok", 30_000), rates.look("tok", 30_000)] == [none, none]
    assert rates.look("tok", 60_007) == room


def test_tokens_of_two_organisations_are_two_whatever_their_ids() -> None:
    served = Served()
    served.face = make(replace(served.world, quota=1))
    mine, theirs = served.token("read"), served.token("read", org=OTHER)
    assert [served.ask("GET", "/v1/account", token=each).status for each in (mine, theirs, mine)] == [200, 200, 429]


def test_a_session_asks_as_the_token_that_it_is_of() -> None:
    served = Served()
    served.face = make(replace(served.world, quota=3))
    token = served.token("read")
    session = served.ask("POST", "/v1/sessions", token=token).json["token"]
    another = served.ask("POST", "/v1/sessions", token=session).json["token"]
    told = [served.ask("GET", "/v1/account", token=each).status for each in (another, session, token)]
    assert told == [200, 429, 429]


def test_a_clock_that_is_set_back_shuts_nobody_out() -> None:
    rates = Windows(1)
    rates.count("tok", 10_000_000)
    assert rates.count("tok", 0).within


def test_every_answer_to_a_token_says_how_many_requests_it_has() -> None:
    served = Served()
    token, left = served.token(), []
    answers = [
        served.ask("GET", "/v1/account", token=token),
        served.ask("GET", "/v1/nothing", token=token),
        served.ask("POST", "/v1/tokens", {}, token=token),
        served.ask("HEAD", "/v1/account", token=token),
    ]
    answers.append(served.ask("GET", "/v1/account", token=token, if_none_match=answers[0].headers["ETag"]))
    assert [answer.status for answer in answers] == [200, 404, 422, 200, 304]
    for answer in answers:
        policy, standing = (answer.headers[name] for name in ("RateLimit-Policy", "RateLimit"))
        assert POLICY.fullmatch(policy)
        found = STANDING.fullmatch(standing)
        assert found
        left.append(int(found[1]))
        assert 0 < int(found[2]) <= WINDOW_SECONDS
    assert left == [left[0] - number for number in range(5)]
    for open_to_all in ("/healthz", "/v1/openapi.json"):
        assert "RateLimit" not in served.ask("GET", open_to_all, token=None).headers
    assert "RateLimit" not in served.ask("GET", "/v1/account", token=None).headers


def test_who_asks_too_often_is_told_how_long_to_wait_and_nothing_is_done() -> None:
    served = Served()
    served.face = make(replace(served.world, quota=2))
    token, another = served.token(), served.token()
    body = {"name": "ci", "scopes": ["read"]}
    told = [served.ask("POST", "/v1/tokens", body, token=token) for _ in range(3)]
    assert [answer.status for answer in told] == [201, 201, 429]
    over = told[-1]
    assert (over.code, over.headers["Retry-After"]) == ("too_many", STANDING.fullmatch(over.headers["RateLimit"])[2])  # type: ignore[index]
    assert len(served.tokens) == 4
    assert len(served.deeds) == 2
    assert served.ask("GET", "/v1/account", token=another).status == 200
    served.clock.moment += timedelta(seconds=WINDOW_SECONDS)
    assert served.ask("GET", "/v1/account", token=token).status == 200
