"""Who may: no route is open that isn't meant to be, each demands its scope, and no organisation sees another's."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from byoa.adapters.memory.inventory import MemoryJournal
from byoa.api.app import OPERATIONS
from byoa.api.tokens import SCOPES, allowed, digest_of, issue, lets_in, parse_token
from byoa.builds.lookups import LookUp, Sought
from byoa.builds.records import milliseconds
from byoa.errors import StoreThrottled
from local.pages.installed import INSTALL, Installed
from tests.api.served import APP, ORG, OTHER, Served

if TYPE_CHECKING:
    from byoa.api.operations import Operation

OPEN = {
    "/healthz", "/v1/docs", "/v1/docs/docs.css", "/v1/docs/docs.js", "/v1/general/config-schema", "/v1/openapi.json",
}  # fmt: skip
"""What is the same for everybody, and reads nothing."""

CLOSED = [each for each in OPERATIONS if each.scope != "open"]
COMPONENTS = f"/v1/apps/{APP}/components"
LOOKUP = "lkpaaaaaaaaaaaaaaaaaaaaaaa"
CONFIG = {"namespace": "a", "manifest": "a: 1"}


def name_of(operation: Operation) -> str:
    return operation.name


@pytest.fixture
def served() -> Served:
    found = Served()
    made = found.ask("POST", f"{COMPONENTS}/web/configs/kubernetes-manifest", CONFIG)
    found.build_id = made.json["build_id"]  # type: ignore[attr-defined]
    found.ask("POST", "/v1/credentials", CREDENTIALS)
    found.hook_id = found.ask("POST", "/v1/hooks", {"name": "a", "kind": "quay"}).json["id"]  # type: ignore[attr-defined]
    asked = LookUp(organisation=ORG, action="resolve", artifacts=[Sought(url="oci://ghcr.io/vendor/app:v1")])
    found.lookups().begin(LOOKUP, asked, milliseconds(found.clock.now()))
    found.ask("POST", "/v1/issuers", RULE)
    installed = Installed(found.installing, ORG, APP)
    (build,) = found.ledger.records.values()
    deploy = installed.deployed(installed.add(INSTALL, "acme"), build)
    found.deploy_id = deploy.id  # type: ignore[attr-defined]
    return found


RULE = {"name": "ci", "issuer": "https://ci.example", "claims": {"sub": "a"}, "scopes": ["read"]}
CREDENTIALS = {"ref": "ghcr", "kind": "basic", "host": "ghcr.io", "value": {"username": "u", "password": "secret-pw"}}


QUERIES = {"list_app_builds": "?app_id=shop", "get_job_inventory": f"?lease_id=lea{'a' * 23}"}


def path_of(operation: Operation, served: Served) -> str:
    names = {"app_id": APP, "component_id": "web", "component_name_or_id": "web", "config_id": "1", "ref": "ghcr",
             "build_id": served.build_id, "token_id": next(iter(served.tokens))[1],  # type: ignore[attr-defined]
             "hook_id": served.hook_id,  # type: ignore[attr-defined]
             "issuer_id": served.rules[ORG][0].id, "lookup_id": LOOKUP, "install_id": INSTALL, "step_id": "web",
             **dict.fromkeys(("deploy_id", "workflow_id", "approval_id"), served.deploy_id)}  # type: ignore[attr-defined]  # fmt: skip
    path = re.sub(r"<(\w+)>", lambda found: names[found[1]], operation.path)
    return path + QUERIES.get(operation.name, "")


def test_a_token_is_good_until_the_moment_that_is_named(served: Served) -> None:
    ends = served.clock.now() + timedelta(hours=2)
    body = {"name": "ci", "scopes": ["read"], "expires_at": ends.isoformat()}
    made = served.ask("POST", "/v1/tokens", body)
    assert (made.status, made.json["expires_at"][:19]) == (201, ends.isoformat()[:19])
    assert served.ask("GET", "/v1/account", token=made.json["token"]).status == 200
    served.clock.moment = ends
    assert served.ask("GET", "/v1/account", token=made.json["token"]).status == 401
    for wrong in (ends, ends + timedelta(days=400), "2026-12-01T00:00:00", "soon"):
        assert served.ask("POST", "/v1/tokens", {**body, "expires_at": str(wrong)}).status == 422, wrong
    both = {**body, "expires_at": (ends + timedelta(days=1)).isoformat(), "expires_in_days": 1}
    assert served.ask("POST", "/v1/tokens", both).status == 422


def test_exactly_these_routes_are_open() -> None:
    assert {each.path for each in OPERATIONS if each.scope == "open"} == OPEN
    assert all(each.method == "GET" for each in OPERATIONS if each.path in OPEN)


@pytest.mark.parametrize("operation", CLOSED, ids=name_of)
def test_nobody_without_a_token_gets_an_answer(served: Served, operation: Operation) -> None:
    kept = (served.components, served.ledger.records, served.deeds, served.tokens, served.hooks)
    before = [dict(each) for each in kept]
    answer = served.ask(operation.method, path_of(operation, served), operation.example, token=None, if_match="*")
    assert (answer.status, answer.code) == (401, "token_missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="byoa"'
    assert before == [*kept]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("operation", CLOSED, ids=name_of)
def test_a_route_demands_its_scope(served: Served, operation: Operation, scope: str) -> None:
    token = served.token(scope, installs=(INSTALL,))
    answer = served.ask(operation.method, path_of(operation, served), operation.example, token=token, if_match="*")
    if allowed([scope], operation.scope):
        assert answer.status not in (401, 403), answer.text
    else:
        assert (answer.status, answer.code) == (403, "scope_missing")


@pytest.mark.parametrize("operation", CLOSED, ids=name_of)
def test_what_is_another_s_is_as_if_there_were_none(served: Served, operation: Operation) -> None:
    scope = "agent" if operation.scope == "agent" else "admin"
    token = served.token(scope, org=OTHER, installs=(INSTALL,))
    mine = served.ask(operation.method, "/v1/nothing", token=token)
    answer = served.ask(operation.method, path_of(operation, served), operation.example, token=token, if_match="*")
    assert ORG not in answer.text
    if "<" in operation.path.replace("<app_id>", ""):
        assert answer.status == 404 or operation.name == "create_config", answer.text
    assert mine.status == 404


@pytest.mark.parametrize("path", [f"{COMPONENTS}/web", "/v1/nothing", "/", "/v1/openapi.json/", "/V1/OPENAPI.JSON", ""])
def test_a_stranger_learns_of_no_path(served: Served, path: str) -> None:
    assert served.ask("GET", path or "/x", token=None).status == 401


def test_an_open_route_needs_no_token_and_minds_none(served: Served) -> None:
    for path in OPEN:
        query = "?type=kubernetes-manifest" if "schema" in path else ""
        assert served.ask("GET", path + query, token=None).status == 200, path
        assert served.ask("GET", path + query, token="nonsense").status == 200, path


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.replace(ORG, OTHER),
        lambda token: re.sub("tok.{23}", "tok" + "a" * 23, token),
        lambda token: token + "A",
        lambda token: "",
        lambda token: "byoa_" + "a" * 5000,
        lambda token: token.upper(),
    ],
)
def test_a_token_that_is_none_is_refused_in_one_way(served: Served, spoilt: object) -> None:
    answer = served.ask("GET", "/v1/account", token=spoilt(served.token()) or " ")  # type: ignore[operator]
    assert (answer.status, answer.code in ("token_refused", "token_missing")) == (401, True)


def test_basic_authentication_is_none(served: Served) -> None:
    answer = served.ask("GET", "/v1/account", token=None, authorization="Basic dTpw")
    assert (answer.status, answer.code) == (401, "token_missing")


def test_an_expired_token_lets_nobody_in(served: Served) -> None:
    token = served.token(days=1)
    assert served.ask("GET", "/v1/account", token=token).status == 200
    served.clock.moment += timedelta(days=1)
    assert served.ask("GET", "/v1/account", token=token).code == "token_refused"


def test_a_revoked_token_lets_nobody_in(served: Served) -> None:
    token = served.token("read")
    presented = parse_token(token)
    assert presented
    assert served.ask("DELETE", f"/v1/tokens/{presented.id}").status == 204
    assert served.ask("GET", "/v1/account", token=token).code == "token_refused"
    assert served.ask("DELETE", f"/v1/tokens/{presented.id}").status == 404


def test_the_organisation_is_the_token_s_and_the_header_is_only_compared(served: Served) -> None:
    token = served.token()
    assert served.ask("GET", "/v1/orgs/current", token=token, x_nuon_org_id=ORG).json["id"] == ORG
    for asked in ({"x_nuon_org_id": OTHER}, {"x_nuon_org_id": "*"}):
        assert served.ask("GET", "/v1/orgs/current", token=token, **asked).code == "organisation_other"
    assert served.ask("GET", f"/v1/orgs/current?org_id={OTHER}", token=token).code == "organisation_other"
    assert served.ask("GET", f"/v1/orgs/current?org_id={ORG}", token=token).status == 200


def test_a_token_is_shown_once_and_kept_as_a_digest(served: Served) -> None:
    made = served.ask("POST", "/v1/tokens", {"name": "ci", "scopes": ["sync", "read", "sync"], "expires_in_days": 1})
    token = made.json["token"]
    secret = token.rsplit("_", 1)[1] if parse_token(token) is None else parse_token(token).secret  # type: ignore[union-attr]
    assert made.json["scopes"] == ["read", "sync"]
    assert secret not in repr(served.tokens)
    assert secret not in served.ask("GET", "/v1/tokens?limit=100").text
    assert secret not in repr(served.deeds)
    assert served.tokens[ORG, made.json["id"]].digest == digest_of(secret)
    assert served.ask("GET", "/v1/account", token=token).json["id"] == made.json["id"]


def test_a_hook_s_address_and_secret_are_shown_once(served: Served) -> None:
    made = served.ask("POST", "/v1/hooks", {"name": "ghcr", "kind": "github", "action": "build"})
    secrets = (made.json["path"].rsplit("/", 1)[1], made.json["secret"])
    assert made.json["url"].endswith(made.json["path"])
    kept = [repr(each) for each in (served.hooks, served.deeds, served.answers)]
    shown = [served.ask("GET", path).text for path in ("/v1/hooks?limit=100", "/v1/audit?limit=100")]
    assert not [secret for secret in secrets for text in (*kept, *shown) if secret in text]
    assert [each["action"] for each in served.ask("GET", "/v1/hooks").json if each["name"] == "ghcr"] == ["build"]
    assert served.ask("DELETE", f"/v1/hooks/{made.json['id']}").status == 204
    assert served.ask("DELETE", f"/v1/hooks/{made.json['id']}").status == 404


def test_a_hook_has_what_its_kind_wants_and_nothing_else(served: Served) -> None:
    account = "byoa@vendor-project.iam.gserviceaccount.com"
    google, ecr = {"name": "a", "kind": "gar"}, {"name": "a", "kind": "ecr", "account": "222222222222"}
    made = served.ask("POST", "/v1/hooks", {**google, "service_account": account}).json
    assert (made["proof"], made["secret"], made["audience"]) == ("token", None, f"byoa:{made['id']}")
    named = served.ask("POST", "/v1/hooks", {**google, "service_account": account, "audience": "mine"}).json
    assert (named["service_account"], named["audience"]) == (account, "mine")
    watched = served.ask("POST", "/v1/hooks", {**ecr, "region": "us-west-2", "action": "build"}).json
    assert (watched["url"], watched["path"], watched["secret"], watched["repository"]) == (None, None, None, "*")
    assert served.ask("POST", "/v1/hooks", {**ecr, "region": "us-west-2"}).code == "exists"
    assert served.ask("POST", "/v1/hooks", {**ecr, "region": "us-west-2", "repository": "a/b"}).status == 201
    for body, pointers in (
        (google, ["/body/service_account"]),
        ({**google, "service_account": account, "region": "us-west-2"}, ["/body/region"]),
        ({**google, "service_account": "somebody@example.com"}, ["/body/service_account"]),
        ({"name": "a", "kind": "ecr"}, ["/body/account", "/body/region"]),
        ({**ecr, "region": "us-west-2", "audience": "a"}, ["/body/audience"]),
        ({**ecr, "kind": "quay", "repository": "a"}, ["/body/account", "/body/repository"]),
    ):  # fmt: skip
        refused = served.ask("POST", "/v1/hooks", body)
        assert (refused.status, [each["pointer"] for each in refused.json["errors"]]) == (422, pointers), refused.text


def test_last_use_is_noted_once_an_hour(served: Served) -> None:
    token = served.token("read")
    presented = parse_token(token)
    assert presented
    noted = set()
    for _ in range(5):
        served.ask("GET", "/v1/account", token=token)
        noted.add(served.tokens[ORG, presented.id].last_used_ts)
    assert len(noted) == 1
    served.clock.moment += timedelta(hours=1)
    served.ask("GET", "/v1/account", token=token)
    assert served.tokens[ORG, presented.id].last_used_ts not in noted


def test_a_record_of_another_organisation_lets_nobody_in() -> None:
    record, token = issue(ORG, "a", ["read"], 0, 10, "x")
    presented = parse_token(token)
    assert presented
    assert lets_in(presented, record, 9)
    assert not lets_in(presented, record, 10)
    assert not lets_in(presented._replace(organisation=OTHER), record, 9)
    assert not lets_in(presented, None, 9)
    assert presented.secret not in repr(presented)


def test_every_write_is_noted_with_who_what_when_and_how_it_ended(served: Served) -> None:
    token = served.token("sync")
    presented = parse_token(token)
    assert presented
    served.ask("POST", COMPONENTS, {"name": "api"}, token=token)
    served.ask("POST", COMPONENTS, {"name": "api"}, token=token)
    served.ask("GET", COMPONENTS, token=token)
    deeds = served.ask("GET", "/v1/audit").json[:2]
    assert [(deed["operation"], deed["status"]) for deed in deeds] == [
        ("create_component", 409),
        ("create_component", 201),
    ]
    assert {deed["token_id"] for deed in deeds} == {presented.id}
    assert {deed["source_address"] for deed in deeds} == {"192.0.2.1"}


def test_what_cannot_be_noted_is_not_done(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise StoreThrottled("DynamoDB is busy.")

    monkeypatch.setattr(MemoryJournal, "begin", busy)
    answer = served.ask("POST", COMPONENTS, {"name": "api"})
    assert (answer.status, answer.code) == (503, "StoreThrottled")
    assert (ORG, APP, "api") not in served.components
