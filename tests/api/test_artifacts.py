"""Lookups through the API: answered at once, or later; what goes wrong is told as everywhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from byoa.api.routes.artifacts import PATIENCE
from byoa.errors import (
    AuthFailed,
    ByoaError,
    CredentialForbidden,
    DigestMismatch,
    QuotaExceeded,
    ReferenceNotFound,
    RegistryUnavailable,
    TenantForbidden,
    Timeout,
)
from local.pages.lookups import Samples
from tests.api.served import OTHER, Answer, Served
from tests.docs.blocks import ROOT, blocks

if TYPE_CHECKING:
    from byoa.builds.lookups import LookedUp, LookUp, ReadContents

URL = "oci://ghcr.io/vendor/app"
ARTIFACT = {"url": URL, "tag": "v1", "credentials_ref": "ghcr"}
PAIR = {"before": ARTIFACT, "after": {"url": f"{URL}:v2"}}


@dataclass
class Failing:
    """The functions of lookups, the first of which ends with an error."""

    error: ByoaError

    def look_up(self, asked: LookUp) -> LookedUp:
        raise self.error

    def read(self, found: LookedUp) -> ReadContents:
        raise AssertionError(found)


@dataclass
class Listening:
    """The functions of lookups, and what the first was asked."""

    samples: Samples
    asked: list[LookUp]

    def look_up(self, asked: LookUp) -> LookedUp:
        self.asked.append(asked)
        return self.samples.look_up(asked)

    def read(self, found: LookedUp) -> ReadContents:
        return self.samples.read(found)


@pytest.fixture
def served() -> Served:
    return Served()


def look(served: Served, action: str, body: Any = None, **headers: str) -> Answer:
    wanted = body or (PAIR if action == "diff" else ARTIFACT)
    return served.ask("POST", f"/v1/artifacts/{action}", wanted, **headers)


# ---- at once -----------------------------------------------------------------------------------------------------


def test_a_tag_is_resolved_with_the_caller_s_organisation_and_credentials(served: Served) -> None:
    listening = Listening(Samples(served.clock), [])
    served.functions = listening
    answer = look(served, "resolve")
    assert answer.status == 200
    assert answer.json["digest"].startswith("sha256:")
    assert answer.json["reference"] == f"{URL}:v1"
    assert answer.json["resolved_at"].endswith("Z")
    (asked,) = listening.asked
    assert (asked.organisation, asked.artifacts[0].credentials_ref) == ("org_0123456789ab", "ghcr")
    served.ask("POST", "/v1/artifacts/resolve", ARTIFACT, token=served.token(org=OTHER))
    assert listening.asked[-1].organisation == OTHER


def test_an_artifact_is_inspected_planned_and_compared(served: Served) -> None:
    inspected = look(served, "inspect").json
    assert (inspected["format"], inspected["resource_count"], inspected["resources"][0]["kind"]) == (
        "flux",
        1,
        "Deployment",
    )
    planned = look(served, "plan").json
    assert (planned["blobs"], planned["missing_permissions"]) == ({"copy": 2, "skip": 1}, [])
    compared = look(served, "diff").json
    assert (compared["differs"], compared["changed"]) == (True, 1)
    assert compared["before"]["reference"] == f"{URL}:v1"
    assert compared["before"]["digest"] != compared["after"]["digest"]


def test_a_plan_is_for_targets_that_there_are(served: Served) -> None:
    for targets in (None, ["ecr"]):
        assert look(served, "plan", {**ARTIFACT, **({"targets": targets} if targets else {})}).json["targets"] == [
            "ecr"
        ]
    refused = look(served, "plan", {**ARTIFACT, "targets": ["ecr", "gar", "x"]})
    pointers = [each["pointer"] for each in refused.json["errors"]]
    assert (refused.status, pointers) == (422, ["/body/targets/1", "/body/targets/2"])
    assert look(served, "plan", {**ARTIFACT, "targets": []}).status == 422
    assert look(served, "resolve", {**ARTIFACT, "targets": ["ecr"]}).status == 422


def test_the_tags_of_a_repository_are_listed_at_once_or_later(served: Served) -> None:
    wanted = {"tags": ["v2.4.0-rc.1", "v2.3.1", "v2.3.0", "latest"], "truncated": False}
    at_once = look(served, "tags", {"url": URL, "credentials_ref": "ghcr"})
    assert (at_once.status, at_once.json) == (200, wanted)
    begun = look(served, "tags", {"url": URL}, prefer="respond-async")
    served.lookups().go_on()
    assert served.ask("GET", begun.headers["Location"]).json["result"] == wanted
    assert look(served, "tags", {"url": URL}, token=served.token("read")).code == "scope_missing"
    assert look(served, "tags", {"url": URL, "tag": "v1"}).status == 422
    assert look(served, "tags", {"url": f"{URL}:v1"}).code == "ReferenceInvalid"


def test_a_lookup_is_noted_and_kept_nowhere(served: Served) -> None:
    first, again = (look(served, "resolve", idempotency_key="one") for _ in range(2))
    assert "Idempotent-Replayed" not in again.headers
    assert first.json["digest"] == again.json["digest"]
    assert (served.answers, served.looked_up) == ({}, {})
    assert [deed["operation"] for deed in served.ask("GET", "/v1/audit").json] == ["resolve_artifact"] * 2


# ---- what the page says ------------------------------------------------------------------------------------------


def _shown(told: str) -> dict[str, Any]:
    """The JSON of the page's blocks that are asked or answered, by where."""
    page = blocks(ROOT / "docs" / "api.md")
    return {block.told[told].split()[1]: json.loads(block.text) for block in page if told in block.told}


