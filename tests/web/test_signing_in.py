"""Signing in at the dashboard with an issuer: the flow by loopback, and everything that may not let anybody in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from byoa.adapters.memory.vault import MemoryClientSecrets
from byoa.errors import IssuerUnusable, StoreThrottled
from byoa.trust.client_secrets import BASIC, read_client_secret
from byoa.trust.secrets import client_secret_name
from byoa.trust.signing_in import challenge_of
from byoa.web.pages.providers import NOT_BEGUN, NOT_FITTING, NOT_NOW, NOT_SAID, NOT_THERE
from tests.api.served import ORG, OTHER, Answer, Served
from tests.issuer import AUTHORIZE, CLIENT, DISCOVERY, JWKS, TOKEN, Issuer, issuing
from tests.web.browsing import HOST, Browser, Shown, links

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.trust.signing_in import CodeExchanged, CodeGiven

LOGIN = "https://login.vendor.example"
CALLBACK = f"https://{HOST}/auth/callback"
RULE: dict[str, Any] = {
    "name": "Vendor", "issuer": LOGIN, "audience": CLIENT, "claims": {"email": "*@vendor.example"}, "scopes": ["sync"],
    "sign_in": True,
}  # fmt: skip
SESSION, SIGNING = "__Host-session", "__Host-signing"


class Person:
    """Somebody with a browser, and an account at an issuer."""

    def __init__(self, issuer: Issuer, served: Served | None = None) -> None:
        self.browser, self.issuer = Browser(served or Served()), issuer
        self.browser.served.fetch_keys = issuer.fetch
        self.browser.exchange = issuer.exchange

    def rule(self, *, org: str = ORG, **changed: Any) -> Answer:
        served = self.browser.served
        return served.ask("POST", "/v1/issuers", {**RULE, **changed}, token=served.token(org=org))

    @property
    def rule_id(self) -> str:
        return str(self.browser.served.rules[ORG][0].id)

    @property
    def now(self) -> float:
        return self.browser.served.clock.moment.timestamp()

    def leave(self, following: str = "", org: str = ORG) -> Shown:
        return self.browser.get(f"/auth/with/{org}/{self.rule_id}?{urlencode({'next': following})}")

    def go(self, following: str = "", **claims: Any) -> dict[str, str]:
        """To the issuer; what it sends back with."""
        return self.issuer.sign_in(self.leave(following).place, self.now, **claims)

    def come_back(self, query: dict[str, str]) -> Shown:
        return self.browser.get(f"/auth/callback?{urlencode(query)}", sec_fetch_site="cross-site")

    def sign_in(self, following: str = "", **claims: Any) -> Shown:
        return self.come_back(self.go(following, **claims))

    def account(self) -> Answer:
        return self.browser.served.ask("GET", "/v1/account", token=self.browser.cookies.get(SESSION, "none"))


@pytest.fixture
def person() -> Iterator[Person]:
    with issuing(Issuer(LOGIN)) as issuer:
        found = Person(issuer)
        made = found.rule()
        assert (made.status, made.json["sign_in"]) == (201, True), made.text
        yield found


def refused(person: Person, shown: Shown, told: str, status: int = 401) -> bool:
    """Nobody is let in, what was begun is over, and the page says so."""
    assert (shown.status, person.browser.cookies.keys() & {SESSION, SIGNING}) == (status, set()), shown.text
    assert told in shown.words
    return True


def confidential(person: Person, secret: str, *ways: str) -> None:
    """The issuer's client has a secret from now on, which the rule is made anew with."""
    person.issuer.secret, person.issuer.ways = secret, ways
    served = person.browser.served
    assert served.ask("DELETE", f"/v1/issuers/{person.rule_id}").status == 204
    made = person.rule(client_secret=secret)
    assert (made.status, made.json["has_client_secret"]) == (201, True), made.text

    def exchange(given: CodeGiven) -> CodeExchanged:
        """As ExchangeCode does: the message says whose secret it is, and the secret isn't in it."""
        assert secret not in given.model_dump_json()
        kept = served.client_secrets.get(client_secret_name(given.organisation, given.rule), "")
        return person.issuer.exchange(given, read_client_secret(kept, given.issuer, given.client_id))

    person.browser.exchange = exchange


