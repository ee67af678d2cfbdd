"""JWTs at the API: an issuer on loopback signs them, an organisation's rules let them in, and hostile ones stay out."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from byoa.api.issuers import RULE_LIMIT, RULES_LIMIT, is_too_wide
from byoa.errors import IssuerUnusable
from byoa.trust.jwts import LIMIT, LONGEST, SKEW
from tests.api.served import APP, ORG, OTHER, Answer, Served
from tests.issuer import DISCOVERY, GITHUB, JWKS, KINDS, Issuer, issuing, private, public, segment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from byoa.trust.issuers import KeysFound

COMPONENTS = f"/v1/apps/{APP}/components"
AUDIENCE = f"byoa:{ORG}"
RULE: dict[str, Any] = {
    "name": "main", "issuer": GITHUB, "claims": {"repository": "vendor/app", "ref": "refs/heads/main"},
    "scopes": ["sync"],
}  # fmt: skip


class World:
    """The API with an issuer that it may ask."""

    def __init__(self, issuer: Issuer) -> None:
        self.served = Served()
        self.issuer = issuer
        self.served.fetch_keys = issuer.fetch

    @property
    def now(self) -> float:
        return self.served.clock.moment.timestamp()

    def rule(self, *, org: str = ORG, **changed: Any) -> Answer:
        return self.served.ask("POST", "/v1/issuers", {**RULE, **changed}, token=self.served.token(org=org))

    def claims(self, audience: str = AUDIENCE, **more: Any) -> dict[str, Any]:
        return self.issuer.claims(self.now, audience, **more)

    def token(self, algorithm: str = "RS256", header: Any = None, **claims: Any) -> str:
        return self.issuer.sign(self.claims(**claims), algorithm, header)

    def knock(self, token: str, path: str = "/v1/account", org: str = ORG) -> Answer:
        return self.served.ask("GET", path, token=token, x_nuon_org_id=org)

    def later(self, **time: float) -> None:
        self.served.clock.moment += timedelta(**time)


@pytest.fixture
def world() -> Iterator[World]:
    with issuing() as issuer:
        found = World(issuer)
        assert found.rule().status == 201
        yield found


def refused(answer: Answer) -> bool:
    return (answer.status, answer.code) == (401, "token_refused")


# ---- who is let in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", KINDS)
def test_a_token_that_meets_a_rule_lets_in_with_the_rule_s_scopes(world: World, algorithm: str) -> None:
    answer = world.knock(world.token(algorithm))
    rule = world.served.rules[ORG][0]
    assert answer.status == 200, answer.text
    assert answer.json["id"] == rule.id
    assert answer.json["name"] == "repo:vendor/app:ref:refs/heads/main"
    assert (answer.json["org_ids"], answer.json["scopes"]) == ([ORG], ["sync"])
    assert answer.json["expires_at"].startswith("2026-01-01T00:05:0")


def test_it_does_what_its_scopes_allow_and_the_audit_names_its_subject(world: World) -> None:
    token = world.token()
    made = world.served.ask("POST", COMPONENTS, {"name": "web"}, token=token, x_nuon_org_id=ORG)
    rule = world.served.rules[ORG][0]
    assert (made.status, made.json["created_by_id"]) == (201, rule.id)
    assert world.served.ask("GET", "/v1/issuers", token=token, x_nuon_org_id=ORG).code == "scope_missing"
    deeds = world.served.ask("GET", "/v1/audit").json
    assert (deeds[0]["token_name"], deeds[0]["token_id"]) == ("repo:vendor/app:ref:refs/heads/main", rule.id)
    assert token not in repr(world.served.deeds)


def test_the_organisation_may_be_named_in_the_query_but_has_to_be_named(world: World) -> None:
    token = world.token()
    assert world.served.ask("GET", f"/v1/account?org_id={ORG}", token=token).status == 200
    answer = world.served.ask("GET", "/v1/account", token=token)
    assert (answer.status, answer.code) == (401, "organisation_missing")
    both = world.served.ask("GET", f"/v1/account?org_id={OTHER}", token=token, x_nuon_org_id=ORG)
    assert refused(both), "two names are none"


def test_scopes_of_all_rules_that_are_met_add_up(world: World) -> None:
    world.rule(name="any branch", claims={"repository": "vendor/*"}, scopes=["deploy"])
    world.rule(name="elsewhere", claims={"repository": "other/*"}, scopes=["admin"])
    assert world.knock(world.token()).json["scopes"] == ["sync", "deploy"]
    answer = world.knock(world.token(ref="refs/heads/next"))
    assert (answer.json["scopes"], answer.json["id"]) == (["deploy"], world.served.rules[ORG][1].id)


def test_admin_is_a_rule_s_only_if_it_says_so(world: World) -> None:
    assert world.rule(scopes=[]).status == 422
    assert world.knock(world.token(), "/v1/tokens").code == "scope_missing"
    world.rule(scopes=["admin"])
    assert world.knock(world.token(), "/v1/tokens").status == 200


def test_a_key_of_idempotency_is_one_subject_s(world: World) -> None:
    world.rule(claims={"repository": "vendor/*"})
    for subject, status in (("a", 201), ("b", 409)):
        token = world.token(sub=subject, ref="refs/heads/next")
        answer = world.served.ask(
            "POST", COMPONENTS, {"name": "web"}, token=token, x_nuon_org_id=ORG, idempotency_key="one"
        )
        assert answer.status == status, "the second is asked, and not answered from what the first was told"


# ---- who isn't ---------------------------------------------------------------------------------------------------


def _none(world: World) -> str:
    return f"{segment({'alg': 'none', 'kid': 'rsa'})}.{segment(world.claims())}."


def _none_signed(world: World) -> str:
    return f"{segment({'alg': 'none', 'kid': 'rsa'})}.{segment(world.claims())}.{segment(b'signature')}"


def _by_public_key(world: World) -> str:
    """HS256 with the public key for a secret, in each form that somebody might take it in."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    pem = private("rsa").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = f"{segment({'alg': 'HS256', 'kid': 'rsa'})}.{segment(world.claims())}"
    return f"{body}.{segment(hmac.new(pem, body.encode(), hashlib.sha256).digest())}"