def test_what_the_page_asks_is_answered(served: Served) -> None:
    answers = {place: served.ask("POST", place, body) for place, body in _shown("asked").items()}
    assert {answer.status for answer in answers.values()} == {200}
    assert answers["/v1/artifacts/diff"].json["differs"] is True
    assert answers["/v1/artifacts/tags"].json == _shown("answered")["/v1/artifacts/tags"]


def test_what_takes_long_is_as_the_page_shows_it(served: Served) -> None:
    shown = _shown("answered")["/v1/artifacts/lookups/ID"]
    begun = look(served, "diff", prefer="respond-async").json
    changing = ("id", "began_at", "links")
    assert {**begun, **{name: shown[name] for name in changing}} == shown
    assert begun.keys() == shown.keys()


# ---- what goes wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ReferenceNotFound("There is no such tag."), 400),
        (AuthFailed("The registry refuses."), 400),
        (CredentialForbidden("There are no such credentials."), 404),
        (TenantForbidden("The registry is ours."), 422),
        (QuotaExceeded("The day is full."), 429),
        (RegistryUnavailable("The registry is out."), 503),
        (DigestMismatch("The bytes are others."), 500),
    ],
    ids=lambda each: type(each).__name__,
)
def test_a_failure_is_told_with_its_code_and_of_two_which(served: Served, error: ByoaError, status: int) -> None:
    error.where = "after"
    served.functions = Failing(error)
    answer = look(served, "diff")
    assert (answer.status, answer.code, answer.json["remedy"]) == (status, error.code, error.remedy)
    assert answer.json["errors"][0]["pointer"] == "/after"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": 5},
        {"url": URL, "tag": "v1", "password": "hunter2"},
        {"url": URL, "credentials_ref": "A/b"},
        {"url": "o" * 3000},
        {"before": ARTIFACT, "after": ARTIFACT},
    ],
)
def test_what_is_no_artifact_is_not_asked_for(served: Served, body: dict[str, Any]) -> None:
    served.functions = Failing(ReferenceNotFound("it was asked"))
    answer = served.ask("POST", "/v1/artifacts/resolve", body)
    assert (answer.status, answer.code) == (422, "invalid")
    assert "hunter2" not in answer.text


