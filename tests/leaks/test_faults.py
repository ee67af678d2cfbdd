"""Builds and trials that end elsewhere than at a registry, with a secret in their hands or in what they are given."""

from __future__ import annotations

import base64
import json
import logging
import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic import BaseModel

from byoa.adapters.registries.distribution import DistributionRepository
from byoa.bootstrap import clients, process
from byoa.errors import (
    AuthFailed,
    BuildTimedOut,
    ByoaError,
    CredentialForbidden,
    CredentialHostMismatch,
    CredentialMalformed,
    DigestUnsupported,
    DuplicateEvent,
    EndpointBlocked,
    EventUntrusted,
    InternalFault,
    PlatformForbidden,
    PlatformMissing,
    QuotaExceeded,
    ReferenceInvalid,
    ReferenceUnsupported,
    SecretUnavailable,
    StaleVersion,
    StoreThrottled,
    TenantForbidden,
    Timeout,
    leaves,
)
from tests.leaks import test_command_line
from tests.leaks.kinds import ECR_HOST, FORMS, HOSTS, ROLE
from tests.leaks.scenes import DOMAIN, GONE, SCENES, TARGET_SCENES, script
from tests.leaks.searching import canary
from tests.leaks.world import ORG, Ran

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.leaks.world import World

CANNOT_TELL: Final = {
    "ConfigInvalid": "component files are read on a person's machine, where no secret is (tests/components)",
    "ArchiveInvalid": "InspectArtifact's, which has no secret",
    "ArchiveEntryForbidden": "InspectArtifact's, which has no secret",
    "DocumentInvalid": "InspectArtifact's, which has no secret",
    "DocumentLimit": "InspectArtifact's, which has no secret",
    "ContentNotFound": "InspectArtifact's, which has no secret",
    "FileUnreadable": "of files that are packed, before any login is looked for",
    "RenderFailed": "of files that are packed, before any login is looked for",
    "PlatformChanged": "said of an option and an index, without a word of either",
    "SourceKindUnsupported": "ValidateReference's, which has no secret",
    "EditRefused": "of a component's file and a path of its fields, where no secret is (tests/components)",
    "IssuerUnusable": "of an address that an admin typed, and of public keys (tests/adapters/registries)",
    "ReferenceForbidden": "ValidateReference's, which has no secret",
    "BuildNotFound": "of an id that isn't in the table",
    "ReceiptInvalid": "of a receipt and a key, on a person's machine",
    "BuildCancelled": "a reason that the API writes, of no build's source",
    "LoginMissing": "said where there is no token",
    "ProfileUnreadable": "names the file and the rule, before a token is read of it",
    "LockMismatch": "of files on a person's machine and digests",
    "ApiRefused": "quotes the API, whose own answers test_api.py searches",
    "ApiUnusable": "quotes nothing of the answer that it is about",
    "ApiUnavailable": "quotes nothing of the answer that it is about",
    **dict.fromkeys(
        (
            "ClusterAccessInvalid",
            "ClusterUntrusted",
            "ClusterForbidden",
            "KindUnknown",
            "NamespaceMissing",
            "ObjectInvalid",
            "FieldConflict",
            "ObjectOwned",
            "TemplateInvalid",
            "ApprovalMissing",
            "PlanChanged",
            "DeploySuperseded",
            "DependenciesCyclic",
            "DependencyFailed",
            "DeployBusy",
            "DeployCancelled",
            "DeployTimedOut",
            "AgentSilent",
            "InstallUnhealthy",
            "ClusterUnavailable",
            "ClusterThrottled",
            "ObjectBusy",
            "InventoryInvalid",
        ),
        "an install's, which tests/installs searches for values of Secrets and for logins",
    ),
}
"""Leaves of the errors that no secret can get into, each with the reason."""

GOOGLE_S: Final = HOSTS["gcp_gar"]
SECURE: Final = f"registry.{DOMAIN}"
"""A registry that is asked over TLS."""

# ---- what is stored can't be used --------------------------------------------------------------------------------