def _own_key(member: str) -> Callable[[World], str]:
    """Signed with a key of the stranger's, which the header names."""

    def make(world: World) -> str:
        stranger = Issuer(number=2)
        named = {
            "jwk": public("rsa", "rsa", 2), "jku": f"https://{world.issuer.host}/other", "x5u": "https://evil.example",
            "x5c": ["MIIB"],
        }[member]  # fmt: skip
        return stranger.sign(world.claims(), header={member: named})

    return make


def _changed(world: World) -> str:
    head, _, signature = world.token().split(".")
    return f"{head}.{segment(world.claims(repository='vendor/app', sub='somebody else'))}.{signature}"


def _twice(world: World) -> str:
    """A name that stands twice is two things to two readers."""
    said = json.dumps(world.claims())[:-1] + ', "iss": "https://evil.example"}'
    head, _, signature = world.token().split(".")
    return f"{head}.{segment(said.encode())}.{signature}"


def _of(**claims: Any) -> Callable[[World], str]:
    return lambda world: world.token(**claims)


def _headed(**header: Any) -> Callable[[World], str]:
    return lambda world: world.token(header=header)


def _moved(claim: str, seconds: float) -> Callable[[World], str]:
    def make(world: World) -> str:
        moved: dict[str, Any] = {claim: int(world.now + seconds)}
        return world.token(**moved)

    return make


def _ec_with_rsa_key(world: World) -> str:
    """Key confusion: the algorithm is another than the named key's."""
    return world.token("ES256", {"kid": "rsa"})


