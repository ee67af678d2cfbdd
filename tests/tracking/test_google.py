"""Google's tokens on Pub/Sub's requests: read at the door, verified by who follows tags, with keys made here."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.identity.verifying import PyJwtVerifier
from byoa.adapters.memory.clocks import SteppingClock
from byoa.adapters.memory.tracking import MemoryBell, MemoryHooks
from byoa.errors import IssuerUnusable
from byoa.tracking.door import Answer, Door
from byoa.tracking.google import GOOGLE, GoogleTokens
from byoa.tracking.records import issue
from local.samples import SERVICE_ACCOUNT
from tests.issuer import Issuer, segment
from tests.tracking.test_follow import HOST, ORG, REPOSITORY, Bench

if TYPE_CHECKING:
    from collections.abc import Sequence

    from byoa.tracking.messages import Followed
    from byoa.trust.issuers import Key

EVENT = Path(__file__).parents[2] / "events" / "hooks" / "gar.json"
HOOK = "hok" + "g" * 23


class Google:
    """Google's keys, whoever asks for them, and a hook that its tokens are for."""

    def __init__(self) -> None:
        self.clock = SteppingClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.issuer = Issuer(name=GOOGLE)
        self.asked: list[str] = []
        self.out = False
        self.made = issue(ORG, HOOK, "gar", "gar", "note", 0, "tok", service_account=SERVICE_ACCOUNT)
        self.hooks = {(ORG, HOOK): self.made.record}
        self.bell = MemoryBell()
        self.door = Door(MemoryHooks("", self.hooks), self.bell, self.clock)
        self.tokens = GoogleTokens(self.fetch, PyJwtVerifier())

    def fetch(self, issuer: str) -> Sequence[Key]:
        self.asked.append(issuer)
        if self.out:
            raise IssuerUnusable("The issuer can't be reached.")
        return self.issuer.keys

    def claims(self, **more: Any) -> dict[str, Any]:
        """What Pub/Sub's token says; ``None`` takes a claim away."""
        now = int(self.clock.moment.timestamp())
        said = {
            "iss": GOOGLE, "aud": f"byoa:{HOOK}", "azp": "1", "sub": "1", "email": SERVICE_ACCOUNT,
            "email_verified": True, "iat": now - 10, "exp": now + 3600,
        }  # fmt: skip
        return {name: value for name, value in {**said, **more}.items() if value is not None}

    def sign(self, **more: Any) -> str:
        return self.issuer.sign(self.claims(**more))

    def send(self, authorization: str | None) -> Answer:
        """A delivery of Pub/Sub's to the hook."""
        event = json.loads(EVENT.read_bytes())
        event["rawPath"] = self.made.path
        event["headers"].pop("authorization")
        event["headers"] |= {"Authorization": authorization} if authorization is not None else {}
        return self.door.take(event)

    def proves(self, token: str | None) -> bool:
        return self.tokens.prove(self.made.record, token, int(self.clock.moment.timestamp() * 1000))


@pytest.fixture
def google() -> Google:
    return Google()


OTHERS: dict[str, dict[str, Any]] = {
    "another service account": {"email": "byoa@other-project.iam.gserviceaccount.com"},
    "no service account": {"email": None},
    "an address that nobody verified": {"email_verified": False},
    "an address of which nothing is said": {"email_verified": None},
    "an address that is called verified by a text": {"email_verified": "true"},
    "another hook's audience": {"aud": "byoa:hok" + "h" * 23},
    "no audience": {"aud": None},
    "several audiences": {"aud": [f"byoa:{HOOK}", "another"]},
    "another issuer": {"iss": "https://accounts.google.com.example.com"},
    "an issuer with a slash": {"iss": f"{GOOGLE}/"},
}


def test_a_token_for_the_hook_is_taken_and_goes_on_to_be_verified(google: Google) -> None:
    for issuer in (GOOGLE, "accounts.google.com"):
        token = google.sign(iss=issuer)
        assert google.send(f"Bearer {token}").status == 202
        assert google.bell.told[-1].token == token
        assert google.proves(token)
    assert google.asked == [GOOGLE], "once, by the name that its keys are found by"


@pytest.mark.parametrize("claims", OTHERS.values(), ids=OTHERS)
def test_a_token_that_says_something_else_is_refused_by_both(google: Google, claims: dict[str, Any]) -> None:
    token = google.sign(**claims)
    answer = google.send(f"bearer {token}")
    assert (answer.status, answer.body["code"]) == (401, "token_wrong")
    assert not google.proves(token)
    assert google.bell.told == []


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dTpw"])
def test_a_delivery_without_a_token_is_refused(google: Google, header: str | None) -> None:
    answer = google.send(header)
    assert (answer.status, answer.body["code"]) == (401, "token_missing")
    assert not google.proves(None)