def test_a_reference_that_is_none_is_told_by_its_code(served: Served) -> None:
    answer = look(served, "resolve", {"url": "ghcr.io/vendor/app", "tag": "v1"})
    assert (answer.status, answer.code) == (422, "ReferenceInvalid")


# ---- later -------------------------------------------------------------------------------------------------------


def test_what_takes_long_is_answered_where_location_says(served: Served) -> None:
    served.lasting = PATIENCE + 1
    begun = look(served, "inspect")
    assert (begun.status, begun.json["state"], begun.json["result"]) == (202, "running", None)
    place = begun.headers["Location"]
    assert place == begun.json["links"]["self"]
    running = served.ask("GET", place, token=served.token("read"))
    assert (running.status, running.json) == (200, begun.json)
    served.lookups().go_on()
    done = served.ask("GET", place, token=served.token("read"))
    assert (done.json["state"], done.json["failure"]) == ("done", None)
    assert done.headers["ETag"] != running.headers["ETag"]
    served.lasting = 0
    at_once = look(served, "inspect").json
    assert {**done.json["result"], "resolved_at": None} == {**at_once, "resolved_at": None}


@pytest.mark.parametrize(
    ("preferred", "lasts", "status"),
    [
        ("respond-async", 0, 202),
        ("Respond-Async, wait=10", 11, 202),
        ("wait=10", 9, 200),
        ('wait="3"', 4, 202),
        ("wait=99", 26, 202),
        ("wait=99", 25, 200),
        ("wait=0", 0, 202),
        ("wait=soon", 24, 200),
        ("return=minimal", 24, 200),
        (",;=", 24, 200),
    ],
)
def test_a_request_may_say_how_long_it_waits(served: Served, preferred: str, lasts: float, status: int) -> None:
    """RFC 7240, 4.1 and 4.3."""
    served.lasting = lasts
    assert look(served, "resolve", prefer=preferred).status == status


def test_a_function_that_ran_out_of_time_goes_on(served: Served) -> None:
    served.functions = Failing(Timeout("The artifact could not be fetched in the time of a lookup."))
    begun = look(served, "inspect")
    assert begun.status == 202
    served.lookups().go_on()
    ended = served.ask("GET", begun.headers["Location"]).json
    assert (ended["state"], ended["result"], ended["failure"]["code"]) == ("failed", None, "Timeout")


def test_a_failure_that_comes_later_is_told_later(served: Served) -> None:
    begun = look(served, "diff", prefer="respond-async")
    served.functions = Failing(ReferenceNotFound("There is no such tag.", where="before"))
    served.lookups().go_on()
    ended = served.ask("GET", begun.headers["Location"]).json
    assert (ended["state"], ended["failure"]["code"], ended["failure"]["where"]) == (
        "failed",
        "ReferenceNotFound",
        "before",
    )


def test_what_was_lost_is_told_to_be_after_three_minutes(served: Served) -> None:
    place = look(served, "resolve", prefer="respond-async").headers["Location"]
    served.clock.moment += timedelta(minutes=2)
    assert served.ask("GET", place).json["state"] == "running"
    served.clock.moment += timedelta(minutes=2)
    lost = served.ask("GET", place).json
    assert (lost["state"], lost["failure"]["code"], lost["ended_at"]) == ("failed", "InternalFault", None)


def test_an_answer_is_kept_for_a_day_and_for_its_organisation(served: Served) -> None:
    token, place = served.token(days=2), look(served, "resolve", prefer="respond-async").headers["Location"]
    served.lookups().go_on()
    assert served.ask("GET", place, token=served.token(org=OTHER)).status == 404
    served.clock.moment += timedelta(hours=23, minutes=58)
    assert served.ask("GET", place, token=token).json["state"] == "done"
    served.clock.moment += timedelta(minutes=2)
    assert served.ask("GET", place, token=token).status == 404
    for none in ("x", "lkp", "..", "lkp%2F", "A" * 128):
        assert served.ask("GET", f"/v1/artifacts/lookups/{none}").status == 404