HOSTILE: dict[str, Callable[[World], str]] = {
    "no signature": _none,
    "no algorithm, signed": _none_signed,
    "the public key as a secret": _by_public_key,
    "own key in the header": _own_key("jwk"),
    "own key at an address": _own_key("jku"),
    "own certificate at an address": _own_key("x5u"),
    "own certificate": _own_key("x5c"),
    "a stranger's key under a known name": lambda world: Issuer(number=2).sign(world.claims()),
    "an algorithm for another key": _ec_with_rsa_key,
    "another algorithm than the key's": _headed(kid="ec"),
    "claims changed": _changed,
    "a claim twice": _twice,
    "another audience": _of(audience=f"byoa:{OTHER}"),
    "no audience": _of(aud=None),
    "two audiences": _of(aud=[AUDIENCE, "https://elsewhere.example"]),
    "audience a part": _of(audience=AUDIENCE[:-1]),
    "another issuer": _of(iss="https://evil.example"),
    "an issuer with a slash more": _of(iss=f"{GITHUB}/"),
    "no issuer": _of(iss=None),
    "an issuer that is a list": _of(iss=[GITHUB]),
    "expired": _moved("exp", -SKEW),
    "never expires": _of(exp=None),
    "expires in a week": _moved("exp", 7 * 24 * 3600),
    "expires at a text": _of(exp="tomorrow"),
    "expires at no number": _of(exp=float("inf")),
    "expires at true": _of(exp=True),
    "not yet": _moved("nbf", SKEW + 5),
    "made later": _moved("iat", SKEW + 5),
    "no subject": _of(sub=None),
    "an empty subject": _of(sub=""),
    "another repository": _of(repository="vendor/app2"),
    "a repository in other letters": _of(repository="Vendor/app"),
    "another branch": _of(ref="refs/heads/main2"),
    "no branch": _of(ref=None),
    "a claim that is an object": _of(ref={"ref": "refs/heads/main"}),
    "a name of a key that nobody has": _headed(kid="rsa-2"),
    "no name of a key": _headed(kid=None),
    "what is critical": _headed(crit=["exp"]),
    "a huge token": _of(padding="a" * LIMIT),
    "a huge name of a key": _headed(kid="a" * 5000),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_token_is_refused_as_all_others_are(world: World, how: str) -> None:
    before = world.knock(world.token())
    assert before.status == 200
    answer = world.knock(HOSTILE[how](world))
    assert refused(answer), answer.text
    plain = world.served.ask("GET", "/v1/account", token="byoa_nonsense")
    assert answer.json == plain.json, "nobody learns what is wrong"


@pytest.mark.parametrize("spoilt", [
    lambda token: token[:-4], lambda token: token + "=", lambda token: token.replace(".", "..", 1),
    lambda token: token + ".a", lambda token: "." + token, lambda token: token.split(".")[0], lambda token: "a.b.c",
    lambda token: token.replace(".", ". "), lambda token: "eyJ" * 3000, lambda token: f"{segment([])}.{segment({})}.AA",
    lambda token: f"{segment(b'{' * 2000)}.{segment(b'[' * 5000)}.AA",
])  # fmt: skip
def test_what_is_no_token_is_refused(world: World, spoilt: Callable[[str], str]) -> None:
    assert refused(world.knock(spoilt(world.token())))


def test_clocks_may_differ_by_a_minute(world: World) -> None:
    for claim, seconds in (("exp", 5 - SKEW), ("nbf", SKEW - 5), ("iat", SKEW - 5), ("exp", LONGEST)):
        assert world.knock(_moved(claim, seconds)(world)).status == 200, claim


def test_a_rule_lets_in_to_its_own_organisation_alone(world: World) -> None:
    """Confused deputy: the same job's token, and the same issuer and audience in another's rule."""
    token = world.token()
    assert refused(world.knock(token, org=OTHER)), "no rule there"
    assert world.rule(org=OTHER, claims={"repository": "stranger/*"}, audience=AUDIENCE).status == 201
    assert refused(world.knock(token, org=OTHER)), "another's rule is met, and it isn't knocked at there"
    theirs = world.token(repository="stranger/x", sub="repo:stranger/x:ref:refs/heads/main")
    assert world.knock(theirs, org=OTHER).json["org_ids"] == [OTHER]
    assert refused(world.knock(theirs))


@pytest.mark.parametrize("org", ["org_none00000000", "*", "org_*", "ORG_0123456789AB", f"{ORG}#x", "", " "])
def test_an_organisation_that_is_none_is_refused(world: World, org: str) -> None:
    answer = world.served.ask("GET", "/v1/account", token=world.token(), x_nuon_org_id=org)
    assert answer.code == ("organisation_missing" if not org else "token_refused")


def test_one_issuer_s_keys_verify_no_other_s_tokens(world: World) -> None:
    """Issuer mix-up: a stranger's issuer signs in the name of one that is trusted, and the other way round."""
    with issuing(Issuer("https://ci.example", number=3)) as other:
        github = world.issuer
        world.served.fetch_keys = lambda org, name: (other if name == other.name else github).fetch(org, name)
        assert world.rule(issuer=other.name, claims={"sub": "job-1"}, scopes=["admin"]).status == 201
        assert world.knock(other.sign(other.claims(world.now, AUDIENCE, sub="job-1"))).json["scopes"] == ["admin"]
        assert refused(world.knock(other.sign(world.claims())))
        assert refused(world.knock(github.sign(other.claims(world.now, AUDIENCE, sub="job-1"))))


def test_an_issuer_s_name_is_not_for_another_s_keys(world: World) -> None:
    """The document of an issuer has to have its name (OpenID Connect Discovery, 4.3)."""
    assert world.rule(issuer=f"{GITHUB}/", audience="x").code == "IssuerUnusable"


def test_a_rule_that_is_deleted_lets_nobody_in(world: World) -> None:
    token = world.token()
    rule = world.served.rules[ORG][0].id
    assert world.served.ask("DELETE", f"/v1/issuers/{rule}").status == 204
    assert refused(world.knock(token))
    assert world.served.ask("DELETE", f"/v1/issuers/{rule}").status == 404


# ---- keys --------------------------------------------------------------------------------------------------------


def test_keys_are_asked_for_with_the_rule_and_then_once_an_hour(world: World) -> None:
    assert world.issuer.asked == [DISCOVERY, JWKS]
    for _ in range(3):
        assert world.knock(world.token()).status == 200
    assert world.issuer.asked == [DISCOVERY, JWKS]
    world.later(hours=1)
    for _ in range(3):
        assert world.knock(world.token()).status == 200
    assert world.issuer.asked == [DISCOVERY, JWKS] * 2


def test_a_key_that_is_new_is_asked_for_and_one_that_is_gone_is_forgotten(world: World) -> None:
    old = world.token(exp=int(world.now) + 7200)
    world.issuer.number = 4
    world.issuer.keys = [public("rsa", "rsa-2", 4)]
    assert world.knock(world.token(header={"kid": "rsa-2"})).status == 200
    assert refused(world.knock(old))


def test_strangers_have_an_issuer_asked_once_a_minute(world: World) -> None:
    for number in range(20):
        assert refused(world.knock(world.token(header={"kid": f"made-up-{number}"})))
    assert world.issuer.asked == [DISCOVERY, JWKS] * 2
    assert world.knock(world.token()).status == 200
    world.later(minutes=1)
    assert refused(world.knock(world.token(header={"kid": "made-up"})))
    assert world.issuer.asked == [DISCOVERY, JWKS] * 3


def test_strangers_have_nobody_asked_whom_no_rule_names(world: World) -> None:
    asked = len(world.issuer.asked)
    assert refused(world.knock(world.token(iss="https://169.254.169.254")))
    assert refused(world.knock(world.token(header={"kid": "x"}), org=OTHER))
    assert len(world.issuer.asked) == asked


def test_an_issuer_that_is_out_is_believed_for_a_day(world: World) -> None:
    def out(_: str, __: str) -> KeysFound:
        raise IssuerUnusable("The issuer can't be reached.")

    world.served.fetch_keys = out
    world.later(hours=23)
    assert world.knock(world.token()).status == 200
    world.later(hours=2)
    assert refused(world.knock(world.token()))


# ---- rules -------------------------------------------------------------------------------------------------------


def test_a_rule_is_told_as_it_was_made(world: World) -> None:
    made = world.rule(name="tags", claims={"repository": ["vendor/a", "vendor/b"], "ref": "refs/tags/v*"}).json
    assert made["audience"] == AUDIENCE
    assert made["claims"] == {"repository": ["vendor/a", "vendor/b"], "ref": ["refs/tags/v*"]}
    assert made in world.served.ask("GET", "/v1/issuers").json
    first, second = (world.served.ask("GET", f"/v1/issuers?limit=1&offset={number}") for number in (0, 1))
    assert [each.headers["X-Nuon-Page-Next"] for each in (first, second)] == ["true", "false"]
    assert world.served.ask("GET", "/v1/issuers", token=world.served.token(org=OTHER)).json == []


WIDE: list[tuple[str, dict[str, Any]]] = [
    (GITHUB, {"ref": "refs/heads/main"}),
    (GITHUB, {"repository": "*"}),
    (GITHUB, {"repository": "*/app"}),
    (GITHUB, {"repository": "vend*"}),
    (GITHUB, {"repository": "v*dor/app"}),
    (GITHUB, {"repository": ["vendor/app", "*/app"]}),
    (GITHUB, {"repository_owner": "vendor*"}),
    (GITHUB, {"sub": "repo:*"}),
    (GITHUB, {"sub": "repo:vendor*"}),
    (GITHUB, {"sub": "*:environment:production"}),
    (GITHUB, {"job_workflow_ref": "vendor/app/.github/workflows/build.yml@refs/heads/main"}),
    (f"{GITHUB}/", {"ref": "refs/heads/main"}),
    ("https://gitlab.com", {"ref": "main", "ref_protected": "true"}),
    ("https://gitlab.com", {"project_path": "vendor*"}),
    ("https://accounts.google.com", {"email": "*@vendor.example"}),
    ("https://accounts.google.com", {"email": "me@vendor.example"}),
    ("https://accounts.google.com", {"email": "*@vendor.example", "email_verified": "true"}),
    ("https://accounts.google.com", {"email": "me@vendor.example", "email_verified": "*"}),
    ("https://accounts.google.com", {"email": "me@vendor.example", "email_verified": ["true", "false"]}),
    ("https://accounts.google.com", {"email": ["me@vendor.example", "*"], "email_verified": "true"}),
    ("https://oauth2.sigstore.dev/auth", {"email": "me@vendor.example"}),
    ("https://oauth2.sigstore.dev/auth", {"email_verified": "true"}),
    ("https://appleid.apple.com", {"email_verified": "true"}),
    ("https://login.microsoftonline.com/common/v2.0", {"sub": "a", "tid": "b"}),
    ("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", {"email": "me@vendor.example"}),
    ("https://oidc.circleci.com", {"oidc.circleci.com/vcs-ref": "refs/heads/main"}),
    ("https://oidc.circleci.com", {"sub": "org/*"}),
    ("https://oidc.codefresh.io", {"scm_repo_url": "https://github.com/vendor/app"}),
    ("https://oidc.vercel.com", {"environment": "production"}),
    ("https://agent.buildkite.com", {"pipeline_slug": "release"}),
    ("https://app.terraform.io", {"terraform_run_phase": "apply"}),
    ("https://ci.example", {"sub": "*"}),
    ("https://ci.example", {"sub": ["job-1", "**"]}),
]


@pytest.mark.parametrize(("issuer", "claims"), WIDE, ids=str)
def test_a_rule_that_strangers_could_meet_is_refused(world: World, issuer: str, claims: dict[str, Any]) -> None:
    answer = world.rule(issuer=issuer, claims=claims)
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "too_wide"), answer.text


