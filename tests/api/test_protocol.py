"""HTTP as the API speaks it, and the traps of what it is built with (each measured, each with its remedy)."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from byoa.adapters.memory.inventory import MemoryAnswers, MemoryInventory
from byoa.api.face import BODY_LIMIT
from byoa.api.problems import CODES, TITLES
from tests.api.served import APP, ORG, OTHER, Context, Served, event_of

COMPONENTS = f"/v1/apps/{APP}/components"
WEB = f"{COMPONENTS}/web"
CONFIGS = f"{WEB}/configs/kubernetes-manifest"
CONFIG = {"namespace": "a", "manifest": "a: 1"}
MEMBERS = {
    "error", "user_error", "description", "type", "title", "status", "detail", "instance", "code", "remedy", "errors",
}  # fmt: skip


@pytest.fixture
def served() -> Served:
    return Served()


def test_every_failure_has_the_one_body(served: Served) -> None:
    answers = [
        served.ask("GET", "/v1/nothing"),
        served.ask("GET", WEB),
        served.ask("GET", WEB, token=None),
        served.ask("PUT", COMPONENTS),
        served.ask("POST", COMPONENTS, {}),
        served.ask("POST", COMPONENTS, raw="{"),
        served.ask("POST", COMPONENTS, raw="a=1", content_type="application/x-www-form-urlencoded"),
    ]
    assert [answer.status for answer in answers] == [404, 404, 401, 405, 422, 400, 415]
    for answer in answers:
        assert answer.json.keys() == MEMBERS
        assert answer.json["user_error"] is True
        assert answer.json["status"] == answer.status
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json["remedy"]


def test_no_answer_is_guessed_to_be_of_another_type(served: Served) -> None:
    for answer in (served.ask("GET", "/v1/docs", token=None), served.ask("GET", WEB), served.ask("GET", COMPONENTS)):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_problem_json_comes_to_who_asks_for_it(served: Served) -> None:
    for answer in (
        served.ask("GET", WEB, accept="application/problem+json"),
        served.ask("GET", WEB, token=None, accept="application/problem+json, application/json"),
    ):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json.keys() == MEMBERS, "it is JSON and no JSON in a JSON text"


def test_our_own_wrong_answer_is_our_fault(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trap: Powertools tells the client 422."""
    served.ask("POST", CONFIGS, CONFIG)
    whole = MemoryInventory.component

    def broken(self: MemoryInventory, app: str, name: str) -> Any:
        found = whole(self, app, name)
        return found and replace(found, var_name=7)  # type: ignore[arg-type]

    monkeypatch.setattr(MemoryInventory, "component", broken)
    answer = served.ask("GET", WEB)
    assert (answer.status, answer.code, answer.json["user_error"]) == (500, "InternalFault", False)