UNREADABLE: Final[dict[str, Callable[[str, str], object]]] = {
    "the secret alone": lambda _, secret: secret,
    "broken JSON": lambda host, secret: f'{{"kind": "basic", "host": "{host}", "password": "{secret}"',
    "JSON of something else": lambda _, secret: json.dumps([secret]),
    "a name that stands twice": lambda host, secret: (
        f'{{"kind": "basic", "host": "{host}", "username": "a", "password": "{secret}", "password": "{secret}"}}'
    ),
    "no kind": lambda host, secret: {"host": host, "password": secret},
    "the secret as a kind": lambda host, secret: {"kind": secret, "host": host},
    "a field of that name": lambda host, secret: {
        "kind": "basic", "host": host, "username": "a", "password": "b", secret: "c",
    },
    "the secret in another field": lambda host, secret: {
        "kind": "basic", "host": host, "username": "a", "password": "b", "passwort": secret,
    },
    "a password that is no text": lambda host, secret: {
        "kind": "basic", "host": host, "username": "a", "password": [secret],
    },
    "a name with a colon": lambda host, secret: {
        "kind": "basic", "host": host, "username": f"{secret}:", "password": secret,
    },
    "a line's end": lambda host, secret: {"kind": "basic", "host": host, "username": "a", "password": f"{secret}\n"},
    "half a character": lambda host, secret: {
        "kind": "basic", "host": host, "username": "a", "password": f"{secret}\ud800",
    },
    "the secret as a host": lambda _, secret: {"kind": "basic", "host": secret, "username": "a", "password": secret},
    "the secret as another host": lambda host, secret: {
        "kind": "basic", "host": host, "token_host": secret, "username": "a", "password": secret,
    },
    "the secret as an authority": lambda host, secret: {
        "kind": "basic", "host": host, "ca": f"-----BEGIN PRIVATE KEY-----\n{secret}", "username": "a",
        "password": secret,
    },
    "an authority that is none": lambda _, secret: {
        "kind": "basic", "host": SECURE, "username": "a", "password": secret,
        "ca": _certificate(secret),
    },
    "a token that is none": lambda host, secret: {"kind": "token", "host": host, "registry_token": f"{secret} x"},
    "two tokens": lambda host, secret: {
        "kind": "token", "host": host, "registry_token": secret, "identity_token": secret,
    },
    "a Docker config that is none": lambda host, secret: {
        "kind": "dockerconfigjson", "host": host, "dockerconfigjson": f"{{{secret}",
    },
    "a Docker config of others": lambda host, secret: _docker(host, {"other.example": {"auth": _pair(secret)}}),
    "a Docker config with a pattern": lambda host, secret: _docker(host, {"*": {"auth": _pair(secret)}}),
    "a Docker config with the secret as a host": lambda host, secret: _docker(host, {secret: {"auth": _pair(secret)}}),
    "a pair without a colon": lambda host, secret: _docker(
        host, {host: {"auth": base64.b64encode(secret.encode()).decode()}}
    ),
    "a pair that is no base64": lambda host, secret: _docker(host, {host: {"auth": f"{secret}:"}}),
    "a pair that is no text": lambda host, secret: _docker(
        host, {host: {"auth": base64.b64encode(b"\xff:" + secret.encode()).decode()}}
    ),
    "a role that is none": lambda _, secret: {"kind": "aws_ecr", "host": ECR_HOST, "role_arn": secret},
    "a key that is none": lambda _, secret: {"kind": "gcp_gar", "host": GOOGLE_S, "key": {"private_key": secret}},
    "a key that is no JSON": lambda _, secret: {"kind": "gcp_gar", "host": GOOGLE_S, "key": f"{{{secret}"},
    "a key for nobody's host": lambda host, secret: {"kind": "gcp_gar", "host": host, "key": {"private_key": secret}},
    "an application without an id": lambda _, secret: {
        "kind": "azure_acr", "host": HOSTS["azure_acr"], "client_secret": secret,
    },
    "an application for nobody's host": lambda host, secret: {
        "kind": "azure_acr", "host": host, "client_id": "id", "client_secret": secret,
    },
}  # fmt: skip


def _certificate(secret: str) -> str:
    body = base64.b64encode(b"0" + secret.encode()).decode()
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def _docker(host: str, auths: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "dockerconfigjson", "host": host, "dockerconfigjson": {"auths": auths}}