@pytest.mark.parametrize("claims", [
    {"repository": "vendor/*"}, {"repository_owner_id": "65", "ref": "refs/heads/*"}, {"sub": "repo:vendor/app:*"},
    {"repository_id": ["74", "75"]}, {"repository_owner": "vendor"}, {"sub": "repo:vendor/*:environment:production"},
])  # fmt: skip
def test_a_rule_on_what_is_one_s_own_is_taken(world: World, claims: dict[str, Any]) -> None:
    answer = world.rule(claims=claims)
    assert answer.status == 201, answer.text


@pytest.mark.parametrize(("issuer", "claims"), [
    ("https://accounts.google.com", {"email": ["a@vendor.example", "b@vendor.example"], "email_verified": ["true"]}),
    ("https://accounts.google.com", {"hd": ["vendor.example"]}), ("https://accounts.google.com", {"sub": ["1"]}),
    ("https://oauth2.sigstore.dev/auth", {"email": ["a@vendor.example"], "email_verified": ["true"]}),
    ("https://oidc.circleci.com/org/6d2d6bff", {"oidc.circleci.com/vcs-ref": ["refs/heads/main"]}),
    ("https://oidc.circleci.com", {"sub": ["org/6d2d6bff/project/*"]}),
    ("https://oidc.codefresh.io", {"sub": ["account:5f3e:pipeline:*"]}),
    ("https://oidc.vercel.com", {"owner_id": ["team_1"], "environment": ["production"]}),
    ("https://oidc.vercel.com/vendor", {"environment": ["production"]}),
    ("https://login.microsoftonline.com/6d2d6bff-0000-4000-8000-000000000000/v2.0", {"roles": ["ci"]}),
    ("https://api.bitbucket.org/2.0/workspaces/vendor/pipelines-config/identity/oidc", {"repositoryUuid": ["{1}"]}),
    ("https://agent.buildkite.com", {"organization_slug": ["vendor"]}),
])  # fmt: skip
def test_a_rule_on_what_is_one_s_own_at_other_issuers_is_narrow(issuer: str, claims: dict[str, list[str]]) -> None:
    assert not is_too_wide(issuer, claims)


