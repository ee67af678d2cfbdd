"""Builds with stored credentials on the deployed template, and everything that they leave there: no secret is in it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from byoa.bootstrap import terminal
from byoa.oci.reference import Reference, Registry
from byoa.trust.credentials import Credential
from local import private
from local.demo import push
from local.desk import ORGANISATION, STACK
from tests.leaks.searching import Searcher, canary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from byoa.builds.messages import Build
    from local.private import Place
    from tests.e2e.conftest import Pipeline

pytestmark = pytest.mark.emulator

BORROWING = ("resolve-digest", "stage-artifact", "stage-blob", "try-credentials")
QUEUE = "leaks"


@pytest.fixture(scope="module")
def talkative(pipeline: Pipeline) -> Iterator[Pipeline]:
    """The stack with private places, whose functions that borrow log all they can."""
    for place in private.places(pipeline.desk):
        push(place)
        private.store(pipeline.desk, place)
    before: dict[str, dict[str, str]] = {}
    for name in (f"{STACK}-{each}" for each in BORROWING):
        found = pipeline.call("lambda", "get_function_configuration", FunctionName=name)
        before[name] = found["Environment"]["Variables"]
        _surround(pipeline, name, {**before[name], "POWERTOOLS_LOG_LEVEL": "DEBUG"}, "DEBUG")
    yield pipeline
    for name, variables in before.items():
        _surround(pipeline, name, variables, "INFO")


def _surround(pipeline: Pipeline, function: str, variables: dict[str, str], level: str) -> None:
    """Lambda's own setting for a level is heard by all loggers."""
    pipeline.call(
        "lambda",
        "update_function_configuration",
        FunctionName=function,
        Environment={"Variables": variables},
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": level},
    )


def _listen(pipeline: Pipeline) -> str:
    """A queue that hears all that the bus tells, whoever tells it."""
    queue = pipeline.call("sqs", "create_queue", QueueName=QUEUE)["QueueUrl"]
    arn, bus = f"arn:aws:sqs:us-east-1:000000000000:{QUEUE}", pipeline.desk.outputs["BusName"]
    pattern = json.dumps({"source": [{"prefix": ""}]})
    pipeline.call("events", "put_rule", Name=QUEUE, EventBusName=bus, EventPattern=pattern)
    pipeline.call("events", "put_targets", Rule=QUEUE, EventBusName=bus, Targets=[{"Id": "q", "Arn": arn}])
    return str(queue)