@pytest.mark.parametrize("header", ["Bearer x", "Bearer a.b.c", f"Bearer {segment({})}.{segment({})}.{segment({})}"])
def test_what_is_no_token_is_refused(google: Google, header: str) -> None:
    assert google.send(header).body["code"] == "token_wrong"
    assert not google.proves(header.partition(" ")[2])


def test_a_token_is_good_for_its_time_and_a_minute(google: Google) -> None:
    token = google.sign()
    google.clock.moment += timedelta(seconds=3600 + 50)
    assert google.proves(token)
    assert google.send(f"Bearer {token}").status == 202
    google.clock.moment += timedelta(seconds=20)
    assert not google.proves(token)
    assert google.send(f"Bearer {token}").body["code"] == "token_wrong"
    now = int(google.clock.moment.timestamp())
    for odd in ({"exp": now + 3 * 86400}, {"iat": now + 300}, {"nbf": now + 300}, {"exp": None}, {"exp": "9"}):
        assert not google.proves(google.sign(**odd))


def test_a_token_that_google_did_not_sign_proves_nothing(google: Google) -> None:
    forger = Issuer(name=GOOGLE, number=2)
    forged = forger.sign(google.claims())
    assert google.send(f"Bearer {forged}").status == 202, "the door has no keys"
    assert not google.proves(forged)
    head, body, signature = google.sign().split(".")
    claims = segment(google.claims(sub="2"))
    assert not google.proves(f"{head}.{claims}.{signature}")
    unsigned = ".".join((segment({"alg": "none", "kid": "rsa"}), body, ""))
    assert not google.proves(unsigned)
    assert google.send(f"Bearer {unsigned}").status == 401


def test_an_address_in_a_token_is_no_audience(google: Google) -> None:
    """Pub/Sub's default audience is the URL, which has a secret: it doesn't travel on."""
    url = f"https://hooks.example.com{google.made.path}"
    assert google.send(f"Bearer {google.sign(aud=url)}").body["code"] == "token_wrong"
    assert google.bell.told == []


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_keys_are_kept_for_an_hour_and_asked_for_once_a_minute_whatever_tokens_name(google: Google) -> None:
    unknown = google.issuer.sign(google.claims(), header={"kid": "another"})
    assert google.proves(google.sign())
    for _ in range(3):
        assert not google.proves(unknown)
    assert len(google.asked) == 1
    google.clock.moment += timedelta(minutes=1)
    assert not google.proves(unknown)
    assert len(google.asked) == 2
    google.clock.moment += timedelta(hours=1)
    assert google.proves(google.sign())
    assert len(google.asked) == 3


def test_old_keys_are_better_than_none_for_a_day(google: Google) -> None:
    assert google.proves(google.sign())
    google.out = True
    google.clock.moment += timedelta(hours=2)
    assert google.proves(google.sign())
    google.clock.moment += timedelta(hours=23)
    with pytest.raises(IssuerUnusable):
        google.proves(google.sign())
    google.out = False
    assert google.proves(google.sign()), "the next try asks at once"


def test_without_any_keys_the_notice_is_tried_again(google: Google) -> None:
    google.out = True
    for _ in range(2):
        with pytest.raises(IssuerUnusable):
            google.proves(google.sign())


def test_nobody_is_asked_for_keys_by_what_isnt_for_the_hook(google: Google) -> None:
    assert not google.proves(google.sign(aud="another"))
    assert google.asked == []


# ---- who follows -----------------------------------------------------------------------------------------------------


def heed(bench: Bench, google: Google, token: str | None, kind: str = "gar") -> Followed:
    bench.clock.moment = google.clock.moment
    bench.google = google.tokens
    bench.hooks |= google.hooks
    return bench.heed(hook_id=HOOK, token=token, kind=kind)


def test_who_follows_tags_verifies_before_anybody_is_asked(google: Google) -> None:
    bench = Bench()
    bench.build(bench.submit(source=f'url = "oci://{HOST}/{REPOSITORY}"\ntag = "v1"'), bench.push("old"))
    bench.push("new")
    for token in (None, Issuer(name=GOOGLE, number=2).sign(google.claims()), google.sign(email="x@y.example")):
        refused = heed(bench, google, token)
        assert (refused.refused, refused.components, bench.asked) == (True, 0, [])
    assert heed(bench, google, None, kind="quay").refused, "the hook's record says what proves it, not the event"
    assert heed(bench, google, google.sign()).moved == 1