def test_what_nobody_expected_tells_nothing_of_itself(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("inner matters")

    monkeypatch.setattr(MemoryInventory, "component", broken)
    answer = served.ask("GET", WEB)
    assert (answer.status, answer.code) == (500, "InternalFault")
    assert "inner" not in answer.text


@pytest.mark.parametrize("kind", ["text/plain", "application/toml", "application/x-www-form-urlencoded",
                                  "multipart/form-data; boundary=a", "application/jsonx", "nonsense"])  # fmt: skip
def test_a_body_of_another_type_is_415(served: Served, kind: str) -> None:
    """The trap: a catch-all for exceptions makes 500 of it, and forms would be read."""
    assert served.ask("POST", COMPONENTS, raw="name=web", content_type=kind).status == 415


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_by_whatever_case_is_read(served: Served, kind: str) -> None:
    assert served.ask("POST", COMPONENTS, {"name": "web"}, content_type=kind).status == 201


@pytest.mark.parametrize(
    "raw",
    ["{", "", "nonsense", '{"name": NaN}', '{"name": "a", "name": "b"}', "[" * 100_000, '{"name": "\\ud800"}',
     b"\xff\xfe", '{"name": ' + "9" * 5000 + "}"],
    ids=["open", "empty", "text", "nan", "twice", "deep", "surrogate", "bytes", "digits"],
)  # fmt: skip
def test_what_is_no_json_is_the_client_s_fault(served: Served, raw: str | bytes) -> None:
    assert served.ask("POST", COMPONENTS, raw=raw).status in (400, 422)


def test_bytes_are_read_as_text(served: Served) -> None:
    """The trap: API Gateway hands over some types as base64."""
    assert served.ask("POST", COMPONENTS, raw=json.dumps({"name": "web"}).encode()).status == 201


def test_a_body_over_a_mebibyte_is_413(served: Served) -> None:
    assert served.ask("POST", COMPONENTS, raw=" " * (BODY_LIMIT + 1)).status == 413
    assert served.ask("POST", COMPONENTS, raw="{}" + " " * (BODY_LIMIT - 2)).status == 422


def test_another_method_is_405_and_says_which_there_are(served: Served) -> None:
    """The trap: Powertools says 404."""
    answer = served.ask("PUT", COMPONENTS)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert served.ask("DELETE", "/v1/audit").headers["Allow"] == "GET, HEAD"
    assert served.ask("OPTIONS", WEB).headers["Allow"] == "DELETE, GET, HEAD, PATCH"
    assert served.ask("GET", f"{WEB}/builds/x/cancel").headers["Allow"] == "POST"


def test_head_is_get_without_its_body(served: Served) -> None:
    """The trap: Powertools has no HEAD."""
    whole, head = served.ask("GET", COMPONENTS), served.ask("HEAD", COMPONENTS)
    assert (head.status, head.text) == (200, "")
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert served.ask("HEAD", WEB).status == 404


def test_who_has_it_gets_304_and_no_body(served: Served) -> None:
    """The trap: a 304 of a typed route is 500."""
    served.ask("POST", COMPONENTS, {"name": "web"})
    etag = served.ask("GET", WEB).headers["ETag"]
    for sent in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = served.ask("GET", WEB, if_none_match=sent)
        assert (again.status, again.text, again.headers["ETag"]) == (304, "", etag)
    assert served.ask("GET", WEB, if_none_match='"other"').status == 200
    served.ask("POST", CONFIGS, CONFIG)
    assert served.ask("GET", WEB, if_none_match=etag).status == 200


def test_nothing_is_answered_as_nothing(served: Served) -> None:
    """The trap: a 204 with the JSON null."""
    token = served.ask("POST", "/v1/tokens", {"name": "a", "scopes": ["read"]}).json["id"]
    answer = served.ask("DELETE", f"/v1/tokens/{token}")
    assert (answer.status, answer.text) == (204, "")


def test_texts_in_other_alphabets_stay_as_they_are(served: Served) -> None:
    made = served.ask("POST", CONFIGS, {**CONFIG, "manifest": "a: ключ ☃"})
    assert made.json["kubernetes_manifest"]["manifest"] == "a: ключ ☃"


def test_a_request_without_headers_is_one(served: Served) -> None:
    event = event_of("GET", "/healthz", {}, None)
    del event["headers"]
    assert served.face({**event, "headers": {}}, Context())["statusCode"] == 200  # type: ignore[arg-type]


# ---- lists in parts ----------------------------------------------------------------------------------------------


def test_a_list_is_read_by_offset_or_page_or_cursor(served: Served) -> None:
    names = [f"c{number:02}" for number in range(25)]
    for name in names:
        served.ask("POST", COMPONENTS, {"name": name})
    first = served.ask("GET", COMPONENTS)
    assert [each["name"] for each in first.json] == names[:10]
    assert {key: value for key, value in first.headers.items() if key.startswith("X-Nuon")} == {
        "X-Nuon-Page-Next": "true", "X-Nuon-Page-Offset": "0", "X-Nuon-Page-Limit": "10",
    }  # fmt: skip
    by_offset = served.ask("GET", f"{COMPONENTS}?offset=20")
    assert ([each["name"] for each in by_offset.json], by_offset.headers["X-Nuon-Page-Next"]) == (names[20:], "false")
    by_page = served.ask("GET", f"{COMPONENTS}?page=1&limit=20")
    assert ([each["name"] for each in by_page.json], by_page.headers["X-Nuon-Page-Number"]) == (names[20:], "1")
    assert served.ask("GET", f"{COMPONENTS}?limit=5000").headers["X-Nuon-Page-Limit"] == "100"
    seen, place = [], f"{COMPONENTS}?q=c&limit=4"
    while place:
        answer = served.ask("GET", place)
        seen += [each["name"] for each in answer.json]
        found = re.fullmatch(r'<(.*)>; rel="next"', answer.headers.get("Link", ""))
        place = found[1] if found else ""
    assert seen == names


@pytest.mark.parametrize(
    "query", ["offset=-1", "limit=0", "limit=x", "cursor=%00", "cursor=a", "offset=100001", "page=-1"]
)
def test_a_part_that_is_none_is_422(served: Served, query: str) -> None:
    assert served.ask("GET", f"{COMPONENTS}?{query}").status == 422


# ---- keys --------------------------------------------------------------------------------------------------------


def test_the_same_key_gets_the_same_answer_and_does_nothing_again(served: Served) -> None:
    served.ask("POST", CONFIGS, CONFIG)
    token = served.token("sync")
    first = served.ask("POST", f"{WEB}/builds", {}, token=token, idempotency_key="k1")
    again = served.ask("POST", f"{WEB}/builds", {}, token=token, idempotency_key="k1")
    assert (again.status, again.json) == (first.status, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(served.ledger.records) == 2
    assert served.ask("POST", f"{WEB}/builds", {}, token=token, idempotency_key="k2").json != first.json


def test_a_key_with_another_request_is_refused(served: Served) -> None:
    token = served.token("sync")
    served.ask("POST", COMPONENTS, {"name": "a"}, token=token, idempotency_key="k")
    assert served.ask("POST", COMPONENTS, {"name": "b"}, token=token, idempotency_key="k").code == "key_reused"
    assert (ORG, APP, "b") not in served.components


def test_a_key_with_another_query_is_refused(served: Served) -> None:
    token = served.token("sync")
    first = served.ask("POST", f"{COMPONENTS}/build-all", token=token, idempotency_key="k")
    assert first.status == 201
    assert served.ask("POST", f"{COMPONENTS}/build-all", token=token, idempotency_key="k").json == first.json
    further = served.ask("POST", f"{COMPONENTS}/build-all?after=web", token=token, idempotency_key="k")
    assert further.code == "key_reused", "the answer of the first part is none of the next"


def test_a_key_with_another_condition_is_refused(served: Served) -> None:
    token, change = served.token("sync"), {"dependencies": ["database"]}
    served.ask("POST", COMPONENTS, {"name": "a"}, token=token)
    etag = served.ask("GET", f"{COMPONENTS}/a", token=token).headers["ETag"]
    asked = [
        served.ask("PATCH", f"{COMPONENTS}/a", change, token=token, idempotency_key="k", if_match=match)
        for match in (etag, etag, '"seen later"')
    ]
    assert [answer.status for answer in asked] == [200, 200, 422]
    assert (asked[1].headers["Idempotent-Replayed"], asked[2].code) == ("true", "key_reused")


def test_a_key_in_flight_is_waited_for(served: Served) -> None:
    token = served.token("sync")
    served.ask("POST", COMPONENTS, {"name": "a"}, token=token, idempotency_key="k")
    (place,) = served.answers
    served.answers[place] = served.answers[place]._replace(status=None, body=None)
    answer = served.ask("POST", COMPONENTS, {"name": "a"}, token=token, idempotency_key="k")
    assert (answer.code, answer.headers["Retry-After"]) == ("in_flight", "5")
    served.clock.moment += timedelta(minutes=2)
    assert served.ask("POST", COMPONENTS, {"name": "a"}, token=token, idempotency_key="k").code == "exists"
    assert MemoryAnswers(ORG, served.answers).held == {}, "a request that did nothing lets its key go"


def test_a_key_is_its_organisation_s_and_lasts_a_day(served: Served) -> None:
    mine, theirs = served.token("sync"), served.token("sync", org=OTHER)
    assert served.ask("POST", COMPONENTS, {"name": "a"}, token=mine, idempotency_key="k").status == 201
    assert served.ask("POST", COMPONENTS, {"name": "a"}, token=theirs, idempotency_key="k").status == 201
    served.clock.moment += timedelta(days=1, seconds=1)
    assert served.ask("POST", COMPONENTS, {"name": "a"}, token=mine, idempotency_key="k").code == "exists"


def test_a_token_s_answer_is_kept_nowhere(served: Served) -> None:
    admin, asked = served.token(), {"name": "a", "scopes": ["read"]}
    made = served.ask("POST", "/v1/tokens", asked, token=admin, idempotency_key="k")
    assert made.json["token"] not in repr(served.answers)
    assert served.ask("POST", "/v1/tokens", asked, token=admin, idempotency_key="k").code == "shown_once"


def test_codes_have_a_status_that_has_a_title() -> None:
    assert {status for status, _, _ in CODES.values()} <= TITLES.keys()