# ---- the way in --------------------------------------------------------------------------------------------------


def test_a_button_leads_to_the_issuer_with_what_proves_whose_the_answer_is(person: Person) -> None:
    shown = person.browser.get(f"/auth/login?org={ORG}&next=/apps/shop")
    assert "Sign in with Vendor" in shown.words
    assert "API token" in shown.words
    (link,) = [each for each in links(shown) if each.startswith("/auth/with/")]
    place = urlsplit(person.browser.get(link.replace("&amp;", "&")).place)
    asked = dict(parse_qsl(place.query))
    assert f"{place.scheme}://{place.netloc}{place.path}" == LOGIN + AUTHORIZE
    assert asked.pop("tenant") == "a", "a query of the issuer's own stays"
    kept = dict(parse_qsl(person.browser.cookies[SIGNING]))
    assert asked == {
        "response_type": "code", "client_id": CLIENT, "redirect_uri": CALLBACK, "scope": "openid email",
        "state": kept["state"], "nonce": kept["nonce"], "code_challenge": challenge_of(kept["verifier"]),
        "code_challenge_method": "S256",
    }  # fmt: skip
    assert len({kept["state"], kept["nonce"], kept["verifier"]}) == 3
    assert kept["verifier"] not in place.query


def test_who_comes_back_has_a_session_of_the_rule_s_scopes_and_goes_on(person: Person) -> None:
    shown = person.sign_in("/apps/shop?q=a")
    assert (shown.status, shown.place) == (303, "/apps/shop?q=a")
    assert all(each.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax") for each in shown.cookies)
    account = person.account().json
    assert account["name"] == "session of person@vendor.example (person)"
    assert (account["org_ids"], account["scopes"]) == ([ORG], ["sync"])
    assert person.browser.get("/apps/shop").status == 200
    assert SIGNING not in person.browser.cookies
    assert person.issuer.asked == [DISCOVERY, JWKS, DISCOVERY, TOKEN], "keys are known, as of every rule"


@pytest.mark.parametrize(
    "ways",
    [(), ("client_secret_basic",), ("client_secret_post",), ("private_key_jwt", "client_secret_post"), ("none", BASIC)],
    ids=str,
)
def test_a_client_with_a_secret_shows_it_as_the_issuer_takes_it(person: Person, ways: tuple[str, ...]) -> None:
    confidential(person, "s3cret of:it/&+%", *ways)
    shown = person.sign_in("/apps/shop")
    assert (shown.status, shown.place) == (303, "/apps/shop"), shown.text
    assert person.account().status == 200


def test_a_secret_that_expired_is_told_and_another_one_is_stored(person: Person) -> None:
    confidential(person, "canary-old")
    person.issuer.secret = "canary-new"
    shown = person.sign_in()
    assert refused(person, shown, "The issuer doesn't take the client's secret.", 502)
    assert "canary" not in shown.text
    served, place = person.browser.served, f"/v1/issuers/{person.rule_id}/client-secret"
    stored = served.ask("PUT", place, {"client_secret": "canary-new"})
    assert (stored.status, "canary" in stored.text) == (200, False)
    assert person.sign_in().status == 303


def test_an_issuer_that_takes_no_password_is_told(person: Person) -> None:
    confidential(person, "canary", "private_key_jwt")
    shown = person.sign_in()
    assert refused(person, shown, "takes a client's secret in no way that is known here", 502)


def test_a_client_s_secret_goes_to_the_issuer_that_it_was_stored_for_alone(person: Person) -> None:
    confidential(person, "canary")
    (kept,) = person.browser.served.client_secrets.values()
    for issuer, client in (("https://evil.example", CLIENT), (LOGIN, "another")):
        with pytest.raises(IssuerUnusable, match="another client"):
            read_client_secret(kept, issuer, client)
    for text in ("", "{}", "[]", "canary", '{"issuer": "a"}'):
        with pytest.raises(IssuerUnusable) as raised:
            read_client_secret(text, LOGIN, CLIENT)
        assert "canary" not in str(raised.value.as_dict())


def test_whoever_deletes_a_rule_lets_nobody_in_though_its_secret_can_t_be_deleted_yet(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    confidential(person, "canary")
    served, place = person.browser.served, f"/v1/issuers/{person.rule_id}"
    with monkeypatch.context() as patched:
        patched.setattr(MemoryClientSecrets, "delete", _throttled)
        assert served.ask("DELETE", place).status == 503
    assert (served.ask("GET", "/v1/issuers").json, [*served.client_secrets.values()] != []) == ([], True)
    assert served.ask("DELETE", place).status == 404
    assert served.client_secrets == {}


def _throttled(*_: object) -> None:
    raise StoreThrottled("Secrets Manager is busy.")


def test_a_public_client_shows_nothing_and_gets_no_secret_later(person: Person) -> None:
    served = person.browser.served
    stored = served.ask("PUT", f"/v1/issuers/{person.rule_id}/client-secret", {"client_secret": "a"})
    assert (stored.status, stored.json["errors"][0]["code"]) == (422, "combination")
    assert served.ask("PUT", f"/v1/issuers/iss{'a' * 23}/client-secret", {"client_secret": "a"}).status == 404
    without = person.rule(sign_in=False, client_secret="a")
    assert (without.status, without.json["errors"][0]["pointer"]) == (422, "/body/client_secret")
    assert served.client_secrets == {}
    person.issuer.secret = "a"
    assert refused(person, person.sign_in(), NOT_FITTING)


def test_the_audit_says_who_signed_in_and_what_they_did(person: Person) -> None:
    person.sign_in()
    person.browser.post("/apps/shop/components/none/build")
    deeds = person.browser.served.ask("GET", "/v1/audit").json
    assert [each["operation"] for each in deeds[:2]] == ["create_build", "create_session"]
    assert deeds[0]["token_name"] == "session of person@vendor.example (person)"
    assert deeds[1]["token_id"] == person.rule_id


def test_an_address_that_nobody_has_seen_to_be_theirs_is_no_name(person: Person) -> None:
    person.sign_in(email_verified=False)
    assert person.account().json["name"] == "session of person"


def test_the_organisation_is_offered_again_the_next_time(person: Person) -> None:
    assert "Sign in with" not in person.browser.get("/auth/login").words
    person.sign_in()
    person.browser.post("/auth/logout")
    assert "Sign in with Vendor" in person.browser.get("/auth/login").words


def test_the_platform_may_show_an_organisation_s_ways_to_everybody_and_each_client_once(person: Person) -> None:
    person.rule(name="Admins", claims={"groups": "admins"}, scopes=["admin"])
    person.rule(name="Jobs", issuer=LOGIN, audience="jobs", sign_in=False)
    person.browser.shown = (ORG,)
    person.browser.open()
    shown = person.browser.get("/auth/login").words
    assert shown.count("Sign in with") == 1
    assert "Jobs" not in shown


def test_what_is_typed_stays_while_somebody_signs_in_in_another_tab(person: Person) -> None:
    person.browser.shown = (ORG,)
    person.browser.open()
    shown = person.browser.post("/apps/shop/new", {"toml": "name = 1", "act": "check"})
    assert (shown.status, 'target="_blank"' in shown.text) == (401, True)
    form = {"next": "/apps/shop/new", "kept.toml": "name = 1", "act": "go on", "token": ""}
    assert "You are not signed in yet" in person.browser.post("/auth/login", form).words
    person.sign_in()
    assert 'name="toml" value="name = 1"' in person.browser.post("/auth/login", form).text


@pytest.mark.parametrize("place", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\nb"])
def test_and_never_leads_to_elsewhere(person: Person, place: str) -> None:
    assert person.sign_in(place).place == "/"


# ---- how it ends -------------------------------------------------------------------------------------------------


def test_a_session_ends_when_the_id_token_does(person: Person) -> None:
    person.sign_in()
    person.browser.served.clock.moment += timedelta(seconds=299)
    assert person.browser.get("/").status == 200
    person.browser.served.clock.moment += timedelta(seconds=1)
    assert person.browser.get("/").place == "/auth/login"


def test_a_session_is_no_way_to_a_longer_one(person: Person) -> None:
    person.sign_in()
    made = person.browser.served.ask("POST", "/v1/sessions", token=person.browser.cookies[SESSION]).json
    assert made["expires_at"] == person.account().json["expires_at"]
    person.browser.served.ask("DELETE", f"/v1/issuers/{person.rule_id}")
    assert person.browser.served.ask("GET", "/v1/account", token=made["token"]).code == "token_refused"


def test_a_session_may_what_the_rules_let_do_that_are_left(person: Person) -> None:
    admins = person.rule(name="Admins", claims={"groups": "admins"}, scopes=["admin"]).json["id"]
    person.sign_in(groups=["admins", "all"])
    assert person.account().json["scopes"] == ["sync", "admin"]
    assert person.browser.get("/tokens").status == 200
    person.browser.served.ask("DELETE", f"/v1/issuers/{admins}")
    assert person.account().json["scopes"] == ["sync"]
    assert person.browser.get("/tokens").status == 403
    person.browser.served.ask("DELETE", f"/v1/issuers/{person.rule_id}")
    assert person.account().code == "token_refused"
    assert person.browser.get("/").place == "/auth/login"


def test_signing_out_ends_it_at_the_api_too(person: Person) -> None:
    person.sign_in()
    session = person.browser.cookies[SESSION]
    assert person.browser.post("/auth/logout").place == "/auth/login"
    assert person.browser.served.ask("GET", "/v1/account", token=session).code == "token_refused"


# ---- what lets nobody in -----------------------------------------------------------------------------------------


def test_what_another_browser_began_is_refused_here(person: Person) -> None:
    """Somebody leads a browser to a callback of their own: it would sign in its owner as them."""
    stranger = Person(person.issuer, person.browser.served)
    answer = stranger.go()
    assert refused(person, person.come_back(answer), NOT_BEGUN)
    person.leave()
    assert refused(person, person.come_back(answer), NOT_BEGUN), "nor in the middle of one of its own"
    assert TOKEN not in person.issuer.asked


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_signs_nobody_in_to_an_organisation_of_its_own(person: Person, site: str) -> None:
    person.browser.sign_in("read", org=OTHER)
    link = f"/auth/with/{ORG}/{person.rule_id}?next=/apps/shop"
    shown = person.browser.get(link, sec_fetch_site=site)
    assert (shown.status, shown.place) == (303, f"/auth/login?org={ORG}&next=%2Fapps%2Fshop")
    assert person.browser.cookies.keys() == {SESSION}
    assert person.browser.get(shown.place).place == "/apps/shop", "who is signed in stays who they are"
    person.browser.cookies.clear()
    asked = person.browser.get(shown.place)
    assert "Sign in with Vendor" in asked.words
    assert person.browser.get(link, sec_fetch_site="same-origin").place.startswith(LOGIN)


@pytest.mark.parametrize("state", ["", "forged", "ü", "\udcff"], ids=ascii)
def test_a_forged_state_is_refused_before_anybody_is_asked(person: Person, state: str) -> None:
    answer = person.go()
    query = urlencode({"code": answer["code"], "state": state}, errors="surrogateescape")
    assert refused(person, person.browser.get(f"/auth/callback?{query}"), NOT_BEGUN)
    assert TOKEN not in person.issuer.asked
    assert refused(person, person.come_back(answer), NOT_BEGUN), "it was begun once"


@pytest.mark.parametrize("kept", ["", "state=a", "state=a&state=b", "%00", "a=1&b=2&c=3&d=4&e=5&f=6"])
def test_a_forged_cookie_is_none(person: Person, kept: str) -> None:
    person.browser.cookies[SIGNING] = kept
    assert refused(person, person.come_back({"code": "code-0", "state": "a"}), NOT_BEGUN)


def test_a_code_is_good_once(person: Person) -> None:
    answer = person.go()
    kept = person.browser.cookies[SIGNING]
    assert person.come_back(answer).status == 303
    person.browser.post("/auth/logout")
    assert refused(person, person.come_back(answer), NOT_BEGUN), "the browser forgot it"
    person.browser.cookies[SIGNING] = kept
    assert refused(person, person.come_back(answer), NOT_FITTING), "and the issuer did"


def test_a_code_that_was_stolen_is_nothing_without_its_verifier(person: Person) -> None:
    stolen = person.go()
    thief = Person(person.issuer, person.browser.served)
    own = thief.go()
    assert refused(thief, thief.come_back({**own, "code": stolen["code"]}), NOT_FITTING)


HOSTILE: dict[str, dict[str, Any]] = {
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "a nonce that is a number": {"nonce": 7},
    "another audience": {"aud": "another-client"},
    "two audiences": {"aud": [CLIENT, "another-client"]},
    "another's client": {"azp": "another-client"},
    "another issuer": {"iss": "https://evil.example"},
    "nobody": {"sub": None},
    "somebody of elsewhere": {"email": "person@elsewhere.example"},
    "expired": {"exp": 0},
    "good for a week": {"exp": 4_000_000_000},
}


@pytest.mark.parametrize("claims", HOSTILE.values(), ids=HOSTILE)
def test_a_token_that_is_not_for_this_sign_in_is_refused(person: Person, claims: dict[str, Any]) -> None:
    assert refused(person, person.sign_in(**claims), NOT_FITTING)


def test_a_token_of_another_issuer_that_the_organisation_trusts_is_no_answer_of_this_one(person: Person) -> None:
    with issuing(Issuer("https://other.example", number=2)) as other:
        person.browser.served.fetch_keys = other.fetch
        assert person.rule(name="Other", issuer=other.name, audience="other").status == 201
        for audience in (CLIENT, "other"):
            asked = dict(parse_qsl(urlsplit(person.leave().place).query))
            person.issuer.codes["mixed"] = (asked, {})
            token = other.sign(other.claims(person.now, audience, nonce=asked["nonce"], email="a@vendor.example"))
            person.issuer.script = _answers(token)
            assert refused(person, person.come_back({"code": "mixed", "state": asked["state"]}), NOT_FITTING)


def test_a_token_that_somebody_else_signed_is_refused(person: Person) -> None:
    asked = dict(parse_qsl(urlsplit(person.leave().place).query))
    claims = person.issuer.claims(person.now, CLIENT, nonce=asked["nonce"], email="a@vendor.example")
    person.issuer.script = _answers(Issuer(LOGIN, number=3).sign(claims))
    assert refused(person, person.come_back({"code": "any", "state": asked["state"]}), NOT_FITTING)


def test_an_answer_that_says_another_issuer_is_refused(person: Person) -> None:
    """RFC 9207: one issuer's code is not shown to another."""
    assert refused(person, person.come_back({**person.go(), "iss": "https://evil.example"}), NOT_SAID)
    assert TOKEN not in person.issuer.asked
    assert person.come_back({**person.go(), "iss": LOGIN}).status == 303


@pytest.mark.parametrize("answer", [{"error": "access_denied"}, {"error": "<b>", "error_description": "<b>no"}, {}])
def test_an_issuer_that_refuses_is_told_of_in_words_of_ours(person: Person, answer: dict[str, str]) -> None:
    state = person.go()["state"]
    shown = person.come_back({**answer, "state": state})
    assert refused(person, shown, NOT_SAID)
    assert "<b>" not in shown.text


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, b"{}", "The issuer answers with 500 where a code is handed in."),
        (200, b"{}", "The issuer answers a code with no ID token."),
        (200, b'{"id_token": 7}', "The issuer answers a code with no ID token."),
        (200, b'{"id_token": "a.b"}', "The issuer answers a code with no ID token."),
        (200, b"[" * 5000, "The issuer answers a code with no ID token."),
        (200, b" " * 70_000, "The issuer answers a code with no ID token."),
        (302, b"", "The issuer answers with 302 where a code is handed in."),
    ],
)
def test_an_issuer_that_fails_is_told_of_with_what_to_do(person: Person, status: int, body: bytes, told: str) -> None:
    person.issuer.script = lambda path: (status, {}, body) if path == TOKEN else None
    assert refused(person, person.sign_in(), told, 502)