def test_rules_have_room_in_one_item_whatever_they_say(world: World) -> None:
    long = [f"vendor/{number:03d}" + "a" * 245 for number in range(20)]
    full = {"repository": long, "sub": [f"repo:{each}"[:255] for each in long], "ref": long[:9]}
    told = world.rule(claims=full | {"workflow": long})
    assert (told.status, told.json["errors"][0]["code"]) == (422, "too_long")
    assert len(json.dumps(full)) < RULE_LIMIT
    assert world.rule(claims=full).status == 201
    assert RULES_LIMIT * (RULE_LIMIT + 2048) < 400_000, "what else a rule has is short"


@pytest.mark.parametrize("changed", [
    {"issuer": "http://ci.example"}, {"issuer": "https://ci.example/?a=b"}, {"issuer": "https://user@ci.example"},
    {"issuer": "https://ci.example/a/../b"}, {"issuer": "https://CI.example"}, {"issuer": "https://ci.example//a"},
    {"issuer": "https://"}, {"issuer": "ci.example/aaaaaa"}, {"issuer": "https://ci.example/" + "a" * 300},
    {"claims": {}}, {"claims": {"repository": []}}, {"claims": {"repository": ""}}, {"claims": {"repository": 7}},
    {"claims": {"repository": "vendor/" + "*a" * 5}}, {"scopes": ["root"]}, {"audience": ""}, {"audience": "a b"},
    {"name": ""}, {"other": 1},
])  # fmt: skip
def test_a_rule_that_is_none_is_422(world: World, changed: dict[str, Any]) -> None:
    asked = len(world.issuer.asked)
    assert world.rule(**changed).status == 422
    assert len(world.issuer.asked) == asked


def test_an_issuer_is_asked_before_its_rule_is_kept(world: World) -> None:
    world.issuer.script = lambda _: (503, {}, b"")
    answer = world.rule(name="second")
    assert (answer.status, answer.code) == (422, "IssuerUnusable")
    assert len(world.served.rules[ORG]) == 1


def test_an_organisation_has_twenty_rules_and_has_ten_issuers_asked_in_a_minute(world: World) -> None:
    for number in range(1, RULES_LIMIT):
        if number % 10 == 0:
            assert world.rule().code == "asked_enough"
            world.later(minutes=1)
        assert world.rule(name=f"rule {number}").status == 201
    assert world.rule().code == "rules_full"