def _pair(secret: str) -> str:
    return base64.b64encode(f"user:{secret}".encode()).decode()


@pytest.mark.parametrize("stored", UNREADABLE.values(), ids=UNREADABLE)
def test_credentials_that_can_t_be_used_are_not_quoted(stack: World, stored: Callable[[str, str], object]) -> None:
    host, secret = stack.registry.address, stack.searcher.add(canary())
    value = stored(host, secret)
    named = value.get("host") if isinstance(value, dict) else None
    place = str(named) if named in (*HOSTS.values(), SECURE) else host
    ran = stack.build(stack.submit(f"oci://{place}/team/app", stack.store(value)))
    assert ran.code == CredentialMalformed.__name__
    assert stack.leaks(ran) == []


# ---- what the platform, the ledger or AWS say no to --------------------------------------------------------------


def _deleted(stack: World, name: str) -> dict[str, Any]:
    stack.secrets.delete_secret(SecretId=f"byoa/{ORG}/{name}")
    return {}


def _refused(operation: str, code: str) -> Callable[[World, str], dict[str, Any]]:
    def prepare(stack: World, name: str) -> dict[str, Any]:
        stack.refuses[operation] = code
        return {}

    return prepare


def _refused_session(stack: World, name: str) -> dict[str, Any]:
    stack.refuses["AssumeRole"] = "AccessDenied"
    clients._tenant.cache_clear()
    clients._sources.cache_clear()
    return {}


def _another_host(stack: World, name: str) -> dict[str, Any]:
    return {"reference": "oci://other.example/team/app:v1"}


def _blocked(stack: World, name: str) -> dict[str, Any]:
    value = json.loads(stack.secrets.get_secret_value(SecretId=f"byoa/{ORG}/{name}")["SecretString"])
    stack.secrets.put_secret_value(SecretId=f"byoa/{ORG}/{name}", SecretString=json.dumps({**value, "host": GONE}))
    return {"reference": f"oci://{GONE}/team/app:v1"}


def _late(stack: World, name: str) -> dict[str, Any]:
    """Time is over when the registry has asked for credentials."""
    play = stack.registry.script

    def played(request: Any) -> Any:
        stack.seconds = 4.0
        return play(request)

    stack.registry.script = played
    return {}


def _spent(stack: World, name: str) -> dict[str, Any]:
    found = process.settings()
    object.__setattr__(found, "bytes_per_day", 1)
    return {}


ENDINGS: Final[dict[str, tuple[type[ByoaError], Callable[[World, str], dict[str, Any]]]]] = {
    "deleted credentials": (CredentialForbidden, _deleted),
    "a role that can't be had": (CredentialForbidden, _refused("GetSecretValue", "AccessDeniedException")),
    "another host": (CredentialHostMismatch, _another_host),
    "a host that may not be connected to": (EndpointBlocked, _blocked),
    "no time left": (Timeout, _late),
    "a build's time over": (BuildTimedOut, lambda *_: {"ends_ts": 1}),
    "no bytes left": (QuotaExceeded, _spent),
    "a store of secrets that is busy": (SecretUnavailable, _refused("GetSecretValue", "ThrottlingException")),
    "a store of secrets that is out": (SecretUnavailable, _refused("GetSecretValue", "ServiceUnavailable")),
    "a key that may not be used": (InternalFault, _refused("GetSecretValue", "DecryptionFailure")),
    "a session that is refused": (PlatformForbidden, _refused_session),
    "a table that is busy": (StoreThrottled, _refused("UpdateItem", "ThrottlingException")),
    "a table that is not there": (PlatformMissing, _refused("UpdateItem", "ResourceNotFoundException")),
    "another execution": (DuplicateEvent, lambda *_: {"execution": "another"}),
    "a message of another form": (EventUntrusted, lambda _, name: {"password": name}),
}
"""What has happened when ResolveDigest begins, and what is otherwise in its message."""


ENDED: Final = [
    (ending, label)
    for ending in ENDINGS
    for label in ("basic", "basic for tokens", "identity token", "ECR of another account")
    if (ending, label) != ("a host that may not be connected to", "ECR of another account")  # its hosts are AWS's
]


