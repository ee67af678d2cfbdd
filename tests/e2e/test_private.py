"""Private sources on the deployed template, with the functions' roles enforced and not."""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from byoa.bootstrap import terminal
from byoa.trust.external_id import external_id
from local import private
from local.demo import ARTIFACTS, TAG, push

if TYPE_CHECKING:
    from collections.abc import Iterator

    from byoa.builds.messages import Build
    from local.private import Place
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

PLACES = ("private-basic", "private-ecr", "private-token")
OTHERS = "org_other0000000"


@pytest.fixture(scope="module", params=["pipeline", "enforced"])
def stack(request: pytest.FixtureRequest) -> Pipeline:
    """One of the two stacks, with what its private places hold."""
    found: Pipeline = request.getfixturevalue(request.param)
    for place in private.places(found.desk):
        push(place)
        private.store(found.desk, place)
    return found


@pytest.fixture(params=PLACES)
def place(stack: Pipeline, request: pytest.FixtureRequest) -> Place:
    return _place(stack, request.param)


def _place(stack: Pipeline, component: str) -> Place:
    return next(each for each in private.places(stack.desk) if each.component == component)


def _code(build: Build) -> str | None:
    assert build.status == "error", build
    assert build.outcome
    assert build.outcome.failure
    return build.outcome.failure.code


def test_an_artifact_in_a_private_place_becomes_active(stack: Pipeline, place: Place) -> None:
    build = stack.wait(stack.submit_private(place.component, place, place.credentials).build)
    assert build.status == "active", build.outcome
    assert build.outcome
    pinned = terminal.layout(ARTIFACTS / place.layout).fetch_manifest(TAG).digest
    assert build.outcome.digest == build.outcome.mirrors[0].digest == str(pinned)


@pytest.mark.parametrize(
    ("component", "code"),
    [("private-ecr", "CredentialForbidden"), ("private-basic", "AuthFailed"), ("private-token", "AuthFailed")],
)
def test_without_the_reference_it_is_not_read(stack: Pipeline, component: str, code: str) -> None:
    build = stack.submit_private(f"bare-{component}", _place(stack, component), None).build
    assert _code(stack.wait(build)) == code


def test_another_organisation_s_reference_is_as_good_as_none(stack: Pipeline, place: Place) -> None:
    name = f"of-others-{place.component}"
    private.set_credentials(stack.desk, name, place.options, place.secret, OTHERS)
    build = stack.submit_private(name, place, name).build
    assert _code(stack.wait(build)) == "CredentialForbidden"


@pytest.mark.parametrize("organisation", [OTHERS, None], ids=["another organisation's", "none"])
def test_a_role_that_waits_for_another_external_id_or_none_lets_nobody_in(
    stack: Pipeline, organisation: str | None
) -> None:
    place = _place(stack, "private-ecr")
    told = external_id(stack.desk.outputs["TableName"], organisation) if organisation else None
    name = f"waits-{'other' if organisation else 'for-none'}"
    role = private.trust_role(stack.desk, name, told)
    private.set_credentials(stack.desk, name, [*place.options[:-1], role])
    build = stack.submit_private(name, place, name).build
    assert _code(stack.wait(build)) == "AuthFailed"


@pytest.mark.parametrize("component", ["private-basic", "private-token"])
def test_a_wrong_password_is_named(stack: Pipeline, component: str) -> None:
    place = _place(stack, component)
    name = f"wrong-{component}"
    private.set_credentials(stack.desk, name, place.options, secrets.token_urlsafe())
    build = stack.submit_private(name, place, name).build
    assert _code(stack.wait(build)) == "AuthFailed"


@pytest.mark.parametrize(
    ("component", "stored_for"),
    [
        ("private-token", "private-basic"),  # the same address, another port
        ("private-basic", "private-ecr"),
        ("private-ecr", "private-basic"),
    ],
)
def test_credentials_of_one_host_go_to_no_other(stack: Pipeline, component: str, stored_for: str) -> None:
    place, other = _place(stack, component), _place(stack, stored_for)
    build = stack.submit_private(f"host-{component}", place, other.credentials).build
    assert _code(stack.wait(build)) == "CredentialHostMismatch"


def test_the_secret_stands_nowhere_that_builds_are_told_of(stack: Pipeline) -> None:
    place = _place(stack, "private-basic")
    queue = _listener(stack)
    wrong = secrets.token_urlsafe()
    private.set_credentials(stack.desk, "canary", place.options, wrong)
    right = stack.wait(stack.submit_private("canary-right", place, place.credentials).build)
    assert right.status == "active"
    assert _code(stack.wait(stack.submit_private("canary-wrong", place, "canary").build)) == "AuthFailed"
    told = {
        "table": stack.call("dynamodb", "scan", TableName=stack.desk.outputs["TableName"])["Items"],
        "events": list(_heard(stack, queue)),
        "histories": list(_histories(stack)),
        "logs": list(_logs(stack)),
    }
    for where, found in told.items():
        text = json.dumps(found, default=str)
        assert right.build_id in text, where
        for secret in (place.secret, wrong):
            login = base64.b64encode(f"{private.USER}:{secret}".encode()).decode()
            assert secret not in text, where
            assert login not in text, where


def _listener(stack: Pipeline) -> str:
    """A queue that hears all that our bus tells."""
    queue = stack.call("sqs", "create_queue", QueueName="private")["QueueUrl"]
    arn = "arn:aws:sqs:us-east-1:000000000000:private"
    bus = stack.desk.outputs["BusName"]
    stack.call("events", "put_rule", Name="private", EventBusName=bus, EventPattern='{"source": ["io.byoa"]}')
    stack.call("events", "put_targets", Rule="private", EventBusName=bus, Targets=[{"Id": "q", "Arn": arn}])
    return str(queue)


def _heard(stack: Pipeline, queue: str) -> Iterator[Any]:
    while found := stack.call("sqs", "receive_message", QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            yield json.loads(message["Body"])
            stack.call("sqs", "delete_message", QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def _histories(stack: Pipeline) -> Iterator[Any]:
    for execution in stack.executions():
        yield stack.call("stepfunctions", "get_execution_history", executionArn=execution["executionArn"])["events"]


def _logs(stack: Pipeline) -> Iterator[Any]:
    for group in stack.call("logs", "describe_log_groups")["logGroups"]:
        yield stack.call("logs", "filter_log_events", logGroupName=group["logGroupName"])["events"]