def test_a_rule_that_went_meanwhile_lets_nobody_in(person: Person) -> None:
    answer = person.go()
    person.browser.served.ask("DELETE", f"/v1/issuers/{person.rule_id}")
    assert refused(person, person.come_back(answer), NOT_THERE, 404)


@pytest.mark.parametrize("org", [OTHER, "org_none00000000", "nonsense"])
def test_a_rule_is_its_own_organisation_s(person: Person, org: str) -> None:
    assert refused(person, person.leave(org=org), NOT_THERE, 404)
    assert "No provider is known here" in person.browser.get(f"/auth/login?org={org}").words


def test_a_rule_on_jobs_signs_nobody_in(person: Person) -> None:
    person.rule(name="Jobs", audience="jobs", sign_in=False)
    jobs = person.browser.served.rules[ORG][1].id
    assert person.browser.get(f"/auth/with/{ORG}/{jobs}").status == 404
    job = person.issuer.sign(person.issuer.claims(person.now, "jobs", email="a@vendor.example"))
    assert person.browser.served.ask("POST", "/v1/sessions", token=job, x_nuon_org_id=ORG).code == "token_refused"


def test_strangers_have_an_issuer_asked_sixty_times_a_minute(person: Person) -> None:
    asked: list[Any] = []

    def out(given: Any) -> Any:
        asked.append(given)
        raise IssuerUnusable("The issuer can't be reached.")

    person.browser.exchange = out
    for _ in range(60):
        refused(person, person.sign_in(), "The issuer can't be reached.", 502)
    assert refused(person, person.sign_in(), NOT_NOW, 429)
    assert len(asked) == 60
    person.browser.served.clock.moment += timedelta(minutes=1)
    assert refused(person, person.sign_in(), "The issuer can't be reached.", 502)


# ---- rules -------------------------------------------------------------------------------------------------------


def test_a_rule_to_sign_in_by_names_its_client(person: Person) -> None:
    answer = person.rule(audience=None)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/body/audience")


def test_an_issuer_that_nobody_signs_in_with_is_said_to_be_none(person: Person) -> None:
    told = b'{"issuer": "%s", "jwks_uri": "%s"}' % (LOGIN.encode(), f"{LOGIN}{JWKS}".encode())
    person.issuer.script = lambda path: (200, {}, told) if path == DISCOVERY else None
    assert person.rule().json["detail"] == "Nobody signs in with this issuer: its document names no place for it."
    assert person.rule(sign_in=False).status == 201


def _answers(token: str) -> Callable[[str], tuple[int, dict[str, str], bytes] | None]:
    body = b'{"id_token": "%s"}' % token.encode()
    return lambda path: (200, {}, body) if path == TOKEN else None