@pytest.mark.parametrize(("ending", "label"), ENDED)
def test_a_build_that_ends_elsewhere_tells_nothing(stack: World, ending: str, label: str) -> None:
    wanted, prepare = ENDINGS[ending]
    form = FORMS[label]
    secret, name, host = stack.lend(form)
    stack.registry.script = script(form, None, secret, stack.registry.address)
    key = stack.submit(f"oci://{host}/team/app", name)
    ran = Ran()
    build = {**key.model_dump(), "execution": "execution"}
    message = stack.invoke("validate_reference", build, ran)
    message = {**message, **prepare(stack, name)}
    try:
        for step in ("resolve_digest", "stage_artifact"):
            answer = stack.invoke(step, message, ran)
            if answer is None:
                break
            message = {**message, **answer}
    finally:
        process.settings.cache_clear()
    assert ran.code == wanted.__name__, ran.error and ran.error.as_json()
    assert stack.leaks(ran) == []


def test_a_build_that_is_overtaken_tells_nothing(stack: World) -> None:
    form = FORMS["basic"]
    secret, name, host = stack.lend(form)
    key = stack.submit(f"oci://{host}/team/app", name, "web")

    def overtaking(request: Any) -> None:
        stack.registry.script = script(form, None, secret, stack.registry.address)
        stack.submit(f"oci://{host}/team/app", name, "web", tag="v2")

    stack.registry.script = overtaking
    ran = stack.build(key)
    assert ran.code == StaleVersion.__name__
    assert stack.leaks(ran) == []


def test_a_message_that_holds_the_secret_is_not_quoted(stack: World) -> None:
    secret = stack.searcher.add(canary())
    for event in (secret, [secret], {secret: secret}, {"organisation": secret, "password": secret}):
        for function in ("resolve_digest", "stage_artifact", "stage_blob", "try_credentials", "validate_reference"):
            ran = Ran()
            stack.invoke(function, event, ran)
            assert ran.code == EventUntrusted.__name__
            assert stack.leaks(ran) == []


# ---- what nobody expects -----------------------------------------------------------------------------------------


class _Model(BaseModel):
    password: int


def _pydantic(secret: str) -> None:
    _Model.model_validate({"password": secret})


def _codec(secret: str) -> None:
    f"{secret}\ud800".encode()


def _decoder(secret: str) -> None:
    (secret.encode() + b"\xff").decode()


def _key(secret: str) -> None:
    dict[str, str]()[secret]


def _number(secret: str) -> None:
    int(secret)


def _chained(secret: str) -> None:
    try:
        int(secret)
    except ValueError as error:
        raise RuntimeError(f"no login {secret}") from error


def _in_a_row(secret: str) -> None:
    try:
        int(secret)
    except ValueError:
        dict[str, str]()[secret]


def _noted(secret: str) -> None:
    error = RuntimeError(base64.b64encode(f"user:{secret}".encode()).decode())
    error.add_note(secret.encode().hex())
    raise error


def _group(secret: str) -> None:
    raise ExceptionGroup(secret, [ValueError(secret), KeyError(secret)])


@pytest.mark.parametrize(
    "fails",
    [_pydantic, _codec, _decoder, _key, _number, _chained, _in_a_row, _noted, _group],
    ids=lambda each: each.__name__,
)
@pytest.mark.parametrize("function", ["resolve_digest", "try_credentials"])
def test_an_exception_that_nobody_expects_says_where_and_not_what(
    stack: World, monkeypatch: pytest.MonkeyPatch, fails: Callable[[str], None], function: str
) -> None:
    form = FORMS["basic"]
    secret, name, host = stack.lend(form)
    monkeypatch.setattr(DistributionRepository, "fetch_manifest", lambda *_: fails(secret()))
    ran = Ran()
    if function == "try_credentials":
        trial = {"organisation": ORG, "name": name, "reference": f"oci://{host}/team/app:v1"}
        stack.invoke(function, trial, ran)
    else:
        ran = stack.build(stack.submit(f"oci://{host}/team/app", name))
    log = stack.log.getvalue()
    assert ran.code == InternalFault.__name__
    assert stack.leaks(ran) == []
    assert re.search(rf"test_faults\.py:\d+ {fails.__name__}", log)


