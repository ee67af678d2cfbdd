"""Lookups on the deployed template, with the functions' roles enforced: private and public, one and two.

By their functions, and through the API: at once and later.
"""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from byoa.adapters.memory.repository import MemoryRepository
from byoa.bootstrap import terminal as bootstrap
from byoa.content.packing import pack
from byoa.engine.copying import copy
from byoa.oci.reference import Reference
from local import private
from local.demo import push
from local.desk import ORGANISATION, STACK
from tests.e2e.test_api import Client
from tests.e2e.test_api import bootstrap as first_token

if TYPE_CHECKING:
    from local.private import Place
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

CANARY = "c4n4ry-6e55"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {password: %s}\n"


@pytest.fixture(scope="module")
def place(enforced: Pipeline) -> Place:
    """A private registry that holds an artifact of the tools, and what is stored for it."""
    found = next(each for each in private.places(enforced.desk) if each.component == "private-basic")
    push(found)
    private.store(enforced.desk, found)
    return found


def _invoke(pipeline: Pipeline, function: str, event: Any) -> Any:
    with closing(pipeline.desk.client("lambda")) as client:
        answer = client.invoke(FunctionName=f"{STACK}-{function}", Payload=json.dumps(event))
        document = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        return json.loads(document["errorMessage"])
    return document


def look_up(pipeline: Pipeline, action: str, *artifacts: dict[str, Any], organisation: str = ORGANISATION) -> Any:
    """What the first function answers, or the second where there is something to read."""
    event = {"organisation": organisation, "action": action, "artifacts": [*artifacts]}
    found = _invoke(pipeline, "look-up-artifact", event)
    return _invoke(pipeline, "read-artifacts", found) if found.get("reads") else found


def _public(pipeline: Pipeline, tag: str, text: str) -> dict[str, Any]:
    packed = pack(text)
    url = f"oci://{pipeline.desk.vendor}/vendor/looked-at"
    target = bootstrap.repository(Reference.parse(f"{url}:{tag}"), "target", None, plain_http=True)
    copy(MemoryRepository.holding(packed), target, packed.manifest, tag=tag)
    return {"url": url, "tag": tag}


def test_a_private_artifact_is_planned_and_read(enforced: Pipeline, place: Place) -> None:
    sought = {"url": place.url, "tag": place.tag, "credentials_ref": place.credentials}
    plan = look_up(enforced, "plan", sought)["plan"]
    assert plan["manifests"] > 0
    assert plan["missing_permissions"] == []
    contents = look_up(enforced, "inspect", sought)["contents"]
    assert (contents["resources"], contents["encrypted"]) == (3, False)
    assert look_up(enforced, "resolve", sought)["artifacts"][0]["digest"] == contents["digest"]
    assert look_up(enforced, "resolve", {**sought, "credentials_ref": None})["code"] == "AuthFailed"
    assert look_up(enforced, "resolve", sought, organisation="org_other0000000")["code"] == "CredentialForbidden"


def test_two_artifacts_are_compared_and_no_secret_is_told(enforced: Pipeline) -> None:
    before, after = (_public(enforced, tag, SECRET % value) for tag, value in (("v1", "old"), ("v2", CANARY)))
    answer = look_up(enforced, "diff", before, after)
    assert [each["path"] for each in answer["difference"]["objects"][0]["changes"]] == ["/stringData/password"]
    assert CANARY not in json.dumps(answer)


@pytest.fixture(scope="module")
def caller(enforced: Pipeline) -> Client:
    admin = first_token(enforced, ORGANISATION)
    return Client(enforced, admin.ask("POST", "/v1/tokens", {"name": "look", "scopes": ["sync"]})[1]["token"])


def test_the_api_answers_at_once_with_what_the_functions_find(enforced: Pipeline, place: Place, caller: Client) -> None:
    sought = {"url": place.url, "tag": place.tag, "credentials_ref": place.credentials}
    status, resolved = caller.ask("POST", "/v1/artifacts/resolve", sought)
    assert status == 200, resolved
    status, inspected = caller.ask("POST", "/v1/artifacts/inspect", sought)
    assert (status, inspected["digest"], inspected["resource_count"]) == (200, resolved["digest"], 3), inspected
    status, planned = caller.ask("POST", "/v1/artifacts/plan", {"url": place.url, "digest": resolved["digest"],
                                                                "credentials_ref": place.credentials})  # fmt: skip
    assert (status, planned["missing_permissions"], planned["blobs"]["copy"]) == (200, [], 0), planned
    tried = caller.ask("POST", f"/v1/credentials/{place.credentials}/test", {"reference": f"{place.url}:{place.tag}"})
    assert (tried[0], tried[1]["login"], tried[1]["digest"]) == (200, "accepted", resolved["digest"]), tried
    assert caller.ask("POST", "/v1/credentials/none/test", {})[1]["code"] == "not_found"
    repository = {"url": place.url, "credentials_ref": place.credentials}
    assert caller.ask("POST", "/v1/artifacts/tags", repository) == (200, {"tags": [place.tag], "truncated": False})
    before, after = (_public(enforced, tag, SECRET % value) for tag, value in (("v1", "old"), ("v2", CANARY)))
    status, compared = caller.ask("POST", "/v1/artifacts/diff", {"before": before, "after": after})
    assert (status, compared["changed"]) == (200, 1), compared
    assert CANARY not in json.dumps(compared)
    status, problem = caller.ask("POST", "/v1/artifacts/resolve", {**sought, "tag": "none"})
    assert (status, problem["code"]) == (400, "ReferenceNotFound"), problem


def test_what_nobody_waits_for_is_answered_later_and_for_its_organisation(
    enforced: Pipeline, place: Place, caller: Client
) -> None:
    sought = {"url": place.url, "tag": place.tag, "credentials_ref": place.credentials}
    status, begun = caller.ask("POST", "/v1/artifacts/inspect", sought, prefer="respond-async")
    assert (status, begun["state"]) == (202, "running"), begun
    deadline = time.monotonic() + 60
    while (found := caller.ask("GET", begun["links"]["self"])[1])["state"] == "running":
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
    assert (found["state"], found["result"]["resource_count"]) == ("done", 3), found
    other = first_token(enforced, "org_stranger0000")
    assert other.ask("GET", begun["links"]["self"])[0] == 404
