"""`byoa credentials` on the deployed template, with roles enforced: what it stores, the function tries."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from byoa.bootstrap import terminal
from local import private
from local.demo import ARTIFACTS, TAG, push
from local.desk import ORGANISATION
from tests.terminal import BYOA

if TYPE_CHECKING:
    from local.private import Place
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

PLACES = ("private-basic", "private-ecr", "private-token")


class Done(NamedTuple):
    code: int
    document: dict[str, Any]
    told: str

    @property
    def error(self) -> str:
        return str(self.document["error"]["code"])


@pytest.fixture(scope="module")
def stack(enforced: Pipeline) -> Pipeline:
    for place in private.places(enforced.desk):
        push(place)
        private.store(enforced.desk, place)
    return enforced


@pytest.fixture(params=PLACES)
def place(stack: Pipeline, request: pytest.FixtureRequest) -> Place:
    return next(each for each in private.places(stack.desk) if each.component == request.param)


def byoa(stack: Pipeline, *arguments: str) -> Done:
    environment = {**os.environ, **stack.desk.environment()}
    command = [BYOA, "credentials", *arguments, "--json"]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return Done(done.returncode, json.loads(done.stdout), done.stdout + done.stderr)


def test_a_stored_login_is_accepted_by_its_registry(stack: Pipeline, place: Place) -> None:
    name = place.credentials or ""
    done = byoa(stack, "test", name)
    assert (done.code, done.document.get("login"), done.document.get("host")) == (0, "accepted", place.host), done.told
    assert not place.secret or place.secret not in done.told


def test_what_a_reference_means_is_told(stack: Pipeline, place: Place) -> None:
    done = byoa(stack, "test", place.credentials or "", f"{place.url}:{place.tag}")
    pinned = terminal.layout(ARTIFACTS / place.layout).fetch_manifest(TAG).digest
    assert (done.code, done.document.get("digest")) == (0, str(pinned)), done.told


def test_what_was_read_has_been_used(stack: Pipeline, place: Place) -> None:
    name = place.credentials or ""
    version = byoa(stack, "test", name).document["version"]
    shown = byoa(stack, "get", name).document
    assert (shown["kind"], shown["host"], shown["version"]) == (place.options[1], place.host, version)
    assert shown["last_used"]
    listed = byoa(stack, "list").document["credentials"]
    assert name in [each["name"] for each in listed]
    assert not place.secret or place.secret not in json.dumps([shown, listed])


@pytest.mark.parametrize("component", ["private-basic", "private-token"])
def test_a_wrong_password_is_refused_by_the_registry(stack: Pipeline, component: str) -> None:
    place = next(each for each in private.places(stack.desk) if each.component == component)
    wrong = secrets.token_urlsafe()
    private.set_credentials(stack.desk, f"mistyped-{component}", place.options, wrong)
    done = byoa(stack, "test", f"mistyped-{component}")
    assert (done.code, done.error) == (1, "AuthFailed")
    assert wrong not in done.told


def test_a_role_that_looks_at_no_external_id_is_not_used(stack: Pipeline) -> None:
    """Threat C13: every organisation of ours could name it."""
    place = next(each for each in private.places(stack.desk) if each.component == "private-ecr")
    role = private.trust_role(stack.desk, "careless", None)
    private.set_credentials(stack.desk, "careless", [*place.options[:-1], role])
    done = byoa(stack, "test", "careless")
    assert (done.code, done.error) == (1, "AuthFailed")
    assert "looks at no ExternalId" in done.told


@pytest.mark.parametrize("enforcing", ["pipeline", "enforced"])
def test_no_role_of_the_platform_s_own_is_lent_to_a_build(request: pytest.FixtureRequest, enforcing: str) -> None:
    """Threat C13. The command refuses to store it, so it is stored by hand."""
    stack: Pipeline = request.getfixturevalue(enforcing)
    place = next(each for each in private.places(stack.desk) if each.component == "private-ecr")
    secret = {"kind": "aws_ecr", "host": place.host, "role_arn": stack.desk.outputs["SourceRoleArn"]}
    path = f"byoa/{ORGANISATION}/our-own"
    tags = [{"Key": "org_id", "Value": ORGANISATION}]
    stack.call("secretsmanager", "create_secret", Name=path, SecretString=json.dumps(secret), Tags=tags)
    build = stack.wait(stack.submit_private("our-own", place, "our-own").build)
    assert build.outcome
    assert build.outcome.failure
    assert build.outcome.failure.code == "CredentialForbidden"
    assert "own account" in build.outcome.failure.cause


def test_what_is_deleted_is_gone_at_once(stack: Pipeline) -> None:
    place = next(each for each in private.places(stack.desk) if each.component == "private-basic")
    private.set_credentials(stack.desk, "short-lived", place.options, place.secret)
    assert byoa(stack, "test", "short-lived").code == 0
    assert byoa(stack, "delete", "short-lived", "--yes").code == 0
    for arguments in (("test", "short-lived"), ("get", "short-lived")):
        assert byoa(stack, *arguments).error == "CredentialForbidden"


@pytest.mark.parametrize(
    ("name", "reference", "error"),
    [
        ("nothing", None, "CredentialForbidden"),
        ("../org_other0000000/vendor-login", None, "TenantForbidden"),
        ("vendor-login", "oci://ghcr.io/vendor/app:v1", "CredentialHostMismatch"),
        ("vendor-login", "oci://169.254.169.254/vendor/app:v1", "EndpointBlocked"),
    ],
)
def test_the_function_refuses_as_a_build_does(stack: Pipeline, name: str, reference: str | None, error: str) -> None:
    done = byoa(stack, "test", name, *([reference] if reference else []))
    assert (done.code, done.error) == (1, error)
    assert done.document["error"]["remedy"]