def test_what_aws_answers_is_in_no_log_whatever_level_is_asked_for(stack: World) -> None:
    """The guard is needed, and what a log at DEBUG would have is found."""
    form = FORMS["basic"]
    _, name, host = stack.lend(form)
    botocore = logging.getLogger("botocore")
    before = botocore.level
    assert before > logging.DEBUG
    try:
        botocore.setLevel(logging.DEBUG)
        ran = stack.build(stack.submit(f"oci://{host}/team/app", name), steps=("resolve_digest",))
    finally:
        botocore.setLevel(before)
    assert "log: plain" in stack.leaks(ran)


# ---- trials ------------------------------------------------------------------------------------------------------

TRIALS: Final[dict[str, tuple[type[ByoaError], Callable[[str, str, str], dict[str, str]]]]] = {
    "a login in the reference": (
        ReferenceInvalid, lambda host, name, secret: {"name": name, "reference": f"oci://user:{secret}@{host}/a:v1"},
    ),
    "the secret as a tag": (
        ReferenceInvalid, lambda host, name, secret: {"name": name, "reference": f"oci://{host}/a:{secret}"},
    ),
    "the secret as a name": (ReferenceInvalid, lambda _, __, secret: {"name": secret.replace("/", "_")}),
    "a path with the secret": (TenantForbidden, lambda _, __, secret: {"name": f"byoa/org_other0000000/{secret}"}),
    "another scheme": (
        ReferenceUnsupported, lambda host, name, secret: {"name": name, "reference": f"https://u:{secret}@{host}/a:v1"},
    ),
    "a digest of another kind": (
        DigestUnsupported,
        lambda host, name, secret: {"name": name, "reference": f"oci://{host}/a@md5:{secret.encode().hex()[:32]}"},
    ),
    "no such credentials": (CredentialForbidden, lambda host, name, _: {"name": f"{name}-x"}),
    "another host": (
        CredentialHostMismatch, lambda _, name, __: {"name": name, "reference": f"oci://{ECR_HOST}/team/app:v1"},
    ),
    "the wrong password": (AuthFailed, lambda host, name, _: {"name": name}),
}  # fmt: skip


@pytest.mark.parametrize("trial", TRIALS)
def test_a_trial_that_fails_quotes_nothing(stack: World, trial: str) -> None:
    wanted, event = TRIALS[trial]
    form = FORMS["basic"]
    secret, name, host = stack.lend(form)
    stack.registry.script = script(form, SCENES["a challenge of another scheme"], secret, stack.registry.address)
    ran = Ran()
    stack.invoke("try_credentials", {"organisation": ORG, "reference": None, **event(host, name, secret())}, ran)
    assert ran.code == wanted.__name__
    assert stack.leaks(ran) == []


@pytest.mark.parametrize("label", FORMS)
def test_a_trial_that_goes_well_tells_nothing(stack: World, label: str) -> None:
    form = FORMS[label]
    secret, name, host = stack.lend(form)
    stack.registry.script = script(form, None, secret, stack.registry.address)
    for reference in (f"oci://{host}/team/app:v1", None):
        ran = Ran()
        stack.invoke("try_credentials", {"organisation": ORG, "name": name, "reference": reference}, ran)
        assert (ran.code, stack.leaks(ran)) == ("active", [])


# ---- all of them -------------------------------------------------------------------------------------------------


def test_every_error_is_forced_or_can_tell_nothing() -> None:
    scenes = [scene.wanted for scene in (*SCENES.values(), *TARGET_SCENES.values()) if scene.wanted]
    ended = [wanted for wanted, _ in (*ENDINGS.values(), *TRIALS.values())]
    forced = {each.__name__ for each in (*scenes, *ended, CredentialMalformed, StaleVersion, *test_command_line.WANTED)}
    assert forced.isdisjoint(CANNOT_TELL)
    assert forced | CANNOT_TELL.keys() == {leaf.__name__ for leaf in leaves()}


def test_the_role_of_the_tests_is_of_another_account() -> None:
    assert ROLE.split(":")[4] in ECR_HOST