def _command(pipeline: Pipeline, arguments: Sequence[str], stdin: str = "") -> str:
    """What `byoa` prints."""
    environment = {**os.environ, **pipeline.desk.environment()}
    program = str(Path(sys.executable).parent / "byoa")
    done = subprocess.run(
        [program, *arguments], env=environment, input=stdin, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def _stored(pipeline: Pipeline, name: str, text: str) -> None:
    tags = [{"Key": "org_id", "Value": ORGANISATION}]
    pipeline.call("secretsmanager", "create_secret", Name=f"byoa/{ORGANISATION}/{name}", SecretString=text, Tags=tags)


def _code(build: Build) -> str:
    assert build.outcome
    return build.outcome.failure.code if build.outcome.failure else build.status


def test_no_secret_shows_anywhere(talkative: Pipeline) -> None:
    places: dict[str, Place] = {each.component: each for each in private.places(talkative.desk)}
    searcher, queue = Searcher(), _listen(talkative)
    printed: list[str] = []
    for place in places.values():
        if place.secret:
            searcher.add(place.secret)
    basic = places["private-basic"]
    wrong, malformed, elsewhere = (searcher.add(canary()) for _ in range(3))
    told = {"kind": "basic", "host": basic.host, "username": private.USER, "password": malformed}
    _stored(talkative, "leaks-malformed", json.dumps({**told, malformed: malformed}))
    options = ("--kind", "basic", "--username", private.USER, "--host")
    printed.append(
        _command(talkative, ["credentials", "set", "leaks-wrong", *options, basic.host], wrong)
        + _command(talkative, ["credentials", "set", "leaks-elsewhere", *options, "r.example.com"], elsewhere)
    )
    wanted = {"leaks-wrong": "AuthFailed", "leaks-malformed": "CredentialMalformed"}
    wanted |= {"leaks-elsewhere": "CredentialHostMismatch"}
    builds = {
        **{
            f"leaks-{name}": talkative.submit_private(f"leaks-{name}", each, each.credentials)
            for name, each in places.items()
        },
        **{name: talkative.submit_private(name, basic, name) for name in wanted},
    }
    ended = {name: talkative.wait(accepted.build) for name, accepted in builds.items()}
    assert {name: _code(build) for name, build in ended.items()} == {
        **dict.fromkeys((f"leaks-{name}" for name in places), "active"), **wanted,
    }  # fmt: skip
    names = [*wanted, *(each.credentials or "" for each in places.values())]
    printed += [_command(talkative, ["credentials", *more]) for more in (["list"], ["list", "--json"])]
    printed += [_command(talkative, ["credentials", each, name]) for name in names for each in ("get", "test")]
    for build in ended.values():
        printed += [_command(talkative, ["builds", "get", build.build_id, *more]) for more in ([], ["--json"])]
        printed.append(_command(talkative, ["receipt", "get", build.build_id]))

    one = ended["leaks-private-basic"]
    assert one.outcome
    assert one.outcome.digest
    sinks = dict(_sinks(talkative, queue, ended.values()))
    for where, text in sinks.items():
        bytes_alone = where in ("quarantine", "mirrors")
        assert (one.outcome.digest.partition(":")[2] if bytes_alone else one.build_id) in text, where
    sinks["printed"] = "\n".join(printed)
    sinks["the desk's log files"] = _log_files(talkative.folder)
    assert [each for where, text in sinks.items() for each in searcher.find(where, text)] == []

    kept = json.dumps(
        [
            talkative.call("secretsmanager", "get_secret_value", SecretId=f"byoa/{ORGANISATION}/{name}")
            for name in names
        ],
        default=str,
    )
    assert searcher.find("Secrets Manager", kept), "what is looked for is what was stored"


def _sinks(pipeline: Pipeline, queue: str, builds: Iterable[Build]) -> Iterator[tuple[str, str]]:
    def text(found: object) -> str:
        return json.dumps(found, default=str)

    yield "functions' logs", text(list(_logs(pipeline)))
    yield "histories", text(list(_histories(pipeline)))
    yield "table", text(pipeline.call("dynamodb", "scan", TableName=pipeline.desk.outputs["TableName"])["Items"])
    yield "events", text(list(_heard(pipeline, queue)))
    yield "quarantine", text(list(_objects(pipeline)))
    yield "mirrors", text(list(_mirrors(pipeline, builds)))


def _logs(pipeline: Pipeline) -> Iterator[Any]:
    for group in pipeline.call("logs", "describe_log_groups")["logGroups"]:
        more: dict[str, str] = {}
        while True:
            page = pipeline.call("logs", "filter_log_events", logGroupName=group["logGroupName"], **more)
            yield page["events"]
            if not page.get("nextToken"):
                break
            more = {"nextToken": page["nextToken"]}


def _histories(pipeline: Pipeline) -> Iterator[Any]:
    for execution in pipeline.executions():
        arn = execution["executionArn"]
        yield pipeline.call("stepfunctions", "describe_execution", executionArn=arn)
        yield pipeline.call("stepfunctions", "get_execution_history", executionArn=arn)["events"]


def _heard(pipeline: Pipeline, queue: str) -> Iterator[Any]:
    while found := pipeline.call("sqs", "receive_message", QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            yield json.loads(message["Body"])
            pipeline.call("sqs", "delete_message", QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def _objects(pipeline: Pipeline) -> Iterator[Any]:
    for bucket in pipeline.call("s3", "list_buckets")["Buckets"]:
        for each in pipeline.call("s3", "list_objects_v2", Bucket=bucket["Name"]).get("Contents", []):
            found = pipeline.call("s3", "get_object", Bucket=bucket["Name"], Key=each["Key"])
            yield [each, found["Metadata"], repr(found["Body"].read())]


def _mirrors(pipeline: Pipeline, builds: Iterable[Build]) -> Iterator[Any]:
    """What ECR knows of the repositories, and the manifests that were put into them."""
    yield pipeline.call("ecr", "describe_repositories")["repositories"]
    token = pipeline.call("ecr", "get_authorization_token")["authorizationData"][0]["authorizationToken"]
    login = Credential("AWS", base64.b64decode(token).decode().partition(":")[2])
    for build in builds:
        assert build.outcome
        for mirror in build.outcome.mirrors:
            name = Reference.parse(mirror.reference).repository
            place = Reference(Registry.parse(pipeline.desk.ecr), name)
            manifest = terminal.repository(place, "source", login, plain_http=True).fetch_manifest(mirror.tag)
            yield [name, mirror.tag, str(manifest.digest), manifest.content.decode()]


def _log_files(folder: Path) -> str:
    return "\n".join(each.read_text(errors="replace") for each in folder.rglob("*.log"))
